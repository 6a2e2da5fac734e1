"""The kernel's news of processes: forks, new programs, new names and ends (netlink's proc connector)."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

_CONNECTOR = 11
_PROC = 1
"""CN_IDX_PROC and CN_VAL_PROC."""
_LISTEN, _IGNORE = 1, 2
_DONE = 3
_NETLINK = struct.Struct("=IHHII")
_MESSAGE = struct.Struct("=IIIIHH")
_EVENT = struct.Struct("=IIQ")
_NUMBERS = struct.Struct("=IIII")
_NONE, _FORK, _EXEC, _COMM, _EXIT = 0, 0x1, 0x2, 0x200, 0x80000000
_BUFFER = 1 << 20
"""Bytes that the kernel keeps of what was not read yet; one event takes some 100."""


@dataclass(frozen=True, slots=True)
class Forked:
    """`parent` is two processes now, of the same program."""

    parent: int
    child: int


@dataclass(frozen=True, slots=True)
class Renamed:
    """A process runs another program, or calls itself something else."""

    pid: int


@dataclass(frozen=True, slots=True)
class Exited:
    """A process ended."""

    pid: int


ProcessEvent: TypeAlias = Forked | Renamed | Exited


class ProcessEvents:
    """A socket that hears them.

    OSError where the kernel or this network namespace has none (only the first has), or where it is not permitted.
    """

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK, _CONNECTOR)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
            self._socket.bind((0, _PROC))
            self._ask(_LISTEN)
        except OSError:
            self._socket.close()
            raise

    def fileno(self) -> int:
        """The socket's descriptor."""
        return self._socket.fileno()

    def _ask(self, what: int) -> None:
        body = _MESSAGE.pack(_PROC, _PROC, 0, 0, 4, 0) + struct.pack("=I", what)
        self._socket.send(_NETLINK.pack(_NETLINK.size + len(body), _DONE, 0, 0, os.getpid()) + body)

    def read(self) -> Iterator[ProcessEvent]:
        """What has happened since. OSError when some of it was lost, or all is refused."""
        while True:
            try:
                data, (sender, _) = self._socket.recvfrom(4096)
            except BlockingIOError:
                return
            if not sender:  # only the kernel's word counts
                yield from events(data)

    def close(self) -> None:
        """Hear no more."""
        self._socket.close()


def events(data: bytes) -> Iterator[ProcessEvent]:
    """What one datagram says, threads left out. PermissionError where it says that nothing will be told."""
    start = _NETLINK.size + _MESSAGE.size
    if len(data) < start + _EVENT.size:
        return
    what, _, _ = _EVENT.unpack_from(data, start)
    rest = data[start + _EVENT.size :].ljust(_NUMBERS.size, b"\0")
    first, second, third, fourth = _NUMBERS.unpack_from(rest)
    if what == _NONE and first:
        raise PermissionError(first, os.strerror(first))
    if what == _FORK and third == fourth:
        yield Forked(second, third)
    elif what in {_EXEC, _COMM} and first == second:
        yield Renamed(first)
    elif what == _EXIT and first == second:
        yield Exited(first)
