"""Keeps what repeats from filling a log: so much of it a second is written, the rest is counted."""

from __future__ import annotations

from collections.abc import Callable, Hashable

SECOND_NS = 1_000_000_000
_MOST_KEYS = 4096


class Throttle:
    """At most `most` of a kind each second, then one line at the second's end that says how many more there were.

    Args:
        most: how many of a kind are let through each second.
        later: calls a function once, in a second.
        tell: called with a kind and how many of it were held back.
    """

    def __init__(
        self, most: int, later: Callable[[Callable[[], None]], object], tell: Callable[[Hashable, int], None]
    ) -> None:
        self._most = most
        self._later = later
        self._tell = tell
        self._counts: dict[Hashable, int] = {}

    def passes(self, kind: Hashable) -> bool:
        """Whether one more of this kind is to be written."""
        counts = self._counts
        if not counts:
            self._later(self._second_over)
        count = counts.get(kind, 0) + 1
        if count > 1 or len(counts) < _MOST_KEYS:
            counts[kind] = count
            return count <= self._most
        return False

    def _second_over(self) -> None:
        counts, self._counts = self._counts, {}
        for kind, count in counts.items():
            if count > self._most:
                self._tell(kind, count - self._most)
