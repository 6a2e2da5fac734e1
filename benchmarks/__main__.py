"""`python -m benchmarks`: exits 1 when a promised ratio is missed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import click
from rich.console import Console

from benchmarks import captures, daemon
from benchmarks.codec import codec_races
from benchmarks.measure import Race, run
from benchmarks.report import document, missed, table
from benchmarks.requests import request_races
from benchmarks.simulator import simulator_races
from vrrp.whole_file import write_text

FIELDS: dict[str, Callable[[], Iterator[Race]]] = {
    "codec": codec_races,
    "simulator": simulator_races,
    "requests": request_races,
}
CAPTURE_ROUNDS = 5
"""Whole processes take longer than turns."""
SHARE = {"codec": 1.0, "simulator": 5.0, "requests": 5.0}
"""How much longer the turns of a field are: a simulation has to come round to its garbage."""


@click.command()
@click.option("--rounds", type=click.IntRange(1), default=15, show_default=True, help="Turns of each contestant.")
@click.option("--only", type=click.Choice([*FIELDS, "captures", "daemon"]), help="Left out: all.")
@click.option(
    "--turn",
    "turn_ms",
    type=click.FloatRange(0, min_open=True),
    default=25.0,
    show_default=True,
    help="CPU milliseconds of a codec's turn; a simulation's is five times as long.",
)
@click.option("--json", "json_file", type=click.Path(path_type=Path, allow_dash=True), help="Write JSON here.")
def command(rounds: int, only: str | None, turn_ms: float, json_file: Path | None) -> None:
    """Measure against dpkt, scapy, os-ken, tcpdump, keepalived, and simulations as simpy's textbooks write them."""
    results = []
    with Console(stderr=True).status("Measuring") as status:
        for field, races in FIELDS.items():
            for race in races() if only in {None, field} else ():
                status.update(f"Measuring: {race.title}")
                results.append((race, run(race, rounds, turn_ms * SHARE[field] / 1000)))
        status.update("Measuring: captures")
        processes = captures.measure(min(rounds, CAPTURE_ROUNDS)) if only in {None, "captures"} else []
        hindrance = daemon.hindrance() if only in {None, "daemon"} else ""
        beside = daemon.measure(status.update) if hindrance is None else None
    if json_file is not None:
        written = document(results) | {"captures": captures.entries(processes)}
        written |= {"daemon": daemon.entries(beside)} if beside is not None else {}
        write_text(json_file, json.dumps(written, indent=1) + "\n")
    if str(json_file) != "-":
        if results:
            Console().print(table(results))
        if only in {None, "captures"}:
            click.echo("\n".join(captures.lines(processes)))
        if beside is not None:
            click.echo("\n".join(daemon.lines(beside)))
    if hindrance:
        click.echo(hindrance, err=True)
    broken = missed(results) + [complaint for standing in processes for complaint in standing.complaints]
    broken += beside.complaints if beside is not None else []
    for line in broken:
        click.echo(line, err=True)
    raise SystemExit(1 if broken else 0)


if __name__ == "__main__":
    command(prog_name="python -m benchmarks")
