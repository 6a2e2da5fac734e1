"""A plain netlink socket (netlink(7), rtnetlink(7), generic netlink) for pyroute2's messages.

pyroute2's own IPRoute waits in an event loop of its own, which cannot be done within ours; and a virtual address must
be on its interface some microseconds after it was asked for.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator

from pyroute2.netlink import GENL_ID_CTRL, NETLINK_GENERIC, NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, ctrlmsg, nlmsg
from pyroute2.netlink.rtnl import RTM_DELADDR, RTM_DELLINK, RTM_NEWADDR, RTM_NEWLINK
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg

_HEADER = struct.Struct("=IHHII")
_ERROR, _DONE = 2, 3
_ROOM = 1 << 18
_BUFFER = 1 << 22
_KINDS: dict[int, dict[int, type[nlmsg]]] = {
    socket.NETLINK_ROUTE: {
        RTM_NEWLINK: ifinfmsg,
        RTM_DELLINK: ifinfmsg,
        RTM_NEWADDR: ifaddrmsg,
        RTM_DELADDR: ifaddrmsg,
    },
    NETLINK_GENERIC: {GENL_ID_CTRL: ctrlmsg},
}
"""What is read of what each family tells."""


class Netlink:
    """One socket of NETLINK_ROUTE, or another `family`: asks and waits for the answer, or is told what changes.

    That is with `groups`, bits of RTMGRP_*. The kernel answers within the call: waiting takes microseconds.
    """

    def __init__(self, groups: int = 0, family: int = socket.NETLINK_ROUTE) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, family)
        self._socket.bind((0, groups))
        if groups:
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        self._kinds = _KINDS[family]
        self._sequence = 0

    def fileno(self) -> int:
        """For an event loop."""
        return self._socket.fileno()

    def ask(self, kind: int, message: nlmsg | bytes, flags: int = 0) -> None:
        """Have the kernel do something; bytes are what stands behind a header. OSError with its reason if it fails."""
        for _ in self._exchange(kind, message, NLM_F_REQUEST | NLM_F_ACK | flags):
            pass

    def question(self, kind: int, message: nlmsg) -> list[tuple[int, nlmsg]]:
        """What the kernel answers to one, each with its own kind. OSError when it has no answer."""
        return list(self._exchange(kind, message, NLM_F_REQUEST | NLM_F_ACK))

    def dump(self, kind: int, message: nlmsg) -> list[tuple[int, nlmsg]]:
        """All there are of a kind (RTM_GET*): each with its own kind (RTM_NEW*)."""
        return list(self._exchange(kind, message, NLM_F_REQUEST | NLM_F_DUMP))

    def events(self) -> Iterator[tuple[int, nlmsg]]:
        """What changed since the last call. OSError(ENOBUFS) when some of it was lost."""
        while True:
            try:
                data = self._socket.recv(_ROOM)
            except BlockingIOError:
                return
            for kind, _, one in _split(data):
                if kind in self._kinds:
                    yield kind, self._decode(kind, one)

    def kinds(self) -> set[int]:
        """The kinds (RTM_*) of what was told since the last call. OSError as `events`."""
        found: set[int] = set()
        while True:
            try:
                data = self._socket.recv(_ROOM)
            except BlockingIOError:
                return found
            found.update(kind for kind, _, _ in _split(data))

    def close(self) -> None:
        """Let it go."""
        self._socket.close()

    def _exchange(self, kind: int, message: nlmsg | bytes, flags: int) -> Iterator[tuple[int, nlmsg]]:
        self._sequence += 1
        if isinstance(message, bytes):
            data = _HEADER.pack(_HEADER.size + len(message), kind, flags, self._sequence, 0) + message
        else:
            header = message["header"]
            header["type"], header["flags"] = kind, flags
            header["sequence_number"], header["pid"] = self._sequence, 0
            message.encode()
            data = message.data
        self._socket.send(data)
        while True:
            for answer, sequence, one in _split(self._socket.recv(_ROOM)):
                if sequence != self._sequence:
                    continue  # what is left of an exchange that was broken off
                if answer == _ERROR:
                    number = -struct.unpack_from("=i", one, _HEADER.size)[0]
                    if number:
                        raise OSError(number, os.strerror(number))
                    return
                if answer == _DONE:
                    return
                yield answer, self._decode(answer, one)

    def _decode(self, kind: int, data: bytes) -> nlmsg:
        message = self._kinds[kind](data)
        message.decode()
        return message


def _split(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Kind, sequence number and bytes of each message."""
    at = 0
    while at + _HEADER.size <= len(data):
        length, kind, _, sequence, _ = _HEADER.unpack_from(data, at)
        if length < _HEADER.size:
            raise OSError(errno.EBADMSG, "a netlink message without an end")
        yield kind, sequence, data[at : at + length]
        at += length + 3 & ~3
