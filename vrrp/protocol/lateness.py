"""How late real processes are: the time from a timer's end to the process acting on it, as a measured distribution.

A process sets its next timer from when it woke, so that its period is longer than it should be and its phase drifts.
The core is told the time and is never late itself; a driver that plays a real process asks here.
"""

from __future__ import annotations

from bisect import bisect
from dataclasses import dataclass

WHOLE = 1_000_000
"""Chances are counted in millionths."""


@dataclass(frozen=True, slots=True)
class Lateness:
    """Quantiles: (share of the cases in thousandths, nanoseconds that they are late by at most), from 0 to 1000.

    Between two of them the distribution is taken to be even. ValueError when they do not rise from 0 to 1000.
    """

    quantiles: tuple[tuple[int, int], ...] = ((0, 0), (1000, 0))

    def __post_init__(self) -> None:
        shares, times = zip(*self.quantiles, strict=True)
        if shares[0] != 0 or shares[-1] != 1000 or list(shares) != sorted(set(shares)) or list(times) != sorted(times):
            raise ValueError(f"no quantiles from 0 to 1000: {self.quantiles}")

    @classmethod
    def always(cls, late_ns: int) -> Lateness:
        """The same each time."""
        return cls(((0, late_ns), (1000, late_ns)))

    def at(self, chance: int) -> int:
        """Nanoseconds for a chance of 0 to 999999 millionths."""
        quantiles = self.quantiles
        after = bisect(quantiles, chance, key=lambda point: point[0] * 1000)
        (low, low_ns), (high, high_ns) = quantiles[after - 1 : after + 1]
        return low_ns + (high_ns - low_ns) * (chance - low * 1000) // ((high - low) * 1000)

    @property
    def median_ns(self) -> int:
        """Half of the cases are late by less."""
        return self.at(WHOLE // 2)


PUNCTUAL = Lateness()
KEEPALIVED_LATENESS = Lateness(
    (
        (0, 72_000),
        (50, 124_000),
        (100, 147_000),
        (200, 172_000),
        (300, 202_000),
        (400, 226_000),
        (500, 280_000),
        (600, 363_000),
        (700, 585_000),
        (800, 864_000),
        (900, 1_907_000),
        (950, 3_048_000),
        (980, 5_033_000),
        (1000, 10_000_000),
    )
)
"""keepalived 2.2.7, by 294 gaps between advertisements of masters at one second and more, from the recordings in
which no gap is above 10 ms (on a busier machine one in thirty is): mean 0.73 ms. Over all 543 advertisements that
were measured the median is 0.28 ms, after 10 ms of sleep 0.15 ms."""
FRR_LATENESS = Lateness(
    (
        (0, 50_000),
        (100, 93_000),
        (250, 201_000),
        (500, 300_000),
        (750, 498_000),
        (900, 1_419_000),
        (950, 2_391_000),
        (980, 5_455_000),
        (1000, 10_345_000),
    )
)
"""FRR 8.4.4, by 341 gaps at one second: mean 0.69 ms. (A tenth were shorter than the interval, because the packet
before them had left late; those are taken as hardly late.)"""
