"""`vrrp audit`: who was master when in a capture, and everything that was wrong."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vrrp.cli.errors import BadInput, can_draw, unreadable
from vrrp.whole_file import write_text

if TYPE_CHECKING:
    from vrrp.capture.audit.findings import Finding
    from vrrp.capture.audit.report import Audit
    from vrrp.capture.audit.watch import Takeover, Watch
    from vrrp.capture.reader import Capture

_MOST_ROWS = 200
_COLORS = {"error": "red", "warning": "yellow", "note": "cyan"}


@click.command()
@click.argument("capture", type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path, allow_dash=True, dir_okay=False),
    help="Write JSON; - is standard output.",
)
@click.option(
    "--plot", "plot_file", type=click.Path(path_type=Path, dir_okay=False), help="Draw the lanes: .png, .svg or .pdf."
)
@click.option("--password", help="Verify authentication headers (auth_type AH) with this auth_pass.")
def command(capture: Path, json_file: Path | None, plot_file: Path | None, password: str | None) -> int:
    """Tell what happened in a CAPTURE (pcap or pcapng, gzip too; - is standard input).

    Who was master when, by advertisements and by gratuitous ARP; every takeover with its cause and its time against
    the formula; and each anomaly with its packets, what it means and its usual cause. Exit status 1 when something
    is wrong.
    """
    from vrrp.capture.reader import CaptureError, open_capture

    can_draw(plot_file)
    try:
        with open_capture(capture) as opened:
            result = _read(opened, capture, password.encode() if password is not None else None)
    except CaptureError as error:
        raise BadInput(f"{capture}: {error}") from error
    except OSError as error:
        raise unreadable(error, capture) from error
    if json_file is not None:
        write_text(json_file, json.dumps(result.as_json(), indent=1) + "\n")
    if plot_file is not None:
        from vrrp.capture.audit.plot import save_plot

        save_plot(result, plot_file)
    if str(json_file) != "-":
        _show(result)
    return int(result.wrong)


def _read(opened: Capture, path: Path, key: bytes | None) -> Audit:
    from rich.console import Console
    from rich.progress import Progress

    from vrrp.capture.audit.report import audit

    errors = Console(stderr=True)
    if not errors.is_terminal:
        return audit(opened, key=key)
    with Progress(console=errors, transient=True) as progress:
        task = progress.add_task(f"{path}: 0 packets", total=None)

        def show(packets: int) -> None:
            progress.update(task, description=f"{path}: {packets} packets")

        return audit(opened, key=key, progress=show)


def _show(result: Audit) -> None:
    from vrrp.words import visible

    start = _clock(result.first_ns)
    count = len(result.watches)
    click.echo(
        f"{visible(result.name)}: {result.packets} packet{'s' * (result.packets != 1)} in "
        f"{result.at(result.last_ns):.3f} s from {start}; {count or 'no'} virtual router{'s' * (count != 1)}"
    )
    if result.damage is not None:
        click.echo(click.style(visible(result.damage), fg="yellow"))
    for watch in result.watches:
        click.echo()
        _show_watch(result, watch)
    click.echo()
    for number, finding in enumerate(result.findings[:_MOST_ROWS], 1):
        _show_finding(result, number, finding)
    more = len(result.findings[_MOST_ROWS:]) + result.findings_dropped
    if more:
        click.echo(f"and {more} more finding{'s' * (more != 1)}")
    total = len(result.findings) + result.findings_dropped
    click.echo(f"{total or 'no'} finding{'s' * (total != 1)}")


def _clock(time_ns: int) -> str:
    """The time of day in UTC; what no calendar holds, as seconds."""
    try:
        moment = datetime.fromtimestamp(time_ns // 1_000_000_000, UTC)
    except (OverflowError, ValueError, OSError):
        return f"{time_ns // 1_000_000_000} s"
    return f"{moment:%Y-%m-%d %H:%M:%S}.{time_ns // 1_000_000 % 1000:03d} UTC"


def _show_watch(result: Audit, watch: Watch) -> None:
    from vrrp.wire.address import text
    from vrrp.wire.ethernet import mac_text

    addresses = [text(address) for address in watch.addresses]
    listed = ", ".join(addresses[:8]) + (f" and {len(addresses) - 8} more" if len(addresses) > 8 else "")
    click.echo(f"{click.style(watch.where, bold=True)}: {listed or 'no addresses'}")
    rows = [("router", "version", "priority", "interval", "advertisements", "late by", "longest gap")]
    for sender in watch.senders.values():
        jitter = sender.jitter
        rows.append(
            (
                text(sender.source),
                str(sender.said.advertisement.version),
                ",".join(str(priority) for priority in sender.values.get("priority", {})),
                f"{sender.said.advertisement.interval_cs / 100:g} s",
                str(sender.adverts),
                f"{jitter.mean_late_ns / 1e6:.2f} \u00b1 {jitter.deviation_ns / 1e6:.2f} ms" if jitter.gaps else "",
                f"{jitter.longest_ns / 1e9:.3f} s" if jitter.gaps else "",
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        click.echo("  ".join(["", row[0].ljust(widths[0]), *cells]).rstrip())
    click.echo("  master")
    for takeover in watch.takeovers[:_MOST_ROWS]:
        _show_takeover(result, takeover)
    more = len(watch.takeovers[_MOST_ROWS:]) + watch.takeovers_dropped
    if more:
        click.echo(f"    and {more} more")
    holders = result.pointed(watch)
    if holders:
        click.echo("  where clients were sent")
    for holder in holders[:8]:
        for pointing in holder.pointings[:_MOST_ROWS]:
            click.echo(
                f"    {result.at(pointing.first_ns):12.6f}  {text(holder.address)} is at {mac_text(pointing.mac)} "
                f"({result.who(watch, pointing.mac)}), packet {pointing.first_number}"
            )


def _show_takeover(result: Audit, takeover: Takeover) -> None:
    from vrrp.wire.address import text

    line = f"    {result.at(takeover.time_ns):12.6f}  {text(takeover.new)} (priority {takeover.priority})"
    if takeover.old is not None:
        line += f" after {text(takeover.old)}"
    line += f": {takeover.cause.value}"
    if takeover.measured_ns is not None and takeover.formula_ns:
        formulas: dict[str, list[str]] = {}
        for name, due_ns in takeover.formula_ns.items():
            formulas.setdefault(f"{due_ns / 1e9:.3f} s", []).append(name)
        said = ", ".join(f"{due} by {'/'.join(names)}" for due, names in formulas.items())
        line += f"; {takeover.measured_ns / 1e9:.3f} s later, the formula says {said}"
    click.echo(f"{line}, packet {takeover.number}")


def _show_finding(result: Audit, number: int, finding: Finding) -> None:
    kind = finding.kind
    packets = ", ".join(map(str, finding.packets))
    more = " ..." if finding.count > len(finding.packets) else ""
    severity = click.style(kind.severity.value.upper(), fg=_COLORS[kind.severity.value], bold=True)
    click.echo(
        f"{number}. {severity} {click.style(kind.title, bold=True)}: {finding.where}, "
        f"at {result.at(finding.first_ns):.6f} s, packet{'s' * (len(finding.packets) != 1)} {packets}{more} "
        f"({finding.code})",
    )
    if finding.detail:
        click.echo(f"  {finding.detail}")
    click.echo(f"  means: {kind.meaning}")
    click.echo(f"  usual cause: {kind.cause}")
    click.echo()
