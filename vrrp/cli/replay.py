"""`vrrp replay`: a capture heard by a router, or put on a wire; a journal replayed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from vrrp.cli.environment import parse_environment
from vrrp.cli.errors import BadInput, unreadable
from vrrp.cli.profile_name import ProfileName
from vrrp.protocol.profile import Profile, profile_named
from vrrp.whole_file import replacing, write_text

if TYPE_CHECKING:
    from vrrp.capture.replay.prepare import Prepared, Request
    from vrrp.capture.replay.replay import Replay
    from vrrp.protocol.settings import RouterConfig

_FILE = click.Path(path_type=Path, dir_okay=False)
_PEEKED = 64


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="CAPTURE... | JOURNAL")
@click.option("--as", "conf", type=_FILE, metavar="CONF", help="Be the router of this keepalived.conf.")
@click.option("--interface", "interfaces", multiple=True, metavar="NAME", help="Its interface on each capture's LAN.")
@click.option(
    "--address",
    "addresses",
    multiple=True,
    metavar="[NAME=]ADDRESS",
    help="Its address; else inferred from the capture.",
)
@click.option(
    "--mac", "macs", multiple=True, metavar="MAC", help="Its MAC: what others send in its name is not its own."
)
@click.option("--profile", type=ProfileName(), default="keepalived", show_default=True)
@click.option("--env", "-e", "environment", multiple=True, metavar="NAME=VALUE", help="Fills ${NAME} in CONF.")
@click.option("--config-id", metavar="ID", help="Reads lines of CONF that begin with @ID.")
@click.option("--start", metavar="TIME", help="When its process started: 1.5s, -3s, 2026-03-01T02:14:07.")
@click.option("--event", "events", multiple=True, metavar='"10s crash"', help="What befell it and no capture shows.")
@click.option("--ideal", is_flag=True, help="It acts exactly on time instead of as late as measured.")
@click.option(
    "--journal", "journal_file", type=_FILE, metavar="OUT", help="Record inputs and effects; holds CONF's passwords."
)
@click.option("-i", "send_on", metavar="IFACE", help="Send the captures' packets on this interface instead.")
@click.option("--speed", type=click.FloatRange(min=0, min_open=True), metavar="N", help="With -i: N times as fast.")
@click.option(
    "--rewrite", "rewrites", multiple=True, metavar="OLD=NEW", help="With -i: replace a MAC, IPv4 or IPv6 address."
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path, allow_dash=True, dir_okay=False),
    help="Write JSON; - is standard output.",
)
def command(
    files: tuple[Path, ...],
    conf: Path | None,
    interfaces: tuple[str, ...],
    addresses: tuple[str, ...],
    macs: tuple[str, ...],
    profile: str,
    environment: tuple[str, ...],
    config_id: str | None,
    start: str | None,
    events: tuple[str, ...],
    ideal: bool,
    journal_file: Path | None,
    send_on: str | None,
    speed: float | None,
    rewrites: tuple[str, ...],
    json_file: Path | None,
) -> int:
    """Let a router hear a CAPTURE (pcap or pcapng, gzip too) in virtual time, as if it stood on that LAN.

    With --as CONF: shows what that router does, leaving out what it sent itself, and where its recorded behaviour
    differs. Its process starts with the first packet, or in time for its own advertisements, unless --start tells.
    Times count from the first packet. Events: start, stop, crash, pause, resume, link-down IFACE, link-up IFACE,
    script-fail, script-pass, script-hang (of one SCRIPT, or all), partition (it hears nothing, or another CAPTURE),
    heal.

    With -i IFACE: puts the packets on that interface, with their own timing.

    A JOURNAL (--journal makes one) is replayed input by input: the same effects, or the first that differs.

    Exit status 1 when there is a difference.
    """
    if any(str(file) == "-" for file in files):
        raise BadInput("standard input cannot be read twice; give a file")
    if send_on is not None:
        if conf is not None:
            raise click.UsageError("--as hears the capture, -i sends it; one of them")
        return _send(files, send_on, 1.0 if speed is None else speed, rewrites, json_file)
    if speed is not None or rewrites:
        raise click.UsageError("--speed and --rewrite go with -i")
    if conf is None:
        if len(files) == 1 and _is_journal(files[0]):
            return _replay_journal(files[0], json_file)
        raise click.UsageError("--as CONF to be a router, or -i IFACE to send; neither is given")
    from vrrp.capture.replay.prepare import Request

    config, notes = _router_config(conf, parse_environment(environment), config_id, profile_named(profile))
    request = Request(
        files=files,
        config=config,
        profile=profile_named(profile),
        interfaces=interfaces,
        addresses=addresses,
        macs=macs,
        start=start,
        events=events,
        ideal=ideal,
    )
    prepared, result = _replay(request, journal_file, files)
    result.notes[:0] = notes
    if json_file is not None:
        from vrrp.capture.replay.report import as_json

        write_text(json_file, json.dumps(as_json(prepared, result), indent=1) + "\n")
    if str(json_file) != "-":
        _show(prepared, result)
    return int(bool(result.differences))


def _router_config(
    file: Path, environment: dict[str, str], config_id: str | None, profile: Profile
) -> tuple[RouterConfig, list[str]]:
    from vrrp.cli.conf_file import as_router, read_conf

    parsed = read_conf(file, environment, config_id, "nothing to be")
    conversion = as_router(parsed.config, profile)
    return conversion.router, [str(diagnostic) for diagnostic in parsed.diagnostics] + list(conversion.notes)


def _replay(request: Request, journal_file: Path | None, files: tuple[Path, ...]) -> tuple[Prepared, Replay]:
    from rich.console import Console
    from rich.progress import Progress

    from vrrp.capture.reader import CaptureError
    from vrrp.capture.replay.prepare import RequestError, prepare
    from vrrp.capture.replay.replay import replay

    console = Console(stderr=True)
    where = ", ".join(map(str, files))
    with ExitStack() as stack:
        try:
            prepared = prepare(request)
            write = None
            if journal_file is not None:
                journal = stack.enter_context(replacing(journal_file))
                write = lambda line: journal.write(line.encode())  # noqa: E731  # the one line that it is
            show = None
            if console.is_terminal:
                bar = stack.enter_context(Progress(console=console, transient=True))
                task = bar.add_task(f"{where}: 0 packets", total=None)
                show = lambda packets: bar.update(task, description=f"{where}: {packets} packets")  # noqa: E731  # as above
            return prepared, replay(prepared.setup, write_journal=write, progress=show)
        except (CaptureError, RequestError) as error:
            raise BadInput(f"{where}: {error}") from error
        except OSError as error:
            raise unreadable(error, error.filename or where) from error


def _show(prepared: Prepared, result: Replay) -> None:
    from vrrp.capture.replay.report import lines
    from vrrp.cli.console import PipeConsole

    console = PipeConsole(highlight=False, soft_wrap=True, markup=False)
    for line in lines(prepared, result):
        encodable = line.replace("\u2192", "->") if console.encoding.lower() in {"ascii", "ansi_x3.4-1968"} else line
        console.print(encodable, highlight=False)


# Journals -------------------------------------------------------------------------------------------------


def _is_journal(file: Path) -> bool:
    from vrrp.protocol.journal import is_journal

    try:
        with file.open("rb") as opened:
            return is_journal(opened.read(_PEEKED))
    except OSError as error:
        raise unreadable(error, file) from error


def _replay_journal(file: Path, json_file: Path | None) -> int:
    from vrrp.protocol.journal import JournalError, Step, replay_journal

    steps = differing = 0
    first: Step | None = None
    try:
        with file.open(encoding="utf-8", errors="replace") as opened:
            for step in replay_journal(_bounded(opened)):
                steps += 1
                if not step.same:
                    differing += 1
                    first = first or step
    except JournalError as error:
        raise BadInput(f"{file}:{error.line}: {error}") from error
    if json_file is not None:
        found: dict[str, object] = {"inputs": steps, "differing": differing, "first": None}
        if first is not None:
            found["first"] = {
                "line": first.line,
                "t_ns": first.now_ns,
                "input": first.what,
                "recorded": first.recorded,
                "replayed": first.replayed,
            }
        write_text(json_file, json.dumps(found, indent=1) + "\n")
    if str(json_file) != "-":
        if first is None:
            click.echo(f"{file}: same effects: {steps} inputs")
        else:
            click.echo(f"{file}: {differing} of {steps} inputs have other effects than recorded; the first:")
            click.echo(f"{file}:{first.line}: {first.what} at {first.now_ns} ns")
            click.echo(f"  recorded {json.dumps(first.recorded)}")
            click.echo(f"  replayed {json.dumps(first.replayed)}")
    return int(first is not None)


def _bounded(opened: TextIO) -> Iterator[str]:
    from vrrp.protocol.journal import MOST_CHARACTERS

    while line := opened.readline(MOST_CHARACTERS + 1):
        yield line


# Sending --------------------------------------------------------------------------------------------------


def _send(
    files: tuple[Path, ...], interface: str, speed: float, rewrites: tuple[str, ...], json_file: Path | None
) -> int:
    """Put each capture's packets on an interface, one capture after the other."""
    from vrrp.capture.reader import CaptureError, open_capture
    from vrrp.linux.transmit import send_capture

    rewrite = dict(map(_rewriting, rewrites))
    rows = []
    for file in files:
        try:
            with open_capture(file) as capture:
                report = send_capture(capture, interface, speed=speed, rewrite=rewrite)
        except CaptureError as error:
            raise BadInput(f"{file}: {error}") from error
        except OSError as error:
            raise unreadable(error, error.filename or file) from error
        rows.append({"capture": str(file), **asdict(report)})
        if str(json_file) != "-":
            click.echo(f"{file}: {report}")
    if json_file is not None:
        write_text(json_file, json.dumps({"captures": rows}, indent=1) + "\n")
    return 0


def _rewriting(pair: str) -> tuple[bytes, bytes]:
    """OLD=NEW as packed addresses of one kind."""
    from vrrp.wire.address import pack

    packed = []
    for word in pair.split("="):
        digits = word.replace(":", "").replace("-", "")
        try:
            is_mac = len(digits) == 12 and word.count(":") + word.count("-") == 5
            packed.append(bytes.fromhex(digits) if is_mac else pack(word))
        except ValueError as error:
            raise BadInput(f"--rewrite: {word!r} is no MAC, IPv4 or IPv6 address") from error
    if len(packed) != 2 or len(packed[0]) != len(packed[1]):
        raise BadInput(f"--rewrite: {pair!r}; write OLD=NEW, two addresses of one kind")
    return packed[0], packed[1]
