"""Raw sockets on which VRRP packets arrive (raw(7), ip(7), ipv6(7)): one for each interface, family and protocol."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import struct
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache

from vrrp.linux.links import Link
from vrrp.wire.address import is_multicast
from vrrp.wire.authentication_header import PROTOCOL_AH
from vrrp.wire.checksum import PROTOCOL
from vrrp.wire.ethernet import IPV4
from vrrp.wire.frame import Datagram, parse_frame

log = logging.getLogger("vrrp.sockets")

_MOST_AT_ONCE = 256
"""Packets taken in one go: whoever floods a router does not keep it from its timers."""
_MOST_WAITING = 4096
"""The same for what waited when a timer ended: after a pause of the whole process, the master's last word is in it."""
_LARGEST = 65_535
_BUFFER = 1 << 20
_IP_MULTICAST_ALL = 49
_IPV6_MULTICAST_ALL = 29
_FRAME_HEAD = bytes(12) + IPV4.to_bytes(2, "big")
"""An Ethernet header for what came without one: `parse_frame` recognises a repeated packet, and gives it again."""


@dataclass(frozen=True, slots=True)
class Ear:
    """One socket: packets that arrive on `device` are those of virtual routers on `interface`.

    The two differ where a virtual router has a device of its own (use_vmac).
    """

    interface: str
    device: str
    width: int
    """4 for IPv4, 16 for IPv6."""
    protocol: int
    """112, or 51 behind an Authentication Header."""


class Receivers:
    """The sockets of a host.

    Args:
        loop: in which packets are waited for.
        links: the interfaces by name, kept up to date.
        hear: called with the ear and what arrived.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, links: Mapping[str, Link], hear: Callable[[Ear, Datagram], None]
    ) -> None:
        self._loop = loop
        self._links = links
        self._hear = hear
        self._wanted: Mapping[Ear, Collection[bytes]] = {}
        self._open: dict[Ear, tuple[int, socket.socket, set[bytes]]] = {}
        """The interface's index when it was opened, the socket, the groups joined."""

    def want(self, ears: Mapping[Ear, Collection[bytes]]) -> None:
        """Have these sockets, each in these multicast groups, and no others. OSError for one that cannot be."""
        self._wanted = ears
        for ear in [ear for ear in self._open if ear not in ears]:
            self._close(ear)
        self.renew()

    def renew(self) -> None:
        """Open what is wanted and was not there; open again what was on an interface that is another now."""
        for ear, groups in self._wanted.items():
            link = self._links.get(ear.device)
            if ear in self._open and (link is None or self._open[ear][0] != link.index):
                self._close(ear)
            if link is None:
                continue
            if ear not in self._open:
                self._open[ear] = (link.index, _opened(ear), set())
                self._loop.add_reader(self._open[ear][1], self._read, ear)
            _, opened, joined = self._open[ear]
            for group in set(groups) - joined:
                _join(opened, ear, link.index, group)
                joined.add(group)

    def drain(self) -> None:
        """Hand over what has arrived already."""
        for ear in list(self._open):
            self._read(ear, _MOST_WAITING)

    def close(self) -> None:
        """Close all."""
        for ear in list(self._open):
            self._close(ear)

    def _close(self, ear: Ear) -> None:
        _, opened, _ = self._open.pop(ear)
        self._loop.remove_reader(opened)
        opened.close()

    def _read(self, ear: Ear, most: int = _MOST_AT_ONCE) -> None:
        take = _take_ipv4 if ear.width == 4 else _take_ipv6
        opened = self._open[ear][1]
        for _ in range(most):
            try:
                datagram = take(opened)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.ENETDOWN:
                    raise
                continue  # told once, when the interface goes down
            if datagram is not None:
                self._hear(ear, datagram)


def _opened(ear: Ear) -> socket.socket:
    family = socket.AF_INET if ear.width == 4 else socket.AF_INET6
    opened = socket.socket(family, socket.SOCK_RAW | socket.SOCK_NONBLOCK, ear.protocol)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, ear.device.encode() + b"\0")
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        if ear.width == 4:
            opened.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
        else:
            opened.setsockopt(socket.IPPROTO_IPV6, _IPV6_MULTICAST_ALL, 0)
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
    except OSError:
        opened.close()
        raise
    return opened


def _join(opened: socket.socket, ear: Ear, index: int, group: bytes) -> None:
    if len(group) == 4:
        membership = struct.pack("@4s4si", group, bytes(4), index)
        opened.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
    else:
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group + struct.pack("@i", index))
    log.debug("%s: protocol %d, group %s", ear.device, ear.protocol, socket.inet_ntop(opened.family, group))


def _take_ipv4(opened: socket.socket) -> Datagram | None:
    """The next packet; None for one that is no VRRP message after all."""
    content = parse_frame(_FRAME_HEAD + opened.recv(_LARGEST)).content
    return content if isinstance(content, Datagram) else None


def _take_ipv6(opened: socket.socket) -> Datagram | None:
    """The next packet; the kernel hands over its payload, and beside it what the header said."""
    payload, beside, _, sender = opened.recvmsg(_LARGEST, 128)
    hop_limit, destination = 0, bytes(16)
    for level, kind, value in beside:
        if level == socket.IPPROTO_IPV6 and kind == socket.IPV6_HOPLIMIT:
            hop_limit = struct.unpack_from("@i", value)[0]
        elif level == socket.IPPROTO_IPV6 and kind == socket.IPV6_PKTINFO:
            destination = value[:16]
    source = socket.inet_pton(socket.AF_INET6, sender[0].partition("%")[0])
    return _datagram(source, destination, hop_limit, payload)


@lru_cache(4096)
def _datagram(source: bytes, destination: bytes, hop_limit: int, payload: bytes) -> Datagram:
    """The same object for the same packet: a steady master costs its receiver next to nothing."""
    return Datagram(source, destination, hop_limit, payload)


def ear_of(interface: str, device: str, width: int, authenticated: bool) -> Ear:
    """Where the packets of a virtual router arrive."""
    return Ear(interface, device, width, PROTOCOL_AH if authenticated else PROTOCOL)


def groups_of(destinations: Collection[bytes]) -> set[bytes]:
    """Those of its own destinations that a receiver must join: multicast groups."""
    return {one for one in destinations if is_multicast(one)}
