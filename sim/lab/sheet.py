"""The runs beneath each other on one sheet: a picture of one result whose instances are those of each run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from sim.plots import save_plot
from sim.result import Result


def save_sheet(results: Mapping[str, Result], path: Path) -> None:
    """Draw runs of one scenario, by what to call them, lanes beneath lanes. ValueError, OSError."""
    save_plot(on_one_sheet(results), path)


def on_one_sheet(results: Mapping[str, Result]) -> Result:
    """One result in which each instance and address stands once for each run, under its name."""
    first = next(iter(results.values()))
    labelled = [_labelled(result, label) for label, result in results.items()]
    return replace(
        first,
        instances={name: served for result in labelled for name, served in result.instances.items()},
        transitions=tuple(one for result in labelled for one in result.transitions),
        priorities=tuple(one for result in labelled for one in result.priorities),
        sent=tuple(one for result in labelled for one in result.sent),
        ownership=tuple(one for result in labelled for one in result.ownership),
        outages=tuple(one for result in labelled for one in result.outages),
        dual_masters=tuple(one for result in labelled for one in result.dual_masters),
    )


def _labelled(result: Result, label: str) -> Result:
    def called(name: str) -> str:
        return f"{name} ({label})"

    return replace(
        result,
        instances={called(name): tuple(map(called, served)) for name, served in result.instances.items()},
        transitions=tuple(replace(one, instance=called(one.instance)) for one in result.transitions),
        priorities=tuple(replace(one, instance=called(one.instance)) for one in result.priorities),
        sent=tuple(replace(one, instance=called(one.instance)) for one in result.sent),
        ownership=tuple(replace(one, address=called(one.address)) for one in result.ownership),
        outages=tuple(replace(one, address=called(one.address)) for one in result.outages),
        dual_masters=tuple(replace(one, address=called(one.address)) for one in result.dual_masters),
    )
