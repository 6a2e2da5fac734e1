"""What a connection attempt that leaves a node now would meet."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from sim.flow.way import Way, find_way
from vrrp.protocol.timers import NEVER

if TYPE_CHECKING:
    from sim.flow.program import Program
    from sim.flow.sockets import Socket
    from sim.node import Node


class Meeting(enum.Enum):
    """How it fares."""

    ACCEPTED = "somebody listens"
    REFUSED = "a host has the address, and nobody listens there"
    SILENT = "it gets nowhere"
    UNRESOLVED = "the MAC of its next hop has to be asked for"


class Reached:
    """What a SYN to `address`:`port` would meet, and the ways there and back.

    `quiet` says that what comes of messages on these ways can be worked out ahead, as long as the neighbor caches are
    trusted (`trusted_ns` is a lower bound of until when). `delay_ns` and `back_ns` are then the constant delays.
    """

    __slots__ = (
        "address",
        "back",
        "back_ns",
        "delay_ns",
        "meeting",
        "out",
        "port",
        "quiet",
        "socket",
        "source",
        "trusted_ns",
        "version",
    )

    def __init__(self, node: Node, source: bytes, address: bytes, port: int) -> None:
        self.source = source
        self.address = address
        self.port = port
        self.version = node.kernel.version
        self.out = find_way(node, address)
        self.back: Way | None = None
        self.socket: Socket | None = None
        self.delay_ns = self.back_ns = 0
        self.quiet = False
        self.trusted_ns = 0
        self.meeting = self._meet(node)

    def _meet(self, node: Node) -> Meeting:
        there = self.out.node
        if self.out.unresolved is not None:
            return Meeting.UNRESOLVED
        if there is None:
            return Meeting.SILENT
        self.socket = there.sockets.find(self.address, self.port)
        if self.socket is None:
            return Meeting.REFUSED
        if self.socket.silent:
            return Meeting.SILENT
        self.back = find_way(there, self.source)
        if self.out.quiet and self.back.quiet and self.back.node is node:
            self.delay_ns, self.back_ns = self.out.delay_ns or 0, self.back.delay_ns or 0
            self.quiet = True
            self.trusts(0)
        return Meeting.ACCEPTED

    def trusts(self, at_ns: int) -> bool:
        """Whether the neighbor caches on the ways are trusted at a time to come, even if nothing confirms them."""
        if at_ns > self.trusted_ns:
            ways = [way for way in (self.out, self.back) if way is not None and way.neighbors]
            self.trusted_ns = min([way.trusted_ns() for way in ways], default=NEVER)
        return at_ns <= self.trusted_ns

    def confirm(self, now_ns: int) -> None:
        """Messages came through both ways."""
        for neighbor in self.out.neighbors:
            neighbor.confirmed_ns = now_ns
        if self.back is not None:
            for neighbor in self.back.neighbors:
                neighbor.confirmed_ns = now_ns


def still_reached(node: Node, before: Reached, there: Node | None, program: Program | None) -> Reached:
    """As `reach` for a connection that stands: quiet only if its packets still get to the same program.

    `there` and `program` are the acceptor's, None where it has not accepted yet.
    """
    reached = reach(node, before.address, before.port, before.source)
    same = (there is None or reached.out.node is there) and (
        program is None or (reached.socket is not None and reached.socket.program is program)
    )
    if reached.quiet and not (same and node.has(before.source)):
        reached = Reached(node, before.source, before.address, before.port)
        reached.quiet = False
    return reached


def reach(node: Node, address: bytes, port: int, source: bytes | None = None) -> Reached:
    """What a SYN from `node` to a packed address would meet now; the same until `Kernel.changed`, or trust ends."""
    key = (address, port, source)
    reached = node.reached.get(key)
    if reached is None or reached.version != node.kernel.version or not reached.trusts(node.kernel.now_ns):
        reached = node.reached[key] = Reached(node, source or node.source_to(address), address, port)
    return reached
