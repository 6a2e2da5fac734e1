"""Packets of connections for those who watch a segment: SYN, SYN-ACK and RST, as a capture shows them.

Flows are no frames; where a segment has taps they are told what would be seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.flow.endpoint import ACCEPTOR, OPENER
from sim.tcp import RST_ACK, SYN, SYN_ACK, build_segment
from vrrp.wire.ethernet import IPV4, EthernetFrame

if TYPE_CHECKING:
    from sim.flow.connection import Connection
    from sim.flow.way import Way

_FIRST_PORT = 32_768
_PORTS = 28_232
"""Linux's net.ipv4.ip_local_port_range."""


def show_syn(connection: Connection, way: Way, now_ns: int) -> None:
    """A SYN leaves."""
    _show(connection, way, now_ns, OPENER, SYN)


def show_syn_ack(connection: Connection, way: Way, now_ns: int) -> None:
    """The answer of one who listens."""
    _show(connection, way, now_ns, ACCEPTOR, SYN_ACK)


def show_reset(connection: Connection, way: Way, now_ns: int, side: int = ACCEPTOR) -> None:
    """The answer of one who does not listen, or knows nothing of the connection."""
    _show(connection, way, now_ns, side, RST_ACK)


def _show(connection: Connection, way: Way, now_ns: int, side: int, flags: int) -> None:
    if not any(hop.segment.taps for hop in way.hops):
        return
    ports = (_FIRST_PORT + connection.number % _PORTS, connection.port)
    source, destination = connection.addresses[side], connection.addresses[1 - side]
    raw = build_segment(source, destination, ports[side], ports[1 - side], flags).build()
    for hop in way.hops:
        frame = EthernetFrame(hop.mac, hop.sender.addresses.get(source, hop.sender.mac), IPV4, raw).build()
        for tap in hop.segment.taps:
            tap(now_ns, frame)
