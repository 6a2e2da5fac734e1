"""`vrrp check`: what keepalived would say, and silently do, about configuration files."""

from __future__ import annotations

import json
from pathlib import Path

import click

from vrrp.cli.environment import parse_environment
from vrrp.cli.errors import unreadable
from vrrp.config import Diagnostic, KeepalivedConfig, Severity, load
from vrrp.interfaces import local_interfaces
from vrrp.whole_file import write_text
from vrrp.words import nearest


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--env", "-e", "environment", multiple=True, metavar="NAME=VALUE", help="Fills ${NAME} in the files.")
@click.option("--interfaces", is_flag=True, help="Also look whether this machine has the interfaces named.")
@click.option("--json", "json_file", type=click.Path(path_type=Path, allow_dash=True), help="Write JSON here.")
def command(files: tuple[Path, ...], environment: tuple[str, ...], interfaces: bool, json_file: Path | None) -> int:
    """Read keepalived.conf FILES as keepalived 2.2.7 does.

    Reports everything it would complain about or quietly change, with file and line. Exit status 1 when there is
    something.
    """
    values = parse_environment(environment)
    found: list[Diagnostic] = []
    for file in files:
        try:
            parsed = load(file, environment=values)
        except OSError as error:
            raise unreadable(error, file) from error
        found += parsed.diagnostics
        if interfaces:
            found += missing_interfaces(parsed.config)
    if json_file is not None:
        rows = [
            {
                "file": d.file,
                "line": d.line,
                "severity": d.severity.name.lower(),
                "message": d.message,
                "instead": d.instead,
            }
            for d in found
        ]
        write_text(json_file, json.dumps({"findings": rows}, indent=1) + "\n")
    if str(json_file) != "-":
        for diagnostic in found:
            click.echo(str(diagnostic))
        count = len(found)
        click.echo(f"{len(files)} file{'s' * (len(files) != 1)} read, {count or 'no'} finding{'s' * (count != 1)}")
    return int(any(d.severity is not Severity.NOTE for d in found))


def missing_interfaces(config: KeepalivedConfig) -> list[Diagnostic]:
    """A warning for each instance whose interface this machine lacks, as keepalived gives at start."""
    known = local_interfaces()
    return [
        Diagnostic(
            config.filename,
            instance.line,
            Severity.WARNING,
            f"({instance.name}) this machine has no interface {instance.interface}",
            f"the instance stays in FAULT; {nearest(instance.interface, known)}",
        )
        for instance in config.instances
        if instance.interface and instance.interface not in known
    ]
