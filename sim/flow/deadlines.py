"""Timeouts of one length, of which hardly any comes true: one event for as many as there are.

Since all are equally long the first begun is the first due, and those that are done with are dropped on the way.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from sim.kernel import LAST, Kernel


class Awaited(Protocol):
    """What has a deadline. `deadline_ns` is set by `Deadlines.begin`; -1 says that nothing is waited for any more."""

    deadline_ns: int


_Awaited = TypeVar("_Awaited", bound=Awaited)


class Deadlines(Generic[_Awaited]):
    """Calls `expire` for each that was begun `after_ns` ago and is still waited for.

    At one moment messages go first: an answer that comes at the deadline has come in time. Beginning anew (a timeout
    that each message restarts) is cheap: only the last deadline holds.
    """

    def __init__(self, kernel: Kernel, after_ns: int, expire: Callable[[int, _Awaited], None]) -> None:
        self._kernel = kernel
        self.after_ns = after_ns
        self._expire = expire
        self._waiting: deque[tuple[int, _Awaited]] = deque()
        self._set = False

    def begin(self, one: _Awaited) -> None:
        """Expect something of it within `after_ns` from now."""
        one.deadline_ns = due_ns = self._kernel.now_ns + self.after_ns
        self._waiting.append((due_ns, one))
        if not self._set:
            self._set = True
            self._kernel.agenda.add(due_ns, LAST, self._look, None)

    def _look(self, _: None) -> None:
        now_ns = self._kernel.now_ns
        waiting = self._waiting
        while waiting:
            due_ns, one = waiting[0]
            if one.deadline_ns != due_ns:
                waiting.popleft()
            elif due_ns > now_ns:
                break
            else:
                waiting.popleft()
                one.deadline_ns = -1
                self._expire(now_ns, one)
        self._set = bool(waiting)
        if waiting:
            self._kernel.agenda.add(waiting[0][0], LAST, self._look, None)
