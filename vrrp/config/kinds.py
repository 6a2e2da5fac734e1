"""The kinds of keywords: what may stand behind one, and what keepalived 2.2.7 says of anything else (measured).

In a complaint, {keyword} and {value} stand for the line's, {owner} for the block that it stands in.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass

from vrrp.config.diagnostics import Report, missing_parameter
from vrrp.config.tree import Statement
from vrrp.config.values import UNSIGNED_MAX, decimal_us, octets, switch, whole

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
) -> None:
    """Read a line into `values`, under its keyword, unless keepalived ignores it.

    Args:
        statement: the line.
        kind: of what kind its keyword is.
        values: what the block's lines have set so far.
        report: takes the diagnostics.
        owner: the name of the instance or group; nothing in global_defs.
    """
    if isinstance(kind, Flag):
        values[statement.keyword] = True
        return
    if isinstance(kind, Switch):
        chosen = switch(statement.arguments)
        if chosen is None:
            report.warning(statement.line, _said(kind.complaint, statement, owner), IGNORED)
        else:
            values[statement.keyword] = chosen
        return
    if not statement.arguments:
        if kind.missing:
            report.warning(statement.line, _said(kind.missing, statement, owner), IGNORED)
        else:
            report.stop(statement.line, missing_parameter(statement.keyword))
        return
    if isinstance(kind, Word):
        _word(statement, kind, values, report)
        return
    value = (
        _whole(statement, kind, report, owner) if isinstance(kind, Whole) else _seconds(statement, kind, report, owner)
    )
    if value is not None:
        values[statement.keyword] = value


def _said(complaint: str, statement: Statement, owner: str) -> str:
    value = statement.arguments[0] if statement.arguments else ""
    return complaint.format(keyword=statement.keyword, value=value, owner=owner)


def _word(statement: Statement, kind: Word, values: MutableMapping[str, Value], report: Report) -> None:
    value = statement.arguments[0]
    if kind.again and statement.keyword in values:
        report.warning(statement.line, _said(kind.again, statement, ""), "keepalived uses the first")
        return
    if len(octets(value)) > kind.longest:
        report.warning(statement.line, _said(kind.too_long, statement, ""), f"keepalived keeps {kind.longest} octets")
    values[statement.keyword] = value


def _whole(statement: Statement, kind: Whole, report: Report, owner: str) -> int | None:
    number = whole(statement.arguments[0], kind.low, kind.high)
    if number.complaint:
        taken = kind.otherwise if number.value is None or kind.whole_only or kind.otherwise else number.value
        instead = IGNORED if taken is None else f"keepalived takes it for {taken}"
        report.warning(statement.line, f"{number.complaint}: {_said(kind.complaint, statement, owner)}", instead)
        return 1 if taken == 0 and kind.zero else taken
    if number.value == 0 and kind.zero:
        report.warning(statement.line, _said(kind.zero, statement, owner), "keepalived uses 1")
    return 1 if number.value == 0 and kind.zero else number.value


def _seconds(statement: Statement, kind: Seconds, report: Report, owner: str) -> int | None:
    number = decimal_us(statement.arguments[0], kind.low_us, kind.high_us, tail=not kind.whole_only)
    if number.value is None:
        report.warning(statement.line, f"{number.complaint}: {_said(kind.complaint, statement, owner)}", IGNORED)
        return kind.otherwise
    if number.complaint:
        report.warning(statement.line, number.complaint, f"keepalived takes it for {number.value / 1e6:.6f} s")
    return number.value
