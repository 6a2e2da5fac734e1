"""Prediction and reality in words: a table for each run, what users saw, and whether it was as predicted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from rich.console import Console

from sim.lab.comparison import Comparison, Pair
from sim.result import ClientStory, Result, Span, Transition
from sim.sections import Section, print_section
from sim.timeline import BRIEF_NS, duration_text, time_text
from vrrp.words import visible

_NONE = "—"


def print_side_by_side(
    comparisons: Sequence[Comparison], plan: Result | None, within_ns: int, console: Console
) -> None:
    """Print every run; `plan` is what the simulator says of the scenario as it stands, when it was asked."""
    for one in comparisons:
        for section in sections(one, plan, within_ns):
            print_section(section, console)


def sections(one: Comparison, plan: Result | None, within_ns: int) -> Iterator[Section]:
    """The tables of one run."""
    yield _transitions(one, plan)
    yield _started(one)
    yield _spans(f"Without a master, {one.engine}", one.predicted.outages, one.measured.outages, "No outage.")
    none = "Never two masters for 1 ms or longer."
    yield _spans(f"Two masters, {one.engine}", _clashes(one.predicted), _clashes(one.measured), none)
    if one.measured.clients:
        yield _clients(one)
        yield from _failures(one)
    notes = tuple(visible(note) for note in one.measured.notes)
    if notes:
        yield Section(f"Notes, {one.engine}", (), (), notes)
    yield _verdict(one, within_ns)


def _clashes(result: Result) -> list[Span]:
    return [span for span in result.dual_masters if span.duration_ns >= BRIEF_NS]


def _transitions(one: Comparison, plan: Result | None) -> Section:
    planned = {} if plan is None else _numbered(plan.transitions)
    several = len(one.measured.instances) > 1
    columns = [("predicted", "R"), ("measured", "R"), ("difference", "R"), ("node", "L")]
    columns = ([] if plan is None else [("sim", "R")]) + columns + ([("instance", "L")] if several else [])
    rows = []
    counts: dict[tuple[str, str, str], int] = {}
    for pair in one.pairs:
        known = pair.one
        key = (known.node, known.instance, known.new)
        number = counts[key] = counts.get(key, -1) + 1
        cells = [] if plan is None else [_time(planned.get((*key, number)))]
        cells += [_time(pair.predicted), _time(pair.measured), difference_text(pair), visible(known.node)]
        cells += [visible(known.instance)] if several else []
        reason = (pair.measured or known).reason or known.reason
        rows.append((*cells, f"{known.old} → {known.new}", visible(reason)))
    return Section(
        f"{one.engine}: predicted and measured (s)",
        (*columns, ("what happened", "L"), ("why", "L")),
        tuple(rows),
        () if rows else ("Nothing happened.",),
    )


def _numbered(transitions: Sequence[Transition]) -> dict[tuple[str, str, str, int], Transition]:
    counts: dict[tuple[str, str, str], int] = {}
    found = {}
    for one in transitions:
        key = (one.node, one.instance, one.new)
        counts[key] = counts.get(key, -1) + 1
        found[*key, counts[key]] = one
    return found


def _time(one: Transition | None) -> str:
    return _NONE if one is None else time_text(one.at_ns)


def difference_text(pair: Pair) -> str:
    """How much later it was than predicted, see `sim.lab.comparison`: "+0.4 ms"."""
    return _NONE if pair.difference_ns is None else f"{pair.difference_ns / 1e6:+.1f} ms"


def _started(one: Comparison) -> Section:
    rows = [
        (visible(node), ", ".join("never" if took is None else duration_text(took) for took in times))
        for node, times in one.start_ups.items()
    ]
    columns = (("node", "L"), ("until it said so", "L"))
    return Section(f"Starting, {one.engine}: counted from the first state in the log", columns, tuple(rows), ())


def _spans(heading: str, ours: Sequence[Span], theirs: Sequence[Span], none: str) -> Section:
    rows = []
    for address in dict.fromkeys(span.address for span in (*ours, *theirs)):
        predicted, measured = ([span for span in spans if span.address == address] for spans in (ours, theirs))
        for one, other in zip_longest(predicted, measured):
            known = one or other
            assert known is not None  # zip_longest gives one at least
            rows.append((visible(address), time_text(known.from_ns), _span(one), _span(other)))
    columns = (("address", "L"), ("from", "R"), ("predicted", "R"), ("measured", "R"))
    return Section(heading, columns, tuple(rows), () if rows else (none,))


def _span(span: Span | None) -> str:
    return _NONE if span is None else duration_text(span.duration_ns)


def _clients(one: Comparison) -> Section:
    rows = []
    for name, story in one.measured.clients.items():
        predicted = one.predicted.clients[name]
        for what, known in (("predicted", predicted), ("measured", story)):
            rows.append((visible(name), visible(known.target), what, *_seen(known)))
    heads = ("sent", "ok", "failed", "longest gap")
    columns = (("client", "L"), ("target", "L"), ("", "L"), *((head, "R") for head in heads), ("what failed", "L"))
    return Section(f"Clients, {one.engine}", columns, tuple(rows), ())


def _seen(story: ClientStory) -> tuple[str, ...]:
    gap = duration_text(story.longest_gap_ns) if story.gaps else "none"
    errors = ", ".join(f"{visible(kind)} {count}" for kind, count in story.errors.items())
    return (str(story.sent), str(story.ok), str(story.failed), gap, errors or _NONE)


def _failures(one: Comparison) -> Iterator[Section]:
    """The part of each second's requests that failed, of the seconds in which some did; one row for equal ones."""
    rows: list[tuple[str, int, int, str, str]] = []
    for name, story in one.measured.clients.items():
        both = zip_longest(one.predicted.clients[name].seconds, story.seconds, fillvalue=(0, 0))
        for second, (ours, theirs) in enumerate(both):
            if ours[1] or theirs[1]:
                row = (visible(name), second, second + 1, _share(ours), _share(theirs))
                last = rows[-1] if rows else None
                if last is not None and (last[0], last[2], *last[3:]) == (row[0], second, *row[3:]):
                    rows[-1] = (last[0], last[1], *row[2:])
                else:
                    rows.append(row)
    if rows:
        columns = (("client", "L"), ("seconds", "R"), ("predicted", "R"), ("measured", "R"))
        cells = tuple((name, f"{begin} to {end}", *shares) for name, begin, end, *shares in rows)
        yield Section(f"Requests that failed, {one.engine}", columns, cells, ())


def _share(second: tuple[int, int]) -> str:
    sent, failed = second
    return f"{failed / sent:.0%}" if sent else _NONE


def _verdict(one: Comparison, within_ns: int) -> Section:
    complaints = one.complaints(within_ns)
    compared = sum(pair.is_takeover and pair.difference_ns is not None for pair in one.pairs)
    worst_ns = one.worst_takeover_ns
    takeovers = f"{compared} {'takeover' if compared == 1 else 'takeovers'}"
    worst = "" if worst_ns is None else f", the worst {worst_ns / 1e6:.1f} ms off"
    if not complaints:
        return Section(f"{one.engine}: as predicted", (), (), (f"{takeovers}{worst}.",))
    return Section(f"{one.engine}: not as predicted", (), (), (f"{takeovers}{worst}.", *map(visible, complaints)))
