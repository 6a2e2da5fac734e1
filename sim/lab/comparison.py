"""Prediction and reality side by side: which transitions belong together, and how far apart they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from sim.recorder import MASTER
from sim.result import Result, Transition, seconds


@dataclass(frozen=True, slots=True)
class Pair:
    """A transition as predicted and as measured; None where the one or the other has none."""

    predicted: Transition | None
    measured: Transition | None

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
        return self.measured.at_ns - self.predicted.at_ns

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
        """One line for each thing that was not as predicted: a takeover further off, anything that one has alone."""
        found = []
        for pair in self.pairs:
            one, difference_ns = pair.one, pair.difference_ns
            what = f"{one.node}: ({one.instance}) {one.old} → {one.new}"
            if difference_ns is None:
                how = "was not predicted" if pair.predicted is None else "was predicted, and did not happen"
                found.append(f"{what} at {seconds(one.at_ns):.3f} s {how}")
            elif pair.is_takeover and abs(difference_ns) > within_ns:
                found.append(f"{what} at {seconds(one.at_ns):.3f} s is {difference_ns / 1e6:+.1f} ms off")
        for node, times in self.start_ups.items():
            if None in times:
                found.append(f"{node}: its engine did not begin to run VRRP")
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


def compare(engine: str, predicted: Result, measured: Result, start_ups: dict[str, list[int | None]]) -> Comparison:
    """Pair the transitions of each router: both go through the same states in the same order, but for what differs."""
    pairs: list[Pair] = []
    keys = dict.fromkeys((one.node, one.instance) for one in (*predicted.transitions, *measured.transitions))
    for key in keys:
        ours, theirs = (
            [one for one in result.transitions if (one.node, one.instance) == key] for result in (predicted, measured)
        )
        pairs += _paired(ours, theirs)
    ordered = sorted(pairs, key=lambda pair: (pair.predicted or pair.one).at_ns)
    return Comparison(engine, predicted, measured, tuple(ordered), start_ups)


def _paired(ours: Sequence[Transition], theirs: Sequence[Transition]) -> list[Pair]:
    states = ([one.new for one in ours], [one.new for one in theirs])
    pairs: list[Pair] = []
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, *states, autojunk=False).get_opcodes():
        if kind == "equal":
            pairs += [Pair(*both) for both in zip(ours[i1:i2], theirs[j1:j2], strict=True)]
        else:
            pairs += [Pair(one, None) for one in ours[i1:i2]]
            pairs += [Pair(None, one) for one in theirs[j1:j2]]
    return pairs
