"""The command `vrrp`: finds its subcommands among the entry points, loads only the one that runs.

Exit status: 0 all is well, 1 the subcommand found what it looks for, 2 bad input (one line on standard error).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points

import click

from vrrp import __version__
from vrrp.cli.errors import BadInput, unreadable
from vrrp.words import nearest


class _Subcommands(click.Group):
    """A group whose commands are the entry points of `vrrp.commands`."""

    def _found(self) -> dict[str, EntryPoint]:
        return {point.name: point for point in entry_points(group="vrrp.commands")}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, for --help."""
        return sorted(self._found())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        """Load one subcommand; a usage error names the nearest for a name there is not."""
        found = self._found()
        if cmd_name not in found:
            raise click.UsageError(f"there is no command {cmd_name!r}; {nearest(cmd_name, sorted(found))}")
        command = found[cmd_name].load()
        assert isinstance(command, click.Command)  # what the entry point promises
        return command


@click.command(cls=_Subcommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", prog_name="vrrp", message="%(prog)s %(version)s")
def vrrp() -> None:
    """The flight simulator for VRRP: what happens when a router, a link or a check script fails."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit. Every error is one line."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; its exit status."""
    _open_standard_streams()
    try:
        outcome = _invoke(list(sys.argv[1:] if arguments is None else arguments) or ["--help"])
        sys.stdout.flush()
    except BadInput as error:
        error.show()
        return error.exit_code
    except click.ClickException as error:
        where = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "vrrp"
        click.echo(f"{where}: {_lower(error.format_message())} (see {where} --help)", err=True)
        return 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("vrrp: interrupted", err=True)
        return 130
    except BrokenPipeError:
        # Python would complain again when it flushes standard output at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        unreadable(error, error.filename or "vrrp").show()
        return 2
    return outcome if isinstance(outcome, int) else 0


def _open_standard_streams() -> None:
    """Whoever started this may have closed some: what is opened next must not take the place of one."""
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # it gets the lowest number that is free
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, mode, closefd=False))


def _invoke(arguments: list[str]) -> object:
    """What click's own main() does, without an empty line of its own on Ctrl-C or a status 1 for a broken pipe."""
    try:
        with vrrp.make_context("vrrp", arguments) as context:
            return vrrp.invoke(context)
    except click.exceptions.Exit as done:
        return done.exit_code


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:].rstrip(".")
