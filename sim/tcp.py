"""Just enough TCP for a client to see whether somebody answers: a SYN, and the SYN-ACK to it."""

from __future__ import annotations

import dpkt

from vrrp.wire.checksum import complement, pseudo_residue, residue
from vrrp.wire.ip import IpPacket

TCP = 6
_SYN = 0x02
_SYN_ACK = 0x12
_TTL = 64
_HEADER_SIZE = 20


def build_syn(source: bytes, destination: bytes, source_port: int, port: int) -> IpPacket:
    """The first packet of a connection between packed IPv4 addresses."""
    return _segment(source, destination, source_port, port, _SYN, 0, 0)


def answer_syn(packet: IpPacket) -> IpPacket | None:
    """The SYN-ACK to a SYN; None for anything else."""
    segment = _parse(packet)
    if segment is None or segment.flags != _SYN:
        return None
    return _segment(packet.destination, packet.source, segment.dport, segment.sport, _SYN_ACK, 0, segment.seq + 1)


def accepted_port(packet: IpPacket) -> int | None:
    """The port on our side that a SYN-ACK is for; None for anything else."""
    segment = _parse(packet)
    return segment.dport if segment is not None and segment.flags == _SYN_ACK else None


def _parse(packet: IpPacket) -> dpkt.tcp.TCP | None:
    if packet.protocol != TCP or len(packet.payload) < _HEADER_SIZE:
        return None
    return dpkt.tcp.TCP(packet.payload[:_HEADER_SIZE])


def _segment(
    source: bytes,
    destination: bytes,
    source_port: int,
    port: int,
    flags: int,
    sequence: int,
    acknowledged: int,
) -> IpPacket:
    header = dpkt.tcp.TCP(sport=source_port, dport=port, flags=flags, seq=sequence, ack=acknowledged, win=29200)
    total = residue(bytes(header)) + pseudo_residue(source, destination, _HEADER_SIZE, TCP)
    header.sum = complement(total)
    return IpPacket(source, destination, TCP, bytes(header), ttl=_TTL, traffic_class=0, dont_fragment=True)
