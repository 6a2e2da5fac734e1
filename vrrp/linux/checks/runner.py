"""Runs checkers and tells of their verdicts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from vrrp.lvs.target import CheckKey, Target


class Report(Protocol):
    """What is told when a checker's verdict or the weight that it asks for changes.

    `weight` is what a checker with a weight of its own (MISC_CHECK with misc_dynamic, FILE_CHECK) asks for; None
    where it asks for none. `reason` is the line that was logged. The time is CLOCK_MONOTONIC in nanoseconds.
    """

    def __call__(self, now_ns: int, key: CheckKey, up: bool, weight: int | None, reason: str) -> None:
        """A verdict. Before the first a checker counts as up, unless it has `alpha`."""


class CheckRunner:
    """Runs the checkers of a configuration, from `start` to `stop`, inside an event loop.

    Args:
        checkers: what to check.
        report: told of each change.
    """

    def __init__(self, checkers: Iterable[Target], report: Report) -> None:
        self._targets = tuple(checkers)
        self._report = report

    def start(self) -> None:
        """Begin; the loop runs."""

    def reload(self, checkers: Iterable[Target]) -> None:
        """Another configuration: checkers that are the same go on as they are."""

    async def stop(self) -> None:
        """End; nothing is told any more."""

    def rows(self) -> list[dict[str, Any]]:
        """The table of checkers for `vrrp status`."""
        return []
