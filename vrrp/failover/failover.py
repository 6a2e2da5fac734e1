"""The sum of each failure of a master: what passes until its node knows, and what until another one is master.

Four ways lead from a failure to a takeover, and every failure takes one of them for each virtual router:

* silence: the master says nothing more; a backup waits for the rest of its Master_Down_Interval.
* good-bye: it advertises priority 0; a backup waits for its Skew_Time.
* lower: it advertises a lower priority; a backup that is higher refuses that, so its timer runs on from the last
  advertisement that it took: Master_Down_Interval again.
* nothing: it does not change; nobody takes over.

In a sync group the slowest member decides. Numbers of real processes were measured with keepalived 2.2.7.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from vrrp.failover.part import Part, best_ns, fixed, worst_ns
from vrrp.failover.standing import Peer, Standing, Tracked, standings
from vrrp.protocol.profile import Profile
from vrrp.protocol.settings import RouterConfig, ScriptConfig, TrackedInterface, VirtualRouterConfig
from vrrp.protocol.timers import CENTISECOND_NS, master_down_ns, seconds_text, skew_ns
from vrrp.protocol.tracking import OVERDUE_NS, RUN_DRIFT_NS, SCRIPT_RUN_NS


class Mishap(enum.Enum):
    """What happens to a master; the value is the phrase that people read."""

    CRASH = "crashes, loses power or is cut off"
    STOP = "is stopped"
    SCRIPT = "script fails"
    HANG = "script hangs"
    PROCESS = "process ends"
    LINK = "loses its link"


class _Way(enum.Enum):
    SILENCE = "silence"
    GOODBYE = "priority 0"
    LOWER = "a lower priority"
    NOTHING = "nothing changes"


@dataclass(frozen=True, slots=True)
class Failover:
    """One failure of the master of a virtual router, and the sum until another node is master.

    `what` is the script or the interface. `detection` are the parts until the master's node knows, `takeover` those
    from then on. `taker` is None when nobody takes over; `reason` then says why.
    """

    standing: Standing
    mishap: Mishap
    what: str
    detection: tuple[Part, ...]
    takeover: tuple[Part, ...]
    taker: Peer | None
    reason: str = ""

    @property
    def parts(self) -> tuple[Part, ...]:
        """The whole sum."""
        return self.detection + self.takeover

    @property
    def best_ns(self) -> int:
        """When it comes at the best moment."""
        return best_ns(self.parts)

    @property
    def worst_ns(self) -> int:
        """When it comes at the worst moment."""
        return worst_ns(self.parts)

    @property
    def typical_ns(self) -> int:
        """The median over all moments."""
        return sum(part.typical_ns for part in self.parts)

    def __str__(self) -> str:
        phrase: str = self.mishap.value
        if self.mishap is not Mishap.LINK and self.what:
            kind, does = phrase.split()
            return f"{kind} {self.what} {does}"
        return f"{self.what} {phrase}" if self.what else phrase


def failovers(
    configs: Mapping[str, RouterConfig],
    profile: Profile,
    ignored: Mapping[str, Mapping[str, frozenset[str]]] | None = None,
) -> Iterator[Failover]:
    """Every failure of every master: its process and node, what it tracks, its links.

    Nodes that do not agree with each other, or the members of sync groups on the order of the nodes, are for the
    simulator: here all hear each other and the node with the highest priority is master.

    Args:
        configs: the nodes' configurations, converted for the profile, by name.
        profile: whose behaviour.
        ignored: node -> virtual router -> the scripts it tracks to no effect.
    """
    everything = standings(configs)
    for standing in everything:
        if len(standing.peers) > 1:
            sums = _Sums(standing, everything, profile)
            yield from sums.failovers()
            master = standing.master
            for name in sorted((ignored or {}).get(master.node, {}).get(master.router.name, ())):
                yield sums.ignored(name)


class _Sums:
    """The sums of one virtual router."""

    def __init__(self, standing: Standing, everything: Sequence[Standing], profile: Profile) -> None:
        self._standing = standing
        self._everything = everything
        self._profile = profile
        self._master = standing.master

    def failovers(self) -> Iterator[Failover]:
        """All of the master's failures, in the order of `Mishap`."""
        master = self._master
        yield self._sum(Mishap.CRASH, "", (), dict.fromkeys(master.companions, _Way.SILENCE))
        yield self._sum(Mishap.STOP, "", (), dict.fromkeys(master.companions, _Way.GOODBYE))
        scripts = {script.name: script for script in master.host.scripts}
        for mishap in (Mishap.SCRIPT, Mishap.HANG):
            for tracked in master.scripts():
                yield self._of_tracked(mishap, tracked, self._script(scripts[tracked.name], mishap))
        for followed in master.processes():
            yield self._of_tracked(Mishap.PROCESS, followed, self._ending(followed.name))
        own = dict.fromkeys(one.interface for one in master.companions)
        for name in own:
            yield self._own_link(name)
        for watched in master.interfaces():
            if watched.name not in own:
                yield self._of_tracked(Mishap.LINK, watched, self._carrier(watched.name))

    def ignored(self, script: str) -> Failover:
        """The failure of a script that is tracked to no effect."""
        master = self._master
        why = "priority 255" if master.router.owner else "member of a sync group"
        return self._never(Mishap.SCRIPT, script, f"it has a weight, and {master.node} ignores it: {why}")

    # What happens to the master -------------------------------------------------------------------------

    def _script(self, script: ScriptConfig, mishap: Mishap) -> tuple[Part, ...]:
        interval = seconds_text(script.interval_ns)
        parts = [Part(f"until the script is run again (interval {interval})", 0, script.interval_ns)]
        if script.fall > 1:
            more = script.fall - 1
            parts.append(
                fixed(f"{more} more bad runs (fall {script.fall}), {interval} apart", more * script.interval_ns)
            )
        if mishap is Mishap.HANG:
            parts.append(fixed("the run is killed (timeout)", script.timeout_ns + OVERDUE_NS))
        else:
            parts.append(fixed("the script itself runs (measured)", SCRIPT_RUN_NS))
        # A run that is late puts off the next by a part of that only.
        late_ns = self._profile.timer_latency_ns
        drift_ns = (script.fall - 1) * min(late_ns, RUN_DRIFT_NS)
        return (*parts, *self._late("the runs begin late", late_ns + drift_ns))

    def _ending(self, name: str) -> tuple[Part, ...]:
        delays = [process.terminate_delay_ns for process in self._master.host.processes if process.name == name]
        return tuple(fixed("terminate_delay", delay_ns) for delay_ns in delays if delay_ns)

    def _carrier(self, name: str) -> tuple[Part, ...]:
        detection_ns = self._profile.link_detection_ns
        parts = [fixed("the kernel tells of the carrier (measured)", detection_ns)] if detection_ns else []
        delays = [delays.down_ns for delays in self._master.host.link_delays if delays.name == name]
        return (*parts, *(fixed("interface_up_down_delays", delay_ns) for delay_ns in delays))

    def _of_tracked(self, mishap: Mishap, tracked: Tracked, detection: tuple[Part, ...]) -> Failover:
        """Something tracked fails: FAULT, a lower priority, or nothing at all."""
        master = self._master
        if isinstance(tracked, TrackedInterface) and not self._profile.tracks_links:
            return self._never(mishap, tracked.name, f"{self._profile.name} does not watch links")
        if tracked.reverse:
            return self._never(mishap, tracked.name, "it is tracked in reverse: failing is what is wanted")
        if not tracked.weight:
            return self._sum(mishap, tracked.name, detection, dict.fromkeys(master.companions, _Way.GOODBYE))
        before, after = master.priority(), master.priority([tracked])
        if before == after:
            return self._never(mishap, tracked.name, f"its priority stays {before}")
        ways = {one: _Way.LOWER if one == master.router else _Way.NOTHING for one in master.companions}
        return self._sum(mishap, tracked.name, detection, ways, after)

    def _own_link(self, name: str) -> Failover:
        """The link of one of its group, or its own: good-byes leave on the others only."""
        master = self._master
        silent = [one for one in master.companions if one.interface == name]
        noticed = self._profile.tracks_links and any(one.track_own_interface for one in silent)
        ways = dict.fromkeys(master.companions, _Way.GOODBYE if noticed else _Way.NOTHING)
        ways |= dict.fromkeys(silent, _Way.SILENCE)
        return self._sum(Mishap.LINK, name, (), ways, told=self._carrier(name))

    # What the backups do --------------------------------------------------------------------------------

    def _sum(
        self,
        mishap: Mishap,
        what: str,
        detection: tuple[Part, ...],
        ways: Mapping[VirtualRouterConfig, _Way],
        lowered: int = 0,
        told: tuple[Part, ...] = (),
    ) -> Failover:
        """The quickest backup takes over.

        `lowered` is the master's new priority on the way LOWER, `told` what passes before its good-byes where that is
        not the whole detection.
        """
        sums = []
        for peer in self._standing.peers[1:]:
            # Its own first: of equally slow members the one that is asked about is named.
            companions = sorted(peer.companions, key=lambda one: one != peer.router)
            members = [self._member(peer, one, ways, lowered, told) for one in companions]
            if all(parts is not None for parts in members):
                sums.append((max((parts for parts in members if parts is not None), key=worst_ns), peer))
        if not sums:
            best = self._standing.peers[1]
            return self._never(mishap, what, self._excuse(best, ways, lowered))
        takeover, taker = min(sums, key=lambda one: worst_ns(one[0]))
        return Failover(self._standing, mishap, what, detection, takeover, taker)

    def _never(self, mishap: Mishap, what: str, reason: str) -> Failover:
        return Failover(self._standing, mishap, what, (), (), None, reason)

    def _excuse(self, peer: Peer, ways: Mapping[VirtualRouterConfig, _Way], lowered: int) -> str:
        if ways.get(self._master.router) is not _Way.LOWER:
            return "other members of the sync group stay where they are"
        if not peer.router.preempt and peer.priority() > lowered:
            return f"its priority falls to {lowered}, but {peer.node} ({peer.priority()}) has nopreempt"
        return f"its priority falls to {lowered}, and {peer.node} has {peer.priority()}"

    def _member(
        self,
        peer: Peer,
        router: VirtualRouterConfig,
        ways: Mapping[VirtualRouterConfig, _Way],
        lowered: int,
        told: tuple[Part, ...],
    ) -> tuple[Part, ...] | None:
        """How long one member of a backup's sync group waits; None: for ever."""
        standing = next(s for s in self._everything if (s.vrid, s.width) == (router.vrid, router.width))
        theirs, ours = standing.of(self._master.node), standing.of(peer.node)
        if theirs is None or ours is None:
            return None
        way = ways.get(theirs.router, _Way.NOTHING)
        if way is _Way.SILENCE:
            return self._silence(ours, theirs)
        if way is _Way.GOODBYE:
            return (*told, self._skew(ours, theirs), *self._late("its timer rings late"))
        if way is _Way.LOWER and ours.router.preempt and ours.priority() > lowered:
            return self._lower(ours, theirs)
        return None

    def _silence(self, ours: Peer, theirs: Peer) -> tuple[Part, ...]:
        advert_ns = theirs.router.interval_cs * CENTISECOND_NS
        age = Part("the last advertisement is up to one interval old", -advert_ns, 0)
        return (age, *self._down(ours, theirs))

    def _lower(self, ours: Peer, theirs: Peer) -> tuple[Part, ...]:
        """The lower priority is refused, and the timer set by the last advertisement before runs on.

        With preempt_delay advertisements are taken for that long after the first lower one; then it is the same.
        """
        delay_ns = ours.router.preempt_delay_ns
        if not delay_ns:
            return self._silence(ours, theirs)
        advert_ns = theirs.router.interval_cs * CENTISECOND_NS
        whole_ns = (-(-delay_ns // advert_ns) - 1) * advert_ns
        return (
            Part("until the next advertisement, which begins preempt_delay", 0, advert_ns),
            fixed(f"in {seconds_text(delay_ns)} of preempt_delay the last is taken after", whole_ns),
            *self._down(ours, theirs),
        )

    def _down(self, ours: Peer, theirs: Peer) -> tuple[Part, ...]:
        """Master_Down_Interval in its two parts."""
        router = ours.router
        interval_cs = theirs.router.interval_cs if router.version == 3 else router.interval_cs
        down_ns = master_down_ns(
            ours.priority(), interval_cs, router.version, self._profile.skew, router.down_timer_adverts
        )
        skew = self._skew(ours, theirs)
        count = router.down_timer_adverts
        interval = seconds_text(interval_cs * CENTISECOND_NS)
        return (
            fixed(f"{count} advertisement intervals of {interval}", down_ns - skew.best_ns),
            skew,
            *self._late("its timer rings late"),
        )

    def _skew(self, ours: Peer, theirs: Peer) -> Part:
        router = ours.router
        interval_cs = theirs.router.interval_cs if router.version == 3 else router.interval_cs
        time_ns = skew_ns(ours.priority(), interval_cs, router.version, self._profile.skew)
        by = f" x {seconds_text(interval_cs * CENTISECOND_NS)}" if router.version == 3 else " s"
        member = f", of {router.name}: the slowest of the group" if router.vrid != self._standing.vrid else ""
        return fixed(f"skew (256 - {ours.priority()}) / 256{by}{member}", time_ns)

    def _late(self, text: str, late_ns: int | None = None) -> tuple[Part, ...]:
        """What a real process adds: `late_ns`, or what it adds to one timer."""
        time_ns = self._profile.timer_latency_ns if late_ns is None else late_ns
        return (fixed(f"{text} (measured)", time_ns),) if time_ns else ()
