"""`vrrp status`: what the running daemon holds."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vrrp.cli.errors import BadInput
from vrrp.whole_file import write_text
from vrrp.words import printable

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

_STYLES = {
    "MASTER": "bold green",
    "BACKUP": "cyan",
    "FAULT": "bold red",
    "INITIALIZE": "dim",
    "up": "green",
    "down": "bold red",
    "unknown": "yellow",
}
_FAULT = 1
_LEFT_OUT = {"ifp_ifname", "version", "adver_int"}
_FOLDED = {"Master", "Addresses", "addresses", "reason"}
"""Columns that give way on a narrow terminal."""


@click.command()
@click.option("--state-dir", type=click.Path(path_type=Path, file_okay=False), help="The daemon's [/run/vrrp].")
@click.option("--watch", "-w", is_flag=True, help="Keep showing it, until Ctrl-C.")
@click.option("--every", type=click.FloatRange(0.1, 3600), default=1.0, show_default=True, help="Seconds; with -w.")
@click.option("--json", "json_file", type=click.Path(path_type=Path, allow_dash=True), help="Write JSON here.")
def command(state_dir: Path | None, watch: bool, every: float, json_file: Path | None) -> int:
    """Show what the running daemon holds: states, addresses, counters, scripts.

    Exits 0 when all is well, 1 when a virtual router is in FAULT, 2 when no daemon answers. JSON has keepalived's
    names.
    """
    from vrrp.linux.state_directory import USUAL
    from vrrp.linux.status.control import NAME, asking

    folder = state_dir or USUAL
    try:
        with asking(folder) as answers:
            if watch:
                return _watch(answers, every)
            document = next(answers)
    except OSError as error:
        why = "permission denied" if isinstance(error, PermissionError) else "no vrrp daemon answers"
        raise BadInput(f"{folder / NAME}: {why}; `vrrp run` is what answers there") from error
    if json_file is not None:
        write_text(json_file, json.dumps(document, indent=1) + "\n")
    if str(json_file) != "-":
        from vrrp.cli.console import PipeConsole

        PipeConsole().print(_picture(document))
    return 0 if document["daemon"]["healthy"] else _FAULT


def _watch(answers: Iterator[dict[str, Any]], every_s: float) -> int:
    from rich.live import Live

    from vrrp.cli.console import PipeConsole

    document = next(answers)
    with Live(_picture(document), console=PipeConsole(), screen=sys.stdout.isatty(), auto_refresh=False) as live:
        try:
            while True:
                time.sleep(every_s)
                document = next(answers)
                live.update(_picture(document), refresh=True)
        except KeyboardInterrupt:
            return 0 if document["daemon"]["healthy"] else _FAULT


def _picture(document: dict[str, Any]) -> Group:
    """All of it, as tables."""
    from rich.console import Group
    from rich.text import Text

    from vrrp.linux.status.columns import COLUMNS, duration

    daemon = document["daemon"]
    up = duration(max(0.0, time.time() - daemon["started"]))
    where = printable(f"{daemon['node']}: vrrp {daemon['version']}, {daemon['configuration']}")
    parts: list[Text | Table] = [Text(f"{where}, process {daemon['pid']}, running for {up}")]
    states = [column for column in COLUMNS if not column.counted and column.name not in _LEFT_OUT]
    counts = [column for column in COLUMNS if column.counted or column.name == "iname"]
    for columns in (states, counts) if document["vrrp"] else ():
        parts += [Text(), _table([{one.title: one.text(row) for one in columns} for row in document["vrrp"]])]
    for heading, entries in document.items():
        if heading not in {"vrrp", "daemon"} and entries:
            parts += [Text(), Text(heading.replace("_", " "), style="bold"), _table(entries)]
    return Group(*parts)


def _table(rows: list[dict[str, Any]]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in rows[0]:
        number = all(str(row[title]).replace(".", "").isdigit() for row in rows)
        table.add_column(title, justify="right" if number else "left", overflow="fold", no_wrap=title not in _FOLDED)
    for row in rows:
        texts = (" ".join(map(str, one)) if isinstance(one, list) else str(one) for one in row.values())
        table.add_row(*(Text(printable(one), style=_STYLES.get(one, "")) for one in texts))
    return table
