"""`vrrp timers`: the formulas, worked for a priority and an interval or for the nodes of a cluster, per profile."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from vrrp.cli.console import PipeConsole
from vrrp.cli.environment import parse_environment
from vrrp.cli.failovers import show_failovers
from vrrp.cli.profile_name import ProfileName
from vrrp.protocol.profile import PROFILES, Profile, profile_named
from vrrp.protocol.timers import CENTISECOND_NS, SECOND_NS, master_down_ns, skew_ns
from vrrp.whole_file import write_text
from vrrp.wire.advertisement import MAX_INTERVAL_CS


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[CONF]...")
@click.option("-p", "--priority", "priorities", type=click.IntRange(1, 255), multiple=True, help="Default: 100.")
@click.option("-i", "--interval", type=float, help="Advertisement interval in seconds.  [default: 1.0]")
@click.option(
    "--profile",
    "profiles",
    type=ProfileName(),
    multiple=True,
    help="Default: all; of CONF files keepalived.",
)
@click.option(
    "--env", "-e", "environment", multiple=True, metavar="NAME=VALUE", help="With CONF files: fills ${NAME}."
)
@click.option(
    "--config-id",
    "config_ids",
    multiple=True,
    metavar="ID",
    help="With CONF files: reads lines that begin with @ID; given several times, each file is that of as many nodes.",
)
@click.option("--json", "json_file", type=click.Path(path_type=Path, allow_dash=True), help="Write JSON here.")
def command(
    files: tuple[Path, ...],
    priorities: tuple[int, ...],
    interval: float | None,
    profiles: tuple[str, ...],
    environment: tuple[str, ...],
    config_ids: tuple[str, ...],
    json_file: Path | None,
) -> None:
    """Work out how long failures take to be noticed, and until another router is master.

    A silent master is replaced after Master_Down_Interval, counted from its last advertisement; one that says
    good-bye (priority 0) after the Skew_Time alone. Give -p several times to compare routers.

    With the keepalived.conf files of all nodes: each failure of each master, best, typical and worst, as the sum of
    what it is made of. Nodes are taken to agree with each other; `vrrp check` and `vrrp sim` tell what happens if not.
    """
    if files:
        if priorities or interval is not None:
            raise click.UsageError("-p and -i go without files; the files have their own priorities and intervals")
        show_failovers(files, parse_environment(environment), config_ids, profiles or ("keepalived",), json_file)
        return
    if environment or config_ids:
        raise click.UsageError("--env and --config-id go with CONF files")
    interval = 1.0 if interval is None else interval
    rows = [
        row
        for profile in profiles or PROFILES
        for version in profile_named(profile).versions
        for priority in priorities or (100,)
        if (row := work(profile_named(profile), version, priority, interval)) is not None
    ]
    if not rows:
        raise click.UsageError(f"no profile of these can advertise each {interval:g} s")
    if json_file is not None:
        write_text(json_file, json.dumps(rows, indent=1) + "\n")
        if str(json_file) == "-":
            return
    _show(rows)


def work(profile: Profile, version: int, priority: int, interval_s: float) -> dict[str, Any] | None:
    """The numbers for one router, in seconds; None when the profile's version cannot state the interval."""
    interval_cs = round(interval_s * 100) if math.isfinite(interval_s) else 0
    if not 1 <= interval_cs <= MAX_INTERVAL_CS[version] or abs(interval_cs - interval_s * 100) > 1e-6:
        return None
    if version == 2 and interval_cs % 100:
        return None
    skew = skew_ns(priority, interval_cs, version, profile.skew)
    down = master_down_ns(priority, interval_cs, version, profile.skew)
    return {
        "profile": profile.name,
        "version": version,
        "priority": priority,
        "interval_s": interval_cs / 100,
        "skew_s": skew / SECOND_NS,
        "master_down_s": down / SECOND_NS,
        "crash_best_s": (down - interval_cs * CENTISECOND_NS) / SECOND_NS,
        "crash_worst_s": down / SECOND_NS,
        "goodbye_s": skew / SECOND_NS,
    }


_COLUMNS = (
    "profile",
    "v",
    "prio",
    "every",
    "Skew_Time",
    "Master_Down\n_Interval",
    "after\na crash",
    "after\nprio 0",
)


def _show(rows: list[dict[str, Any]]) -> None:
    table = Table(title="Time until this backup takes over", title_justify="left", box=None, pad_edge=False)
    for name in _COLUMNS:
        table.add_column(name, justify="left" if name == "profile" else "right", no_wrap=True)
    for row in rows:
        table.add_row(
            row["profile"],
            str(row["version"]),
            str(row["priority"]),
            f"{row['interval_s']:g} s",
            f"{row['skew_s'] * 1000:.3f} ms",
            f"{row['master_down_s']:.6f} s",
            f"{row['crash_best_s']:.3f}-{row['crash_worst_s']:.3f} s",
            f"{row['goodbye_s']:.3f} s",
        )
    console = PipeConsole()
    console.print(table)
    console.print()
    console.print(
        "Master_Down_Interval = 3 x interval + Skew_Time, from the last advertisement; a crash comes up to one "
        "interval after that, so the time without a master is that much shorter. FRR rounds the skew down to 10 ms.",
        highlight=False,
    )
