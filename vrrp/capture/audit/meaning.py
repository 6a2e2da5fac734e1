"""What one packet means to an audit: an advertisement, an announcement of an address, group membership.

A packet is read once for all its repetitions, so whatever an audit may ask is worked out here.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TypeAlias

from vrrp.capture.frames import CapturedFrame, read_frame
from vrrp.capture.packet import Packet
from vrrp.wire.address import VRRP_GROUP_V4, VRRP_GROUP_V6, is_multicast
from vrrp.wire.advertisement import Advertisement, decode
from vrrp.wire.arp import ArpPacket
from vrrp.wire.authentication_header import AuthenticationHeader
from vrrp.wire.checksum import ChecksumPolicy, pseudo_residue, residue
from vrrp.wire.errors import DecodeError, DecodeReason
from vrrp.wire.frame import Datagram
from vrrp.wire.hmac_trailer import HmacTrailer, parse_trailer
from vrrp.wire.ip import IpPacket
from vrrp.wire.neighbor import NeighborAdvertisement

IGMP = 2
_QUERY, _REPORT_V1, _REPORT_V2, _LEAVE, _REPORT_V3 = 0x11, 0x12, 0x16, 0x17, 0x22
_CARP_SIZE = 36
_CARP_AUTH_WORDS = 7


class Sum(enum.Enum):
    """Which checksum a message carries. The value is the phrase shown to people."""

    PLAIN = "over the message only"
    PSEUDO = "with pseudo-header"
    OLD_UNICAST = "with a pseudo-header of the multicast group in a unicast packet"
    WRONG = "wrong"
    UNKNOWN = "not verifiable"


@dataclass(frozen=True, slots=True)
class Place:
    """A virtual router as a capture tells it apart: where it speaks, its family, its VRID."""

    interface: int
    """Index of the capture's interface."""
    vlans: tuple[int, ...]
    width: int
    """4 for IPv4, 16 for IPv6."""
    vrid: int


@dataclass(frozen=True, slots=True)
class Said:
    """One advertisement with its packet: the same object for every repetition."""

    place: Place
    source: bytes
    destination: bytes
    mac: bytes
    """The sender's MAC, empty where the link layer has none."""
    ttl: int
    advertisement: Advertisement
    checksum: Sum
    authentication: AuthenticationHeader | None = None
    trailer: HmacTrailer | None = None

    @property
    def unicast(self) -> bool:
        """Whether it went to one router only."""
        return not is_multicast(self.destination)

    @property
    def audible(self) -> bool:
        """Whether a correct receiver could take it; TTL and checksum are the same for all."""
        return self.ttl == 255 and self.checksum is not Sum.WRONG


@dataclass(frozen=True, slots=True)
class Broken:
    """A packet that means to be VRRP and is no advertisement."""

    reason: DecodeReason
    detail: str
    vrid: int | None
    source: bytes


@dataclass(frozen=True, slots=True)
class Carp:
    """A CARP announcement: OpenBSD's protocol, with VRRP's number and virtual MAC."""

    vhid: int
    source: bytes


@dataclass(frozen=True, slots=True)
class Announced:
    """Somebody told the LAN where an address is: gratuitous ARP, an ARP reply, a neighbor advertisement."""

    interface: int
    vlans: tuple[int, ...]
    address: bytes
    mac: bytes
    gratuitous: bool
    """To everybody, and unasked."""


@dataclass(frozen=True, slots=True)
class Membership:
    """An IGMP report: what a host says of VRRP's group."""

    host: bytes
    joins: bool | None
    """True wants its packets, False no longer does, None speaks of other groups only."""


@dataclass(frozen=True, slots=True)
class Query:
    """An IGMP query: somebody keeps the switches' lists of members fresh."""

    querier: bytes


Meaning: TypeAlias = Said | Broken | Carp | Announced | Membership | Query | None


def meaning(packet: Packet) -> Meaning:
    """What the packet means; None for one that an audit does not care about. Never raises."""
    frame = read_frame(packet.link_type, packet.data)
    content = frame.content
    if isinstance(content, Datagram):
        return _said(packet, frame, content)
    if isinstance(content, ArpPacket):
        gratuitous = content.gratuitous
        if not any(content.sender) or not (gratuitous or content.operation == 2):
            return None
        return Announced(packet.interface, frame.vlans, content.sender, content.sender_mac, gratuitous)
    if isinstance(content, NeighborAdvertisement):
        mac = content.mac or frame.source
        return Announced(packet.interface, frame.vlans, content.target, mac, not content.solicited)
    if isinstance(content, IpPacket) and content.protocol == IGMP:
        return _membership(content)
    return None


def _said(packet: Packet, frame: CapturedFrame, datagram: Datagram) -> Said | Broken | Carp:
    payload, source, destination = datagram.payload, datagram.source, datagram.destination
    if payload[:1] == b"\x21" and len(payload) == _CARP_SIZE and payload[3] == _CARP_AUTH_WORDS:
        return Carp(payload[1], source)
    trailer = parse_trailer(payload, len(source))
    message = payload[: -HmacTrailer.SIZE] if trailer else payload
    try:
        advertisement = decode(message, source=source, destination=destination, checksum=ChecksumPolicy.UNCHECKED)
    except DecodeError as error:
        return Broken(error.reason, error.detail, error.vrid, source)
    place = Place(packet.interface, frame.vlans, len(source), advertisement.vrid)
    checksum = Sum.UNKNOWN if trailer else _checksum(message, advertisement.version, source, destination)
    return Said(
        place,
        source,
        destination,
        frame.source,
        datagram.ttl,
        advertisement,
        checksum,
        datagram.authentication,
        trailer,
    )


def _checksum(message: bytes, version: int, source: bytes, destination: bytes) -> Sum:
    plain = residue(message)
    if version == 2 or len(source) == 4:
        if not plain:
            return Sum.PLAIN
        if version == 2:
            return Sum.WRONG
    size = len(message)
    if not (plain + pseudo_residue(source, destination, size)) % 0xFFFF:
        return Sum.PSEUDO
    group = VRRP_GROUP_V4 if len(source) == 4 else VRRP_GROUP_V6
    if not is_multicast(destination) and not (plain + pseudo_residue(source, group, size)) % 0xFFFF:
        return Sum.OLD_UNICAST
    return Sum.WRONG


def _membership(packet: IpPacket) -> Membership | Query | None:
    """Whether an IGMP packet joins or leaves VRRP's group (RFC 3376 section 4, RFC 2236 section 2)."""
    data = packet.payload
    if len(data) < 8:
        return None
    if data[0] == _QUERY:
        return Query(packet.source)
    if data[0] in {_REPORT_V1, _REPORT_V2, _LEAVE}:
        return Membership(packet.source, data[0] != _LEAVE if data[4:8] == VRRP_GROUP_V4 else None)
    if data[0] != _REPORT_V3:
        return None
    at = 8
    for _ in range(int.from_bytes(data[6:8], "big")):
        record = data[at : at + 8]
        if len(record) < 8:
            break
        sources = int.from_bytes(record[2:4], "big")
        if record[4:8] == VRRP_GROUP_V4:
            # "Include nothing" is how version 3 says leave (types 1 and 3); everything else wants packets.
            return Membership(packet.source, bool(sources) or record[0] not in {1, 3, 6})
        at += 8 + 4 * sources + 4 * record[1]
    return Membership(packet.source, None)
