"""Bad input, told in one line."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

import click

from vrrp.picture import picture_suffix
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


def can_draw(file: Path | None) -> None:
    """BadInput where a picture is asked for in a format that is none, before any work is done for it."""
    if file is not None:
        try:
            picture_suffix(file)
        except ValueError as error:
            raise BadInput(f"{file}: {error}") from error
