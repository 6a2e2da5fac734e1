"""Races between simulations: one master advertises each second, a number of backups listens.

Ours is the real thing: frames that are encoded, carried by a segment, taken apart, judged and given to the same
state machine that the daemon runs. What is counted is simulated time: seconds, times the routers that live through
them. Building the network and its first election are not timed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

from benchmarks.measure import Contestant, Race
from benchmarks.textbook import InterruptIdiom, LazyDeadlines, StoreIdiom
from sim.network import Network
from sim.scenario import ScenarioSource, read_scenario
from vrrp import Router, RouterConfig, State, VirtualRouterConfig, master_down_ns
from vrrp.protocol.timers import SECOND_NS

BACKUPS = (10, 100)
FLOORS = {100: 5.0}
"""By number of backups: how many times as fast as the interrupt idiom we simulate."""

_COMPARED_S = 20
_SETTLED_S = 10
_MASTER_PRIORITY = 254
_BEST_BACKUP_PRIORITY = 200
_INTERVAL_CS = 100


class Simulation(Protocol):
    """A master at work, and backups that have settled."""

    def run(self, seconds: int) -> None:
        """Let simulated seconds pass."""

    def heard(self) -> int:
        """Advertisements that backups heard so far, all of them together."""

    def fail_over(self) -> tuple[int, float]:
        """Silence the master: which backup takes over, and how long after the last advertisement (seconds)."""


def priorities(backups: int) -> range:
    """The backups' priorities, all different."""
    return range(_BEST_BACKUP_PRIORITY, _BEST_BACKUP_PRIORITY - backups, -1)


class OurNetwork:
    """The simulator with a segment that takes no time and processes that wake on time, as the textbook has it."""

    def __init__(self, backups: int) -> None:
        names = [f"r{number}" for number in range(backups + 1)]
        source = ScenarioSource("benchmark", "", Path())
        interfaces = [{"eth0": {"segment": "lan", "addresses": [f"10.0.0.{n}/24"]}} for n in range(1, backups + 2)]
        scenario = read_scenario(
            {
                "duration": f"{_SETTLED_S}s",
                "profile": "keepalived",
                "segments": {"lan": {"delay": "0s"}},
                "nodes": {
                    name: {"keepalived": "none", "interfaces": each}
                    for name, each in zip(names, interfaces, strict=True)
                },
            },
            source,
        )
        configs = {
            name: _config(priority)
            for name, priority in zip(names, (_MASTER_PRIORITY, *priorities(backups)), strict=True)
        }
        self._network = Network(scenario, source, configs, ideal=True)
        self._network.run()
        self._master, *self._backups = self._network.nodes.values()
        self._routers = [_router(self._network, name) for name in names[1:]]

    def run(self, seconds: int) -> None:
        kernel = self._network.kernel
        kernel.run(kernel.now_ns + seconds * SECOND_NS)

    def heard(self) -> int:
        return sum(router.counters("VI_1").accepted for router in self._routers)

    def fail_over(self) -> tuple[int, float]:
        self._master.power_off(self._network.kernel.now_ns)
        recorder = self._network.recorder
        sent_ns = recorder.sent[-1].at_ns
        self.run(5)
        taken = next(t for t in recorder.transitions if t.new == State.MASTER.value and t.at_ns > sent_ns)
        return [node.name for node in self._backups].index(taken.node), (taken.at_ns - sent_ns) / SECOND_NS


def _config(priority: int) -> RouterConfig:
    virtual_router = VirtualRouterConfig(
        name="VI_1",
        vrid=51,
        version=2,
        interface="eth0",
        priority=priority,
        interval_cs=_INTERVAL_CS,
        addresses=["10.0.0.200"],
    )
    return RouterConfig(virtual_routers=(virtual_router,))


def _router(network: Network, name: str) -> Router:
    process = network.nodes[name].process
    assert process is not None  # it has been running for ten seconds
    return process.router


def textbook_contestants(backups: int) -> tuple[tuple[str, Callable[[], Simulation], str], ...]:
    """Name, how to make it, and a remark. None of them knows a packet."""
    down_s = [master_down_ns(priority, _INTERVAL_CS, 2) / SECOND_NS for priority in priorities(backups)]
    return (
        ("simpy, interrupted timeouts", partial(InterruptIdiom, down_s), ""),
        ("simpy, Store.get() | timeout", partial(StoreIdiom, down_s), ""),
        ("simpy, lazy deadlines", partial(LazyDeadlines, down_s), "no protocol"),
    )


def simulator_races(sizes: Sequence[int] = BACKUPS) -> Iterator[Race]:
    """One race for each number of backups (at most 199)."""
    return map(_race, sizes)


def _race(backups: int) -> Race:
    ours = _contestant("sim", partial(OurNetwork, backups), "frames and routers")
    (first, *others) = textbook_contestants(backups)
    peers = (_contestant(*first, FLOORS.get(backups)), *(_contestant(*other) for other in others))
    return Race(f"simulate {backups} backups", "router-seconds", ours, peers, worth=backups + 1)


def _contestant(name: str, make: Callable[[], Simulation], note: str, floor: float | None = None) -> Contestant:
    def begin(seconds: int) -> Callable[[], None]:
        return partial(make().run, seconds)

    def answers() -> object:
        simulation = make()
        before = simulation.heard()
        simulation.run(_COMPARED_S)
        return simulation.heard() - before, simulation.fail_over()

    return Contestant(name, begin, answers, floor, note)
