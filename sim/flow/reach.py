"""What a packet that leaves a node now would meet: the neighbor cache, the wire, the host at its end."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.flow.sockets import Socket
    from sim.node import Node


class Meeting(enum.Enum):
    """How it fares."""

    ACCEPTED = "somebody listens"
    REFUSED = "a host has the address, and nobody listens there"
    SILENT = "it gets nowhere"
    UNRESOLVED = "the MAC of its next hop has to be asked for"


class Reached:
    """What a SYN to `address`:`port` would meet, and the way there and back (constant delays; None where random)."""

    __slots__ = ("address", "back_ns", "delay_ns", "meeting", "node", "port", "quiet", "socket")

    def __init__(self, meeting: Meeting, address: bytes, port: int) -> None:
        self.meeting = meeting
        self.address = address
        self.port = port
        self.node: Node | None = None
        self.socket: Socket | None = None
        self.delay_ns: int | None = None
        self.back_ns: int | None = None
        self.quiet = False
        """Whether what comes of messages on this way can be worked out ahead."""


def reach(node: Node, address: bytes, port: int) -> Reached:
    """What a SYN from `node` to a packed address would meet now; the same until `Kernel.changed`."""
    raise NotImplementedError
