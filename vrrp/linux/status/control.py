"""The control socket: a question a line, an answer a line, in JSON.

There is one question, `status`. Whoever may open the socket, its owner alone, may ask.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from vrrp.linux.status.document import Json, Status

if TYPE_CHECKING:
    from vrrp.linux.daemon import Daemon

NAME = "control"
"""In the state directory."""
_LONGEST_QUESTION = 256
_MOST_CLIENTS = 32
_PATIENCE_S = 60
_ANSWER_WITHIN_S = 5.0
_QUESTION = b"status"


class ControlSocket:
    """The service that answers.

    Args:
        status: what to tell.
        folder: the state directory, which this process holds.
    """

    def __init__(self, status: Status, folder: Path) -> None:
        self._status = status
        self._path = folder / NAME
        self._clients: set[asyncio.Task[None]] = set()

    async def start(self, daemon: Daemon) -> None:
        """Listen. OSError for what prevents it."""
        self._clear_away()
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listening.bind(str(self._path))
            self._path.chmod(0o600)  # before anyone can connect
            self._server = await asyncio.start_unix_server(self._serve, sock=listening, limit=_LONGEST_QUESTION)
        except OSError as error:
            listening.close()
            raise OSError(error.errno, error.strerror or str(error), str(self._path)) from error

    def _clear_away(self) -> None:
        """Remove the socket of a run that crashed. FileExistsError for what is none."""
        with contextlib.suppress(FileNotFoundError):
            if not stat.S_ISSOCK(self._path.lstat().st_mode):
                raise FileExistsError(errno.EEXIST, "this is no socket of an earlier run; remove it", str(self._path))
            self._path.unlink()

    async def stop(self) -> None:
        """Listen no more."""
        self._server.close()
        for client in list(self._clients):
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # asyncio runs it as one
        self._clients.add(task)
        try:
            if len(self._clients) <= _MOST_CLIENTS:
                async with asyncio.timeout(_PATIENCE_S) as patience:
                    while line := await reader.readline():
                        answer = self._answer(line.strip())
                        writer.write(json.dumps(answer).encode() + b"\n")
                        await writer.drain()
                        patience.reschedule(asyncio.get_running_loop().time() + _PATIENCE_S)
        except (TimeoutError, ValueError, OSError, asyncio.CancelledError):
            pass  # too slow, too long, gone, or the end: the line is closed
        finally:
            self._clients.discard(task)
            writer.close()

    def _answer(self, question: bytes) -> Json:
        if question == _QUESTION:
            return self._status.document
        return {"error": f"there is no question {question[:40].decode(errors='replace')!r}; known: status"}


@contextlib.contextmanager
def asking(folder: Path) -> Iterator[Iterator[Json]]:
    """The answers of the daemon that runs with this state directory, each asked for when it is wanted.

    OSError when none answers.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(_ANSWER_WITHIN_S)
        line.connect(os.fspath(folder / NAME))
        with line.makefile("rb") as answers:

            def ask() -> Iterator[Json]:
                while True:
                    line.sendall(_QUESTION + b"\n")
                    answer = answers.readline()
                    if not answer.endswith(b"\n"):
                        raise ConnectionResetError("the daemon hung up")
                    found = json.loads(answer)
                    assert isinstance(found, dict)  # as `_answer` made it
                    yield found

            yield ask()
