"""The kinds of keywords: what may stand behind one, and what keepalived 2.2.7 says of anything else (measured).

In a complaint, {keyword} and {value} stand for the line's, {owner} for the block that it stands in.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass

from vrrp.config.diagnostics import Report, missing_parameter
from vrrp.config.tree import Statement
from vrrp.config.values import UNSIGNED_MAX, Number, decimal_us, octets, switch, whole

Value = bool | int | str


@dataclass(frozen=True, slots=True)
class Flag:
    """On by being there; what stands behind it is not looked at."""


@dataclass(frozen=True, slots=True)
class Switch:
    """On, or what its argument says: on|off|true|false|yes|no."""

    complaint: str


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number.

    Attributes:
        low, high: its range.
        complaint: what keepalived says beside the number itself.
        zero: what it says of 0, for which it takes 1; "" when 0 is as good as any.
        missing: what it says when there is no argument; "" when it exits.
        otherwise: what it takes for a bad number; None when it ignores the line.
        whole_only: whether it takes nothing for a number that is followed by something else.
    """

    low: int = 0
    high: int = UNSIGNED_MAX
    complaint: str = "{keyword} '{value}' invalid - ignoring"
    zero: str = ""
    missing: str = ""
    otherwise: int | None = None
    whole_only: bool = False


@dataclass(frozen=True, slots=True)
class Seconds:
    """A time in seconds with a fraction; its value is microseconds. The attributes are those of `Whole`."""

    low_us: int
    high_us: int
    complaint: str
    missing: str = ""
    otherwise: int | None = None
    whole_only: bool = False


@dataclass(frozen=True, slots=True)
class Word:
    """Any word.

    Attributes:
        missing: what keepalived says when there is none; "" when it exits.
        longest: how many octets it keeps.
        too_long: what it says of more.
        again: what it says of a second such line, which it ignores; "" when it takes the last.
    """

    missing: str = ""
    longest: int = UNSIGNED_MAX
    too_long: str = ""
    again: str = ""


Kind = Flag | Switch | Whole | Seconds | Word

IGNORED = "keepalived ignores the line"


def take(
    statement: Statement, kind: Kind, values: MutableMapping[str, Value], report: Report, owner: str = ""
) -> bool:
    """Read a line into `values`, under its keyword, unless keepalived ignores it.

    Args:
        statement: the line.
        kind: of what kind its keyword is.
        values: what the block's lines have set so far.
        report: takes the diagnostics.
        owner: the name of the instance or group; nothing in global_defs.

    Returns:
        Whether there was nothing to complain of.
    """
    if isinstance(kind, Flag):
        values[statement.keyword] = True
        return True
    if isinstance(kind, Switch):
        chosen = switch(statement.arguments)
        if chosen is None:
            report.warning(statement.line, _said(kind.complaint, statement, owner), IGNORED)
            return False
        values[statement.keyword] = chosen
        return True
    if not statement.arguments:
        if kind.missing:
            report.warning(statement.line, _said(kind.missing, statement, owner), IGNORED)
        else:
            report.stop(statement.line, missing_parameter(statement.keyword))
        return False
    if isinstance(kind, Word):
        return _word(statement, kind, values, report)
    if isinstance(kind, Whole):
        number = _whole(statement, kind, report, owner)
    else:
        number = _seconds(statement, kind, report, owner)
    if number.value is not None:
        values[statement.keyword] = number.value
    return not number.complaint


def _said(complaint: str, statement: Statement, owner: str) -> str:
    value = statement.arguments[0] if statement.arguments else ""
    return complaint.format(keyword=statement.keyword, value=value, owner=owner)


def _word(statement: Statement, kind: Word, values: MutableMapping[str, Value], report: Report) -> bool:
    value = statement.arguments[0]
    if kind.again and statement.keyword in values:
        report.warning(statement.line, _said(kind.again, statement, ""), "keepalived uses the first")
        return False
    fits = len(octets(value)) <= kind.longest
    if not fits:
        report.warning(statement.line, _said(kind.too_long, statement, ""), f"keepalived keeps {kind.longest} octets")
    values[statement.keyword] = value
    return fits


def _whole(statement: Statement, kind: Whole, report: Report, owner: str) -> Number:
    """What keepalived takes the argument for, and what it says of it."""
    number = whole(statement.arguments[0], kind.low, kind.high)
    taken = number.value
    if number.complaint:
        if kind.otherwise is not None or kind.whole_only:
            taken = kind.otherwise
        instead = IGNORED if taken is None else f"keepalived takes it for {taken}"
        report.warning(statement.line, f"{number.complaint}: {_said(kind.complaint, statement, owner)}", instead)
    elif taken == 0 and kind.zero:
        report.warning(statement.line, _said(kind.zero, statement, owner), "keepalived uses 1")
    return Number(1 if taken == 0 and kind.zero else taken, number.complaint)


def _seconds(statement: Statement, kind: Seconds, report: Report, owner: str) -> Number:
    """The same of a time."""
    number = decimal_us(statement.arguments[0], kind.low_us, kind.high_us, tail=not kind.whole_only)
    if number.value is None:
        report.warning(statement.line, f"{number.complaint}: {_said(kind.complaint, statement, owner)}", IGNORED)
        return Number(kind.otherwise, number.complaint)
    if number.complaint:
        report.warning(statement.line, number.complaint, f"keepalived takes it for {number.value / 1e6:.6f} s")
    return number
