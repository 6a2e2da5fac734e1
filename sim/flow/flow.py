"""A flow: one thread of cause and effect, from a client's request through whatever it passes, and back.

At any time one message of it is under way. In quiet time what comes of that message is worked out at once, to the
point where somebody has to decide something, and only that point becomes an event: the flow's course.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.flow.message import Message

if TYPE_CHECKING:
    from sim.flow.connection import Connection
    from sim.flow.course import Act, Pass


class Flow:
    """`rank` orders what happens at one moment: the flow that began first goes first.

    While it has a course: `begun_ns` is when `message` leaves `side` of `connection` (when `opening`: when the SYN
    does), `end_ns` when what has to happen (`act` with `argument`) does; -1: it goes step by step.
    """

    __slots__ = (
        "act",
        "argument",
        "begun_ns",
        "connection",
        "end_ns",
        "known",
        "left",
        "message",
        "opening",
        "passes",
        "passing",
        "rank",
        "side",
        "touched",
    )

    def __init__(self, rank: int) -> None:
        self.rank = rank
        self.end_ns = -1
        self.begun_ns = 0
        self.opening = False
        self.left = False
        """Whether its message left at the moment when it was sent."""
        self.passing = False
        """Whether the course passes somebody who foresaw what comes of a message."""
        self.passes: list[Pass] = []
        """Whom to tell what passed them, when it comes to its end."""
        self.connection: Connection | None = None
        self.side = 0
        self.message: Message = None
        self.act: Act | None = None
        self.argument: Any = None
        self.touched: list[Connection] = []
        """Connections on which messages came through since somebody last had to look."""
        self.known = 0
        """How many those were when the course began."""
