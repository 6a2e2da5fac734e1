"""One term of the sum that a failover takes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """What passes and how long that takes, in nanoseconds: at least and at most, and evenly spread in between.

    A negative one shortens the sum: an advertisement that was some time old already when the failure came.
    """

    text: str
    best_ns: int
    worst_ns: int

    @property
    def typical_ns(self) -> int:
        """The middle, which is its mean and its median."""
        return (self.best_ns + self.worst_ns) // 2


def fixed(text: str, time_ns: int) -> Part:
    """A part that always takes the same time."""
    return Part(text, time_ns, time_ns)


def best_ns(parts: Iterable[Part]) -> int:
    """The sum when all goes quickly."""
    return sum(part.best_ns for part in parts)


def worst_ns(parts: Iterable[Part]) -> int:
    """The sum when all goes slowly."""
    return sum(part.worst_ns for part in parts)
