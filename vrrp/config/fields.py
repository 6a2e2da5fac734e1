"""Blocks whose lines each set one field: tables say which, and the readers here how, with keepalived's complaints.

In a complaint, {value} stands for the line's first argument and {keyword} for its keyword.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from vrrp.config.diagnostics import Report
from vrrp.config.settings import argument
from vrrp.config.tree import Statement
from vrrp.config.values import MICROSECOND_NS, UNSIGNED_MAX, decimal_us, whole
from vrrp.config.values import switch as read_switch

# Gives the value that a line sets, or None when keepalived ignores the line, which is reported.
Reader = Callable[[Statement, Report], object]

IGNORES = "keepalived ignores the line"


@dataclass(frozen=True, slots=True)
class Field:
    """The field that a keyword sets, and how its line is read."""

    name: str
    read: Reader


def set_field(entry: Statement, table: Mapping[str, Field], values: dict[str, Any], report: Report) -> bool:
    """Read a line into `values`.

    Returns:
        Whether the table knows its keyword.
    """
    field = table.get(entry.keyword)
    if field is None:
        return False
    value = field.read(entry, report)
    if value is not None:
        values[field.name] = value
    return True


def _complain(entry: Statement, fault: str, complaint: str, report: Report, instead: str = IGNORES) -> None:
    value = entry.arguments[0] if entry.arguments else ""
    told = complaint.format(value=value, keyword=entry.keyword)
    report.warning(entry.line, f"{fault}: {told}" if fault else told, instead)


def integer(low: int, high: int, complaint: str, *, bad: int | None = None, unit: int = 1) -> Reader:
    """A whole number of `unit` from `low` to `high`; `bad` is what keepalived uses instead of any other."""

    def read(entry: Statement, report: Report) -> int | None:
        text = argument(entry, report)
        if text is None:
            return None
        number = whole(text, low, high)
        if not number.complaint:
            return number.read * unit
        _complain(entry, number.complaint, complaint, report, IGNORES if bad is None else f"keepalived uses {bad}")
        return bad

    return read


def unsigned(complaint: str) -> Reader:
    """A whole number of 32 bits."""
    return integer(0, UNSIGNED_MAX, complaint)


def timer(low_us: int, high_us: int, complaint: str) -> Reader:
    """Seconds with a fraction, as nanoseconds; of a number with something behind it, the number is used."""

    def read(entry: Statement, report: Report) -> int | None:
        text = argument(entry, report)
        if text is None:
            return None
        number = decimal_us(text, low_us, high_us, tail=True)
        if number.value is None:
            _complain(entry, number.complaint, complaint, report)
            return None
        if number.complaint:
            report.warning(entry.line, number.complaint, f"keepalived uses {number.value / 1e6:g} s")
        return number.value * MICROSECOND_NS

    return read


def switch(complaint: str) -> Reader:
    """on, off, true, false, yes, no, or nothing, which is on."""

    def read(entry: Statement, report: Report) -> bool | None:
        value = read_switch(entry.arguments)
        if value is None:
            _complain(entry, "", complaint, report)
        return value

    return read


def presence(entry: Statement, report: Report) -> bool:
    """The keyword alone; keepalived looks at nothing behind it."""
    if read_switch(entry.arguments) is False:
        report.note(
            entry.line, f"{entry.keyword} {entry.arguments[0]} does not switch it off", "remove the line instead"
        )
    return True


def word(missing: str = "") -> Reader:
    """One word; `missing` is what keepalived says where there is none; without it, it exits."""

    def read(entry: Statement, report: Report) -> str | None:
        if missing and not entry.arguments:
            _complain(entry, "", missing, report)
            return None
        return argument(entry, report)

    return read


def choice(names: Collection[str], complaint: str, *, fold: bool = False) -> Reader:
    """One word of `names`; where `fold`, in small letters as well."""

    def read(entry: Statement, report: Report) -> str | None:
        text = argument(entry, report)
        if text is None:
            return None
        if (name := text.upper() if fold else text) in names:
            return name
        _complain(entry, "", complaint, report)
        return None

    return read
