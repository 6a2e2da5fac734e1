"""What a frame carries, for whoever listens on a wire: one call from bytes to meaning.

A steady master sends the same packet again and again; only the IPv4 identification and the header checksum
change. `parse_frame` leaves those two out when it looks whether it has met the packet before, so that a
repeated advertisement costs one dictionary look-up, and yields the *same* `Datagram` object: receivers
recognise a repetition by identity.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias

from vrrp.wire.advertisement import Advertisement, decode
from vrrp.wire.arp import ArpPacket, parse_arp
from vrrp.wire.authentication_header import AuthenticationHeader, parse_authentication_header
from vrrp.wire.checksum import PROTOCOL, ChecksumPolicy, residue
from vrrp.wire.errors import DecodeError, DecodeReason
from vrrp.wire.ethernet import ARP, IPV4, IPV6, parse_ethernet
from vrrp.wire.ip import MORE_OR_OFFSET, IpPacket, parse_ipv4, parse_ipv6
from vrrp.wire.neighbor import NeighborAdvertisement, parse_neighbor

_CACHED = 4096
_unpack_rest = struct.Struct("!HHBx4s4s").unpack_from
"""Total length, fragmentation, TTL and addresses, from byte 16 of an anonymous frame (see `_ipv4_content`)."""
_IPV4_WITHOUT_OPTIONS = IPV4.to_bytes(2, "big") + b"\x45"
_PROTOCOL = PROTOCOL.to_bytes(1, "big")


@dataclass(frozen=True, slots=True)
class Datagram:
    """A VRRP message as a socket hands it over: packed addresses, TTL or hop limit, the message."""

    source: bytes
    destination: bytes
    ttl: int
    payload: bytes
    authentication: AuthenticationHeader | None = None
    """The IP Authentication Header that protected the message, if any."""
    key: int = field(init=False, compare=False)
    """Where it belongs on an interface: address width << 8 | VRID; -1 when it ends before the VRID."""

    def __post_init__(self) -> None:
        vrid = self.payload[1] if len(self.payload) > 1 else None
        object.__setattr__(self, "key", -1 if vrid is None else len(self.source) << 8 | vrid)


Content: TypeAlias = Datagram | ArpPacket | NeighborAdvertisement | IpPacket | DecodeError | None
"""What a frame carries: an advertisement still to be judged by its receiver, ARP, a neighbor advertisement,
another IP packet, damaged headers, or something else altogether (None)."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame and what it carries; `destination` and `source` are MACs of 6 bytes."""

    raw: bytes
    destination: bytes
    source: bytes
    content: Content


def parse_frame(raw: bytes) -> Frame:
    """Take a frame apart as far as this library understands it. Never raises: damage is a content."""
    if raw[12:15] == _IPV4_WITHOUT_OPTIONS and raw[23:24] == _PROTOCOL and len(raw) >= 34:
        if residue(raw[14:34]):
            content: Content = DecodeError(DecodeReason.HEADER, None, "IPv4 header checksum")
        else:
            content = _ipv4_content(raw[:18] + raw[20:24] + raw[26:])
    else:
        content = _content(raw)
    return Frame(raw, raw[:6], raw[6:12], content)


@lru_cache(_CACHED)
def _ipv4_content(anonymous: bytes) -> Content:
    """The content of an untagged VRRP frame over IPv4 whose identification and header checksum were cut out.

    A whole packet is read here, four times as quickly as layer by layer; what is wrong with another, those say.
    """
    size, fragment, ttl, source, destination = _unpack_rest(anonymous, 16)
    if not fragment & MORE_OR_OFFSET and 20 <= size <= len(anonymous) - 10:
        return Datagram(source, destination, ttl, anonymous[30 : size + 10])
    header = anonymous[14:18] + bytes(2) + anonymous[18:22]
    checksum = -residue(header + anonymous[22:30]) % 0xFFFF
    return _content(anonymous[:14] + header + checksum.to_bytes(2, "big") + anonymous[22:])


@lru_cache(_CACHED)
def _content(raw: bytes) -> Content:
    try:
        frame = parse_ethernet(raw)
    except DecodeError as error:
        return error.with_traceback(None)  # which would keep every caller's frame alive in the cache
    return network_content(frame.ethertype, frame.payload)


def network_content(ethertype: int, payload: bytes) -> Content:
    """What stands below any link header that gave this EtherType; padding may follow. Never raises."""
    try:
        if ethertype == ARP:
            return parse_arp(payload)
        if ethertype == IPV4:
            packet = parse_ipv4(payload)
        elif ethertype == IPV6:
            packet = parse_ipv6(payload)
        else:
            return None
        if packet.protocol == PROTOCOL:
            return Datagram(packet.source, packet.destination, packet.ttl, packet.payload)
        protected = parse_authentication_header(packet)
        if protected is not None:
            header, message = protected
            return Datagram(packet.source, packet.destination, packet.ttl, message, header)
        return parse_neighbor(packet) or packet
    except DecodeError as error:
        return error.with_traceback(None)


@lru_cache(_CACHED)
def decode_datagram(datagram: Datagram, checksum: ChecksumPolicy) -> Advertisement | DecodeError:
    """The advertisement in a datagram, or why it is none; the TTL is the receiver's to judge.

    Cached: advertisements are immutable, and a master repeats itself. See `decode` for the meaning.
    """
    try:
        return decode(datagram.payload, source=datagram.source, destination=datagram.destination, checksum=checksum)
    except DecodeError as error:
        return error.with_traceback(None)  # which would keep every caller's frame alive in the cache
