"""What the simulator says of a run for the moments at which things really were done.

A process needs some time to begin, and a cable is pulled when a command has ended: milliseconds for some, most of a
second for others, and a later phase of every timer. The prediction is made with those moments, so what remains is what
was predicted wrongly.
"""

from __future__ import annotations

from sim.delay import Constant
from sim.haproxy.factory import makers
from sim.inputs import Inputs
from sim.lab.laboratory import SHORT_NS, Laboratory
from sim.network import Network
from sim.result import Result
from sim.scenario import DEFAULT_DELAY_NS, EventSpec, Scenario
from vrrp.protocol.lateness import Lateness
from vrrp.protocol.profile import profile_named


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
    for name, node in network.nodes.items():
        # As late as usual each time: by chance it would be otherwise at other moments than it was.
        node.lateness = Lateness.always(profile_named(lab.profile(name)).timer_latency_ns)
    return network.run()


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
    return lab.scenario.model_copy(update={"nodes": nodes, "segments": segments, "events": events})


def _as_it_was(lab: Laboratory, event: EventSpec, at_ns: int) -> EventSpec:
    if event.action == "start" and event.node is not None:
        zero_ns = lab.chronicle.zero_ns
        begun_ns = max((one for one in lab.begun_ns[event.node] if one <= at_ns + zero_ns), default=None)
        spoke_ns = None if begun_ns is None else _first_word_ns(lab, event.node, begun_ns, zero_ns)
        at_ns = at_ns if spoke_ns is None else spoke_ns
    return event.model_copy(update={"at": max(0, at_ns)})
