"""vrrp_script blocks, and the track_script and track_interface blocks that follow them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vrrp.config.diagnostics import Report
from vrrp.config.host import Interfaces
from vrrp.config.model import TrackedInterface, TrackedScript, VrrpScript
from vrrp.config.settings import argument, command
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


def vrrp_script(block: Block, report: Report) -> VrrpScript | None:
    """One vrrp_script, or None when it has no script and keepalived removes it, which is reported."""
    draft = _Draft(block.arguments[0], block.line)
    for entry in block.entries():
        if entry.keyword == "init_fail":
            draft.init_fail = True
        elif entry.keyword == "script":
            # Without an argument keepalived only misses the script in the end.
            draft.command = command(entry, report) if entry.arguments else None
        elif argument(entry, report) is None:
            continue
        elif entry.keyword == "user":
            draft.user = " ".join(entry.arguments)
        elif entry.keyword == "weight":
            _script_weight(draft, entry, report)
        elif entry.keyword in {"rise", "fall"}:
            _runs(draft, entry, report)
        else:
            _seconds(draft, entry, report)
    if draft.command is None:
        report.error(
            draft.line, f"No script set for vrrp_script {draft.name} - removing", "keepalived drops the script"
        )
        return None
    return VrrpScript(
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


def tracked_scripts(
    block: Block, tracked: dict[str, TrackedScript], scripts: Mapping[str, VrrpScript], owner: str, report: Report
) -> None:
    """Add the entries of a track_script block to `tracked`.

    Args:
        block: the block.
        tracked: what the instance or group follows already, by name.
        scripts: the scripts that stand in the file before this block; keepalived knows no others.
        owner: the name of the instance or group.
        report: takes the diagnostics.
    """
    for entry in block.entries():
        name, *options = entry.words
        script = scripts.get(name)
        if script is None:
            report.error(
                entry.line,
                f"({owner}) track script {name} not found, ignoring...",
                "keepalived does not follow it; its vrrp_script must stand before this block",
            )
        elif name in tracked:
            report.warning(
                entry.line, f"({owner}) duplicate track_script {name} - ignoring", "keepalived uses the first"
            )
        elif not options:
            tracked[name] = TrackedScript(name, script.weight, script.reverse, entry.line)
        elif len(options) > 1 and options[0] == "weight":
            complaint = f"({owner}) track script {name}: weight must be between [-253..253] inclusive, ignoring..."
            weight = _weight(entry, options[1], complaint, script.weight, owner, report)
            reverse = script.reverse
            if len(options) > 2 and options[2] in {"reverse", "noreverse"}:
                reverse = options[2] == "reverse"
            elif len(options) > 2:
                _unknown_option(entry, f"({owner}) unknown track_script {name} weight option {options[2]}", report)
            tracked[name] = TrackedScript(name, weight, reverse, entry.line)
        else:
            _not_followed(entry, owner, "track script", f"track script option {options[0]}", report)


def tracked_interfaces(
    block: Block, tracked: dict[str, TrackedInterface], interfaces: Interfaces, owner: str, report: Report
) -> None:
    """Add the entries of a track_interface block to `tracked`; the other arguments are those of `tracked_scripts`."""
    for entry in block.entries():
        name, *options = entry.words
        if not interfaces.have(name):
            report.warning(
                entry.line,
                f"({owner}) tracked interface {name} doesn't exist",
                "keepalived does not start; give global_defs dynamic_interfaces if it comes later",
            )
        if name in tracked:
            report.warning(
                entry.line,
                f"({owner}) duplicate track_interface {name} - ignoring",
                "keepalived uses the first",
            )
        elif not options:
            tracked[name] = TrackedInterface(name, 0, False, entry.line)
        elif len(options) > 1 and options[0] == "weight":
            complaint = f"({owner}) weight {options[1]} for {name} must be between [-253..253] inclusive. Ignoring..."
            weight = _weight(entry, options[1], complaint, 0, owner, report)
            if len(options) > 2 and options[2] != "reverse":
                _unknown_option(entry, f"({owner}) unknown track_interace {name} weight option {options[2]}", report)
            tracked[name] = TrackedInterface(name, weight, options[2:3] == ["reverse"], entry.line)
        else:
            unknown = f"track_interface {name} option {options[0]}"
            _not_followed(entry, owner, "track_interface", unknown, report)


def _not_followed(entry: Statement, owner: str, block: str, unknown: str, report: Report) -> None:
    """A first option which is not `weight N`: keepalived drops the whole line."""
    message = (
        f"({owner}) weight without value specified for {block} {entry.keyword} - ignoring"
        if entry.arguments[0] == "weight"
        else f"({owner}) unknown {unknown} - ignoring"
    )
    report.error(entry.line, message, f"keepalived does not follow {entry.keyword}")


def _unknown_option(entry: Statement, message: str, report: Report) -> None:
    report.warning(entry.line, f"{message} - ignoring", "keepalived ignores the word")


def _weight(entry: Statement, text: str, complaint: str, otherwise: int, owner: str, report: Report) -> int:
    """A weight; `otherwise` when it is out of range. -254 and 254 pass the check and are then cut by one."""
    number = whole(text, -HIGHEST_WEIGHT - 1, HIGHEST_WEIGHT + 1)
    weight = otherwise if number.value is None else number.value
    if number.complaint:
        report.warning(entry.line, f"{number.complaint}: {complaint}", f"keepalived uses weight {weight}")
    elif abs(weight) > HIGHEST_WEIGHT:
        weight = HIGHEST_WEIGHT if weight > 0 else -HIGHEST_WEIGHT
        report.warning(
            entry.line,
            f"({owner}) weight for {entry.keyword} cannot be +/-254. Setting to +/-253",
            f"keepalived uses {weight}",
        )
    return weight
