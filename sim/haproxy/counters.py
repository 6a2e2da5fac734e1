"""What HAProxy counts: events, so many per second, and averages that slide."""

from __future__ import annotations

from vrrp.protocol.timers import SECOND_NS

WINDOW = 1024
"""Over about so many of the last transactions times are averaged (2.6's `TIME_STATS_SAMPLES`, twice)."""


class Rate:
    """Events per second: those of the current second, and the most that any second had. All in ns."""

    __slots__ = ("_begun_ns", "_last", "count", "most")

    def __init__(self) -> None:
        self._begun_ns = 0
        self._last = 0
        self.count = 0
        self.most = 0

    def add(self, now_ns: int) -> None:
        """One more."""
        if now_ns - self._begun_ns >= SECOND_NS:
            self._turn(now_ns)
        self.count += 1
        self.most = max(self.most, self.count)

    def read(self, now_ns: int) -> int:
        """How many there were within the last second: this second's, and of the one before the part that counts."""
        if now_ns - self._begun_ns >= SECOND_NS:
            self._turn(now_ns)
        left_ns = SECOND_NS - (now_ns - self._begun_ns)
        return self.count + self._last * left_ns // SECOND_NS

    def _turn(self, now_ns: int) -> None:
        gone = (now_ns - self._begun_ns) // SECOND_NS
        self._last = self.count if gone == 1 else 0
        self.count = 0
        self._begun_ns += gone * SECOND_NS


class Average:
    """An average over the last transactions, in ms, and the greatest."""

    __slots__ = ("_sum", "most")

    def __init__(self) -> None:
        self._sum = 0
        self.most = 0

    def add(self, ms: int, samples: int) -> None:
        """One more value; there were `samples` before."""
        window = min(samples, WINDOW) or 1
        self._sum += ms - (self._sum + window - 1) // window
        self.most = max(self.most, ms)

    def read(self, samples: int) -> int:
        """The average, rounded up."""
        window = min(samples, WINDOW) or 1
        return (self._sum + window - 1) // window
