"""What there is to say about a haproxy.cfg: what `haproxy -c` of HAProxy 2.6 says, and what else one should know.

Each diagnostic has a code of its own, which stays the same from release to release; its words are ours.
"""

from __future__ import annotations

from dataclasses import dataclass

from vrrp.config.diagnostics import Severity, Voice
from vrrp.words import printable

MOST_REFUSED_LINES = 50
"""HAProxy stops reading at so many lines with errors."""


@dataclass(frozen=True, slots=True)
class HaproxyDiagnostic:
    """One complaint about one line of a haproxy.cfg.

    Attributes:
        file: the name under which the text was read.
        line: 1-based; 0 when the whole file is meant.
        severity: ERROR where HAProxy says ALERT, WARNING where it says WARNING, NOTE for what it does not say.
        code: what is wrong, stable: "unknown-keyword", "missing-timeouts" …
        message: what is wrong.
        instead: what would be right, or what HAProxy does with it.
        fatal: whether HAProxy does not start because of it.
        voice: LINE when HAProxy says it naming the line, PLAIN when it names none, OURS when it does not say it.
    """

    file: str
    line: int
    severity: Severity
    code: str
    message: str
    instead: str = ""
    fatal: bool = False
    voice: Voice = Voice.LINE

    def __str__(self) -> str:
        """FILE:LINE: severity: message; instead."""
        tail = f"; {self.instead}" if self.instead else ""
        return f"{self.file}:{self.line}: {self.severity.value}: {self.message}{tail}"


class RefusedError(Exception):
    """A line that HAProxy refuses; the arguments are the diagnostic's.

    Attributes:
        fatal: whether HAProxy does not start because of it; it says some things as alerts and goes on.
        abort: whether it reads no further.
    """

    def __init__(
        self,
        code: str,
        message: str,
        instead: str = "",
        *,
        fatal: bool = True,
        abort: bool = False,
        voice: Voice = Voice.LINE,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.instead = instead
        self.fatal = fatal
        self.abort = abort
        self.voice = voice


class Complaints:
    """Collects the diagnostics of one file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.aborted = False
        self._found: dict[HaproxyDiagnostic, None] = {}
        self._refused_lines: set[int] = set()

    @property
    def refused(self) -> int:
        """How many lines HAProxy refuses so far."""
        return len(self._refused_lines)

    def refuse(self, line: int, why: RefusedError) -> None:
        """A line that HAProxy refuses."""
        self._add(line, Severity.ERROR, why.code, why.message, why.instead, why.fatal, why.voice)
        if why.fatal and why.voice is not Voice.OURS:
            self._refused_lines.add(line)
        self.aborted |= why.abort

    def error(self, line: int, code: str, message: str, instead: str = "", voice: Voice = Voice.LINE) -> None:
        """HAProxy does not start."""
        self.refuse(line, RefusedError(code, message, instead, voice=voice))

    def warning(self, line: int, code: str, message: str, instead: str = "", voice: Voice = Voice.LINE) -> None:
        """HAProxy starts, and says so."""
        self._add(line, Severity.WARNING, code, message, instead, False, voice)

    def note(self, line: int, code: str, message: str, instead: str = "") -> None:
        """HAProxy says nothing; a person should know."""
        self._add(line, Severity.NOTE, code, message, instead, False, Voice.OURS)

    def diagnostics(self) -> tuple[HaproxyDiagnostic, ...]:
        """All of them, in the order of their lines."""
        return tuple(sorted(self._found, key=lambda one: one.line))

    def _add(
        self, line: int, severity: Severity, code: str, message: str, instead: str, fatal: bool, voice: Voice
    ) -> None:
        one = HaproxyDiagnostic(self.file, line, severity, code, printable(message), printable(instead), fatal, voice)
        self._found[one] = None
