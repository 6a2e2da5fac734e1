"""$NAME=VALUE and what it is put in place of: $NAME and ${NAME}, as keepalived 2.2.7 does (measured).

A value is looked at where it is used, not where it is defined. One that goes on over several lines (each but the last
ends with a backslash) gives its first line in place and the others as lines of their own, and only where nothing
follows it. Without braces a blank, a comma, a closing parenthesis or the end must follow the name.
"""

from __future__ import annotations

import enum
import random
import re
from collections.abc import Callable
from dataclasses import dataclass

# What keepalived has room for, in bytes: more is not put in place.
LONGEST_EXPANSION = 1023
MOST_REPLACEMENTS = 10_000

_DEFINITION = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)=[ \t]*(.*)", re.DOTALL)
_USE = re.compile(
    r"\$(?:\{(?P<braced>[A-Za-z_][A-Za-z0-9_]*)(?:(?P<blanks> *)|(?P<parameters> +[0-9](?:[0-9 ]*[0-9])?))\}"
    r"|(?P<bare>[A-Za-z_][A-Za-z0-9_]*)(?=[ \t,)]|\Z))"
)
_RANDOM_MAX = 32767


class Trouble(enum.Enum):
    """Why an expansion did not come to its end."""

    TOO_LONG = "too long"
    ENDLESS = "endless"
    DIVISION = "division by zero"


@dataclass(frozen=True, slots=True)
class Expansion:
    """What became of a line.

    Attributes:
        text: the line.
        replacements: how many values were put in place.
        following: the further lines of each value of several lines, the last one's first to be read.
        trouble: what went wrong, if anything did.
    """

    text: str
    replacements: int
    following: tuple[tuple[str, ...], ...] = ()
    trouble: Trouble | None = None


@dataclass(slots=True)
class _Value:
    lines: list[str]
    multiline: bool = False


def size(text: str) -> int:
    """The length of a text in bytes, as keepalived counts."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogateescape"))


class Definitions:
    """The definitions of one reading of a configuration.

    Args:
        directory: gives the directory of the file that is being read, for ${_PWD}.
        config_id: for ${_INSTANCE}.
        seed: where ${_RANDOM} begins. keepalived begins with the time, so no seed is more right than another.
    """

    def __init__(self, directory: Callable[[], str], config_id: str, seed: int) -> None:
        self._draws = random.Random(seed)
        self._open: _Value | None = None
        self._values: dict[str, _Value] = {"_HASH": _Value(["#"]), "_BANG": _Value(["!"])}
        self._computed: dict[str, Callable[[], str]] = {"_PWD": directory, "_INSTANCE": lambda: config_id}

    @property
    def goes_on(self) -> bool:
        """Whether the next line belongs to a definition."""
        return self._open is not None

    def define(self, text: str) -> bool:
        """Take a line as a definition, if it is one."""
        found = _DEFINITION.fullmatch(text)
        if found is None:
            return False
        name, value = found.groups()
        self._computed.pop(name, None)
        if value.endswith("\\"):
            first = value[:-1].rstrip(" \t")
            self._open = self._values[name] = _Value([first] if first else [], multiline=True)
        else:
            self._values[name] = _Value([value])
        return True

    def go_on(self, text: str) -> None:
        """Take the next line of the definition. One that is empty, or does not end with a backslash, ends it."""
        assert self._open is not None
        last = not text.endswith("\\")
        line = text if last else text[:-1].rstrip(" \t")
        # A last line that is the only one may stand anywhere, as a value of one line.
        self._open.multiline = bool(self._open.lines) or not last
        if line:
            self._open.lines.append(line)
        if last:
            self._open = None

    def set(self, name: str, value: str) -> None:
        """Give a name a value of one line. A name that could not be used is forgotten."""
        self._values[name] = _Value([value])

    def expand(self, text: str, longest: int = LONGEST_EXPANSION) -> Expansion:
        """Put values in the place of their names, and again in what was put.

        Args:
            text: a line.
            longest: how many bytes the line may have at the most.
        """
        following: list[tuple[str, ...]] = []
        replacements = position = 0
        while 0 <= (position := text.find("$", position)) < len(text) - 1:
            use = _USE.match(text, position)
            value = self._value(use, text) if use else None
            if use is None or value is None:
                position += 1
                continue
            if isinstance(value, Trouble):
                return Expansion(text, replacements, tuple(following), value)
            replacements += 1
            if replacements > MOST_REPLACEMENTS:
                return Expansion(text, replacements, tuple(following), Trouble.ENDLESS)
            first = value.lines[0] if value.lines else ""
            expanded = _put(text, use, first)
            if size(expanded) > longest:
                return Expansion(text, replacements, (), Trouble.TOO_LONG)
            text = expanded
            if len(value.lines) > 1:
                following.append(tuple(value.lines[1:]))
            # What a repetition is to repeat is expanded each time.
            if first.lstrip(" \t").startswith("~"):
                break
        return Expansion(text, replacements, tuple(following))

    def _value(self, use: re.Match[str], text: str) -> _Value | Trouble | None:
        name = use["bare"] or use["braced"]
        if name == "_RANDOM" and name not in self._values:
            return self._random(use["parameters"])
        if use["parameters"]:
            return None
        if name in self._computed:
            return _Value([self._computed[name]()])
        found = self._values.get(name)
        if found is None or (found.multiline and (use.end() < len(text) or use["blanks"])):
            return None
        return found

    def _random(self, parameters: str | None) -> _Value | Trouble:
        words = (parameters or "").split()
        least = int(words[0]) if words else 0
        most = int(words[1]) if len(words) > 1 else _RANDOM_MAX
        if most - least == -1:
            return Trouble.DIVISION
        # The range is unsigned: with its ends the wrong way round, anything from the lower one on; and as many digits
        # as the second number has.
        drawn = self._draws.randrange(2**31) % ((most - least + 1) % 2**64) + least
        return _Value([str(drawn)[: len(str(most))]])


def _put(text: str, use: re.Match[str], value: str) -> str:
    """`value` in the place of one use."""
    start, end = use.span()
    if use["blanks"]:
        # keepalived measures the name and the braces, and not the blanks between them.
        end -= len(use["blanks"])
    if use["parameters"] and end < len(text) and end - start > len(value):
        # keepalived moves one character of what follows; from there on the old text stays.
        return text[:start] + value + text[end] + text[start + len(value) + 1 :]
    return text[:start] + value + text[end:]
