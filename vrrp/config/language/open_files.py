"""The files that are being read, one inside the other, as lines; and what keepalived's other processes get to read.

keepalived's first process reads the files and writes what it reads into one copy, which the others read. The copy has
no comments and no include lines; a line "# NAME" begins a file in it and "!" ends one.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from vrrp.config.diagnostics import Report, Voice
from vrrp.config.language.includes import Check, Include, find_files, is_plain_file
from vrrp.config.language.line import Line

LARGEST_FILE = 16 * 1024 * 1024
LONGEST_LINE = 1023
_BYTES_A_CHARACTER = 4
# As many as keepalived may have open at once, and more than anybody includes.
DEEPEST = 1000
MOST_FILES = 10_000
# A file that includes itself says the same each time: this is often enough.
MOST_REPEATED = 10

_GOES_ON = "keepalived goes on without it"
_NOTHING = Include("", Check.NONE)


class Cut(enum.Enum):
    """Why what was read at once is not a whole line."""

    NOT = "it is one"
    LONG = "there is no room for more"
    NUL = "a NUL stands in it"
    END = "the file ends"


class Piece(NamedTuple):
    """What keepalived reads at once: a line, or as much of it as it has room for."""

    text: str
    cut: Cut = Cut.NOT


@dataclass(slots=True)
class _Open:
    """A file that is being read.

    Attributes:
        name: what diagnostics call it.
        folder: what the files that it includes are relative to.
        pieces: what is still to be read of it.
        line: where reading it stands.
        checks: the include checks that hold again when it is closed.
        include: what named it.
        waiting: the other files that the same include named, the next one last.
        copied: whether it is read from the copy.
    """

    name: str
    folder: Path
    pieces: Iterator[Piece]
    line: Line
    checks: Check
    include: Include = _NOTHING
    waiting: list[str] = field(default_factory=list)
    copied: bool = False


def decode(raw: bytes, name: str, report: Report) -> str:
    """The text of a file; bytes that are not UTF-8 are kept, and told."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as fault:
        report.warning(
            Line(raw.count(b"\n", 0, fault.start) + 1, name),
            f"byte 0x{raw[fault.start]:02x} is not UTF-8",
            "keepalived reads the bytes as they are",
            Voice.OURS,
        )
        return raw.decode("utf-8", "surrogateescape")


def pieces(text: str) -> Iterator[Piece]:
    """A file as keepalived reads it: line by line, up to a NUL, 1023 bytes at once."""
    lines = text.split("\n")
    last = lines.pop()
    for line in lines:
        if len(line) * _BYTES_A_CHARACTER < LONGEST_LINE and "\0" not in line:
            yield Piece(line)
        else:
            yield from _line_pieces(line + "\n")
    if last:
        yield from _line_pieces(last)


def _line_pieces(line: str) -> Iterator[Piece]:
    raw = line.encode("utf-8", "surrogateescape")
    for start in range(0, len(raw), LONGEST_LINE):
        read = raw[start : start + LONGEST_LINE]
        text, nul, _ = read.partition(b"\0")
        if nul:
            cut = Cut.NUL
        elif text.endswith(b"\n"):
            cut = Cut.NOT
        else:
            cut = Cut.LONG if len(read) == LONGEST_LINE else Cut.END
        yield Piece(text.rstrip(b"\n").decode("utf-8", "surrogateescape"), cut)


class OpenFiles:
    """A configuration file and those that it includes, as lines.

    Args:
        report: takes what keepalived says of files that it cannot read.
        follows: whether included files are read at all.

    Attributes:
        copy: what the other processes read.
        copied: whether it is such a copy that is read here.
        checks: the include checks that hold.
        cut: whether the piece that was read last is a whole line.
    """

    def __init__(self, report: Report, *, follows: bool) -> None:
        self._report = report
        self._follows = follows
        self._stack: list[_Open] = []
        self._order = 0
        self._opened = 0
        self._bytes_left = LARGEST_FILE
        self.copy: list[str] = []
        self.copied = False
        self.checks = Check.NONE
        self.cut = Cut.NOT

    @property
    def line(self) -> Line:
        """Where reading stands: the last line that was begun; 0 when everything is read."""
        return self._stack[-1].line if self._stack else Line(0, self._report.file, self._order)

    @property
    def next_line(self) -> Line:
        """The line after that."""
        return Line(self.line + 1, self.line.file, self._order)

    @property
    def folder(self) -> Path:
        """What relative names are relative to now."""
        return self._stack[-1].folder if self._stack else Path()

    def open_text(self, name: str, text: str, folder: Path) -> None:
        """Begin to read a text as a file of this name, whose relative includes are found in `folder`."""
        self._push(_Open(name, folder, pieces(text), Line(0, name, self._order), self.checks), text)

    def open_copy(self, name: str, copy: list[str], folder: Path) -> None:
        """Begin to read the copy that another reading wrote."""
        lines = pieces("".join(f"{text}\n" for text in copy))
        self._stack.append(_Open(name, folder, lines, Line(0, name, self._order), self.checks, copied=True))
        self.copied = True

    def step(self) -> None:
        """Go on on the same line: what is read now stands behind what was read before."""
        if self._stack:
            self._order += 1
            top = self._stack[-1]
            top.line = Line(top.line, top.name, self._order)

    def close(self) -> None:
        """Read nothing any more."""
        self._stack.clear()

    def next(self) -> str | None:
        """The next piece of text, without its line's end; None when everything is read."""
        while self._stack:
            top = self._stack[-1]
            piece = next(top.pieces, None)
            if piece is None:
                self._close()
                continue
            if top.copied and piece.text[:1] in {"#", "!"}:
                self._marker(top, piece.text)
                continue
            self.cut = piece.cut
            self._order += 1
            top.line = Line(top.line + (piece.cut is Cut.NOT), top.name, self._order)
            return piece.text.rstrip("\r")
        return None

    def include(self, include: Include) -> None:
        """Begin to read the files that an include names; what cannot be read is told at the present line."""
        if not self._follows:
            instead = "in this text, whose folder is not known, it is left out"
            self._report.note(self.line, f"include {include.pattern} is not read", instead)
            return
        folder = self.folder
        matches = find_files(include.pattern, folder)
        if matches.cut:
            message = f"include {include.pattern} looks at too many files"
            self._report.error(self.line, message, "the others are left out", Voice.OURS)
        checks = self.checks | include.checks
        if not matches.names and matches.missing:
            needed = Check.BRACE if matches.braced else Check.MATCH
            self._tell(needed, include, f"Config files missing '{include.pattern}'.")
        elif not matches.names and Check.WILDCARD in checks:
            self._tell(Check.WILDCARD, include, f"No config files matched '{include.pattern}'.")
        elif matches.names and matches.missing:
            self._tell(Check.BRACE, include, f'Some config files missing: "{include.pattern}".')
            if Check.BRACE in checks:
                return
        entry = _Open("", folder, iter(()), self.line, self.checks, include, matches.names[::-1])
        self._open_next(entry, folder)

    def _tell(self, needed: Check, include: Include, message: str) -> None:
        """Tell what keepalived says in any case, and ends with when it was told to check this."""
        if needed in self.checks | include.checks:
            self._report.missing(self.line, message, "keepalived was told to look, and does not start")
        else:
            self._report.mention(self.line, message, _GOES_ON)

    def _open_next(self, entry: _Open, folder: Path) -> None:
        """Open the next file of an include that can be read, if there is one, in the place of the last."""
        opened = None
        while entry.waiting and opened is None:
            name = entry.waiting.pop()
            path = folder / name
            text = self._text(path, name, entry.include)
            if text is not None:
                line = Line(0, str(path), self._order)
                opened = replace(entry, name=str(path), folder=path.parent, pieces=pieces(text), line=line), text
        if self._stack[-1] is entry:
            self._stack.pop()
        if opened is not None:
            self._push(*opened)

    def _text(self, path: Path, name: str, include: Include) -> str | None:
        """What stands in an included file, unless it is not to be read."""
        refused = ""
        if name.endswith("/"):
            refused = "is a directory"
        elif not is_plain_file(path):
            refused = "is not a regular non-executable file"
        elif len(self._stack) >= DEEPEST or sum(_same(path, one.name) for one in self._stack) >= MOST_REPEATED:
            refused = "open problem (Too many open files)"
        if refused:
            self._tell(Check.READABLE, include, f"Configuration file '{name}' {refused} - skipping")
            return None
        self._opened += 1
        if self._opened > MOST_FILES:
            self._report.error(
                self.line, f"more than {MOST_FILES} files are included", f"{name} is left out", Voice.OURS
            )
            return None
        try:
            with path.open("rb") as handle:
                raw = handle.read(self._bytes_left + 1)
        except OSError as error:
            message = f"Configuration file '{name}' open problem ({error.strerror}) - skipping"
            self._tell(Check.READABLE, include, message)
            return None
        if len(raw) > self._bytes_left:
            self._report.error(
                self.line, "all files together are larger than 16 MiB", f"{name} is left out", Voice.OURS
            )
            return None
        self._bytes_left -= len(raw)
        return decode(raw, str(path), self._report)

    def _push(self, entry: _Open, text: str) -> None:
        self._report.reads(entry.name, text)
        self.copy.append(f"# {entry.name}")
        self._stack.append(entry)

    def _close(self) -> None:
        entry = self._stack[-1]
        self.copy.append("!")
        self.checks = entry.checks
        # What is wrong with the next file is told where the last one ended.
        self._open_next(entry, self._stack[-2].folder if len(self._stack) > 1 else entry.folder)

    def _marker(self, top: _Open, text: str) -> None:
        if text == "!":
            self._stack.pop()
        elif text[1:2] == " " and text[2:] in self._report.texts:
            name = text[2:]
            line = Line(0, name, self._order)
            self._stack.append(_Open(name, Path(name).parent, top.pieces, line, self.checks, copied=True))


def _same(path: Path, other: str) -> bool:
    try:
        return path.samefile(other)
    except (OSError, ValueError):
        return False
