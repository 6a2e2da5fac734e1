"""Bad input, told in one line."""

from __future__ import annotations

from typing import IO, Any

import click

from vrrp.words import printable


class BadInput(click.ClickException):
    """What the user gave cannot be used; the message names file and line. Exit status 2."""

    exit_code = 2

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))

    def show(self, file: IO[Any] | None = None) -> None:
        """One line on standard error."""
        click.echo(f"vrrp: {self.message}", err=True)


def unreadable(error: OSError, path: object) -> BadInput:
    """An operating system error about a file, in one line."""
    return BadInput(f"{path}: {(error.strerror or str(error)).lower()}")
