"""IPv4 and IPv6 packets around an advertisement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import dpkt

from vrrp.wire.address import text
from vrrp.wire.checksum import complement, residue
from vrrp.wire.errors import DecodeError, DecodeReason

TRAFFIC_CLASS = 0xC0
"""Internetwork control, what keepalived and FRR mark their advertisements with (measured)."""
_DONT_FRAGMENT = 0x4000
MORE_OR_OFFSET = 0x3FFF


class _Header4(dpkt.ip.IP):  # type: ignore[misc]  # dpkt has no type hints
    """dpkt's IP without its dispatch: its VRRP misreads version 3, and other layers may raise anything."""

    _protosw: dict[int, Any] = {}  # noqa: RUF012  # dpkt's own name and form for its dispatch table


class _Header6(dpkt.ip6.IP6):  # type: ignore[misc]  # dpkt has no type hints
    """dpkt's IPv6 header alone: extension headers are not followed (some make dpkt raise AttributeError)."""

    def unpack(self, buf: bytes) -> None:
        dpkt.Packet.unpack(self, buf)


@dataclass(frozen=True, slots=True)
class IpPacket:
    """One unfragmented packet; the length of `source` (4 or 16) is the family."""

    source: bytes
    destination: bytes
    protocol: int
    payload: bytes
    ttl: int = 255
    """TTL or hop limit."""
    traffic_class: int = TRAFFIC_CLASS
    """TOS byte or IPv6 traffic class."""
    identification: int = 0
    """IPv4 only."""
    dont_fragment: bool = False
    """IPv4 only."""

    def build(self) -> bytes:
        """The packet as bytes, header checksum included."""
        if len(self.source) == 16:
            head = 0x6000_0000 | self.traffic_class << 20
            return bytes(
                _Header6(
                    _v_fc_flow=head,
                    plen=len(self.payload),
                    nxt=self.protocol,
                    hlim=self.ttl,
                    src=self.source,
                    dst=self.destination,
                    data=self.payload,
                )
            )
        return bytes(
            _Header4(
                tos=self.traffic_class,
                id=self.identification,
                _flags_offset=_DONT_FRAGMENT if self.dont_fragment else 0,
                ttl=self.ttl,
                p=self.protocol,
                src=self.source,
                dst=self.destination,
                data=self.payload,
            )
        )

    def describe(self) -> str:
        """One line for people."""
        return f"{text(self.source)} > {text(self.destination)} protocol {self.protocol} ttl {self.ttl}"


def parse_ipv4(data: bytes) -> IpPacket:
    """The IPv4 packet at the start of `data`, its payload cut where the total length says.

    DecodeError for a damaged header, a wrong header checksum, a packet cut short, or a fragment.
    """
    try:
        header = _Header4(data)
    except dpkt.UnpackError as error:
        raise DecodeError(DecodeReason.HEADER, None, f"IPv4, {len(data)} bytes") from error
    size = header.hl * 4
    if header.v != 4 or len(data) < size or not size <= header.len <= len(data):
        raise DecodeError(DecodeReason.HEADER, None, f"IPv4 lengths {size}, {header.len} of {len(data)} bytes")
    if residue(data[:size]):
        raise DecodeError(DecodeReason.HEADER, None, "IPv4 header checksum")
    if header._flags_offset & MORE_OR_OFFSET:
        raise DecodeError(DecodeReason.HEADER, None, "an IPv4 fragment")
    return IpPacket(
        header.src,
        header.dst,
        header.p,
        data[size : header.len],
        header.ttl,
        header.tos,
        header.id,
        bool(header.df),
    )


def parse_ipv6(data: bytes) -> IpPacket:
    """The IPv6 packet at the start of `data`; VRRP allows no extension header before it (next header 112).

    DecodeError for a damaged header or a packet cut short.
    """
    try:
        header = _Header6(data)
    except dpkt.UnpackError as error:
        raise DecodeError(DecodeReason.HEADER, None, f"IPv6, {len(data)} bytes") from error
    if header.v != 6 or 40 + header.plen > len(data):
        raise DecodeError(DecodeReason.HEADER, None, f"IPv6 length {header.plen} of {len(data)} bytes")
    payload = data[40 : 40 + header.plen]
    return IpPacket(header.src, header.dst, header.nxt, payload, header.hlim, header.fc)


def renumber(packet: bytes, identification: int) -> bytes:
    """The same IPv4 packet (header without options) under another identification, checksum made right.

    Senders number each packet; everything else of a steady advertisement stays, so a sender builds it once.
    """
    head = packet[:4] + identification.to_bytes(2, "big") + packet[6:10]
    checksum = complement(residue(head + packet[12:20]))
    return head + checksum.to_bytes(2, "big") + packet[12:]
