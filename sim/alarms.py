"""One alarm clock for all processes of a run.

Nearly every wake-up of a backup comes early: since it was set, advertisements have put the deadline off. So the
clock keeps its own heap, looks how late the sleeper on top really wants to sleep, and moves it down; only a
wake-up that holds becomes an event of the kernel. A hundred backups on a quiet segment cost one event in three
seconds together.
"""

from __future__ import annotations

from heapq import heappop, heappush, heapreplace
from typing import Protocol

from sim.kernel import Kernel
from vrrp.protocol.timers import NEVER


class Sleeper(Protocol):
    """Who wants to be woken. `armed_ns` belongs to the clock; NEVER before the first `arm`."""

    armed_ns: int

    def due_ns(self) -> int:
        """When to be woken, as of now; NEVER for not at all."""

    def wake(self, now_ns: int) -> None:
        """It is time."""


class AlarmClock:
    """Wakes sleepers when they are due, in the order in which they were armed where times are equal."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._heap: list[tuple[int, int, Sleeper]] = []
        self._armed = 0
        self._event_ns = NEVER

    def arm(self, sleeper: Sleeper) -> None:
        """The sleeper may be due earlier than when it was last armed. Later needs no call."""
        at_ns = sleeper.due_ns()
        if at_ns < sleeper.armed_ns:
            sleeper.armed_ns = at_ns
            self._armed += 1
            heappush(self._heap, (at_ns, self._armed, sleeper))
            self._schedule()

    def _schedule(self) -> None:
        """Make an event of the top of the heap, unless an earlier one is waiting."""
        at_ns = self._heap[0][0]
        if at_ns < self._event_ns:
            self._event_ns = at_ns
            self._kernel.at(at_ns, lambda: self._ring(at_ns))

    def _ring(self, at_ns: int) -> None:
        if at_ns != self._event_ns:
            return
        self._event_ns = NEVER
        heap = self._heap
        # One who was early is seldom alone, so the others are looked at as well. After a wake-up that held they are
        # not: it may be a master's, and the advertisement that puts them off a second longer is still to come.
        early = False
        while heap:
            due_ns, order, sleeper = heap[0]
            if due_ns != sleeper.armed_ns:
                heappop(heap)
                continue
            if due_ns > at_ns and not early:
                break
            wanted_ns = sleeper.due_ns()
            if wanted_ns > due_ns:
                early = True
                sleeper.armed_ns = wanted_ns
                heapreplace(heap, (wanted_ns, order, sleeper))
                continue
            if due_ns > at_ns:
                break
            heappop(heap)
            sleeper.armed_ns = NEVER
            sleeper.wake(at_ns)
        if heap:
            self._schedule()
