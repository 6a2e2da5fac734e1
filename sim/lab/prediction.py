"""What the simulator says of a run for the moments at which things really were done.

A process needs some time to begin, and a cable is pulled when a command has ended: milliseconds for some, most of a
second for others, and a later phase of every timer. The prediction is made with those moments, so what remains is what
was predicted wrongly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from sim.delay import Constant
from sim.flow.balancer import Service
from sim.haproxy.factory import makers
from sim.haproxy.process import START_NS
from sim.inputs import Inputs
from sim.lab.laboratory import SHORT_NS, Laboratory
from sim.network import Network
from sim.node import Node
from sim.result import Result
from sim.scenario import DEFAULT_DELAY_NS, EventSpec, Scenario
from vrrp.protocol.lateness import Lateness
from vrrp.protocol.profile import profile_named

READING_NS = sum(START_NS) // len(START_NS)
"""What HAProxy takes until it listens, as usual."""
_READING = frozenset({"haproxy-start", "haproxy-reload"})
"""What was done when HAProxy had read its file."""


def predict(inputs: Inputs, lab: Laboratory) -> Result:
    """Simulate what was done in a laboratory that has ended."""
    scenario = _as_done(lab)
    network = Network(
        scenario,
        inputs.source,
        dict(lab.setting.routers),
        reloads=lab.setting.later_routers,
        balancers=makers(inputs.balancers),
        scripts=inputs.scripts,
    )
    began_ns = lab.services.began_ns()
    for name, node in network.nodes.items():
        _boot(network, node, began_ns[name], lab.chronicle.zero_ns)
        # As late as usual each time: by chance it would be otherwise at other moments than it was.
        node.lateness = Lateness.always(profile_named(lab.profile(name)).timer_latency_ns)
        node.acquiring = Lateness.always(node.acquiring.median_ns)
    return network.run()


def _boot(network: Network, node: Node, began_ns: Mapping[str, Sequence[int]], zero_ns: int) -> None:
    """What starts with a node is there when it was: a Python needs some time to begin to listen."""
    node.booted = True
    for service in node.services:
        first_ns = min(began_ns.get(service.name, ()), default=None)
        if first_ns is not None:
            start_ns = first_ns - (READING_NS if service is node.balancer else 0)
            network.kernel.at(max(0, start_ns - zero_ns), partial(_start, network, service))


def _start(network: Network, service: Service) -> None:
    service.start(network.kernel.now_ns)


def start_ups(lab: Laboratory) -> dict[str, list[int | None]]:
    """How long each start of a node's engine took until its log spoke of a state (ns); None: it never did."""
    return {name: [_first_word_ns(lab, name, at_ns, at_ns) for at_ns in begun] for name, begun in lab.begun_ns.items()}


def _first_word_ns(lab: Laboratory, node: str, after_ns: int, since_ns: int) -> int | None:
    found = lab.chronicle.first_state_ns(node, after_ns)
    return None if found is None else found - since_ns


def _as_done(lab: Laboratory) -> Scenario:
    """The scenario with the moments at which each thing was done, without what was not."""
    zero_ns = lab.chronicle.zero_ns
    nodes = {}
    for name, spec in lab.scenario.nodes.items():
        start_ns = spec.start
        if start_ns is not None and lab.begun_ns[name]:
            begun_ns = lab.begun_ns[name][0]
            start_ns = max(0, _first_word_ns(lab, name, begun_ns, zero_ns) or begun_ns - zero_ns)
        nodes[name] = spec.model_copy(update={"start": start_ns, "profile": lab.profile(name)})
    segments = {}
    for name, segment in lab.scenario.segments.items():
        constant_ns = segment.delay.constant_ns
        delay = segment.delay if constant_ns is not None and constant_ns <= SHORT_NS else Constant(DEFAULT_DELAY_NS)
        segments[name] = segment.model_copy(update={"delay": delay})
    events = tuple(_as_it_was(lab, event, at_ns - zero_ns) for event, at_ns in lab.done)
    # What a server waits before it listens is in the moments at which it did.
    servers = {name: spec.model_copy(update={"start_delay": 0}) for name, spec in lab.scenario.servers.items()}
    changes = {"nodes": nodes, "segments": segments, "servers": servers, "events": events}
    return lab.scenario.model_copy(update=changes)


def _as_it_was(lab: Laboratory, event: EventSpec, at_ns: int) -> EventSpec:
    zero_ns = lab.chronicle.zero_ns
    if event.action == "start" and event.node in lab.nodes:
        begun_ns = max((one for one in lab.begun_ns[event.node] if one <= at_ns + zero_ns), default=None)
        spoke_ns = None if begun_ns is None else _first_word_ns(lab, event.node, begun_ns, zero_ns)
        at_ns = at_ns if spoke_ns is None else spoke_ns
    if event.action == "server-up" and event.server is not None:
        listened_ns = lab.services.servers[event.server].listened_ns
        at_ns = min((one - zero_ns for one in listened_ns if one - zero_ns >= at_ns), default=at_ns)
    if event.action in _READING:
        at_ns -= READING_NS
    return event.model_copy(update={"at": max(0, at_ns)})
