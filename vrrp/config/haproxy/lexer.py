"""A line of haproxy.cfg as words: quotes, escapes, comments, and environment variables inside of double quotes.

Measured with HAProxy 2.6.12, whose `.notice` prints the word that it was given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

MOST_WORDS = 64

_SPACE = " \t\n\v\f\r"
_PLAIN = re.compile(r"""[^\s"'\\#$]+""")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_ESCAPES = {"r": "\r", "n": "\n", "t": "\t", " ": " ", "\\": "\\", "#": "#", '"': '"', "'": "'"}
_HEXADECIMAL = re.compile("[0-9A-Fa-f]{2}")


@dataclass(frozen=True, slots=True)
class Words:
    """A line's words.

    Attributes:
        words: those before the comment.
        error: why HAProxy takes the line for none at all; "" when it is whole.
        unset: variables that are asked for, have no value, and no default stands beside them.
    """

    words: tuple[str, ...]
    error: str = ""
    unset: tuple[str, ...] = ()


class _BrokenError(Exception):
    """The line cannot be read: its text is why."""


def split(line: str, environment: Mapping[str, str]) -> Words:
    """The words of a line. Time is in proportion to the line and what its variables hold."""
    reader = _Line(line, environment)
    try:
        reader.read()
    except _BrokenError as why:
        return Words((), str(why))
    if len(reader.words) > MOST_WORDS:
        return Words((), f"more than {MOST_WORDS} words, which HAProxy does not take")
    return Words(tuple(reader.words), "", tuple(dict.fromkeys(reader.unset)))


class _Line:
    def __init__(self, text: str, environment: Mapping[str, str]) -> None:
        self.text = text
        self.environment = environment
        self.words: list[str] = []
        self.unset: list[str] = []
        self._word: list[str] | None = None

    def read(self) -> None:
        text, at = self.text, 0
        while at < len(text):
            char = text[at]
            if char in _SPACE:
                self._end()
                at += 1
            elif char == "#":
                break
            elif char == '"':
                at = self._double(at)
            elif char == "'":
                end = text.find("'", at + 1)
                if end < 0:
                    raise _BrokenError("a quote that is opened and not closed")
                self._add(text[at + 1 : end])
                at = end + 1
            elif char == "\\":
                at = self._escape(at)
            else:
                plain = _PLAIN.match(text, at)
                self._add(plain[0] if plain else char)
                at = plain.end() if plain else at + 1
        self._end()

    def _add(self, piece: str) -> None:
        if self._word is None:
            self._word = []
        self._word.append(piece)

    def _end(self) -> None:
        if self._word is not None:
            self.words.append("".join(self._word))
            self._word = None

    def _escape(self, at: int, more: str = "") -> int:
        """What the backslash at this position means; the position behind it."""
        following = self.text[at + 1 : at + 2]
        if following == "x":
            digits = _HEXADECIMAL.match(self.text, at + 2)
            if digits is None:
                raise _BrokenError("\\x without two hexadecimal digits")
            self._add(chr(int(digits[0], 16)))
            return at + 4
        if following and (following in _ESCAPES or following in more):
            self._add(_ESCAPES.get(following, following))
            return at + 2
        self._add("\\")
        return at + 1

    def _double(self, start: int) -> int:
        """What stands in double quotes; the position behind them."""
        text, at = self.text, start + 1
        self._add("")
        while at < len(text):
            char = text[at]
            if char == '"':
                return at + 1
            if char == "\\":
                at = self._escape(at, "$")
            elif char == "$":
                at = self._variable(at)
            else:
                # Inside of quotes spaces and # are as any other.
                plain = _PLAIN.match(text, at)
                self._add(plain[0] if plain else char)
                at = plain.end() if plain else at + 1
        raise _BrokenError("a quote that is opened and not closed")

    def _variable(self, start: int) -> int:
        """The value of the variable at this position; the position behind it."""
        text, at = self.text, start + 1
        braces = text[at : at + 1] == "{"
        name = _NAME.match(text, at + braces)
        if name is None:
            raise _BrokenError("$ without the name of a variable")
        at = name.end()
        value, several = self.environment.get(name[0]), False
        if braces:
            if text.startswith("[*]", at):
                several, at = True, at + 3
            close = text.find("}", at)
            # HAProxy takes the space in what stands behind [*]- for the end of the word.
            if close < 0 or text[at] not in "-}" or (several and " " in text[at:close]):
                raise _BrokenError("{ without } around the name of a variable")
            if value is None and text[at] == "-":
                value = text[at + 1 : close]
            at = close + 1
        if value is None:
            self.unset.append(name[0])
        elif several:
            self._words_of(value)
        else:
            self._add(value)
        return at

    def _words_of(self, value: str) -> None:
        """A variable that holds words and not one word."""
        for number, word in enumerate(value.split(" ")):
            if number:
                self._end()
            if word:
                self._add(word)
