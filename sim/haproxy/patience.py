"""Timeouts of one length that are nearly always given up again before they come true.

As `sim.flow.deadlines`, but for those whose owners live shorter than the timeout and must not be kept for it: who is
done with waiting is forgotten at once.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from sim.kernel import LAST, Kernel

T = TypeVar("T", bound=Hashable)


class Patience(Generic[T]):
    """Calls `expire(now_ns, one)` for each that began `after_ns` ago and has not ended."""

    __slots__ = ("_expire", "_kernel", "_set", "_waiting", "after_ns")

    def __init__(self, kernel: Kernel, after_ns: int, expire: Callable[[int, T], None]) -> None:
        self._kernel = kernel
        self._expire = expire
        self._waiting: dict[T, int] = {}
        self._set = False
        self.after_ns = after_ns

    def begin(self, one: T) -> None:
        """It waits from now on."""
        due_ns = self._kernel.now_ns + self.after_ns
        self._waiting.pop(one, None)
        self._waiting[one] = due_ns
        if not self._set:
            self._set = True
            self._kernel.agenda.add(due_ns, LAST, self._look, None)

    def end(self, one: T) -> None:
        """It waits no more; nothing if it did not."""
        self._waiting.pop(one, None)

    def _look(self, _: None) -> None:
        now_ns = self._kernel.now_ns
        waiting = self._waiting
        while waiting:
            one = next(iter(waiting))
            due_ns = waiting[one]
            if due_ns > now_ns:
                self._kernel.agenda.add(due_ns, LAST, self._look, None)
                return
            del waiting[one]
            self._expire(now_ns, one)
        self._set = False
