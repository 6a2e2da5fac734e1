"""What can fail in a cluster: one table of kinds, and every failure that a cluster's configurations offer.

A kind says which scenario events break a thing and mend it. The simulator does the rest; what a failure means for an
address says `sim.proof.service`.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sim.scenario import EventSpec, Scenario
from vrrp.protocol.settings import RouterConfig, SyncGroupConfig, VirtualRouterConfig

Ignored: TypeAlias = Mapping[str, Mapping[str, frozenset[str]]]
"""Node -> virtual router -> the scripts that its configuration tracks to no effect."""


class Kind(enum.Enum):
    """How something fails; the value is the phrase that people read."""

    SCRIPT = "script fails"
    HANG = "script hangs"
    PROCESS = "process ends"
    CRASH = "crashes"
    POWER = "loses power"
    STOP = "is stopped"
    LINK = "loses its link"
    PARTITION = "is cut off"


_ACTIONS: Mapping[Kind, tuple[str, str]] = {
    Kind.SCRIPT: ("script-fail", "script-pass"),
    Kind.HANG: ("script-hang", "script-pass"),
    Kind.PROCESS: ("process-die", "process-start"),
    Kind.CRASH: ("crash", "start"),
    Kind.POWER: ("power-off", "start"),
    Kind.STOP: ("stop", "start"),
    Kind.LINK: ("link-down", "link-up"),
}
"""The events that break and mend; a partition is made of all nodes that are cut off at a time."""

SCRIPTED = frozenset({Kind.SCRIPT, Kind.HANG})
"""Of these, `what` is a script."""

PROCESS_ENDS = frozenset({Kind.CRASH, Kind.POWER, Kind.STOP})
"""Of these, one node can suffer one at a time."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that breaks. `what` is the script, process, interface or segment; empty for the whole node."""

    kind: Kind
    node: str
    what: str = ""

    def __str__(self) -> str:
        if self.kind in SCRIPTED:
            return f"{self.node}: {self.kind.value.replace('script', f'script {self.what}')}"
        if self.kind is Kind.PROCESS:
            return f"{self.node}: process {self.what} ends"
        if self.kind is Kind.LINK:
            return f"{self.node}: {self.what} loses its link"
        if self.kind is Kind.PARTITION:
            return f"{self.node}: cut off from {self.what}"
        return f"{self.node} {self.kind.value}"

    def excludes(self, other: Failure) -> bool:
        """Whether the two cannot both be: the same one, or two ends of one process."""
        if self.node != other.node:
            return False
        return self == other or {self.kind, other.kind} <= PROCESS_ENDS


def failures(scenario: Scenario, configs: Mapping[str, RouterConfig], ignored: Ignored) -> tuple[Failure, ...]:
    """Every single failure of a cluster, node by node in the order of the scenario.

    Scripts that no virtual router means to track are left out: nothing could follow from them. That a script hangs is
    not among them: but for the time that takes, it is a script that fails.
    """
    found: list[Failure] = []
    for node, config in configs.items():
        followers: list[VirtualRouterConfig | SyncGroupConfig] = [*config.virtual_routers, *config.sync_groups]
        tracked = {tracked.name for follower in followers for tracked in follower.track_scripts}
        tracked.update(*ignored.get(node, {}).values())
        found += [Failure(Kind.SCRIPT, node, script.name) for script in config.scripts if script.name in tracked]
        followed = dict.fromkeys(tracked.name for follower in followers for tracked in follower.track_processes)
        found += [Failure(Kind.PROCESS, node, name) for name in followed]
        found += [Failure(kind, node) for kind in (Kind.CRASH, Kind.POWER, Kind.STOP)]
        interfaces = scenario.nodes[node].interfaces
        found += [Failure(Kind.LINK, node, interface) for interface in interfaces]
        segments = dict.fromkeys(spec.segment for spec in interfaces.values())
        found += [Failure(Kind.PARTITION, node, name) for name in segments if _shared(scenario, name)]
    return tuple(found)


def _shared(scenario: Scenario, segment: str) -> bool:
    """Whether more than one node is on a segment; nobody can be cut off from one where he is alone."""
    on_it = [
        node for node in scenario.nodes.values() if any(spec.segment == segment for spec in node.interfaces.values())
    ]
    return len(on_it) > 1


def breaking(failure: Failure, broken: Sequence[Failure], at_ns: int) -> EventSpec:
    """The event that breaks one thing more, when `broken` are broken already."""
    if failure.kind is Kind.PARTITION:
        return _partition((*broken, failure), failure.what, at_ns)
    return _event(failure, _ACTIONS[failure.kind][0], at_ns)


def mending(failure: Failure, broken: Sequence[Failure], at_ns: int) -> EventSpec:
    """The event that mends one of the things `broken`."""
    if failure.kind is Kind.PARTITION:
        return _partition([other for other in broken if other != failure], failure.what, at_ns)
    return _event(failure, _ACTIONS[failure.kind][1], at_ns)


def _event(failure: Failure, action: str, at_ns: int) -> EventSpec:
    return EventSpec.model_construct(
        at=at_ns,
        action=action,
        node=failure.node,
        script=failure.what if failure.kind in SCRIPTED else None,
        interface=failure.what if failure.kind is Kind.LINK else None,
        process=failure.what if failure.kind is Kind.PROCESS else None,
    )


def _partition(broken: Iterable[Failure], segment: str, at_ns: int) -> EventSpec:
    """Each node that is cut off is alone; the others, and whoever else is there, are together."""
    away = [f.node for f in broken if f.kind is Kind.PARTITION and f.what == segment]
    groups = tuple((node,) for node in away)
    action = "partition" if groups else "heal"
    return EventSpec.model_construct(at=at_ns, action=action, segment=segment, groups=groups or None)
