"""`vrrp sim`: run a scenario, or the nodes' configuration files, and tell what happens."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from sim.haproxy.factory import makers
from sim.haproxy.snapshots import Snapshots
from sim.inputs import Inputs, from_files, from_scenario
from sim.network import Network
from sim.result import Result
from sim.scenario_file import ScenarioError
from vrrp.capture.pcap import open_pcap
from vrrp.cli.console import PipeConsole
from vrrp.cli.environment import parse_environment
from vrrp.cli.errors import BadInput, can_draw
from vrrp.cli.profile_name import ProfileName
from vrrp.durations import duration_text, parse_duration
from vrrp.whole_file import write_text

_FILE = click.Path(path_type=Path, dir_okay=False)
_PROGRESS_FROM_NS = 600_000_000_000


@click.command()
@click.argument("inputs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="SCENARIO.toml | CONF...")
@click.option("--event", "events", multiple=True, metavar='"10s a crash"', help="With CONF files: what happens when.")
@click.option(
    "--env", "-e", "environment", multiple=True, metavar="NAME=VALUE", help="With CONF files: fills ${NAME}."
)
@click.option("--profile", type=ProfileName(), help="With CONF files: whose behaviour.")
@click.option("--until", metavar="60s", help="Run for this long instead of the scenario's duration.")
@click.option("--seed", type=int, help="Seed of all chance instead of the scenario's.")
@click.option("--ideal", is_flag=True, help="Processes act exactly on time instead of as late as measured.")
@click.option("--pcap", "pcap_file", type=_FILE, help="Write every frame, nanosecond pcap.")
@click.option("--plot", "plot_file", type=_FILE, help="Draw the timeline: .png, .svg or .pdf.")
@click.option("--report", "report_file", type=_FILE, help="Write a one-file HTML report.")
@click.option("--requests", "requests_file", type=_FILE, help="Write every request of the clients, CSV.")
@click.option(
    "--haproxy-stats",
    "stats_folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write what each HAProxy's `show stat` says, NODE.TIME.csv.",
)
@click.option("--haproxy-stats-at", "stats_at", metavar="5s,10s", help="When; at the end if not said.")
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path, allow_dash=True, dir_okay=False),
    help="Write JSON; - is standard output.",
)
def command(
    inputs: tuple[Path, ...],
    events: tuple[str, ...],
    environment: tuple[str, ...],
    profile: str | None,
    until: str | None,
    seed: int | None,
    ideal: bool,
    pcap_file: Path | None,
    plot_file: Path | None,
    report_file: Path | None,
    requests_file: Path | None,
    stats_folder: Path | None,
    stats_at: str | None,
    json_file: Path | None,
) -> int:
    """Run a scenario file, or the keepalived.conf files of all nodes.

    Prints who was master when, and why, how long each address was without a master, and when there were two.

    Exit status 1 when, at the end, an address has no master or more than one.
    """
    can_draw(plot_file)
    try:
        given = _read(inputs, events, environment, profile)
        until_ns = parse_duration(until) if until is not None else None
        network = Network(
            given.scenario,
            given.source,
            dict(given.configs),
            seed,
            ideal=ideal,
            reloads=given.reloads,
            scripts=given.scripts,
            balancers=makers(given.balancers),
        )
    except ScenarioError as error:
        raise BadInput(str(error)) from error
    except ValueError as error:
        raise click.UsageError(f"--until: {error}") from error
    end_ns = until_ns or network.scenario.duration
    snapshots = Snapshots(network, _times(stats_at, end_ns) if stats_folder is not None else ())
    notes = tuple(str(diagnostic) for diagnostic in given.diagnostics) + given.notes
    result = _run(network, until_ns, pcap_file, notes)
    if stats_folder is not None:
        if stats_at is None:
            snapshots.take(end_ns)
        snapshots.write(stats_folder)
    if json_file is not None:
        write_text(json_file, json.dumps(result.to_json(), indent=1) + "\n")
    if requests_file is not None:
        write_text(requests_file, network.requests_csv())
    if plot_file is not None:
        from sim.plots import save_plot

        save_plot(result, plot_file)
    if report_file is not None:
        from sim.report import write_report

        write_report(result, report_file, configurations=given.texts)
    if str(json_file) != "-":
        from sim.timeline import print_timeline

        print_timeline(result, PipeConsole())
    return 0 if result.healthy_at_end else 1


def _times(given: str | None, end_ns: int) -> list[int]:
    """The times of --haproxy-stats-at, none where it was not given."""
    try:
        times_ns = [parse_duration(one) for one in given.split(",")] if given is not None else []
    except ValueError as error:
        raise click.UsageError(f"--haproxy-stats-at: {error}") from error
    if any(at_ns >= end_ns for at_ns in times_ns):
        raise click.UsageError(f"--haproxy-stats-at: the run ends at {duration_text(end_ns)}; write earlier times")
    return times_ns


def _read(
    inputs: tuple[Path, ...], events: tuple[str, ...], environment: tuple[str, ...], profile: str | None
) -> Inputs:
    if inputs[0].suffix == ".toml":
        if len(inputs) > 1:
            raise click.UsageError(f"one scenario at a time; {inputs[1]} is one file too many")
        if events or environment or profile:
            raise click.UsageError("--event, --env and --profile go with CONF files; a scenario has its own")
        return from_scenario(inputs[0])
    values = parse_environment(environment)
    return from_files(inputs, events=events, environment=values, profile=profile or "keepalived")


def _run(network: Network, until_ns: int | None, pcap_file: Path | None, notes: tuple[str, ...]) -> Result:
    """Run, capturing when asked; a bar for long runs, on a terminal only."""
    duration_ns = until_ns or network.scenario.duration
    console = Console(stderr=True)
    with ExitStack() as stack:
        if pcap_file is not None:
            capture = stack.enter_context(open_pcap(pcap_file))
            for segment in network.segments.values():
                segment.taps.append(capture.write)
        if not console.is_terminal or duration_ns < _PROGRESS_FROM_NS:
            return network.run(until_ns, notes=notes)
        bar = stack.enter_context(Progress(console=console, transient=True))
        task = bar.add_task("simulating", total=duration_ns)
        return network.run(until_ns, lambda now_ns: bar.update(task, completed=now_ns), notes)
