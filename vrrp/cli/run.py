"""`vrrp run`: the daemon."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vrrp.cli.environment import parse_environment
from vrrp.cli.errors import BadInput, unreadable
from vrrp.cli.http_option import web_server
from vrrp.linux.log.output import FORMATS
from vrrp.words import visible

if TYPE_CHECKING:
    from vrrp.linux.configuration import Configuration
    from vrrp.linux.daemon import Daemon
    from vrrp.linux.service import Service
    from vrrp.linux.status.document import Status

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.option(
    "-f",
    "--file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("/etc/keepalived/keepalived.conf"),
    show_default=True,
    help="The configuration.",
)
@click.option("--env", "-e", "environment", multiple=True, metavar="NAME=VALUE", help="Fills ${NAME} in the file.")
@click.option("--config-id", "-i", metavar="ID", help="Reads lines that begin with @ID.")
@click.option("--state-dir", type=_FOLDER, help="Where to keep what a successor must know [/run/vrrp].")
@click.option(
    "--log",
    "log_format",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    help="How to log: lines or JSON on standard error, or to syslog.",
)
@click.option("--http", metavar="ADDRESS:PORT", help="Serve a status page, /metrics and /healthz here.")
@click.option("--http-auth", metavar="USER:FILE", help="Ask for this user and the password in this file.")
@click.option("--http-beyond-loopback", is_flag=True, help="Allow an address that others can reach.")
@click.option("--check", is_flag=True, help="Say what would be done, and do nothing.")
def command(
    file: Path,
    environment: tuple[str, ...],
    config_id: str | None,
    state_dir: Path | None,
    log_format: str,
    http: str | None,
    http_auth: str | None,
    http_beyond_loopback: bool,
    check: bool,
) -> None:
    """Run the virtual routers of a keepalived.conf on this machine.

    SIGTERM ends it in good order, SIGHUP reads the configuration again.
    """
    from vrrp.interfaces import local_interfaces
    from vrrp.linux.configuration import ConfigurationError, read_configuration
    from vrrp.linux.machine import ThisMachine
    from vrrp.linux.plan import plan
    from vrrp.linux.status.document import Status

    values = parse_environment(environment)
    if http is None and (http_auth is not None or http_beyond_loopback):
        raise click.UsageError("--http-auth and --http-beyond-loopback go with --http")

    def read() -> Configuration:
        return read_configuration(file, ThisMachine(local_interfaces()), values, config_id)

    try:
        if check:
            for line in plan(read(), local_interfaces()):
                click.echo(visible(line))
        else:
            status = Status()
            web = [] if http is None else [web_server(status, http, http_auth, http_beyond_loopback)]
            _run(read, state_dir, log_format, status, web)
    except ConfigurationError as error:
        raise BadInput(str(error)) from error


def _run(
    read: Callable[[], Configuration], state_dir: Path | None, log_format: str, status: Status, web: Sequence[Service]
) -> None:
    import asyncio
    import gc

    from vrrp.linux.checks.watcher import CheckWatcher
    from vrrp.linux.daemon import Daemon
    from vrrp.linux.held_signals import held_signals
    from vrrp.linux.log.event_log import EventLog
    from vrrp.linux.log.output import set_up
    from vrrp.linux.lvs.virtual_servers import VirtualServers
    from vrrp.linux.made_fifos import MadeFifos
    from vrrp.linux.mail import Mailer
    from vrrp.linux.notify import Notifier
    from vrrp.linux.rights import missing_rights
    from vrrp.linux.scheduling import Scheduling
    from vrrp.linux.scripts import ScriptRunner
    from vrrp.linux.state_directory import USUAL, InUseError, state_directory
    from vrrp.linux.status.control import ControlSocket
    from vrrp.linux.status.service_manager import ServiceManager
    from vrrp.linux.this_kernel import ThisKernel
    from vrrp.linux.track_files import FileWatcher
    from vrrp.linux.track_processes import ProcessWatcher

    set_up(log_format)
    read()  # what is wrong with the file is told before what is missing to run it
    missing = missing_rights()
    if missing:
        raise BadInput(f"vrrp run needs root, or the capabilities {' and '.join(missing)}")
    try:
        with held_signals(), state_directory(state_dir or USUAL) as state:
            made = MadeFifos(state)
            notifier = Notifier(made)
            scripts: list[Service] = [
                made,
                notifier,
                Mailer(notifier),
                FileWatcher(),
                ProcessWatcher(),
                ScriptRunner(),
                CheckWatcher(),
                VirtualServers(made),
            ]
            shown: list[Service] = [status, ControlSocket(status, state), *web]
            services = [EventLog(), *scripts, *shown, Scheduling(), ServiceManager()]
            daemon = Daemon(read, ThisKernel(state), services)
            gc.freeze()  # what is there by now stays; collecting it over and over would keep timers waiting
            asyncio.run(_whole(daemon))
    except InUseError as error:
        raise BadInput(str(error)) from error
    except OSError as error:
        raise unreadable(error, error.filename or "vrrp run") from error


async def _whole(daemon: Daemon) -> None:
    """The scripts of the beginning and the end, and between them the daemon."""
    from vrrp.linux.start_and_end import SHUTDOWN, STARTUP, run_script

    await run_script(daemon.config.config.globals, STARTUP)
    try:
        await daemon.run()
    finally:
        await run_script(daemon.config.config.globals, SHUTDOWN)
