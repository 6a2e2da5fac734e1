"""What flows are to do and when: one heap above simpy's queue, for millions of small events.

An entry costs a tenth of a simpy event. What is on the agenda for a moment is done after all of simpy's events of
that moment, by rank and then in the order in which it was put there.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappush
from itertools import count
from typing import Any, TypeAlias

Entry: TypeAlias = tuple[int, int, int, Callable[[Any], None], Any]


class Agenda:
    """Entries as (time, rank, order, what to call, with what)."""

    __slots__ = ("_order", "heap")

    def __init__(self) -> None:
        self.heap: list[Entry] = []
        self._order = count()

    def add(self, at_ns: int, rank: int, act: Callable[[Any], None], argument: Any) -> None:
        """Call `act(argument)` at `at_ns`, which is not before now. There is no cancelling: look when called."""
        heappush(self.heap, (at_ns, rank, next(self._order), act, argument))
