"""What the reader of keepalived.conf has to say: one line each, with the file, the line, and what keepalived does."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from vrrp.words import printable


class Severity(enum.Enum):
    """How bad it is: ERROR loses something that was asked for, WARNING changes it, NOTE is worth knowing."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One complaint about one line of a configuration file.

    Attributes:
        file: the name under which the text was read.
        line: 1-based; 0 when the whole file is meant.
        severity: see `Severity`.
        message: what is wrong, in keepalived 2.2.7's own words where it says something.
        instead: what keepalived does with it.
        fatal: whether keepalived refuses to start because of it.
    """

    file: str
    line: int
    severity: Severity
    message: str
    instead: str
    fatal: bool = False

    def __str__(self) -> str:
        """FILE:LINE: severity: message; instead."""
        return f"{self.file}:{self.line}: {self.severity.value}: {self.message}; {self.instead}"


def missing_parameter(keyword: str) -> str:
    """What keepalived says, before it exits, of a keyword with nothing behind it."""
    return (
        f"*** Configuration line starting `{keyword}` is missing a parameter after keyword `{keyword}`"
        " at word position 2"
    )


class Report:
    """Collects the diagnostics of one file.

    Args:
        file: the name that every diagnostic carries.
    """

    def __init__(self, file: str) -> None:
        self._file = file
        self._diagnostics: list[Diagnostic] = []
        self._explained: set[int] = set()

    def error(self, line: int, message: str, instead: str) -> None:
        """Something that was asked for is lost."""
        self._add(line, Severity.ERROR, message, instead)

    def warning(self, line: int, message: str, instead: str) -> None:
        """Something is read otherwise than written."""
        self._add(line, Severity.WARNING, message, instead)

    def note(self, line: int, message: str, instead: str) -> None:
        """Nothing is wrong, and yet a person should know."""
        self._add(line, Severity.NOTE, message, instead)

    def refuse(self, line: int, message: str) -> None:
        """Something on which keepalived exits."""
        self._add(line, Severity.ERROR, message, "keepalived does not start", fatal=True)

    def explain(self, line: int, message: str, instead: str) -> None:
        """An error which is the reason for whatever else is found on its line: that is not told any more."""
        self._explained.discard(line)
        self._add(line, Severity.ERROR, message, instead)
        self._explained.add(line)

    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """All of them, in the order of the lines."""
        return tuple(sorted(self._diagnostics, key=lambda diagnostic: diagnostic.line))

    def _add(self, line: int, severity: Severity, message: str, instead: str, *, fatal: bool = False) -> None:
        if line not in self._explained:
            self._diagnostics.append(
                Diagnostic(self._file, line, severity, printable(message), printable(instead), fatal)
            )
