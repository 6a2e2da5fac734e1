"""When nothing is going to happen any more: how long to look, computed from the configurations, and a quick test.

The quick test spares most of the waiting and is exact: without chance, a network in which every backup has just
heard its master, every check script's verdict is what the script says, and no delay runs, repeats itself for ever.
Where it does not hold (a sync group whose members wait for each other) only a quiet `patience_ns` settles it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from sim.network import Network
from sim.process import ScriptOutcome, VrrpProcess
from vrrp.protocol.profile import Profile
from vrrp.protocol.settings import RouterConfig
from vrrp.protocol.state import State
from vrrp.protocol.timers import CENTISECOND_NS, SECOND_NS, master_down_ns
from vrrp.protocol.virtual_router import VirtualRouter

Deadlines: TypeAlias = Mapping[tuple[str, str], int]
"""When each virtual router acts next, by node and name."""

_SLACK_NS = 20_000_000
"""Frames on their way, scripts that run, links that are noticed: what ends soon."""
_ROUNDS = 12
"""How many times the patience a network may go on changing before it is said to do so for ever."""


class Settling:
    """How long things take in a cluster at most, and whether a network of it has come to rest."""

    def __init__(self, configs: Mapping[str, RouterConfig], profiles: Iterable[Profile]) -> None:
        routers = [router for config in configs.values() for router in config.virtual_routers]
        skews = {profile.skew for profile in profiles}
        self.interval_ns = max(router.interval_cs for router in routers) * CENTISECOND_NS
        """The longest advertisement interval of any node."""
        down_ns = max(
            master_down_ns(1, max(r.interval_cs for r in routers), router.version, skew, router.down_timer_adverts)
            for router in routers
            for skew in skews
        )
        delay_ns = max(router.preempt_delay_ns for router in routers)
        startup_ns = max(config.startup_delay_ns for config in configs.values())
        scripts = [script for config in configs.values() for script in config.scripts]
        detection_ns = max((max(s.rise, s.fall) * s.interval_ns + s.timeout_ns for s in scripts), default=0)
        detection_ns += max((max(d.up_ns, d.down_ns) for c in configs.values() for d in c.link_delays), default=0)
        processes = [process for config in configs.values() for process in config.processes]
        detection_ns += max((max(p.fork_delay_ns, p.terminate_delay_ns) for p in processes), default=0)
        self.step_ns = max(self.interval_ns, SECOND_NS // 4)
        """How often to look."""
        self._quiet_ns = 2 * self.interval_ns + _SLACK_NS
        if delay_ns or startup_ns:
            self._quiet_ns += delay_ns + startup_ns + down_ns
        self.patience_ns = detection_ns + delay_ns + startup_ns + 3 * down_ns + self._quiet_ns
        """In this time whatever has an end ends: detection, delays, election, and one more election."""
        self.limit_ns = _ROUNDS * self.patience_ns
        """Who still changes after this will always."""

    def settled(self, network: Network, since_ns: int, looked: Deadlines) -> bool:
        """Whether nothing can change any more without another failure.

        Args:
            network: as it is now.
            since_ns: when the last failure was done.
            looked: the deadlines of `step_ns` ago.
        """
        now_ns = network.kernel.now_ns
        quiet_ns = now_ns - max(since_ns, self.last_change_ns(network))
        if quiet_ns < self._quiet_ns:
            return False
        processes = [node.process for node in network.nodes.values() if node.process is not None]
        if quiet_ns >= self.patience_ns:
            return not any(_gone_ns(virtual_router, now_ns) < 0 for virtual_router in _backups(processes))
        return all(_at_rest(process, now_ns, looked) for process in processes)

    @staticmethod
    def last_change_ns(network: Network) -> int:
        """When a state or a priority changed last."""
        recorder = network.recorder
        return max(
            recorder.transitions[-1].at_ns if recorder.transitions else 0,
            recorder.priorities[-1].at_ns if recorder.priorities else 0,
        )


def deadlines(network: Network) -> Deadlines:
    """When each virtual router, by node and name, acts next."""
    return {
        _key(node.process, virtual_router): virtual_router.wake_ns
        for node in network.nodes.values()
        if node.process is not None
        for virtual_router in node.process.router.virtual_routers
    }


def _at_rest(process: VrrpProcess, now_ns: int, looked: Deadlines) -> bool:
    """Whether a process awaits nothing: its backups hear a master, its scripts' verdicts are up to date."""
    if not process.alive:
        return True
    router = process.router
    if router.undecided:
        return False
    for name, tracker in router.scripts.items():
        outcome = process.node.script_outcome(name)
        if outcome is None and name in process.node.looks:
            return False  # what it will find is not known
        if tracker.results and tracker.up is not (outcome in {None, ScriptOutcome.PASS}):
            return False
    for virtual_router in _backups([process]):
        if virtual_router.wants_master or virtual_router.wake_ns == looked.get(_key(process, virtual_router)):
            return False
        interval_ns = virtual_router.master_interval_cs * CENTISECOND_NS
        if not 0 <= _gone_ns(virtual_router, now_ns) <= interval_ns + _SLACK_NS:
            return False
    return True


def _backups(processes: Iterable[VrrpProcess]) -> Iterator[VirtualRouter]:
    for process in processes:
        for virtual_router in process.router.virtual_routers:
            if process.alive and virtual_router.state is State.BACKUP:
                yield virtual_router


def _gone_ns(virtual_router: VirtualRouter, now_ns: int) -> int:
    """How much of its timer is gone: no more than since the last advertisement, where a backup hears its master.

    Less than nothing where something lengthened the timer (keepalived has two ways): it runs down unheard.
    """
    return virtual_router.master_down_interval_ns - (virtual_router.wake_ns - now_ns)


def _key(process: VrrpProcess, virtual_router: VirtualRouter) -> tuple[str, str]:
    return process.node.name, virtual_router.config.name
