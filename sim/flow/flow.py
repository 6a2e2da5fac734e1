"""A flow: one thread of cause and effect, from a client's request through whatever it passes, and back.

At any time one message of it is under way. In quiet time what comes of that message is worked out at once, to the
point where somebody has to decide something, and only that point becomes an event: the flow's course.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.flow.message import Message

if TYPE_CHECKING:
    from sim.flow.connection import Connection


class Flow:
    """`rank` orders what happens at one moment: the flow that began first goes first.

    `begun_ns` is when the message under way left, `end_ns` when its course ends (-1: there is none, it goes step by
    step). A connection that passes messages on gives its own flow to the connection it opens for that.
    """

    __slots__ = ("begun_ns", "connection", "end_ns", "last", "message", "rank", "side", "touched")

    def __init__(self, rank: int) -> None:
        self.rank = rank
        self.end_ns = -1
        self.begun_ns = 0
        self.connection: Connection | None = None
        self.side = 0
        self.message: Message = None
        self.last: tuple[Connection, int, Message] | None = None
        self.touched: list[Connection] = []
        """Connections on which messages came through since somebody last had to look."""
