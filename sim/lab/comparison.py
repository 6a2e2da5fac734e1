"""Prediction and reality side by side: which transitions belong together, and how far apart they are.

A master's timer runs a little late each time, so where it is after a minute nobody can say to the millisecond; but a
takeover comes so long after the last advertisement that was sent. What is compared is that wait, or the moment itself
where it is nearer: not every takeover waits for an advertisement.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sim.recorder import MASTER
from sim.result import ClientStory, Result, Transition, seconds

CLIENT_NS = 100_000_000
"""How much further off what a client sees may be: it asks now and then only, and a busy machine lets it wait."""
SHARE = 0.05
"""How far the part of a client's requests that fail may be off."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A transition as predicted and as measured; None where the one or the other has none.

    `waits_ns` are predicted and measured since the last advertisement of another router; None: there was none.
    """

    predicted: Transition | None
    measured: Transition | None
    waits_ns: tuple[int, int] | None = None

    @property
    def one(self) -> Transition:
        """Either."""
        known = self.predicted or self.measured
        assert known is not None  # a pair has one at least
        return known

    @property
    def difference_ns(self) -> int | None:
        """How much later it was than predicted."""
        if self.predicted is None or self.measured is None:
            return None
        differences = [self.measured.at_ns - self.predicted.at_ns]
        if self.waits_ns is not None:
            differences.append(self.waits_ns[1] - self.waits_ns[0])
        return min(differences, key=abs)

    @property
    def is_takeover(self) -> bool:
        """Whether a router became master."""
        return self.one.new == MASTER


@dataclass(frozen=True, slots=True)
class Comparison:
    """A run for real beside its prediction. `pairs` are in the order of time."""

    engine: str
    predicted: Result
    measured: Result
    pairs: tuple[Pair, ...]
    start_ups: dict[str, list[int | None]]
    """How long each start of a node's engine took (ns); None: it never spoke."""

    def complaints(self, within_ns: int) -> list[str]:
        """One line for each thing that was not as predicted: a takeover further off, anything that one has alone.

        And what a client saw otherwise. Not a mastership that is shorter than that: who of two is first by a
        millisecond is chance. Nor that a router waits for its scripts' first results: no engine writes that.
        """
        found = []
        brief = _brief(self.pairs, within_ns)
        for pair in self.pairs:
            if pair in brief:
                continue
            one, difference_ns = pair.one, pair.difference_ns
            if pair.measured is None and (one.old, one.new) == ("INITIALIZE", "FAULT"):
                continue
            what = f"{one.node}: ({one.instance}) {one.old} → {one.new}"
            if difference_ns is None:
                how = "was not predicted" if pair.predicted is None else "was predicted, and did not happen"
                found.append(f"{what} at {seconds(one.at_ns):.3f} s {how}")
            elif pair.is_takeover and abs(difference_ns) > within_ns:
                found.append(f"{what} at {seconds(one.at_ns):.3f} s is {difference_ns / 1e6:+.1f} ms off")
        for node, times in self.start_ups.items():
            if None in times:
                found.append(f"{node}: its engine did not begin to run VRRP")
        for name, story in self.measured.clients.items():
            found += _client_complaints(name, self.predicted.clients[name], story, within_ns)
        return found

    @property
    def worst_takeover_ns(self) -> int | None:
        """The largest difference of a takeover, whichever way; None: there was none to compare."""
        differences = [
            abs(pair.difference_ns) for pair in self.pairs if pair.is_takeover and pair.difference_ns is not None
        ]
        return max(differences, default=None)

    def to_json(self, within_ns: int) -> dict[str, Any]:
        """As plain data; times in seconds, differences in milliseconds."""
        worst_ns = self.worst_takeover_ns
        return {
            "engine": self.engine,
            "complaints": self.complaints(within_ns),
            "worst_takeover_ms": None if worst_ns is None else worst_ns / 1e6,
            "transitions": [
                {
                    "node": pair.one.node,
                    "instance": pair.one.instance,
                    "from": pair.one.old,
                    "to": pair.one.new,
                    "predicted": None if pair.predicted is None else seconds(pair.predicted.at_ns),
                    "measured": None if pair.measured is None else seconds(pair.measured.at_ns),
                    "difference_ms": None if pair.difference_ns is None else pair.difference_ns / 1e6,
                }
                for pair in self.pairs
            ],
            "start_ups": {
                node: [None if one is None else seconds(one) for one in times]
                for node, times in self.start_ups.items()
            },
            "prediction": self.predicted.to_json(),
            "measured": self.measured.to_json(),
        }


def _client_complaints(name: str, predicted: ClientStory, measured: ClientStory, within_ns: int) -> Iterator[str]:
    """Where a client saw otherwise than it was predicted to."""
    off_ns = measured.longest_gap_ns - predicted.longest_gap_ns
    if abs(off_ns) > within_ns + CLIENT_NS:
        yield f"{name}: its longest gap is {off_ns / 1e6:+.1f} ms off"
    ours, theirs = (story.failed / max(1, story.sent) for story in (predicted, measured))
    if abs(theirs - ours) > SHARE:
        yield f"{name}: {theirs:.1%} of its requests failed, {ours:.1%} were predicted to"


def compare(engine: str, predicted: Result, measured: Result, start_ups: dict[str, list[int | None]]) -> Comparison:
    """Pair the transitions of each router: both go through the same states in the same order, but for what differs."""
    pairs: list[Pair] = []
    waits = _Waits(predicted, measured)
    keys = dict.fromkeys((one.node, one.instance) for one in (*predicted.transitions, *measured.transitions))
    for key in keys:
        ours, theirs = (
            [one for one in result.transitions if (one.node, one.instance) == key] for result in (predicted, measured)
        )
        pairs += _paired(ours, theirs, waits)
    ordered = sorted(pairs, key=lambda pair: (pair.predicted or pair.one).at_ns)
    return Comparison(engine, predicted, measured, tuple(ordered), start_ups)


def _paired(ours: Sequence[Transition], theirs: Sequence[Transition], waits: _Waits) -> Iterator[Pair]:
    i = j = 0
    for one, other in _matches(ours, theirs):
        yield from (Pair(alone, None) for alone in ours[i:one])
        yield from (Pair(None, alone) for alone in theirs[j:other])
        yield Pair(ours[one], theirs[other], waits.of(ours[one], theirs[other]))
        i, j = one + 1, other + 1
    yield from (Pair(alone, None) for alone in ours[i:])
    yield from (Pair(None, alone) for alone in theirs[j:])


def _matches(ours: Sequence[Transition], theirs: Sequence[Transition]) -> Iterator[tuple[int, int]]:
    """Indices of those that go together, in order: as many as can be, and of all such ways that nearest in time."""
    # From each place on: how many are left alone, and how far the others are apart.
    costs = [[(0, 0)] * (len(theirs) + 1) for _ in range(len(ours) + 1)]
    for i in range(len(ours), -1, -1):
        for j in range(len(theirs), -1, -1):
            ways = []
            if i < len(ours) and j < len(theirs) and ours[i].new == theirs[j].new:
                alone, apart_ns = costs[i + 1][j + 1]
                ways.append((alone, apart_ns + abs(ours[i].at_ns - theirs[j].at_ns)))
            ways += [(costs[i + 1][j][0] + 1, costs[i + 1][j][1])] if i < len(ours) else []
            ways += [(costs[i][j + 1][0] + 1, costs[i][j + 1][1])] if j < len(theirs) else []
            costs[i][j] = min(ways, default=(0, 0))
    i = j = 0
    while i < len(ours) and j < len(theirs):
        alone, apart_ns = costs[i][j]
        if (alone - 1, apart_ns) == costs[i + 1][j]:
            i += 1
        elif (alone - 1, apart_ns) == costs[i][j + 1]:
            j += 1
        else:
            yield i, j
            i, j = i + 1, j + 1


class _Waits:
    """When who advertised, as predicted and as measured."""

    def __init__(self, predicted: Result, measured: Result) -> None:
        self._sent = [_times(result) for result in (predicted, measured)]

    def of(self, predicted: Transition, measured: Transition) -> tuple[int, int] | None:
        """How long each came after the last advertisement of another; None where there was none."""
        waits = []
        for one, sent in zip((predicted, measured), self._sent, strict=True):
            times = [
                before[place - 1]
                for (node, instance), before in sent.items()
                if instance == one.instance and node != one.node and (place := bisect_left(before, one.at_ns))
            ]
            if not times:
                return None
            waits.append(one.at_ns - max(times))
        return waits[0], waits[1]


def _times(result: Result) -> dict[tuple[str, str], list[int]]:
    times: dict[tuple[str, str], list[int]] = {}
    for one in sorted(result.sent, key=lambda one: one.at_ns):
        times.setdefault((one.node, one.instance), []).append(one.at_ns)
    return times


def _brief(pairs: Iterable[Pair], within_ns: int) -> list[Pair]:
    """Those of masterships that one side has alone, and that are shorter than this."""
    alone: dict[tuple[str, str, bool], list[Pair]] = {}
    for pair in sorted(pairs, key=lambda pair: pair.one.at_ns):
        if pair.predicted is None or pair.measured is None:
            alone.setdefault((pair.one.node, pair.one.instance, pair.predicted is None), []).append(pair)
    return [
        pair
        for known in alone.values()
        for begin, end in pairwise(known)
        if begin.is_takeover and end.one.old == MASTER and end.one.at_ns - begin.one.at_ns < within_ns
        for pair in (begin, end)
    ]
