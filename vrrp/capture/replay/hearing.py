"""What a router's interfaces get of what was captured: VRRP packets by their times, from one file or more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from heapq import merge
from pathlib import Path

from vrrp.capture.frames import ETHERNET, read_frame
from vrrp.capture.packet import Interface, Packet
from vrrp.capture.reader import Capture, open_capture
from vrrp.wire.authentication_header import PROTOCOL_AH
from vrrp.wire.checksum import PROTOCOL
from vrrp.wire.errors import DecodeError
from vrrp.wire.frame import Datagram, parse_frame

_IPV4 = b"\x08\x00"
_TAGGED = (b"\x81\x00", b"\x88\xa8")
_INTERESTING = (PROTOCOL, PROTOCOL_AH)
MOST_NS = 1 << 62
"""A packet whose time is further from 1970 than this (146 years) is not heard: it is damage."""


@dataclass(frozen=True, slots=True)
class HeardCapture:
    """A capture and where the router hears it."""

    path: Path
    interface: str
    """The router's interface on that LAN; in a pcapng file that has interfaces of such names, those count instead."""
    aside: bool = False
    """It shows the other side of a partition: heard only while the router is there."""

    @property
    def name(self) -> str:
        """What events call it."""
        return str(self.path)


@dataclass(frozen=True, slots=True)
class Heard:
    """One VRRP packet: when, where, from which MAC (empty where the capture does not say)."""

    time_ns: int
    number: int
    capture: HeardCapture
    interface: str
    mac: bytes
    datagram: Datagram


class Hearing:
    """One pass through captures at once; iterate it. `interfaces` are the router's.

    The iteration raises OSError and CaptureError. Afterwards `damage` has a line for each capture that is damaged,
    `damaged` counts packets too broken to be heard, `packets` all of them.
    """

    def __init__(self, captures: Sequence[HeardCapture], interfaces: Sequence[str]) -> None:
        self.captures = captures
        self.packets = 0
        self.damaged = 0
        self.damage: list[str] = []
        self._interfaces = frozenset(interfaces)

    def __iter__(self) -> Iterator[Heard]:
        with ExitStack() as stack:
            opened = [(heard, stack.enter_context(open_capture(heard.path))) for heard in self.captures]
            streams = [self._packets(heard, capture) for heard, capture in opened]
            yield from streams[0] if len(streams) == 1 else merge(*streams, key=lambda heard: heard.time_ns)
            self.damage += [f"{heard.name}: {capture.damage}" for heard, capture in opened if capture.damage]

    def _packets(self, heard: HeardCapture, capture: Capture) -> Iterator[Heard]:
        for packet in capture:
            self.packets += 1
            found = self._datagram(packet)
            if found is None:
                continue
            interface = self._where(heard, capture.interfaces, packet)
            if interface is not None and _on_vlan(interface, found[2]):
                yield Heard(packet.time_ns, packet.number, heard, interface, found[0], found[1])

    def _datagram(self, packet: Packet) -> tuple[bytes, Datagram, tuple[int, ...]] | None:
        """MAC, datagram and VLANs; None for what is no VRRP or broken."""
        data = packet.data
        vlans: tuple[int, ...] = ()
        if packet.link_type == ETHERNET and data[12:14] not in _TAGGED:
            if data[12:14] == _IPV4 and data[23:24] and data[23] not in _INTERESTING:
                return None
            content, mac = parse_frame(data).content, data[6:12]
        else:
            frame = read_frame(packet.link_type, data)
            content, mac, vlans = frame.content, frame.source, frame.vlans
        if type(content) is Datagram and -MOST_NS < packet.time_ns < MOST_NS:
            return mac, content, vlans
        self.damaged += type(content) is DecodeError or type(content) is Datagram
        return None

    def _where(self, heard: HeardCapture, interfaces: Sequence[Interface], packet: Packet) -> str | None:
        name = interfaces[packet.interface].name
        if name in self._interfaces:
            return name
        known = any(one.name in self._interfaces for one in interfaces)
        return None if known else heard.interface


def _on_vlan(interface: str, vlans: tuple[int, ...]) -> bool:
    """Whether an interface gets a frame with these tags: untagged, or the tag that its name (eth0.100) ends in."""
    return not vlans or interface.endswith(f".{vlans[-1]}")
