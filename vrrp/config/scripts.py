"""vrrp_script blocks: what is run, how often, and what it weighs."""

from __future__ import annotations

from dataclasses import dataclass

from vrrp.config.diagnostics import Report
from vrrp.config.language.words import shown_command, split_command, unclosed
from vrrp.config.model import VrrpScript
from vrrp.config.script_security import Identity, Runnable, ScriptUsers
from vrrp.config.settings import argument
from vrrp.config.tree import Block, Statement
from vrrp.config.values import SECOND_NS, whole

HIGHEST_WEIGHT = 253
_LONGEST_S = 4294
_MOST_RUNS = 2**31 - 1


@dataclass(slots=True)
class _Draft:
    name: str
    line: int
    command: str | None = None
    interval_s: int = 1
    timeout_s: int = 0
    weight: int = 0
    reverse: bool = False
    rise: int = 1
    fall: int = 1
    init_fail: bool = False
    user: str | None = None
    user_known: bool = True
    identity: Identity | None = None


def vrrp_script(block: Block, users: ScriptUsers, report: Report) -> tuple[VrrpScript, Runnable] | None:
    """One vrrp_script and what it runs, or None when keepalived removes it, which is reported.

    Args:
        block: the block.
        users: as whom scripts run that name nobody.
        report: takes the diagnostics.
    """
    draft = _Draft(block.arguments[0], block.line)
    for entry in block.entries():
        if entry.keyword == "init_fail":
            draft.init_fail = True
        elif entry.keyword == "script":
            _command(draft, entry, report)
        elif argument(entry, report) is None:
            continue
        elif entry.keyword == "user":
            _user(draft, entry, users, report)
        elif entry.keyword == "weight":
            _script_weight(draft, entry, report)
        elif entry.keyword in {"rise", "fall"}:
            _runs(draft, entry, report)
        else:
            _seconds(draft, entry, report)
    removed = f"vrrp_script {draft.name} - removing"
    if draft.command is None:
        report.error(block.end, f"No script set for {removed}", "keepalived drops the script")
        return None
    if draft.user is None and draft.user_known:
        draft.identity = users.default(block.end, report)
        if draft.identity is None:
            message = f"Unable to set default user for vrrp script {draft.name} - removing"
            report.error(block.end, message, "keepalived drops the script")
    if draft.identity is None:
        return None
    script = VrrpScript(
        draft.name,
        draft.command,
        draft.interval_s * SECOND_NS,
        (draft.timeout_s or draft.interval_s) * SECOND_NS,
        draft.weight,
        draft.reverse,
        draft.rise,
        draft.fall,
        draft.init_fail,
        draft.user,
        draft.line,
        {entry.keyword: entry.line for entry in block.entries()},
        draft.identity,
    )
    return script, Runnable(draft.command, draft.name, draft.line, draft.identity)


def _command(draft: _Draft, entry: Statement, report: Report) -> None:
    words, quote = split_command(entry.text)
    if quote == "\\":
        report.die(entry.line, "a backslash at the end of a script's command", "keepalived 2.2.7 crashes")
    elif quote is not None:
        report.stop(entry.line, unclosed(entry.text), "keepalived 2.2.7 crashes")
    # Without an argument keepalived only misses the script in the end.
    elif len(words) > 1 and words[1].strip():
        # The command is cut into words again.
        if told := unclosed(words[1]):
            report.error(entry.line, told, "keepalived ignores the line")
        else:
            draft.command = words[1]


def _user(draft: _Draft, entry: Statement, users: ScriptUsers, report: Report) -> None:
    draft.user = " ".join(entry.arguments)
    draft.identity = users.named(entry.arguments)
    if draft.identity is None:
        draft.user_known = False
        report.error(
            entry.line,
            f"Unable to set uid/gid for script {shown_command(draft.command or '')}",
            "keepalived drops the script; there is no such user or group",
        )


def _seconds(draft: _Draft, entry: Statement, report: Report) -> None:
    keyword, text = entry.keyword, entry.arguments[0]
    number = whole(text, 0, _LONGEST_S)
    owner = f"({draft.name}): vrrp script {keyword}"
    if number.complaint:
        range_told = f"must be between 1 and {_LONGEST_S}" if keyword == "interval" else "invalid"
        report.warning(
            entry.line,
            f"{number.complaint}: {owner} '{text}' {range_told} - ignoring",
            "keepalived ignores the line"
            if number.value is None
            else f"keepalived takes it for {number.value or 1} s",
        )
    elif number.value == 0:
        report.warning(entry.line, f"{owner} must be greater than 0, setting to 1", "keepalived uses 1 s")
    if number.value is None:
        return
    if keyword == "interval":
        draft.interval_s = number.value or 1
    else:
        draft.timeout_s = number.value or 1


def _runs(draft: _Draft, entry: Statement, report: Report) -> None:
    keyword, text = entry.keyword, entry.arguments[0]
    number = whole(text, 1, _MOST_RUNS)
    value = 1 if number.complaint else number.read
    if number.complaint:
        report.warning(
            entry.line,
            f"{number.complaint}: ({draft.name}): vrrp script {keyword} value '{text}' invalid, defaulting to 1",
            "keepalived uses 1",
        )
    if keyword == "rise":
        draft.rise = value
    else:
        draft.fall = value


def _script_weight(draft: _Draft, entry: Statement, report: Report) -> None:
    text, *rest = entry.arguments
    number = whole(text, -HIGHEST_WEIGHT, HIGHEST_WEIGHT)
    # keepalived complains of a weight out of range and uses it all the same (measured).
    draft.weight = number.read
    draft.reverse = rest[:1] == ["reverse"]
    if number.complaint:
        report.warning(
            entry.line,
            f"{number.complaint}: vrrp_script {draft.name} weight {text} must be in [-253, 253]",
            f"keepalived uses {number.read} all the same",
        )
    if rest and not draft.reverse:
        report.warning(
            entry.line,
            f"vrrp_script {draft.name} unknown weight option {rest[0]}",
            "keepalived ignores the word",
        )
