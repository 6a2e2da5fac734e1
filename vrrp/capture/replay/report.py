"""A replay told: as JSON for machines, as lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from vrrp.capture.replay.prepare import Prepared
from vrrp.capture.replay.replay import Replay, Transition
from vrrp.capture.replay.stint import Difference, Stint
from vrrp.wire.address import text
from vrrp.words import visible

MOST_ROWS = 200
"""Of each kind that are printed; JSON has all."""
_SECOND_NS = 1_000_000_000
ARROW = "\u2192"


def as_json(prepared: Prepared, result: Replay) -> dict[str, Any]:
    """Everything, times in seconds from the captures' first packet; `first_packet` is in seconds since 1970."""
    zero_ns, setup = prepared.found.first_ns, result.setup

    def at(time_ns: int) -> float:
        return (time_ns - zero_ns) / _SECOND_NS

    def stint(one: Stint | None) -> dict[str, Any] | None:
        if one is None:
            return None
        return {"priority": one.priority, "from": at(one.first_ns), "to": at(one.last_ns), "count": one.count}

    def transition(one: Transition) -> dict[str, Any]:
        return {"t": at(one.at_ns), "instance": one.instance, "from": one.old, "to": one.new, "reason": one.reason}

    discarded: dict[str, dict[str, int]] = {}
    for (instance, reason), count in result.discarded.items():
        discarded.setdefault(instance, {})[reason.name] = count
    return {
        "captures": [capture.name for capture in setup.captures],
        "profile": setup.profile.name,
        "first_packet": zero_ns / _SECOND_NS,
        "duration_s": at(prepared.found.last_ns),
        "start": at(prepared.start_ns),
        "interfaces": {name: [text(one) for one in own] for name, own in setup.interfaces.items()},
        "transitions": [transition(one) for one in result.transitions],
        "priorities": [{**transition(one), "from": int(one.old), "to": int(one.new)} for one in result.priorities],
        "advertised": {
            name: {
                "recorded": [stint(one) for one in result.recorded[name].stints],
                "replayed": [stint(one) for one in sent.stints],
            }
            for name, sent in result.sent.items()
        },
        "differences": [
            {
                "t": at(one.at_ns),
                "instance": one.instance,
                "recorded": stint(one.recorded),
                "replayed": stint(one.replayed),
                "hint": one.hint,
            }
            for one in result.differences
        ],
        "discarded": discarded,
        "packets": {
            "read": result.packets,
            "heard": result.heard,
            "own": result.own,
            "missed": result.missed,
            "elsewhere": result.elsewhere,
        },
        "notes": [*prepared.notes, *result.notes],
    }


def clock(time_ns: int) -> str:
    """Date and time in UTC, to the millisecond."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time_ns // 1000)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d}"


def lines(prepared: Prepared, result: Replay) -> Iterator[str]:
    """What happened, for people; control characters in names are spelled out."""
    for line in _lines(prepared, result):
        yield visible(line)


def _lines(prepared: Prepared, result: Replay) -> Iterator[str]:
    zero_ns, setup = prepared.found.first_ns, result.setup
    names = ", ".join(capture.name for capture in setup.captures)
    seconds = (prepared.found.last_ns - zero_ns) / _SECOND_NS
    yield f"{names}: {seconds:.3f} s from {clock(zero_ns)} UTC, heard by a {setup.profile.name} router"
    yield f"{result.packets} packets, {result.heard} VRRP heard, {result.own} its own" + "".join(
        f", {count} {what}"
        for count, what in ((result.elsewhere, "not for it"), (result.missed, "while it did not run"))
        if count
    )
    yield from (*prepared.notes, *result.notes)
    yield ""
    yield from _story(zero_ns, result)
    yield ""
    yield from _advertised(zero_ns, result)
    if result.discarded:
        yield ""
        yield "Discarded"
        for (instance, reason), count in sorted(result.discarded.items(), key=lambda item: (item[0][0], -item[1])):
            yield f"  {instance or 'no instance'}: {count} x {reason.value}"
    yield ""
    yield from _verdict(zero_ns, result)


def _story(zero_ns: int, result: Replay) -> Iterator[str]:
    rows: list[tuple[int, int, str, str, str]] = []
    rows += [(one.at_ns, 0, "", str(one), "") for one in result.setup.happenings]
    rows += [(one.at_ns, 1, one.instance, "priority", f"{one.old} {ARROW} {one.new}") for one in result.priorities]
    rows += [(one.at_ns, 1, one.instance, f"{one.old} {ARROW} {one.new}", one.reason) for one in result.transitions]
    rows.sort(key=lambda row: row[:2])
    more = len(rows[MOST_ROWS:]) + result.dropped
    del rows[MOST_ROWS:]
    width = max((len(row[3]) for row in rows if row[1]), default=0)
    table = [("time (s)", "UTC", "instance", "what happens")]
    for at_ns, is_effect, name, what, why in rows:
        told = f"{what:<{width}}  {why}" if is_effect else what
        table.append((f"{(at_ns - zero_ns) / _SECOND_NS:.3f}", clock(at_ns)[-12:], name, told))
    yield from _table(table, right=1)
    if more:
        yield f"and {more} more"


def _advertised(zero_ns: int, result: Replay) -> Iterator[str]:
    table = [("instance", "", "priority", "from (s)", "to (s)", "times")]
    for name, sent in result.sent.items():
        for who, stints in (("recorded", result.recorded[name].stints), ("replayed", sent.stints)):
            if not stints:
                table.append((name, who, "", "", "", "never"))
            table += [
                (
                    name,
                    who,
                    str(one.priority),
                    f"{(one.first_ns - zero_ns) / _SECOND_NS:.3f}",
                    f"{(one.last_ns - zero_ns) / _SECOND_NS:.3f}",
                    str(one.count),
                )
                for one in stints[:MOST_ROWS]
            ]
    yield "Advertised"
    for line in _table(table, left=2):
        yield f"  {line}"


def _verdict(zero_ns: int, result: Replay) -> Iterator[str]:
    found = result.differences
    if not result.own:
        yield "The router itself sent nothing in this capture: there is nothing to compare with."
        return
    if not found:
        yield "It did what it was recorded to do."
        return
    yield f"{len(found)} difference{'s' * (len(found) != 1)} from what it was recorded to do"
    for one in found[:MOST_ROWS]:
        yield f"  {(one.at_ns - zero_ns) / _SECOND_NS:.3f}  {one.instance}: {_differs(zero_ns, one)}"
        if one.hint:
            yield f"    {one.hint}"


def _differs(zero_ns: int, one: Difference) -> str:
    def told(stint: Stint | None) -> str:
        if stint is None:
            return "nothing"
        first, last = ((at_ns - zero_ns) / _SECOND_NS for at_ns in (stint.first_ns, stint.last_ns))
        span = f"at {first:.3f}" if stint.count == 1 else f"{first:.3f} to {last:.3f}"
        return f"{stint} ({span})"

    return f"recorded {told(one.recorded)}; replayed {told(one.replayed)}"


def _table(rows: Sequence[Sequence[str]], *, left: int | None = None, right: int = 0) -> Iterator[str]:
    """Aligned columns: the first `right` to the right and the others to the left, or the first `left` to the left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = []
        for number, (cell, width) in enumerate(zip(row, widths, strict=True)):
            to_left = number < left if left is not None else number >= right
            cells.append(cell.ljust(width) if to_left else cell.rjust(width))
        yield "  ".join(cell for cell, width in zip(cells, widths, strict=True) if width).rstrip()
