"""simpy behind three calls: what time it is, call me at, run until; and random streams by name.

Time is an integer count of nanoseconds. Two calls for one instant happen in the order they were asked for.
A random stream depends on the seed and its own name only, so that one more node disturbs no other's chance.
Beside simpy's queue there is the agenda, which flows use.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from heapq import heappop

import simpy

from sim.agenda import Agenda

LAST = 1 << 62
"""The rank on the agenda of what is done after everything else of its moment: timeouts."""


class Kernel:
    """The clock and the queue of one run. `version` counts the changes of the network that flows have to know of."""

    __slots__ = ("_environment", "_next_ns", "_streams", "agenda", "now_ns", "rank", "seed", "version", "watchers")

    def __init__(self, seed: int = 1) -> None:
        self.seed = seed
        self.now_ns = 0
        self.rank = -1
        """The rank of what the agenda does now; -1: it is simpy's turn."""
        self.version = 0
        self.watchers: list[Callable[[], None]] = []
        """Called at each change, while `version` is still the old one."""
        self.agenda = Agenda()
        self._environment = simpy.Environment(initial_time=0)
        self._next_ns = 0
        self._streams: dict[str, random.Random] = {}

    def at(self, time_ns: int, call: Callable[[], None]) -> None:
        """Call when the time comes (a time already past means now). There is no cancelling: look when called."""
        at_ns = max(time_ns, self.now_ns)
        self._next_ns = min(self._next_ns, at_ns)
        environment = self._environment
        delay_ns = at_ns - environment.now
        environment.timeout(delay_ns).callbacks.append(lambda _: call())

    def changed(self) -> None:
        """Something changed that a packet might meet: a link, an address, a neighbor's MAC, a listener."""
        for watch in self.watchers:
            watch()
        self.version += 1

    def run(self, until_ns: int) -> None:
        """Let everything before this time happen; the clock then stands at it."""
        environment, heap = self._environment, self.agenda.heap
        while True:
            event_ns = environment.peek()
            self._next_ns = next_ns = int(min(event_ns, until_ns))
            while heap and heap[0][0] < self._next_ns:
                self.now_ns, self.rank, _, act, argument = heappop(heap)
                act(argument)
            if self._next_ns < next_ns:
                continue
            if event_ns >= until_ns:
                break
            self.now_ns = next_ns
            self.rank = -1
            environment.step()
        self.now_ns = max(self.now_ns, until_ns)
        self.rank = -1

    def stream(self, name: str) -> random.Random:
        """The random stream of this name; the same object each time."""
        if name not in self._streams:
            self._streams[name] = random.Random(f"{self.seed}/{name}")
        return self._streams[name]
