"""What happened in a run: frozen records, picklable, no simulator object inside. All times in nanoseconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Transition:
    """A virtual router changed its state. `instance` is its name; states are INITIALIZE, BACKUP, MASTER, FAULT."""

    at_ns: int
    node: str
    instance: str
    old: str
    new: str
    reason: str


@dataclass(frozen=True, slots=True)
class PriorityChange:
    """An effective priority moved."""

    at_ns: int
    node: str
    instance: str
    old: int
    new: int
    reason: str


@dataclass(frozen=True, slots=True)
class Sent:
    """An advertisement left a node."""

    at_ns: int
    node: str
    instance: str
    priority: int


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of the scenario, as a phrase; `node` is None when it concerns a segment."""

    at_ns: int
    node: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Said:
    """Something that a load balancer on a node tells of its servers or itself: what, and why."""

    at_ns: int
    node: str
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time for an address (text): an outage, two masters. `nodes` are those it concerns."""

    address: str
    from_ns: int
    to_ns: int
    nodes: tuple[str, ...] = ()

    @property
    def duration_ns(self) -> int:
        """How long it lasted."""
        return self.to_ns - self.from_ns


@dataclass(frozen=True, slots=True)
class Ownership:
    """An address (text) was on a node's interface, whether or not its router was running."""

    address: str
    node: str
    from_ns: int
    to_ns: int


@dataclass(frozen=True, slots=True)
class Latency:
    """How long requests took that succeeded: the median, what 99 of 100 took at most, the longest."""

    p50_ns: int
    p99_ns: int
    max_ns: int


@dataclass(frozen=True, slots=True)
class ClientStory:
    """What one client saw. A gap runs from the first failed try to the next that succeeded (or the end).

    `errors` are the failed by what went wrong, the most frequent first. `seconds` are, for each second of the run,
    how many of the requests that began in it there were, and how many of those failed.
    """

    target: str
    sent: int
    ok: int
    failed: int
    gaps: tuple[tuple[int, int], ...]
    errors: Mapping[str, int] = field(default_factory=dict)
    latency: Latency | None = None
    seconds: tuple[tuple[int, int], ...] = ()

    @property
    def longest_gap_ns(self) -> int:
        """The longest gap, 0 when there was none."""
        return max((to_ns - from_ns for from_ns, to_ns in self.gaps), default=0)


@dataclass(frozen=True, slots=True)
class Result:
    """One run. `instances` maps each instance name to the addresses it stands for, in the files' order.

    `outages` are the times in which no running master with a working link stood for an address, from its first
    master on (and the whole run where there never was one); `dual_masters` those with more than one.
    """

    title: str
    seed: int
    duration_ns: int
    nodes: tuple[str, ...]
    instances: Mapping[str, tuple[str, ...]]
    transitions: tuple[Transition, ...]
    priorities: tuple[PriorityChange, ...]
    sent: tuple[Sent, ...]
    events: tuple[Happened, ...]
    ownership: tuple[Ownership, ...]
    outages: tuple[Span, ...]
    dual_masters: tuple[Span, ...]
    clients: Mapping[str, ClientStory]
    counters: Mapping[str, Mapping[str, Any]]
    notes: tuple[str, ...] = ()
    said: tuple[Said, ...] = ()
    balancers: Mapping[str, Sequence[Mapping[str, str]]] = field(default_factory=dict)
    """The rows of HAProxy's `show stat` at the end, by node."""

    @property
    def healthy_at_end(self) -> bool:
        """Whether every address has exactly one master when the run ends."""
        return not any(span.to_ns == self.duration_ns for span in self.outages + self.dual_masters)

    def to_json(self) -> dict[str, Any]:
        """The run as plain data for machines; times in seconds."""
        return {
            "title": self.title,
            "seed": self.seed,
            "duration_s": seconds(self.duration_ns),
            "transitions": [
                {
                    "t": seconds(t.at_ns),
                    "node": t.node,
                    "instance": t.instance,
                    "from": t.old,
                    "to": t.new,
                    "reason": t.reason,
                }
                for t in self.transitions
            ],
            "ownership": [
                {"address": o.address, "node": o.node, "from": seconds(o.from_ns), "to": seconds(o.to_ns)}
                for o in self.ownership
            ],
            "outages": [_span_json(span) for span in self.outages],
            "dual_masters": [_span_json(span) for span in self.dual_masters],
            "clients": {
                name: {
                    "sent": story.sent,
                    "ok": story.ok,
                    "failed": story.failed,
                    "longest_gap": seconds(story.longest_gap_ns),
                    "gaps": [
                        {"from": seconds(a), "to": seconds(b), "duration": seconds(b - a)} for a, b in story.gaps
                    ],
                    "errors": dict(story.errors),
                    "latency": _latency_json(story.latency),
                    "seconds": [{"sent": sent, "failed": failed} for sent, failed in story.seconds],
                }
                for name, story in self.clients.items()
            },
            "nodes": {name: dict(counters) for name, counters in self.counters.items()},
            "priorities": [
                {
                    "t": seconds(p.at_ns),
                    "node": p.node,
                    "instance": p.instance,
                    "from": p.old,
                    "to": p.new,
                    "reason": p.reason,
                }
                for p in self.priorities
            ],
            "said": [{"t": seconds(s.at_ns), "node": s.node, "what": s.what, "why": s.why} for s in self.said],
            "events": [{"t": seconds(e.at_ns), "node": e.node, "text": e.text} for e in self.events],
            "healthy_at_end": self.healthy_at_end,
            "notes": list(self.notes),
        }


def seconds(duration_ns: int) -> float:
    """Nanoseconds as seconds, for people and JSON."""
    return duration_ns / SECOND_NS


def _latency_json(latency: Latency | None) -> dict[str, float] | None:
    if latency is None:
        return None
    return {"p50": seconds(latency.p50_ns), "p99": seconds(latency.p99_ns), "max": seconds(latency.max_ns)}


def _span_json(span: Span) -> dict[str, Any]:
    return {
        "address": span.address,
        "from": seconds(span.from_ns),
        "to": seconds(span.to_ns),
        "duration": seconds(span.duration_ns),
        "nodes": list(span.nodes),
    }
