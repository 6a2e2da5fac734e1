"""One kind of check of one server, the main one or the agent's: how well it looks, and when the next is due.

A counter goes from 0 to rise + fall - 1. A failure takes one away, and all at once below `rise`; a success adds one,
and fills it as soon as `rise` is reached: so in either state only an unbroken row counts. It begins at `rise`, where
one failure brings the server down. The next check begins a pause after the end of the last. HAProxy 2.6.12, measured:
tests/haproxy/data/check_timing.json.
"""

from __future__ import annotations

from sim.haproxy.status import CheckResult, Verdict
from vrrp.protocol.timers import NEVER

LATENESS_NS = 1_200_000
"""A check begins this much after its time (measured: 0.7 to 2 ms, seldom 4; 1.2 on the average)."""


class Watch:
    """The checks of one kind. `due_ns`: when the next begins; NEVER while one runs, or if there are none.

    `health` is the column check_health, `last` the last result or None.
    """

    __slots__ = (
        "_downinter_ns",
        "_fastinter_ns",
        "due_ns",
        "fall",
        "health",
        "inter_ns",
        "last",
        "paused",
        "rise",
        "running",
    )

    def __init__(self, rise: int, fall: int, inter_ns: int, fastinter_ns: int, downinter_ns: int) -> None:
        self.rise = rise
        self.fall = fall
        self.health = rise
        self.inter_ns = inter_ns
        self._fastinter_ns = fastinter_ns
        self._downinter_ns = downinter_ns
        self.due_ns = NEVER
        self.running = False
        self.paused = False
        self.last: CheckResult | None = None

    @property
    def full(self) -> int:
        """The health of a server that is well."""
        return self.rise + self.fall - 1

    @property
    def well(self) -> bool:
        """Whether it is up as far as these checks go."""
        return self.health >= self.rise

    def begin(self, now_ns: int) -> bool:
        """Whether a check begins now; paused ones are put off."""
        if now_ns < self.due_ns:
            return False
        if self.paused:
            self.due_ns = now_ns + self.inter_ns
            return False
        self.running = True
        self.due_ns = NEVER
        return True

    def end(self, now_ns: int, *, down: bool) -> None:
        """The check that ran ended; `down` is how the server now is."""
        self.running = False
        self.due_ns = now_ns + self._pause_ns(down=down) + LATENESS_NS

    def hurry(self, now_ns: int) -> None:
        """Something seems wrong: the next check no later than fastinter from now."""
        if self._fastinter_ns < self.inter_ns and not self.running:
            self.due_ns = min(self.due_ns, now_ns + self._fastinter_ns)

    def count(self, verdict: Verdict) -> bool:
        """A result; whether it was a failure that counts (a server that is down fails no more)."""
        if verdict is Verdict.FAILED:
            if not self.health:
                return False
            self.health = self.health - 1 if self.health > self.rise else 0
            return True
        if verdict is not Verdict.NEUTRAL and self.health < self.full:
            self.health = self.full if self.health + 1 >= self.rise else self.health + 1
        return False

    def _pause_ns(self, *, down: bool) -> int:
        if self.health == self.full:
            return self.inter_ns
        return self._downinter_ns if down and not self.health else self._fastinter_ns
