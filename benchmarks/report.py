"""What a person reads, and what a program reads."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from rich.table import Table

from benchmarks.measure import Absent, Contestant, Race, Standing

Standings = Sequence[tuple[Race, Sequence[Standing | Absent]]]
PACKAGES = ("dpkt", "os-ken", "scapy", "simpy")


def table(results: Standings) -> Table:
    """A row for each contestant of each race."""
    shown = Table(
        title="Medians of the rounds; within a race all do the same work",
        title_justify="left",
        caption=f"Python {platform.python_version()}, " + ", ".join(f"{name} {v}" for name, v in versions().items()),
        caption_justify="left",
        box=None,
        pad_edge=False,
    )
    shown.add_column("", no_wrap=True)
    for heading in ("per CPU s", "ours is", "promised"):
        shown.add_column(heading, justify="right", no_wrap=True)
    shown.add_column("verdict", no_wrap=True)
    for race, standings in results:
        shown.add_row(f"[bold]{race.title}[/] ({race.counted})")
        for standing in standings:
            shown.add_row(*_cells(standing))
        shown.add_section()
    return shown


def _cells(standing: Standing | Absent) -> tuple[str, ...]:
    if isinstance(standing, Absent):
        return (f"  {standing.name} [dim]{standing.why}[/]",)
    contestant = standing.contestant
    cells = (f"  {contestant.name} [dim]{contestant.note}[/]", _short(standing.rate), f"{standing.ratio:.2f} x")
    if contestant.floor is None:
        return cells
    return *cells, f"{contestant.floor:g} x", "[red]missed[/]" if standing.missed else "[green]held[/]"


def _short(rate: float) -> str:
    return f"{rate / 1e6:.2f} M" if rate >= 1e6 else f"{rate / 1e3:.1f} k"


def versions() -> dict[str, str]:
    """The peers that are installed."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def document(results: Standings) -> dict[str, Any]:
    """The same for machines, every round of it. `ratio` says how many times as fast as this one ours was."""
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "peers": versions(),
        "races": [
            {"title": race.title, "counted": race.counted, "contestants": [_entry(each) for each in standings]}
            for race, standings in results
        ],
    }


def _entry(standing: Standing | Absent) -> dict[str, Any]:
    if isinstance(standing, Absent):
        return {"name": standing.name, "absent": standing.why}
    contestant: Contestant = standing.contestant
    return {
        "name": contestant.name,
        "rate": standing.rate,
        "ratio": standing.ratio,
        "floor": contestant.floor,
        "missed": standing.missed,
        "rates": standing.rates,
        "ratios": standing.ratios,
    }


def missed(results: Standings) -> list[str]:
    """A line for each floor that did not hold."""
    return [
        f"{race.title}: {standing.ratio:.2f} times as fast as {standing.contestant.name}, "
        f"{standing.contestant.floor:g} promised"
        for race, standings in results
        for standing in _measured(standings)
        if standing.missed
    ]


def _measured(standings: Iterable[Standing | Absent]) -> list[Standing]:
    return [standing for standing in standings if isinstance(standing, Standing)]
