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


class Times:
    """The four times of transactions (queue, connect, response, total): averages over the last of them, and maxima.

    In ms; each list is in that order. An average is kept as the sum over a window, which a new value enters and the
    average leaves.
    """

    __slots__ = ("_sums", "most")

    def __init__(self) -> None:
        self._sums = [0, 0, 0, 0]
        self.most = [0, 0, 0, 0]

    def add(self, times_ms: tuple[int, int, int, int], samples: int) -> None:
        """The times of one more; there are `samples` with it."""
        window = samples if samples < WINDOW else WINDOW
        sums, most = self._sums, self.most
        for number, ms in enumerate(times_ms):
            before = sums[number]
            if ms or before:
                sums[number] = before + ms - (before + window - 1) // window
                most[number] = max(most[number], ms)

    def read(self, samples: int) -> list[int]:
        """The averages, rounded up."""
        window = min(samples, WINDOW) or 1
        return [(total + window - 1) // window for total in self._sums]
