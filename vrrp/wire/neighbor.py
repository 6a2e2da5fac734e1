"""IPv6 neighbor advertisements (RFC 4861 section 4.4), above all the unsolicited kind of a new master.

The message::

| type 136 | code 0 | checksum | R S O and reserved, 4 bytes | target, 16 bytes | options |
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from vrrp.wire.address import ALL_NODES_V6, text
from vrrp.wire.checksum import complement, pseudo_residue, residue
from vrrp.wire.errors import DecodeError, DecodeReason
from vrrp.wire.ethernet import mac_text
from vrrp.wire.ip import IpPacket

ICMPV6 = 58
_NEIGHBOR_ADVERTISEMENT = 136
_SIZE = 24
_TARGET_MAC_OPTION = b"\x02\x01"
_BODY = struct.Struct("!BBHI16s")
ROUTER = 0x8000_0000
SOLICITED = 0x4000_0000
OVERRIDE = 0x2000_0000


@dataclass(frozen=True, slots=True)
class NeighborAdvertisement:
    """One neighbor advertisement: packed target address, its MAC (None without that option), the flags."""

    target: bytes
    mac: bytes | None
    router: bool
    solicited: bool
    override: bool

    def build(self, source: bytes, destination: bytes) -> bytes:
        """The ICMPv6 message as bytes for an IP header with these packed addresses."""
        flags = self.router * ROUTER | self.solicited * SOLICITED | self.override * OVERRIDE
        option = _TARGET_MAC_OPTION + self.mac if self.mac is not None else b""
        message = _BODY.pack(_NEIGHBOR_ADVERTISEMENT, 0, 0, flags, self.target) + option
        total = residue(message) + pseudo_residue(source, destination, len(message), ICMPV6)
        return message[:2] + complement(total).to_bytes(2, "big") + message[4:]

    def describe(self) -> str:
        """One line for people."""
        flags = "".join(
            name for name, on in zip("RSO", (self.router, self.solicited, self.override), strict=True) if on
        )
        where = mac_text(self.mac) if self.mac is not None else "an unknown MAC"
        return f"neighbor advertisement: {text(self.target)} is at {where} flags {flags or 'none'}"


def unsolicited_advertisement(address: bytes, mac: bytes, *, router: bool) -> IpPacket:
    """The announcement of a packed IPv6 address at a MAC, to all nodes (ff02::1), source the address itself.

    Override set, solicited clear; the RFCs set the router flag (RFC 9568 section 6.4.2), keepalived 2.2.7
    does not (measured). The source is the address itself with keepalived and FRR (measured).
    """
    advertisement = NeighborAdvertisement(address, mac, router=router, solicited=False, override=True)
    payload = advertisement.build(address, ALL_NODES_V6)
    return IpPacket(address, ALL_NODES_V6, ICMPV6, payload, traffic_class=0)


def parse_neighbor(packet: IpPacket) -> NeighborAdvertisement | None:
    """The neighbor advertisement in an IPv6 packet; None when it carries something else.

    DecodeError when it is one but is cut short, fails its checksum, or came through a router (hop limit
    below 255, RFC 4861 section 7.1.2).
    """
    data = packet.payload
    if len(packet.source) == 4 or packet.protocol != ICMPV6 or data[:1] != bytes((_NEIGHBOR_ADVERTISEMENT,)):
        return None
    if len(data) < _SIZE or len(data) % 2:
        raise DecodeError(DecodeReason.TRUNCATED, None, f"neighbor advertisement, {len(data)} bytes")
    if packet.ttl != 255:
        raise DecodeError(DecodeReason.TTL, None, f"{packet.ttl} instead of 255")
    if (residue(data) + pseudo_residue(packet.source, packet.destination, len(data), ICMPV6)) % 0xFFFF:
        raise DecodeError(DecodeReason.CHECKSUM, None, f"0x{data[2:4].hex()}")
    flags, target = _BODY.unpack_from(data)[3:]
    mac = data[26:32] if data[24:26] == _TARGET_MAC_OPTION and len(data) >= 32 else None
    return NeighborAdvertisement(target, mac, bool(flags & ROUTER), bool(flags & SOLICITED), bool(flags & OVERRIDE))
