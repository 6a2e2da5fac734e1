"""`vrrp lab`: a scenario for real, with the engines named, beside its prediction."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import Progress

from sim.haproxy.factory import makers
from sim.inputs import Inputs, from_scenario
from sim.lab.assignment import SIMULATOR, Assignment, read_engines
from sim.lab.namespace import LabError
from sim.network import Network
from sim.result import Result
from sim.scenario_file import ScenarioError
from vrrp.cli.console import PipeConsole
from vrrp.cli.errors import BadInput, can_draw
from vrrp.durations import parse_duration
from vrrp.whole_file import write_text

if TYPE_CHECKING:
    from sim.lab.session import Measured

_WITHIN = "50ms"


@click.command()
@click.argument("scenario_file", type=click.Path(path_type=Path, dir_okay=False), metavar="SCENARIO.toml")
@click.option(
    "--engine",
    "engines",
    multiple=True,
    default=("sim,keepalived",),
    show_default=True,
    metavar="ENGINE,…|NODE=ENGINE,…",
    help="What runs: keepalived, vrrp, frr, each on all nodes; sim, the plan. Or one for each node.",
)
@click.option(
    "--within", default=_WITHIN, show_default=True, metavar="DURATION", help="How far a takeover may be off."
)
@click.option(
    "--plot",
    "plot_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Draw the runs beneath each other: .png, .svg or .pdf.",
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path, allow_dash=True, dir_okay=False),
    help="Write JSON; - is standard output.",
)
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Keep captures, logs and configurations there, a folder for each run.",
)
def command(
    scenario_file: Path,
    engines: tuple[str, ...],
    within: str,
    plot_file: Path | None,
    json_file: Path | None,
    keep: Path | None,
) -> int:
    """Run a scenario for real, in network namespaces, and say how far it was as predicted. Needs root.

    The prediction is made for the moments at which things were done: a process needs time to begin. The check
    scripts, files and processes of the configurations are replaced by ones that do what the scenario says, or look
    at what the simulator understood a script to look at; notify scripts do not run. HAProxy is the real one, told by
    the scenario's haproxy.cfg; servers and clients are programs that behave as the scenario says.

    Exit status 1 when a run is not as predicted: a takeover further off, something that happened to one only, a
    client that saw another gap, or 5 % more or fewer of its requests fail.
    """
    can_draw(plot_file)
    try:
        within_ns = parse_duration(within)
    except ValueError as error:
        raise click.UsageError(f"--within: {error}") from error
    try:
        inputs = from_scenario(scenario_file)
        network = Network(
            inputs.scenario,
            inputs.source,
            dict(inputs.configs),
            reloads=inputs.reloads,
            balancers=makers(inputs.balancers),
            scripts=inputs.scripts,
        )
    except ScenarioError as error:
        raise BadInput(str(error)) from error
    try:
        simulated, assignments = read_engines(engines, list(inputs.scenario.nodes))
    except ValueError as error:
        raise click.UsageError(f"--engine: {error}") from error
    if not assignments:
        raise click.UsageError("--engine: the simulator alone is `vrrp sim`; name an engine beside it")
    try:
        measured = _measure(inputs, assignments, keep)
    except LabError as error:
        raise BadInput(str(error)) from error
    plan = network.run() if simulated else None
    if json_file is not None:
        write_text(json_file, json.dumps(_to_json(inputs, plan, measured, within_ns), indent=1) + "\n")
    if plot_file is not None:
        from sim.lab.sheet import save_sheet

        results = {} if plan is None else {SIMULATOR: plan}
        save_sheet(results | {one.engine: one.measured for one in measured.comparisons}, plot_file)
    if str(json_file) != "-":
        _print(inputs, plan, measured, within_ns)
    return int(any(one.complaints(within_ns) for one in measured.comparisons))


def _measure(inputs: Inputs, assignments: tuple[Assignment, ...], keep: Path | None) -> Measured:
    """Run it, with a bar on a terminal."""
    from sim.lab.session import run_session

    console = Console(stderr=True)
    if not console.is_terminal:
        return run_session(inputs, assignments, keep=keep)
    with Progress(console=console, transient=True) as bar:
        names = ", ".join(one.name for one in assignments)
        task = bar.add_task(f"running {names}", total=inputs.scenario.duration)
        return run_session(inputs, assignments, keep=keep, progress=lambda now_ns: bar.update(task, completed=now_ns))


def _print(inputs: Inputs, plan: Result | None, measured: Measured, within_ns: int) -> None:
    from sim.lab.side_by_side import print_side_by_side

    console = PipeConsole()
    for line in measured.left:
        click.echo(f"vrrp: {line}", err=True)
    console.out(inputs.scenario.title, highlight=False)
    print_side_by_side(measured.comparisons, plan, within_ns, console)


def _to_json(inputs: Inputs, plan: Result | None, measured: Measured, within_ns: int) -> dict[str, object]:
    return {
        "title": inputs.scenario.title,
        "as_predicted": not any(one.complaints(within_ns) for one in measured.comparisons),
        "plan": None if plan is None else plan.to_json(),
        "runs": [one.to_json(within_ns) for one in measured.comparisons],
        "left_over": list(measured.left),
    }
