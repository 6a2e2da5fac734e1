"""Just enough TCP for a capture to show whether somebody answers: segments without data."""

from __future__ import annotations

import dpkt

from vrrp.wire.checksum import complement, pseudo_residue, residue
from vrrp.wire.ip import IpPacket

TCP = 6
SYN, SYN_ACK, RST_ACK = 0x02, 0x12, 0x14
_TTL = 64
_HEADER_SIZE = 20
_WINDOW = 29_200


def build_segment(source: bytes, destination: bytes, source_port: int, port: int, flags: int) -> IpPacket:
    """A segment between packed IPv4 addresses: a SYN, or the answer to one (sequence numbers start at 0)."""
    window, acknowledged = (0, 1) if flags == RST_ACK else (_WINDOW, 1 if flags == SYN_ACK else 0)
    header = dpkt.tcp.TCP(sport=source_port, dport=port, flags=flags, seq=0, ack=acknowledged, win=window)
    total = residue(bytes(header)) + pseudo_residue(source, destination, _HEADER_SIZE, TCP)
    header.sum = complement(total)
    return IpPacket(source, destination, TCP, bytes(header), ttl=_TTL, traffic_class=0, dont_fragment=True)
