"""The way of a packet from a node to an address: neighbor cache, wire, and the hosts that pass it on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.delay import Constant, Stream
from sim.flow.neighbors import ARP_TRUST_NS, Neighbor, NeighborCache
from sim.interface import Interface

if TYPE_CHECKING:
    from sim.node import Node
    from sim.segment import Segment

LOOPBACK_NS = 9_000
"""From a socket to another on the same host (Linux, measured: 18 us there and back)."""
MOST_HOPS = 8
"""A packet that two hosts pass to each other dies of its TTL; so many are enough to know."""


class Hop:
    """One wire on a way: from which interface, to which MAC, and whose interface takes it there."""

    __slots__ = ("mac", "segment", "sender", "taker")

    def __init__(self, segment: Segment, sender: Interface, mac: bytes, taker: Interface) -> None:
        self.segment = segment
        self.sender = sender
        self.mac = mac
        self.taker = taker


class Way:
    """Where a packet from a node to an address gets now.

    `node` is whose it is at the end, None when it gets nowhere; `unresolved` says in whose cache the next hop has to
    be asked for first. `delay_ns` is None where it varies or a packet may be lost.
    """

    __slots__ = ("address", "delay_ns", "hops", "neighbors", "node", "quiet", "unresolved", "version")

    def __init__(self, address: bytes, version: int) -> None:
        self.address = address
        self.version = version
        self.node: Node | None = None
        self.hops: tuple[Hop, ...] = ()
        self.neighbors: tuple[Neighbor, ...] = ()
        self.unresolved: tuple[NeighborCache, bytes] | None = None
        self.delay_ns: int | None = None
        self.quiet = False
        """Whether the delay is constant, nothing is lost, and nobody wants to see the packets."""

    def trusted_ns(self) -> int:
        """Until when the neighbor caches on it are trusted if nothing confirms them."""
        return min(neighbor.confirmed_ns for neighbor in self.neighbors) + ARP_TRUST_NS

    def stands(self) -> bool:
        """Whether a packet on its way now, that left when it was so, is still taken at its end."""
        node = self.node
        if node is None or not node.powered:
            return False
        return all(hop.taker.port.up for hop in self.hops[-1:]) and node.takes(self.address)

    def draw(self, stream: Stream) -> int | None:
        """How long one packet takes, by a stream of chance; None: it is lost."""
        if self.delay_ns is not None:
            return self.delay_ns
        total_ns = 0
        for hop in self.hops:
            segment = hop.segment
            if segment.loss and stream.random() < segment.loss:
                segment.lost += 1
                return None
            total_ns += segment.delay.draw(stream)
        return total_ns


def find_way(node: Node, address: bytes) -> Way:
    """The way from a node to a packed address, as of now."""
    kernel = node.kernel
    way = node.ways.get(address)
    # Where a cache is trusted no more somebody has to ask anew, and nobody else has to know.
    known = way is not None and way.version == kernel.version
    if way is not None and known and (not way.neighbors or kernel.now_ns <= way.trusted_ns()):
        return way
    way = node.ways[address] = _found(node, address, Way(address, kernel.version))
    return way


def _found(node: Node, address: bytes, way: Way) -> Way:
    if node.has(address):
        if node.powered and node.takes(address):
            way.node, way.delay_ns, way.quiet = node, LOOPBACK_NS, True
        return way
    hops: list[Hop] = []
    for _ in range(MOST_HOPS):
        interface = node.interface_to(address)
        if interface is None or not node.powered:
            return way
        neighbor = interface.neighbors.find(address)
        if neighbor is None or neighbor.mac is None:
            way.unresolved = (interface.neighbors, address)
            return way
        way.neighbors += (neighbor,)
        taker = _taker(interface, neighbor.mac)
        if taker is None:
            return way
        hops.append(Hop(interface.port.segment, interface, neighbor.mac, taker))
        node = taker.node
        if node.takes(address):
            break
        if not node.forwarding or node.has(address):
            return way
    else:
        return way
    way.node, way.hops = node, tuple(hops)
    segments = [hop.segment for hop in hops]
    if all(isinstance(segment.delay, Constant) and not segment.loss for segment in segments):
        way.delay_ns = sum(segment.delay.constant_ns or 0 for segment in segments)
        way.quiet = not any(segment.taps for segment in segments)
    return way


def _taker(sender: Interface, mac: bytes) -> Interface | None:
    """Whose interface takes a frame to this MAC."""
    for port in sender.port.segment.receivers(sender.port, mac):
        station = port.station
        if isinstance(station, Interface) and station.is_for_us(mac):
            return station
    return None
