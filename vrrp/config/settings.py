"""Reading one statement into one value: what instances, groups, scripts and global_defs have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vrrp.config.diagnostics import Report, missing_parameter
from vrrp.config.model import Option
from vrrp.config.tree import Block, Statement
from vrrp.config.values import UNSIGNED_MAX, Number, whole
from vrrp.config.words import split_command


@dataclass(frozen=True, slots=True)
class Counter:
    """A keyword whose argument is a whole number.

    Attributes:
        low, high: its range.
        complaint: what keepalived says beside the number itself; {keyword} and {value} are filled.
        positive: whether 0 is set to 1.
    """

    low: int = 0
    high: int = UNSIGNED_MAX
    complaint: str = "{keyword} '{value}' invalid - ignoring"
    positive: bool = False


# In an instance as they stand, in global_defs with vrrp_ in front.
COUNTERS: Mapping[str, Counter] = {
    "down_timer_adverts": Counter(1, 100, "Invalid {keyword} [1:100] '{value}'"),
    "garp_lower_prio_delay": Counter(0, 4294),
    "garp_lower_prio_repeat": Counter(complaint="Invalid {keyword} '{value}'"),
    "garp_master_delay": Counter(0, 4294),
    "garp_master_refresh": Counter(complaint="Invalid {keyword} '{value}' - ignoring"),
    "garp_master_refresh_repeat": Counter(positive=True),
    "garp_master_repeat": Counter(positive=True),
}

NOTIFY_KEYWORDS = frozenset(
    {
        "notify",
        "notify_backup",
        "notify_deleted",
        "notify_fault",
        "notify_master",
        "notify_master_rx_lower_pri",
        "notify_stop",
    }
)


def argument(statement: Statement, report: Report) -> str | None:
    """The statement's first argument. Without it keepalived exits, which is reported, and None returned."""
    if statement.arguments:
        return statement.arguments[0]
    report.stop(statement.line, missing_parameter(statement.keyword))
    return None


def count(statement: Statement, counter: Counter, report: Report, owner: str = "") -> int | None:
    """The number that a `Counter` statement sets, or None when it sets none.

    Args:
        statement: the line.
        counter: its range and words.
        report: takes the diagnostics.
        owner: what keepalived puts before the complaint: "(VI_1): ", or nothing in global_defs.
    """
    text = argument(statement, report)
    if text is None:
        return None
    number = whole(text, counter.low, counter.high)
    value = number.value
    if number.complaint:
        complaint = counter.complaint.format(keyword=statement.keyword, value=text)
        report.warning(
            statement.line,
            f"{number.complaint}: {owner}{complaint}",
            "keepalived ignores the line" if value is None else f"keepalived takes it for {value}",
        )
    elif value == 0 and counter.positive:
        report.warning(
            statement.line,
            f"{owner}{statement.keyword} must be greater than 0, setting to 1",
            "keepalived uses 1",
        )
    return 1 if value == 0 and counter.positive else value


def duration_us(statement: Statement, number: Number, complaint: str, instead: str, report: Report) -> int | None:
    """A time that `values.decimal_us` read, in microseconds, or None when it is bad.

    Args:
        statement: the line.
        number: what was read.
        complaint: what keepalived says beside the number's own fault when the time is bad.
        instead: what keepalived does then.
        report: takes the diagnostics.
    """
    if number.value is None:
        report.warning(statement.line, f"{number.complaint}: {complaint}", instead)
    elif number.complaint:
        report.warning(statement.line, number.complaint, f"keepalived rounds it to {number.value / 1e6:.6f} s")
    return number.value


def command(statement: Statement, report: Report) -> str | None:
    """The command that a statement names, without user and group; None when there is none, which is reported."""
    words, quote = split_command(statement.text)
    if quote is not None:
        report.error(
            statement.line,
            f"String '{statement.text}': missing terminating {quote}",
            "keepalived ignores the line",
        )
        return None
    if len(words) > 1:
        return words[1]
    report.stop(statement.line, missing_parameter(statement.keyword))
    return None


def add_notify(notify: dict[str, str], statement: Statement, report: Report, owner: str) -> None:
    """Put a notify statement's command into `notify`; the first one of a keyword stays.

    Args:
        notify: keyword to command.
        statement: the line.
        report: takes the diagnostics.
        owner: what keepalived puts before its complaint: "(VI_1) " or "vrrp group G1: ".
    """
    keyword = statement.keyword
    if keyword == "notify_deleted" and not statement.arguments:
        return
    named = command(statement, report)
    if named is None:
        return
    if keyword in notify:
        report.warning(
            statement.line,
            f"{owner}{keyword} script already specified - ignoring {named}",
            f"keepalived runs the first, {notify[keyword]}",
        )
        return
    notify[keyword] = named


def options_of(entry: Statement | Block) -> tuple[Option, ...]:
    """A statement, or the entries of a block, kept as text."""
    if isinstance(entry, Block):
        return tuple(Option(entry.keyword, " ".join(child.words), child.line) for child in entry.entries())
    return (Option(entry.keyword, " ".join(entry.arguments), entry.line),)
