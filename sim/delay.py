"""How long a frame takes: a constant, or a distribution drawn per frame and receiver.

Draws go through the inverse of the distribution from one uniform number each, in operations that give the same
nanosecond on every machine and Python version.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Protocol

_NORMAL = NormalDist()


class Stream(Protocol):
    """Where chance comes from; `random.Random` is one."""

    def random(self) -> float:
        """A number from 0 to 1, without 1."""

    def getrandbits(self, k: int, /) -> int:
        """A number of so many bits."""


class Delay(Protocol):
    """A transit time in nanoseconds."""

    @property
    def constant_ns(self) -> int | None:
        """The value, when it never varies."""

    def draw(self, stream: Stream) -> int:
        """One transit time."""


@dataclass(frozen=True, slots=True)
class Constant:
    """Always the same."""

    delay_ns: int

    @property
    def constant_ns(self) -> int | None:
        """The value."""
        return self.delay_ns

    def draw(self, stream: Stream) -> int:
        """The value."""
        return self.delay_ns


@dataclass(frozen=True, slots=True)
class Uniform:
    """Anything from `low_ns` to `high_ns`, equally likely: jitter without memory."""

    low_ns: int
    high_ns: int

    @property
    def constant_ns(self) -> int | None:
        """None: it varies."""
        return None

    def draw(self, stream: Stream) -> int:
        """One transit time."""
        return self.low_ns + int(stream.random() * (self.high_ns - self.low_ns + 1))


@dataclass(frozen=True, slots=True)
class Lognormal:
    """Mostly near `median_ns`, with the long tail real networks have; `sigma` is its width (0.3: mild)."""

    median_ns: int
    sigma: float

    @property
    def constant_ns(self) -> int | None:
        """None: it varies."""
        return None

    def draw(self, stream: Stream) -> int:
        """One transit time."""
        chance = (stream.getrandbits(52) + 0.5) / (1 << 52)
        return round(self.median_ns * math.exp(self.sigma * _NORMAL.inv_cdf(chance)))
