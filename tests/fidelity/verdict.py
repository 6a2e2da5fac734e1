"""How far a prediction is from what was recorded: who was master, compared over the whole time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from fidelity.recording import Entry

MS_NS = 1_000_000
LIMIT_NS = 30 * MS_NS
"""How long per takeover the two may disagree. A real process is late by what its machine makes it wait."""
SETTLED_NS = 200 * MS_NS
"""Who is master at the end is asked this long before it."""
SAME_NS = 1_000 * MS_NS
"""A predicted takeover further away than this is another one."""

Steps = list[tuple[int, frozenset[str]]]
"""Who is master from when on."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The comparison. `errors_ns`: predicted minus recorded time of each takeover that both have."""

    takeovers: int
    disagreement_ns: int
    same_at_end: bool
    errors_ns: tuple[int, ...]

    @property
    def good(self) -> bool:
        """Whether the masters are the same at the end and nearly all the time."""
        return self.same_at_end and self.disagreement_ns <= max(self.takeovers, 1) * LIMIT_NS

    def __str__(self) -> str:
        worst = max(self.errors_ns, key=abs, default=0)
        return (
            f"{self.takeovers} takeovers, {len(self.errors_ns)} of them predicted, worst by {worst / MS_NS:+.1f} ms; "
            f"other masters for {self.disagreement_ns / MS_NS:.1f} ms; "
            f"{'the same' if self.same_at_end else 'others'} at the end"
        )


def compare(recorded: list[Entry], predicted: list[Entry], ends: Iterable[tuple[int, str]], end_ns: int) -> Verdict:
    """Judge a prediction. `ends`: when which node's process ended, in both; `end_ns`: how long it all lasted."""
    gone = list(ends)
    disagreement_ns, same = 0, True
    for instance in sorted({entry.instance for entry in recorded}):
        real, ours = (_masters(entries, instance, gone) for entries in (recorded, predicted))
        cuts = sorted({at_ns for at_ns, _ in real + ours if at_ns < end_ns} | {end_ns})
        disagreement_ns += sum(
            until_ns - from_ns for from_ns, until_ns in pairwise(cuts) if _at(real, from_ns) != _at(ours, from_ns)
        )
        same = same and _at(real, end_ns - SETTLED_NS) == _at(ours, end_ns - SETTLED_NS)
    takeovers = [entry for entry in recorded if entry.state == "MASTER"]
    errors = [_error_ns(entry, predicted) for entry in takeovers]
    return Verdict(len(takeovers), disagreement_ns, same, tuple(error for error in errors if abs(error) < SAME_NS))


def _masters(entries: list[Entry], instance: str, gone: list[tuple[int, str]]) -> Steps:
    changes = [(entry.at_ns, entry.node, entry.state) for entry in entries if entry.instance == instance]
    changes += [(at_ns, node, "INITIALIZE") for at_ns, node in gone]
    masters: frozenset[str] = frozenset()
    steps: Steps = [(0, masters)]
    for at_ns, node, state in sorted(changes, key=lambda change: change[0]):
        masters = masters | {node} if state == "MASTER" else masters - {node}
        steps.append((at_ns, masters))
    return steps


def _at(steps: Steps, at_ns: int) -> frozenset[str]:
    return [masters for since_ns, masters in steps if since_ns <= at_ns][-1]


def _error_ns(entry: Entry, predicted: list[Entry]) -> int:
    """The nearest prediction of this takeover, as a difference in time; SAME_NS where there is none."""
    found = [
        other.at_ns - entry.at_ns
        for other in predicted
        if (other.state, other.node, other.instance) == ("MASTER", entry.node, entry.instance)
    ]
    return min(found, key=abs, default=SAME_NS)
