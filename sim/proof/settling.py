"""When nothing is going to happen any more: how long to look, computed from the configurations, and a quick test.

The quick test spares most of the waiting and is exact: without chance, a network in which every backup has just
heard its master, every check script's verdict is what the script says, and no delay runs, repeats itself for ever.
Where it does not hold (a sync group whose members wait for each other) only a quiet `patience_ns` settles it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sim.network import Network
from sim.process import ScriptOutcome, VrrpProcess
from vrrp.protocol.profile import Profile
from vrrp.protocol.settings import RouterConfig
from vrrp.protocol.state import State
from vrrp.protocol.timers import CENTISECOND_NS, SECOND_NS, master_down_ns

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
        self.step_ns = max(self.interval_ns, SECOND_NS // 4)
        """How often to look."""
        self._quiet_ns = 2 * self.interval_ns + _SLACK_NS
        if delay_ns or startup_ns:
            self._quiet_ns += delay_ns + startup_ns + down_ns
        self.patience_ns = detection_ns + delay_ns + startup_ns + 3 * down_ns + self._quiet_ns
        """In this time whatever has an end ends: detection, delays, election, and one more election."""
        self.limit_ns = _ROUNDS * self.patience_ns
        """Who still changes after this will always."""

    def settled(self, network: Network, since_ns: int) -> bool:
        """Whether nothing can change any more without another failure; `since_ns` is when the last one was done."""
        now_ns = network.kernel.now_ns
        quiet_ns = now_ns - max(since_ns, self.last_change_ns(network))
        if quiet_ns < self._quiet_ns:
            return False
        if quiet_ns >= self.patience_ns:
            return True
        return all(
            _at_rest(network, process, now_ns)
            for node in network.nodes.values()
            if (process := node.process) is not None
        )

    @staticmethod
    def last_change_ns(network: Network) -> int:
        """When a state or a priority changed last."""
        recorder = network.recorder
        return max(
            recorder.transitions[-1].at_ns if recorder.transitions else 0,
            recorder.priorities[-1].at_ns if recorder.priorities else 0,
        )


def _at_rest(network: Network, process: VrrpProcess, now_ns: int) -> bool:
    """Whether a process awaits nothing: its backups heard a master lately, its scripts' verdicts are up to date."""
    if not process.alive:
        return True
    router = process.router
    for name, tracker in router.scripts.items():
        passes = process.node.script_outcome(name) is ScriptOutcome.PASS
        if tracker.results and tracker.up is not passes:
            return False
    for virtual_router in router.virtual_routers:
        if virtual_router.state is not State.BACKUP:
            continue
        interval_ns = virtual_router.master_interval_cs * CENTISECOND_NS
        # Of its timer no more is gone than since the last advertisement; one that was lengthened runs down unheard.
        gone_ns = virtual_router.master_down_interval_ns - ((virtual_router.deadline_ns or 0) - now_ns)
        if virtual_router.wants_master or not 0 <= gone_ns <= interval_ns + _SLACK_NS:
            return False
    return True
