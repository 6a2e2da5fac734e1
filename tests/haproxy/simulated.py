"""A recorded run simulated: the same stack, each event as long after the master's last advertisement as recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from haproxy.recorded import Recording, Request, Seen
from haproxy.stack import VIP, Stack
from sim.client import Client
from sim.faults import FAULTS
from sim.flow.balancer import Service
from sim.haproxy.factory import makers
from sim.haproxy.process import Haproxy, HaproxyProcess
from sim.haproxy.server_state import ServerState
from sim.inputs import from_scenario
from sim.network import Network
from sim.node import Node
from vrrp.protocol.profile import KEEPALIVED

SECOND_NS = 1_000_000_000
_BEFORE_END_S = 0.4
"""When the last statistics were taken, before the clients asked no more."""
STATISTICS = ("chkfail", "chkdown", "econ", "wretr", "wredis", "stot")


class Simulation:
    """One run with chance by `seed`. `zero_s` is the run's time of the first event."""

    def __init__(self, recording: Recording, stack: Stack, folder: Path, seed: int) -> None:
        inputs = from_scenario(stack.write(folder))
        self.network = network = Network(
            inputs.scenario,
            inputs.source,
            dict(inputs.configs),
            seed,
            scripts=inputs.scripts,
            balancers=makers(inputs.balancers),
        )
        self.statistics: dict[str, dict[str, dict[str, Mapping[str, object]]]] = {}
        self._recording = recording
        for place, node in enumerate(network.nodes.values()):
            node.booted = True
            for service in node.services:
                times = stack.haproxies_s if isinstance(service, Haproxy) else stack.apis_s
                network.kernel.at(round(times[place] * SECOND_NS), partial(_start, node, service))
        network.begin()
        for name, client in network.clients.items():
            network.kernel.at(network.scenario.clients[name].start, client.start)
        self.zero_s = self._run(stack)
        self.result = network.told(network.kernel.now_ns)
        self.seen = self._what_was_seen()

    def _run(self, stack: Stack) -> float:
        network, kernel = self.network, self.network.kernel
        first, *later = network.scenario.events
        marks = self._recording.marks
        # It may be a little late or early for the recorded phase; a master's period is a second.
        kernel.run(first.at - SECOND_NS // 2)
        sent = max(one.at_ns for one in network.recorder.sent if one.node == "n1")
        phase_ns = round(self._recording.phase_s() * SECOND_NS)
        periods = round((first.at - sent - phase_ns) / SECOND_NS)
        period_ns = SECOND_NS + KEEPALIVED.timer_latency_ns
        zero_ns = sent + periods * period_ns + phase_ns
        self._note("before", zero_ns)
        FAULTS[first.action].do(network, first)
        self._note("during", zero_ns + round(marks[1][0] * SECOND_NS))
        for event in later:
            kernel.run(event.at - first.at + zero_ns)
            FAULTS[event.action].do(network, event)
        # What was done first may have taken long, and all that was noted afterwards came that much later.
        late_s = min(0.0, self._recording.seen.holders[0][0] - _BEFORE_END_S)
        self._note("after", zero_ns + round((self._recording.end_s + late_s) * SECOND_NS))
        kernel.run(round(stack.duration_s * SECOND_NS))
        return zero_ns / SECOND_NS

    def _note(self, tag: str, at_ns: int) -> None:
        """What the HAProxies have counted by then."""
        kernel = self.network.kernel
        kernel.run(at_ns)
        self.statistics[tag] = {
            name: {
                server.spec.name: {key: _counted(server, key) for key in STATISTICS}
                for server in process.backends["apiserverbackend"].servers
            }
            for name, process in self._haproxies()
        }

    def _haproxies(self) -> Iterator[tuple[str, HaproxyProcess]]:
        """Those that run."""
        for name, node in self.network.nodes.items():
            if isinstance(node.balancer, Haproxy) and node.balancer.running and node.balancer.process is not None:
                yield name, node.balancer.process

    @property
    def adverts(self) -> list[tuple[float, str, int]]:
        """Each advertisement: when, whose, with which priority."""
        return [(one.at_ns / SECOND_NS - self.zero_s, one.node, one.priority) for one in self.result.sent]

    def _what_was_seen(self) -> Seen:
        zero_s = self.zero_s
        requests = {name: _requests(client, zero_s) for name, client in self.network.clients.items()}
        held = [one for one in self.result.ownership if one.address == VIP]
        moments = sorted({at_ns for one in held for at_ns in (one.from_ns, one.to_ns)})
        holders = [
            (at_ns / SECOND_NS - zero_s, tuple(sorted(one.node for one in held if one.from_ns <= at_ns < one.to_ns)))
            for at_ns in moments
        ]
        return Seen(requests["new"], requests["ka"], holders)


def _start(node: Node, service: Service) -> None:
    service.start(node.kernel.now_ns)


def _counted(server: ServerState, key: str) -> object:
    return getattr(server if hasattr(server, key) else server.health, key)


def _requests(client: Client, zero_s: float) -> list[Request]:
    return [
        Request(float(start) - zero_s, float(end) - zero_s, result)
        for _, _, start, end, _, result, _ in client.requests.rows("new")
    ]
