"""Track processes: how many of each kind run, from /proc at first and then from the kernel's news of each.

Where there is no such news, as in other network namespaces than the first, /proc is looked through again and again.
A process is of a kind by its name, as the kernel keeps it; by its whole command line where the configuration has
`full_command` or names parameters too (keepalived.conf(5)).
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from vrrp.config.model import TrackProcess
from vrrp.linux.process_events import Exited, Forked, ProcessEvent, ProcessEvents
from vrrp.protocol.router import KeyedEffects, Router

if TYPE_CHECKING:
    from vrrp.linux.daemon import Daemon

log = logging.getLogger("vrrp.track")

POLL_S = 0.5
"""How often /proc is looked through where the kernel tells nothing."""
_NAME_SIZE = 15
"""The bytes of a process' name that the kernel keeps."""
_ENDED = (b"Z", b"X")
"""The states of a process that has ended and was not waited for."""
_LONGEST = 4096
"""Bytes of a command line that are read."""


class Kind:
    """The processes that one vrrp_track_process means."""

    def __init__(self, config: TrackProcess) -> None:
        self.name = config.name
        first, *self._parameters = os.fsencode(config.command).split(b" ")
        self._match = config.match or "exact"
        self.whole = config.full_command or bool(self._parameters)
        self._program = first if self.whole else first[:_NAME_SIZE]

    def takes(self, name: bytes, line: list[bytes]) -> bool:
        """Whether a process of this name and command line is one; `line` only counts where `whole` is set."""
        if not self.whole:
            return name == self._program
        if not line or line[0] != self._program:
            return False
        wanted, given = self._parameters, line[1:]
        if self._match == "exact":
            return given == wanted
        given = given[: len(wanted)]
        if self._match == "partial" or not wanted:
            return given == wanted
        return given[:-1] == wanted[:-1] and bool(given) and given[-1].startswith(wanted[-1])


class ProcessWatcher:
    """The service that counts the processes a daemon tracks."""

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._proc = proc
        self._kinds: list[Kind] = []
        self._found: dict[int, frozenset[str]] = {}
        """The kinds of each process that is of any."""
        self._told: Counter[str] = Counter()
        self._events: ProcessEvents | None = None
        self._poll: asyncio.TimerHandle | None = None

    async def start(self, daemon: Daemon) -> None:
        """Count, and go on counting."""
        self._daemon = daemon
        self._loop = asyncio.get_running_loop()
        daemon.reloaded.append(self._follow)
        self._follow()

    async def stop(self) -> None:
        """Count no more."""
        self._deafen()

    def _follow(self) -> None:
        self._kinds = [Kind(one) for one in self._daemon.config.config.track_processes.values()]
        if not self._kinds:
            self._deafen()
            return
        if self._events is None and self._poll is None:
            self._listen()
        self._told.clear()
        self._count_anew()

    def _listen(self) -> None:
        try:
            self._events = ProcessEvents()
        except OSError as error:
            self._look_again_and_again(error)
            return
        self._loop.add_reader(self._events.fileno(), self._hear)

    def _look_again_and_again(self, error: OSError) -> None:
        reason = (error.strerror or str(error)).lower()
        log.info("The kernel does not tell of processes (%s): /proc is looked through every %g s", reason, POLL_S)
        self._poll = self._loop.call_later(POLL_S, self._look)

    def _look(self) -> None:
        self._poll = self._loop.call_later(POLL_S, self._look)
        self._count_anew()

    def _deafen(self) -> None:
        if self._events is not None:
            self._loop.remove_reader(self._events.fileno())
            self._events.close()
        if self._poll is not None:
            self._poll.cancel()
        self._events = self._poll = None

    # Counting -------------------------------------------------------------------------------------------

    def _hear(self) -> None:
        assert self._events is not None  # or it would not be heard
        try:
            for event in self._events.read():
                self._take(event)
        except PermissionError as error:
            self._deafen()
            self._look_again_and_again(error)
        except OSError:  # the kernel had more to tell than it keeps
            self._count_anew()
            return
        self._tell()

    def _take(self, event: ProcessEvent) -> None:
        if isinstance(event, Exited):
            self._found.pop(event.pid, None)
        elif isinstance(event, Forked):
            if event.parent in self._found:
                self._found[event.child] = self._found[event.parent]
        else:
            self._look_at(event.pid)

    def _count_anew(self) -> None:
        self._found.clear()
        for entry in os.scandir(self._proc):
            if entry.name.isdigit():
                self._look_at(int(entry.name))
        self._tell()

    def _look_at(self, pid: int) -> None:
        before, _, state = self._read(pid, "stat").rpartition(b") ")
        name = before.partition(b"(")[2]
        line: list[bytes] = []
        if any(kind.whole for kind in self._kinds):
            line = self._read(pid, "cmdline").rstrip(b"\0").split(b"\0")
        kinds = frozenset(kind.name for kind in self._kinds if kind.takes(name, line))
        if kinds and not state.startswith(_ENDED):
            self._found[pid] = kinds
        else:
            self._found.pop(pid, None)

    def _read(self, pid: int, what: str) -> bytes:
        try:
            with (self._proc / str(pid) / what).open("rb", buffering=0) as file:
                return file.read(_LONGEST) or b""
        except OSError:  # it has ended
            return b""

    def _tell(self) -> None:
        counts = Counter(name for kinds in self._found.values() for name in kinds)
        for kind in self._kinds:
            name, count = kind.name, counts[kind.name]
            if name not in self._told or self._told[name] != count:
                self._told[name] = count
                self._daemon.learn(partial(_say, self._daemon.router, name, count))


def _say(router: Router, name: str, count: int, now_ns: int) -> KeyedEffects:
    return router.set_process_count(now_ns, name, count)
