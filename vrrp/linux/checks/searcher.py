"""Where a regex is looked for in what web servers answer: beside the event loop, and not for ever."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path

from vrrp.linux.checks.connection import UnaskedError
from vrrp.linux.checks.search_worker import ANSWER, HEAD
from vrrp.lvs.http_answer import Search

LIMIT_S = 1.0
"""How much of the processor's time one search may take."""
_WORKER = str(Path(__file__).with_name("search_worker.py"))


class SearchError(ValueError):
    """A search that was given up."""


class Searcher:
    """Has a process of its own do one search after the other; it is begun with the first (see `search_worker`)."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._process: Process | None = None

    async def find(self, search: Search) -> int:
        """Where it is found, -1 for nowhere. SearchError where that takes too long, UnaskedError without a process."""
        async with self._turn:
            process, self._process = self._process or await _begin(), None
            try:
                found = await _ask(process, search)
                self._process = process
            except (OSError, asyncio.IncompleteReadError) as error:
                message = f"regex: the search was given up, it takes more than {LIMIT_S:g} s of the processor's time"
                raise SearchError(message) from error
            finally:
                if self._process is None:
                    await _end(process)
        return found

    async def close(self) -> None:
        """End the process."""
        if self._process is not None:
            await _end(self._process)
            self._process = None


async def _begin() -> Process:
    words = (sys.executable, "-I", "-S", _WORKER)
    try:
        return await asyncio.create_subprocess_exec(*words, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, process_group=0)
    except OSError as error:
        raise UnaskedError(error.errno, error.strerror) from error


async def _ask(process: Process, search: Search) -> int:
    assert process.stdin is not None  # pipes, as asked for
    assert process.stdout is not None
    head = HEAD.pack(len(search.pattern), search.flags, len(search.searched), search.start, LIMIT_S)
    process.stdin.write(head + search.pattern + search.searched)
    await process.stdin.drain()
    found: int = ANSWER.unpack(await process.stdout.readexactly(ANSWER.size))[0]
    return found


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.communicate()
