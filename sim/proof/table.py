"""How long each failure takes, as a table for people and as plain data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sim.proof.downtime import Downtime
from sim.proof.trial import Trial
from sim.result import seconds
from sim.timeline import duration_text

_HEADS = ("failure", "best", "typical", "worst", "unnoticed", "then held by")


def table_lines(rows: Sequence[Downtime]) -> list[str]:
    """A line for the heads and one for each failure; "never" where the address is not served again."""
    cells = [_HEADS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(_HEADS))]
    last = len(_HEADS) - 1
    return [
        "  ".join(
            cell.ljust(width) if column in {0, last} else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    ]


def _cells(row: Downtime) -> tuple[str, ...]:
    if not row.ever:
        return (str(row.failure), "never", "never", "never", "", "")
    times = (row.best_ns, row.typical_ns, row.worst_ns, row.worst_detection_ns)
    return (str(row.failure), *(duration_text(time_ns or 0) for time_ns in times), ", ".join(row.takers))


def table_data(rows: Iterable[Downtime]) -> list[dict[str, Any]]:
    """The same for machines; times in seconds, null for never."""
    return [
        {
            "address": row.address,
            "failure": str(row.failure),
            "kind": row.failure.kind.name.lower(),
            "node": row.failure.node,
            "what": row.failure.what,
            "best_s": _seconds(row.best_ns),
            "typical_s": _seconds(row.typical_ns),
            "worst_s": _seconds(row.worst_ns),
            "worst_detection_s": _seconds(row.worst_detection_ns),
            "takers": list(row.takers),
            "samples": row.samples,
        }
        for row in rows
    ]


def _seconds(time_ns: int | None) -> float | None:
    return None if time_ns is None else seconds(time_ns)


def combination_text(trial: Trial) -> str:
    """The failures of a trial in words: "a crashes, then b: script chk fails"."""
    between = " and at the same moment " if trial.plan.at_once else ", then "
    return between.join(str(failure) for failure in trial.plan.failures)
