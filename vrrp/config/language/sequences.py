"""~SEQ and ~LST: a line that is read several times with other values, as keepalived 2.2.7 has them (measured)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from vrrp.config.language.definitions import Expansion, size

# What keepalived has room for: three numbers of 20 characters, and what stands between them.
_LONGEST_NUMBERS = 62
_LONG = 2**63

_SEQ = re.compile(r"~SEQ(x?)[ \t]*\([ \t]*([^ \t,)]*)[ \t]*(.*)", re.DOTALL)
_NUMBER = re.compile(r"\s*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)", re.ASCII)
_LST = re.compile(r"~LST[ \t]*\([ \t]*(?P<brace>\{?)[ \t]*", re.DOTALL)
_BLANKS = re.compile(r"[ \t]*")
_NAME = re.compile(r"[^ \t,}]*")
_ITEM = re.compile(r"[^ \t,})]*")


class SequenceError(ValueError):
    """A repetition that keepalived does not read: `messages` is what it says, without the line's text."""

    def __init__(self, *messages: str) -> None:
        super().__init__(*messages)
        self.messages = messages


@dataclass(frozen=True, slots=True)
class Sequence:
    """What is to be repeated: the rest of the line, once for each row of values, in which each name gets its own."""

    names: tuple[str, ...]
    rows: Iterator[tuple[str, ...]]
    text: str


def is_sequence(text: str) -> bool:
    """Whether a line begins as a repetition."""
    return text.startswith(("~SEQ", "~LST"))


def read_sequence(text: str, expand: Callable[[str, int], Expansion]) -> Sequence:
    """Read a line for which `is_sequence` holds.

    Args:
        text: the line.
        expand: `Definitions.expand`: the numbers of ~SEQ may be definitions.

    Raises:
        SequenceError: it is none that keepalived reads.
    """
    return _seq(text, expand) if text.startswith("~SEQ") else _lst(text)


def _seq(text: str, expand: Callable[[str, int], Expansion]) -> Sequence:
    specification = "Invalid ~SEQ specification"
    found = _SEQ.match(text)
    if found is None:
        raise SequenceError(specification)
    hexadecimal, name, rest = found.groups()
    if not name or rest[:1] in {"", ")"}:
        raise SequenceError("Invalid ~SEQ definition", specification)
    numbers, end, rest = rest[1:].lstrip(" \t").partition(")")
    if not end or size(numbers) > _LONGEST_NUMBERS:
        raise SequenceError("~SEQ parameter strings too long", specification)
    # With the parenthesis behind it no definition of several lines is put in place.
    expanded = expand(f"{numbers})", _LONGEST_NUMBERS + 1).text.partition(")")[0]
    start, step, last = _bounds(_numbers(expanded))
    if hexadecimal and (start < 0 or last < 0):
        raise SequenceError("~SEQx is only valid for positive numbers", specification)
    values = range(start, last + (1 if step > 0 else -1), step)
    return Sequence((name,), ((f"{value:{'x' if hexadecimal else 'd'}}",) for value in values), rest.lstrip(" \t"))


def _numbers(text: str) -> list[int]:
    """One to three numbers, as strtol reads them: hexadecimal, octal, and 0 where there is none."""
    numbers: list[int] = []
    for part in text.split(","):
        found = _NUMBER.match(part)
        if part[found.end() if found else 0 :].strip(" \t"):
            raise SequenceError("Invalid ~SEQ definition", "Invalid ~SEQ specification")
        value = 0
        if found:
            digits = found[2]
            base = 16 if digits[:2] in {"0x", "0X"} else 8 if digits[0] == "0" else 10
            value = max(-_LONG, min(_LONG - 1, int(found[1] + digits, base)))
        numbers.append(value)
    if len(numbers) > 3:
        raise SequenceError("Invalid ~SEQ definition", "Invalid ~SEQ specification")
    return numbers


def _bounds(numbers: list[int]) -> tuple[int, int, int]:
    """Start, step and last."""
    if len(numbers) == 1:
        (last,) = numbers
        return (-1 if last < 0 else 1), (-1 if last < 1 else 1), last
    if len(numbers) == 2:
        start, last = numbers
        return start, (1 if start <= last else -1), last
    start, step, last = numbers
    if not step or (start < last and step < 0) or (start > last and step > 0):
        raise SequenceError("Invalid ~SEQ values", "Invalid ~SEQ specification")
    return start, step, last


class _Scanner:
    """Goes through the text of a ~LST."""

    def __init__(self, text: str, position: int) -> None:
        self.text = text
        self.position = position

    def char(self) -> str:
        return self.text[self.position : self.position + 1]

    def skip(self, count: int = 0) -> None:
        """Go past so many characters, and the blanks behind them."""
        found = _BLANKS.match(self.text, self.position + count)
        assert found is not None
        self.position = found.end()

    def item(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.position)
        assert found is not None
        self.position = found.end()
        self.skip()
        return found[0]

    def expect(self, char: str) -> None:
        if self.char() != char:
            raise SequenceError("Invalid ~LST specification")
        self.skip(1)


def _lst(text: str) -> Sequence:
    found = _LST.match(text)
    if found is None:
        raise SequenceError("Invalid ~LST specification")
    scanner = _Scanner(text, found.end())
    names = [scanner.item(_NAME)]
    if found["brace"]:
        while scanner.char() != "}":
            scanner.expect(",")
            names.append(scanner.item(_NAME))
        scanner.skip(1)
    scanner.expect(",")
    rows = [_row(scanner, len(names))]
    while scanner.char() != ")":
        scanner.expect(",")
        rows.append(_row(scanner, len(names)))
    scanner.skip(1)
    return Sequence(tuple(names), iter(rows), text[scanner.position :])


def _row(scanner: _Scanner, length: int) -> tuple[str, ...]:
    """One value, or several in braces; what is missing is empty."""
    if scanner.char() != "{":
        return (scanner.item(_ITEM),) + ("",) * (length - 1)
    scanner.skip(1)
    values = [scanner.item(_ITEM)]
    while scanner.char() != "}":
        scanner.expect(",")
        if len(values) == length:
            raise SequenceError("~LST specification has too many values", "Invalid ~LST specification")
        values.append(scanner.item(_ITEM))
    scanner.skip(1)
    return tuple(values) + ("",) * (length - len(values))
