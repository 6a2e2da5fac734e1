"""A cluster on the bench: its network built anew for each trial, driven act by act, and watched until it rests.

All is exact and without chance: processes are never late, so that a trial repeats to the nanosecond, and what is
measured is what the configurations cause.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Iterable, Mapping, Sequence

from sim.network import Network
from sim.proof.failure import PROCESS_ENDS, Failure, Ignored, Kind, breaking, failures, mending
from sim.proof.service import Provider, providers
from sim.proof.settling import Deadlines, Settling, deadlines
from sim.proof.trial import BRIEF_NS, Fate, Plan, Stage, Trial
from sim.scenario import EventSpec, Scenario, ScenarioSource
from vrrp.protocol.profile import profile_named
from vrrp.protocol.settings import RouterConfig

_RACE_NS = 3_000_000
"""Masters that begin within this of each other race: their skews differ by less than one step of priority."""
_LOOK_NS = 600_000_000_000
"""How much simulated time at most goes by before the real time is looked at."""
_BEFORE_FIRST_NS = 137_000_000
"""After the elected state is certain, to the first act: an odd number, so that it meets no timer by chance."""


class OutOfTimeError(Exception):
    """The real time that there was for trials is over."""


class Rig:
    """Runs plans on a cluster. Picklable: worker processes get their own.

    `scenario` has the topology; its events, if any, are left out, and all nodes start at once. `ignored` are scripts
    that the configurations track to no effect. ScenarioError as of `Network`. From the real time `until_s` on
    (`time.monotonic`), or after `most_s` seconds of it, a trial is given up with OutOfTimeError.
    """

    def __init__(
        self,
        scenario: Scenario,
        source: ScenarioSource,
        configs: Mapping[str, RouterConfig],
        ignored: Ignored | None = None,
    ) -> None:
        nodes = {name: node.model_copy(update={"start": 0}) for name, node in scenario.nodes.items()}
        self.scenario = scenario.model_copy(update={"events": (), "clients": {}, "nodes": nodes})
        self.source = source
        self.configs = dict(configs)
        self.until_s = self.most_s = math.inf
        self.slow: set[Failure] = set()
        """What is known to take too long."""
        self._ignored = dict(ignored or {})
        self.providers = providers(scenario, configs, ignored or {})
        self.failures = failures(scenario, configs, ignored or {})
        names = [node.profile or scenario.profile for node in scenario.nodes.values()]
        self.settling = Settling(configs, [profile_named(name) for name in names])
        self._elected_ns: dict[int, int] = {}
        self._adverts_ns: dict[int, Mapping[str, int]] = {}
        Network(self.scenario, source, self.configs)

    def run(self, plan: Plan) -> Trial:
        """Carry a plan out, from start to rest. OutOfTimeError when the real time is over before."""
        run = _Run(self, plan.shift_ns)
        stages = [run.rest((), 0, self._elected_ns.get(plan.shift_ns))]
        self._elected_ns[plan.shift_ns] = stages[0].to_ns
        self._adverts_ns[plan.shift_ns] = {sent.instance: sent.at_ns for sent in run.network.recorder.sent}
        run.advance(_BEFORE_FIRST_NS + plan.offset_ns)
        groups = [plan.failures] if plan.at_once else [(failure,) for failure in plan.failures]
        stages += [run.stage(group, breaks=True) for group in groups]
        if plan.mended:
            stages += [run.stage(group, breaks=False) for group in groups]
        return Trial(plan, tuple(stages), tuple(run.events), run.now_ns)

    def ignored(self, provider: Provider) -> frozenset[str]:
        """The scripts that a node's virtual router tracks to no effect."""
        return self._ignored.get(provider.node, {}).get(provider.instance, frozenset())

    def elect(self, shift_ns: int) -> tuple[int, Mapping[str, int]]:
        """When a trial's first act comes at the earliest, and when each virtual router's master advertised before."""
        if shift_ns not in self._elected_ns:
            self.run(Plan((), shift_ns=shift_ns))
        return self._elected_ns[shift_ns] + _BEFORE_FIRST_NS, self._adverts_ns[shift_ns]


class _Run:
    """A network being driven."""

    def __init__(self, rig: Rig, shift_ns: int) -> None:
        configs = rig.configs
        if shift_ns:
            configs = {
                name: dataclasses.replace(config, startup_delay_ns=config.startup_delay_ns + shift_ns)
                for name, config in configs.items()
            }
        self.network = Network(rig.scenario, rig.source, configs, ideal=True)
        self.network.begin()
        self.events: list[EventSpec] = []
        self._rig = rig
        self._until_s = min(rig.until_s, time.monotonic() + rig.most_s)
        self._broken: tuple[Failure, ...] = ()
        self._seen = 0
        self._serving: dict[str, list[str]] = {address: [] for address in rig.providers}

    @property
    def now_ns(self) -> int:
        """The time in the network."""
        return self.network.kernel.now_ns

    def advance(self, by_ns: int) -> None:
        """Let time pass."""
        end_ns = self.now_ns + by_ns
        while self.now_ns < end_ns:
            if time.monotonic() > self._until_s:
                raise OutOfTimeError
            self.network.kernel.run(min(end_ns, self.now_ns + _LOOK_NS))

    def stage(self, group: Sequence[Failure], *, breaks: bool) -> Stage:
        """Break or mend some things now, and watch until it rests."""
        from_ns = self.now_ns
        for failure in group:
            if breaks:
                event = breaking(failure, self._broken, from_ns)
                self._broken += (failure,)
            else:
                event = mending(failure, self._broken, from_ns)
                self._broken = tuple(other for other in self._broken if other != failure)
            self.events.append(event)
            self.network.act(event)
        return self.rest(group, from_ns)

    def rest(self, group: Sequence[Failure], from_ns: int, known_ns: int | None = None) -> Stage:
        """Watch from the act on until nothing can change any more, or for so long that it always will."""
        settling, settled = self._rig.settling, True
        if known_ns is not None:
            self.advance(known_ns - self.now_ns)
        else:
            looked: Deadlines = {}
            while not settling.settled(self.network, from_ns, looked):
                if self.now_ns - from_ns > settling.limit_ns:
                    settled = False
                    break
                looked = deadlines(self.network)
                self.advance(settling.step_ns)
        return Stage(
            broken=self._broken,
            from_ns=from_ns,
            to_ns=self.now_ns,
            changed_ns=settling.last_change_ns(self.network),
            settled=settled,
            detected_ns=self._detected_ns(group, from_ns),
            fates=self._fates(from_ns),
        )

    def _detected_ns(self, group: Iterable[Failure], from_ns: int) -> int | None:
        """How long after the act the first node concerned changed its priority or went to FAULT."""
        nodes = {f.node for f in group if f.kind not in PROCESS_ENDS and f.kind is not Kind.PARTITION}
        recorder = self.network.recorder
        times = [p.at_ns for p in recorder.priorities if p.at_ns >= from_ns and p.node in nodes]
        times += [t.at_ns for t in recorder.transitions if t.at_ns >= from_ns and t.node in nodes]
        return min(times) - from_ns if times else None

    def _fates(self, from_ns: int) -> dict[str, Fate]:
        """Go through who served what since the last stage."""
        spells = self.network.recorder.spells
        new, self._seen = spells[self._seen :], len(spells)
        fates = {}
        for address, nodes in self._rig.providers.items():
            changes = [(at_ns, node, begins) for at_ns, of, node, begins in new if of == address]
            fates[address] = _fate(nodes, self._broken, self._serving[address], changes, (from_ns, self.now_ns))
        return fates


def _fate(
    nodes: Sequence[Provider],
    broken: Sequence[Failure],
    serving: list[str],
    changes: Sequence[tuple[int, str, bool]],
    span: tuple[int, int],
) -> Fate:
    """An address's fate in a stage; `serving` is who served it before, and then who does after."""
    usable = tuple(p.node for p in nodes if p.usable(broken))
    reachable = {p.node for p in nodes if p.reachable(broken)}
    without_ns, clash_ns, since_ns = 0, 0, span[0]
    clash_from_ns: int | None = None
    for at_ns, node, begins in (*changes, (span[1], "", False)):
        if usable and not any(one in usable for one in serving):
            without_ns += at_ns - since_ns
        two = sum(one in reachable for one in serving) > 1
        if two and clash_from_ns is None:
            clash_from_ns = since_ns
        if clash_from_ns is not None:
            clash_ns = max(clash_ns, (at_ns if two else since_ns) - clash_from_ns)
            clash_from_ns = clash_from_ns if two else None
        since_ns = at_ns
        if begins:
            serving.append(node)
        elif node:
            serving.remove(node)
    taken = [(at_ns, node) for at_ns, node, begins in changes if begins and node in reachable]
    racers = {
        node
        for at_ns, node in taken
        for other_ns, other in taken
        if other != node and abs(at_ns - other_ns) < _RACE_NS
    }
    return Fate(
        masters=tuple(node for node in serving if node in reachable),
        usable=usable,
        without_ns=without_ns,
        clash_ns=clash_ns if clash_ns >= BRIEF_NS else 0,
        takers=tuple(node for _, node in taken),
        racers=tuple(sorted(racers)),
    )
