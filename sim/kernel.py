"""simpy behind three calls: what time it is, call me at, run until; and random streams by name.

Time is an integer count of nanoseconds. Two calls for one instant happen in the order they were asked for.
A random stream depends on the seed and its own name only, so that one more node disturbs no other's chance.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import simpy


class Kernel:
    """The clock and the queue of one run."""

    __slots__ = ("_environment", "_streams", "seed")

    def __init__(self, seed: int = 1) -> None:
        self.seed = seed
        self._environment = simpy.Environment(initial_time=0)
        self._streams: dict[str, random.Random] = {}

    @property
    def now_ns(self) -> int:
        """The simulated time."""
        return self._environment.now  # type: ignore[return-value]  # simpy's time is whatever it was given: ints

    def at(self, time_ns: int, call: Callable[[], None]) -> None:
        """Call when the time comes (a time already past means now). There is no cancelling: look when called."""
        delay_ns = max(0, time_ns - self.now_ns)
        self._environment.timeout(delay_ns).callbacks.append(lambda _: call())

    def run(self, until_ns: int) -> None:
        """Let everything before this time happen; the clock then stands at it."""
        if until_ns > self.now_ns:
            self._environment.run(until=until_ns)

    def stream(self, name: str) -> random.Random:
        """The random stream of this name; the same object each time."""
        if name not in self._streams:
            self._streams[name] = random.Random(f"{self.seed}/{name}")
        return self._streams[name]
