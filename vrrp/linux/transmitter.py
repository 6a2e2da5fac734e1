"""Sockets that packets and announcements leave by: raw(7) for IP packets, packet(7) for frames of our own."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import lru_cache

from vrrp.linux.links import Link
from vrrp.wire.address import is_link_local, is_multicast, text
from vrrp.wire.announcement import announcement
from vrrp.wire.ethernet import BROADCAST

log = logging.getLogger("vrrp.sockets")

_PRIORITY = 6
"""SO_PRIORITY: interactive traffic, which a busy interface sends first; 7 takes CAP_NET_ADMIN."""


class Transmitters:
    """One raw socket for each interface and family, and one packet socket for all.

    What cannot be sent is told once, and again when it has been possible in between; the interface's loss is nothing
    new to a router. OSError when the packet socket cannot be opened.
    """

    def __init__(self, links: Mapping[str, Link]) -> None:
        self._links = links
        self._raw: dict[tuple[str, int], tuple[int, socket.socket]] = {}
        self._frames = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0)
        self._failing: set[tuple[str, bytes]] = set()

    def prepare(self, device: str, width: int) -> None:
        """Open what packets of a family will leave by, if the interface is there; when they are due, it is open."""
        with suppress(OSError):  # told when something cannot be sent
            self._socket(device, width)

    def send(self, device: str, destination: bytes, packet: bytes) -> bool:
        """Send a whole IP packet by an interface; whether that was possible."""
        try:
            opened, index = self._socket(device, len(destination))
            opened.sendto(packet, _where(destination, index))
        except OSError as error:
            self._fail(device, destination, error)
            return False
        self._failing.discard((device, destination))
        return True

    def announce(self, device: str, addresses: Iterable[bytes], repeat: int, *, router_flag: bool) -> None:
        """Gratuitous ARPs and neighbor advertisements by an interface, from its MAC: rounds of all addresses."""
        link = self._links.get(device)
        if link is None or len(link.mac) != len(BROADCAST):
            return
        frames = [announcement(address, link.mac, router_flag=router_flag).build() for address in addresses]
        for frame in frames * repeat:
            try:
                self._frames.sendto(frame, (device, 0))
            except OSError as error:
                self._fail(device, b"", error)
                return
        self._failing.discard((device, b""))

    def close(self) -> None:
        """Close all."""
        self._frames.close()
        for _, opened in self._raw.values():
            opened.close()
        self._raw.clear()

    def _socket(self, device: str, width: int) -> tuple[socket.socket, int]:
        link = self._links.get(device)
        index, opened = self._raw.get((device, width), (0, None))
        if link is not None and link.index == index and opened is not None:
            return opened, index
        if opened is not None:
            opened.close()
            del self._raw[device, width]
        if link is None:
            raise OSError(None, "there is no such interface")
        opened = _opened(device, width, link.index)
        self._raw[device, width] = (link.index, opened)
        return opened, link.index

    def _fail(self, device: str, destination: bytes, error: OSError) -> None:
        if (device, destination) not in self._failing:
            self._failing.add((device, destination))
            to = f" to {text(destination)}" if destination else ""
            log.warning("cannot send%s on %s: %s", to, device, (error.strerror or str(error)).lower())


@lru_cache(4096)
def _where(destination: bytes, index: int) -> tuple[str, int] | tuple[str, int, int, int]:
    """As the socket module has addresses; those that mean something on a link only have its index."""
    if len(destination) == 4:
        return text(destination), 0
    return text(destination), 0, 0, index if is_multicast(destination) or is_link_local(destination) else 0


def _opened(device: str, width: int, index: int) -> socket.socket:
    """IPPROTO_RAW: what is sent is the whole packet, its header included; nothing is received."""
    family = socket.AF_INET if width == 4 else socket.AF_INET6
    opened = socket.socket(family, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.IPPROTO_RAW)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode() + b"\0")
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY, _PRIORITY)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 0)
        if width == 4:
            opened.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
        else:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 0)
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
    except OSError:
        opened.close()
        raise
    return opened
