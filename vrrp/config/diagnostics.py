"""What the reader of keepalived.conf has to say: one line each, with the file, the line, and what keepalived does."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, replace

from vrrp.config.language.line import file_of, is_end, order_of
from vrrp.words import printable


class Severity(enum.Enum):
    """How bad it is: ERROR loses something that was asked for, WARNING changes it, NOTE is worth knowing."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Voice(enum.Enum):
    """Who says it: keepalived 2.2.7 naming the line, keepalived naming none, or nobody but us."""

    LINE = "line"
    PLAIN = "plain"
    OURS = "ours"


class Verdict(enum.IntEnum):
    """How `keepalived -t` ends, from good to bad: with exit status 0, 5, 6, and any other."""

    CLEAN = 0
    COMPLAINTS = 1
    SCRIPTS_UNSAFE = 2
    FATAL = 3


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
        voice: see `Voice`.
        verdict: what `keepalived -t` ends with when there is nothing worse.
        ends: whether it says nothing more after this.
    """

    file: str
    line: int
    severity: Severity
    message: str
    instead: str
    fatal: bool = False
    voice: Voice = Voice.LINE
    verdict: Verdict = Verdict.COMPLAINTS
    ends: bool = False

    def __str__(self) -> str:
        """FILE:LINE: severity: message; instead."""
        return f"{self.file}:{self.line}: {self.severity.value}: {self.message}; {self.instead}"


def missing_parameter(keyword: str, after: str | None = None, position: int = 2) -> str:
    """What keepalived says, before it exits, of a keyword with nothing behind it.

    Args:
        keyword: the first word of the line.
        after: the word with nothing behind it, when it is not the first.
        position: which word is missing, from 1.
    """
    return (
        f"*** Configuration line starting `{keyword}` is missing a parameter after keyword `{after or keyword}`"
        f" at word position {position}"
    )


class Report:
    """Collects the diagnostics of one configuration.

    Args:
        file: the name of its first file, which a diagnostic carries when its line knows no other.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self._texts = {file: ""}
        self._diagnostics: dict[Diagnostic, None] = {}
        self._process: list[Diagnostic] = []
        self._stopped = 0
        self._ended = False
        self._done = False
        self._left = False

    @property
    def texts(self) -> Mapping[str, str]:
        """What stands in the files that were read, in the order in which they were begun."""
        return self._texts

    def reads(self, file: str, text: str) -> None:
        """Another file is begun, or the same again."""
        self._texts[file] = text

    def error(self, line: int, message: str, instead: str, voice: Voice = Voice.LINE) -> None:
        """Something that was asked for is lost."""
        self._complain(line, Severity.ERROR, message, instead, voice)

    def warning(self, line: int, message: str, instead: str, voice: Voice = Voice.LINE) -> None:
        """Something is read otherwise than written."""
        self._complain(line, Severity.WARNING, message, instead, voice)

    def note(self, line: int, message: str, instead: str, voice: Voice = Voice.OURS) -> None:
        """Nothing is wrong, and yet a person should know; whatever keepalived says, it does not mind."""
        self._add(
            Diagnostic(
                file_of(line, self.file), line, Severity.NOTE, message, instead, voice=voice, verdict=Verdict.CLEAN
            )
        )

    def refuse(self, line: int, message: str) -> None:
        """Something found when the whole file is read, and on which keepalived exits."""
        instead = "keepalived does not start"
        self._add(
            Diagnostic(file_of(line, self.file), line, Severity.ERROR, message, instead, fatal=True, voice=Voice.PLAIN)
        )

    def stop(self, line: int, message: str, instead: str = "keepalived does not start, and reads no further") -> None:
        """Something on which keepalived exits at once, and reads no further."""
        verdict = Verdict.FATAL
        self._add(
            Diagnostic(
                file_of(line, self.file),
                line,
                Severity.ERROR,
                message,
                instead,
                fatal=True,
                verdict=verdict,
                ends=True,
            )
        )

    def unusable(self, line: int, message: str, instead: str) -> None:
        """Something for which `keepalived -t` ends with status 4, unless there are other complaints as well."""
        self._add(Diagnostic(file_of(line, self.file), line, Severity.ERROR, message, instead, verdict=Verdict.FATAL))

    def die(self, line: int, message: str, instead: str) -> None:
        """Something at which keepalived itself ends by its own fault, or never comes to an end, without a word."""
        file, verdict, voice = file_of(line, self.file), Verdict.FATAL, Voice.OURS
        self._add(Diagnostic(file, line, Severity.ERROR, message, instead, True, voice, verdict, ends=True))
        self._stop_at(line)

    def mention(self, line: int, message: str, instead: str) -> None:
        """Something that keepalived says and does not mind, and a person should."""
        self._add(
            Diagnostic(file_of(line, self.file), line, Severity.WARNING, message, instead, verdict=Verdict.CLEAN)
        )

    def missing(self, line: int, message: str, instead: str) -> None:
        """A file that is asked for and cannot be read: keepalived ends with this process, as for unsafe scripts."""
        self._ended = True
        file, verdict = file_of(line, self.file), Verdict.SCRIPTS_UNSAFE
        self._add(Diagnostic(file, line, Severity.ERROR, message, instead, fatal=True, verdict=verdict))

    def unsafe(self, line: int, message: str, instead: str) -> None:
        """Scripts that run as root without keepalived having looked who may write them."""
        voice, verdict = Voice.PLAIN, Verdict.SCRIPTS_UNSAFE
        self._add(
            Diagnostic(
                file_of(line, self.file), line, Severity.WARNING, message, instead, voice=voice, verdict=verdict
            )
        )

    def crash(self, line: int, message: str) -> None:
        """Something at which `keepalived -t` crashes as it reads, without a word."""
        self.kill(line, message)
        self._done = False
        self._stop_at(line)

    def kill(self, line: int, message: str) -> None:
        """Something at which `keepalived -t` ends by its own fault, without a word."""
        verdict, voice = Verdict.FATAL, Voice.OURS
        instead = "it says nothing more; keepalived itself goes on"
        self._add(
            Diagnostic(
                file_of(line, self.file),
                line,
                Severity.NOTE,
                message,
                instead,
                verdict=verdict,
                voice=voice,
                ends=True,
            )
        )
        self._ended = True
        self.done()

    def leave(self, line: int, message: str, instead: str) -> None:
        """Something at which keepalived ends between two processes, if it has not before.

        `keepalived -t` ends with status 0 there, whatever it said.
        """
        if self._ended:
            return
        self._ended = self._left = True
        self.done()
        self._add(Diagnostic(file_of(line, self.file), line, Severity.ERROR, message, instead, fatal=True))

    def done(self) -> None:
        """From here on this process has given up, and whatever else there is to say is ours."""
        self._done = True

    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """All of them, in the order of the files and their lines."""
        self.end_of_process()
        position = {file: number for number, file in enumerate(self._texts)}
        found = sorted(self._diagnostics, key=lambda one: (position[one.file], one.line))
        return tuple(replace(one, verdict=Verdict.CLEAN) if self._left else one for one in found)

    def end_of_process(self) -> None:
        """One of keepalived's processes has read the file; what it says again, in the next, is told once.

        Where it stopped, neither it nor the next ones see what follows.
        """
        for diagnostic in self._process:
            unsaid = self._stopped and (order_of(diagnostic.line) > self._stopped or diagnostic.voice is Voice.PLAIN)
            self._diagnostics.setdefault(_ours(diagnostic) if unsaid else diagnostic)
        self._process.clear()
        self._done = self._ended

    def _stop_at(self, line: int) -> None:
        order = order_of(line)
        self._stopped = min(self._stopped or order, order)
        self._ended = True

    def _complain(self, line: int, severity: Severity, message: str, instead: str, voice: Voice) -> None:
        verdict = Verdict.CLEAN if voice is Voice.OURS else Verdict.COMPLAINTS
        self._add(Diagnostic(file_of(line, self.file), line, severity, message, instead, voice=voice, verdict=verdict))

    def _add(self, diagnostic: Diagnostic) -> None:
        if diagnostic.voice is Voice.LINE and is_end(diagnostic.line):
            diagnostic = replace(diagnostic, voice=Voice.PLAIN)
        if self._done:
            diagnostic = _ours(diagnostic)
        elif diagnostic.ends and diagnostic.voice is Voice.LINE:
            self._stop_at(diagnostic.line)
        message, instead = printable(diagnostic.message), printable(diagnostic.instead)
        if (message, instead) != (diagnostic.message, diagnostic.instead):
            diagnostic = replace(diagnostic, message=message, instead=instead)
        self._process.append(diagnostic)


def _ours(diagnostic: Diagnostic) -> Diagnostic:
    """What keepalived does not come to say."""
    return replace(diagnostic, voice=Voice.OURS, verdict=Verdict.CLEAN, ends=False)
