"""The text of keepalived.conf, cut into fragments: the words of a statement, an opening and a closing brace.

As keepalived 2.2.7 reads (measured): # and ! start a comment anywhere outside "...", braces are fragments of their own
wherever they stand outside "...", and a line goes on for 1023 characters at most.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass

from vrrp.config.diagnostics import Report, Voice

LONGEST_LINE = 1023

_PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)[^{}]*\}")
_PREDEFINED = re.compile(r"_(?:PWD|INSTANCE|RANDOM|ENV|HASH|BANG)\b")
_UNREAD = (
    (re.compile(r"\s*(include[rmwba]?)\s"), "{} of another file"),
    (re.compile(r"\s*(@\^?[^\s{}]*)"), "condition {}"),
    (re.compile(r"\s*(\$[A-Za-z_][A-Za-z0-9_]*)="), "definition of {}"),
    (re.compile(r".*?(~SEQx?|~LST)\("), "repetition {}"),
)
# A backslash keeps the next character from closing or opening a quote, for comments and braces only.
_PIECE = re.compile(r'\\.|"(?:\\.|[^"\\])*(?:"|\Z)|[#!{}]|\$\{[A-Za-z_][^{}]*\}|[^\\"#!{}$]+|.', re.DOTALL)


class Kind(enum.Enum):
    """What a fragment is."""

    WORDS = "words"
    OPEN = "{"
    CLOSE = "}"


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of a line: `text` holds its words, still quoted."""

    line: int
    kind: Kind
    text: str


class Lexer:
    """Cuts one text. It never raises, and takes time in proportion to the text.

    Args:
        text: the whole file.
        report: takes the diagnostics.
        environment: values for ${NAME}; they are put into the text before it is cut.
    """

    def __init__(self, text: str, report: Report, environment: Mapping[str, str]) -> None:
        self._text = text
        self._report = report
        self._environment = environment
        self._fragments: list[Fragment] = []
        self._open_lines: list[int] = []
        self._skipped_depth = 0
        self._definition_goes_on = False

    def fragments(self) -> tuple[Fragment, ...]:
        """All fragments of the text, in order."""
        if self._text.startswith("\ufeff"):
            self._report.error(
                1,
                "the file begins with a byte order mark (BOM)",
                "keepalived reads it as part of the first word; save the file without it",
                Voice.OURS,
            )
        for number, line in enumerate(self._text.split("\n"), start=1):
            if line.strip():
                self._line(number, line)
        if self._open_lines:
            self._report.error(
                self._open_lines[-1],
                f"There are {len(self._open_lines)} missing '}}'s or extra '{{'s",
                "this '{' is never closed; keepalived closes it at the end of the file",
                Voice.PLAIN,
            )
        return tuple(self._fragments)

    def _line(self, number: int, line: str) -> None:
        line, nul, _ = line.partition("\0")
        if nul:
            self._report.warning(number, "embedded NUL character", "keepalived ignores the rest of the line")
        line = _PLACEHOLDER.sub(lambda found: self._environment.get(found[1], found[0]), line)
        if len(line.rstrip("\r")) > LONGEST_LINE:
            self._report.warning(
                number,
                f"line of {len(line)} characters",
                f"keepalived reads {LONGEST_LINE} and takes what follows for another line",
                Voice.OURS,
            )
        for start in range(0, len(line), LONGEST_LINE):
            pieces = self._without_comment(number, line[start : start + LONGEST_LINE])
            code = "".join(pieces)
            if not self._unread(number, code, pieces):
                self._check_quotes(number, code)
                self._check_placeholders(number, pieces)
                self._cut(number, pieces)

    def _without_comment(self, number: int, line: str) -> list[str]:
        pieces: list[str] = []
        length = 0
        for found in _PIECE.finditer(line):
            piece = found[0]
            if piece in {"#", "!"}:
                before = line[:length]
                if before and not before[-1].isspace() and before[-1] not in '{}"':
                    self._comment_in_word(number, line, length)
                break
            pieces.append(piece)
            length = found.end()
        return pieces

    def _comment_in_word(self, number: int, line: str, position: int) -> None:
        read = line[:position].split()
        word = read[-1] + line[position:].split(maxsplit=1)[0]
        what = "the password" if read[0] == "auth_pass" else "the word"
        self._report.warning(
            number,
            f"comment character '{line[position]}' inside the word '{word}'",
            f"keepalived reads {what} as '{read[-1]}'; write it in \"quotes\" to keep the rest",
            Voice.OURS,
        )

    def _unread(self, number: int, code: str, pieces: list[str]) -> bool:
        """Whether the line is one of those that this version knows and does not read, or inside their block."""
        if self._definition_goes_on:
            self._definition_goes_on = code.rstrip().endswith("\\")
            return True
        if not self._skipped_depth:
            unread = next(((name, found[1]) for pattern, name in _UNREAD if (found := pattern.match(code))), None)
            if unread is None:
                return False
            name, what = unread
            self._report.note(number, f"{name.format(what)} is not read by this version", "the line is left out")
            self._definition_goes_on = what.startswith("$") and code.rstrip().endswith("\\")
        self._skipped_depth = max(0, self._skipped_depth + pieces.count("{") - pieces.count("}"))
        return True

    def _check_quotes(self, number: int, code: str) -> None:
        quotes = [piece for piece in _PIECE.findall(code) if piece.startswith('"')]
        if quotes and (len(quotes[-1]) == 1 or not re.fullmatch(r'"(?:\\.|[^"\\])*"', quotes[-1])):
            self._report.error(
                number,
                f"Unterminated quote '{code.strip()}'",
                "keepalived ignores the words from the last quote on",
            )
        elif code.count('"') % 2:
            self._report.warning(
                number, f"Unmatched quote: '{code.strip()}'", 'keepalived knows no \\" outside of commands'
            )

    def _check_placeholders(self, number: int, pieces: list[str]) -> None:
        for piece in pieces:
            for found in _PLACEHOLDER.finditer(piece):
                name = found[1]
                if _PREDEFINED.match(name):
                    self._report.note(number, f"{found[0]} is not read by this version", "the word stays as written")
                elif piece.startswith('"'):
                    self._report.warning(
                        number,
                        f"placeholder {found[0]} has no value",
                        "keepalived reads it as written; give a value in environment to fill it",
                        Voice.OURS,
                    )
                else:
                    self._report.error(
                        number,
                        f"placeholder {found[0]} has no value",
                        "give one in environment; the word stays as written",
                        Voice.OURS,
                    )

    def _cut(self, number: int, pieces: list[str]) -> None:
        words: list[str] = []
        for piece in [*pieces, ""]:
            if piece not in {"{", "}", ""}:
                words.append(piece)
                continue
            text = "".join(words).strip()
            words = []
            if text:
                self._fragments.append(Fragment(number, Kind.WORDS, text))
            if piece == "{":
                self._open_lines.append(number)
                self._fragments.append(Fragment(number, Kind.OPEN, piece))
            elif piece == "}":
                if self._open_lines:
                    self._open_lines.pop()
                else:
                    self._report.error(number, "Extra '}' found", "there is no '{' that it could close")
                self._fragments.append(Fragment(number, Kind.CLOSE, piece))
