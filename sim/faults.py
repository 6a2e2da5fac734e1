"""What can go wrong, and when: the actions of a scenario's events, as one table.

Each row says which keys an event of that action needs and may have, and what it does to the network. That is
all a fault is: the protocol does not know of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sim.process import ScriptOutcome
from sim.scenario import EventSpec, Scenario, ScenarioSource
from vrrp.durations import duration_text
from vrrp.words import nearest

if TYPE_CHECKING:
    from sim.network import Network


@dataclass(frozen=True, slots=True)
class Fault:
    """One action: the keys it needs, the ones it may have, what it does, and how a timeline tells it."""

    needs: tuple[str, ...]
    do: Callable[[Network, EventSpec], None]
    text: str
    may: tuple[str, ...] = ()
    hosts: bool = False
    """Whether `node` may name a server's host as well."""
    haproxy: bool = False
    """Whether it takes a node with HAProxy."""


def _process_do(method: str, *arguments: str) -> Callable[[Network, EventSpec], None]:
    """An action on the running process of a node; nothing where none runs."""

    def act(network: Network, event: EventSpec) -> None:
        process = network.nodes[event.node or ""].process
        if process is not None and process.alive:
            getattr(process, method)(network.kernel.now_ns, *arguments)

    return act


def _node_do(method: str, *arguments: object) -> Callable[[Network, EventSpec], None]:
    """An action on a node."""

    def act(network: Network, event: EventSpec) -> None:
        getattr(network.nodes[event.node or ""], method)(network.kernel.now_ns, *arguments)

    return act


def _link(up: bool) -> Callable[[Network, EventSpec], None]:
    def act(network: Network, event: EventSpec) -> None:
        network.host(event.node or "").set_link(network.kernel.now_ns, event.interface or "", up)

    return act


def _script(outcome: ScriptOutcome) -> Callable[[Network, EventSpec], None]:
    def act(network: Network, event: EventSpec) -> None:
        network.nodes[event.node or ""].set_script(outcome, event.script)

    return act


def _file_set(network: Network, event: EventSpec) -> None:
    network.nodes[event.node or ""].set_file(network.kernel.now_ns, event.file or "", event.value or 0)


def _processes(otherwise: int | None) -> Callable[[Network, EventSpec], None]:
    def act(network: Network, event: EventSpec) -> None:
        count = otherwise if event.count is None else event.count
        network.nodes[event.node or ""].set_processes(network.kernel.now_ns, event.process, count)

    return act


def _reload(network: Network, event: EventSpec) -> None:
    network.reload(event)


def _host_do(method: str) -> Callable[[Network, EventSpec], None]:
    """An action on a host: a node, or what a server runs on."""

    def act(network: Network, event: EventSpec) -> None:
        getattr(network.host(event.node or ""), method)(network.kernel.now_ns)

    return act


def _balancer(method: str) -> Callable[[Network, EventSpec], None]:
    """An action on a node's HAProxy."""

    def act(network: Network, event: EventSpec) -> None:
        balancer = network.nodes[event.node or ""].balancer
        if balancer is not None:
            getattr(balancer, method)(network.kernel.now_ns)

    return act


def _server_do(method: str) -> Callable[[Network, EventSpec], None]:
    """An action on a server's process."""

    def act(network: Network, event: EventSpec) -> None:
        getattr(network.servers[event.server or ""], method)(network.kernel.now_ns)

    return act


def _server_slow(network: Network, event: EventSpec) -> None:
    assert event.delay is not None  # a needed key
    _behave(network, event, latency=event.delay)


def _server_status(network: Network, event: EventSpec) -> None:
    _behave(network, event, status=event.status)


def _server_silent(network: Network, event: EventSpec) -> None:
    _behave(network, event, silent=True)


def _behave(network: Network, event: EventSpec, **changes: Any) -> None:
    server = network.servers[event.server or ""]
    server.behave(replace(server.behavior, **changes))


def _partition(network: Network, event: EventSpec) -> None:
    network.partition(event.segment or "", event.groups or ())


def _heal(network: Network, event: EventSpec) -> None:
    network.partition(event.segment or "", ())


def _loss(network: Network, event: EventSpec) -> None:
    network.kernel.changed()
    network.segments[event.segment or ""].loss = event.rate or 0.0


def _delay(network: Network, event: EventSpec) -> None:
    assert event.delay is not None  # a needed key
    network.kernel.changed()
    network.segments[event.segment or ""].delay = event.delay


FAULTS: dict[str, Fault] = {
    "start": Fault(("node",), _host_do("start"), "start", hosts=True),
    "stop": Fault(("node",), _node_do("stop", "stopped (SIGTERM)"), "stop (SIGTERM)"),
    "crash": Fault(("node",), _node_do("kill", "killed (SIGKILL)"), "crash (SIGKILL, its addresses stay)"),
    "crash-parent": Fault(("node",), _node_do("stop", "its parent was killed"), "crash of the parent process alone"),
    "crash-child": Fault(("node",), _node_do("kill_child", "killed (SIGKILL)"), "crash of the VRRP process alone"),
    "reload": Fault(("node",), _reload, "reload (SIGHUP)", ("keepalived", "environment")),
    "power-off": Fault(("node",), _host_do("power_off"), "power off", hosts=True),
    "pause": Fault(("node",), _process_do("pause"), "pause (SIGSTOP)"),
    "resume": Fault(("node",), _process_do("resume"), "resume (SIGCONT)"),
    "link-down": Fault(("node", "interface"), _link(False), "link down", hosts=True),
    "link-up": Fault(("node", "interface"), _link(True), "link up", hosts=True),
    "script-fail": Fault(("node",), _script(ScriptOutcome.FAIL), "script fails", ("script",)),
    "script-pass": Fault(("node",), _script(ScriptOutcome.PASS), "script passes", ("script",)),
    "script-hang": Fault(("node",), _script(ScriptOutcome.HANG), "script hangs", ("script",)),
    "file-set": Fault(("node", "file", "value"), _file_set, "file says"),
    "process-die": Fault(("node",), _processes(0), "process dies", ("process", "count")),
    "process-start": Fault(("node",), _processes(None), "process starts", ("process", "count")),
    "partition": Fault(("segment", "groups"), _partition, "partition"),
    "heal": Fault(("segment",), _heal, "heal"),
    "loss": Fault(("segment", "rate"), _loss, "loss"),
    "delay": Fault(("segment", "delay"), _delay, "delay"),
    "server-down": Fault(("server",), _server_do("kill"), "server down (SIGKILL)"),
    "server-up": Fault(("server",), _server_do("start"), "server up"),
    "server-slow": Fault(("server", "delay"), _server_slow, "server takes"),
    "server-status": Fault(("server", "status"), _server_status, "server answers"),
    "server-silent": Fault(("server",), _server_silent, "server drops SYNs"),
    "haproxy-kill": Fault(("node",), _balancer("kill"), "haproxy killed (SIGKILL)", haproxy=True),
    "haproxy-start": Fault(("node",), _balancer("start"), "haproxy start", haproxy=True),
    "haproxy-stop": Fault(("node",), _balancer("stop"), "haproxy stop (SIGTERM)", haproxy=True),
    "haproxy-reload": Fault(("node",), _balancer("reload"), "haproxy reload", haproxy=True),
}

_EVENT_KEYS = tuple(key for key in EventSpec.model_fields if key not in {"at", "action"})
_KINDS = ("script", "file", "process")


def check_events(
    scenario: Scenario, source: ScenarioSource, tracked: Mapping[str, Mapping[str, Sequence[str]]] | None = None
) -> None:
    """ScenarioError for an event that names what does not exist, lacks a key, or has one too many.

    `tracked` gives the names of each node's scripts, files and processes: {node: {"script": [...]}}; None: not known.
    """
    for index, event in enumerate(scenario.events):
        _check(scenario, source, event, ("events", index))
        for kind in _KINDS:
            name = getattr(event, kind)
            if name is not None and tracked is not None:
                known = tracked[event.node or ""].get(kind, ())
                if name not in known:
                    raise source.error(("events", index, kind), f"there is no {kind} {name!r}; {nearest(name, known)}")


def _check(scenario: Scenario, source: ScenarioSource, event: EventSpec, where: tuple[str, int]) -> None:
    if event.action not in FAULTS:
        hint = nearest(event.action, FAULTS)
        raise source.error((*where, "action"), f"there is no action {event.action!r}; {hint}")
    fault = FAULTS[event.action]
    given = [key for key in _EVENT_KEYS if getattr(event, key) is not None]
    for key in fault.needs:
        if key not in given:
            raise source.error(where, f"action {event.action!r} needs {key!r}")
    for key in given:
        if key not in fault.needs + fault.may:
            raise source.error((*where, key), f"action {event.action!r} takes no {key!r}")
    hosts: dict[str, Mapping[str, object]] = {name: spec.interfaces for name, spec in scenario.nodes.items()}
    if fault.hosts:
        hosts |= {name: spec.interfaces for name, spec in scenario.servers.items() if spec.node is None}
    for key, known in (
        ("node", list(hosts)),
        ("segment", list(scenario.segments)),
        ("server", list(scenario.servers)),
        ("interface", list(hosts.get(event.node or "", ()))),
    ):
        value = getattr(event, key)
        if value is not None and value not in known:
            raise source.error((*where, key), f"there is no {key} {value!r}; {nearest(value, known)}")
    if fault.haproxy and scenario.nodes[event.node or ""].haproxy is None:
        raise source.error((*where, "node"), f"{event.node} runs no haproxy")
    own = [name for name, spec in scenario.servers.items() if spec.node is None]
    stations = [*scenario.nodes, *own, *scenario.clients]
    grouped: set[str] = set()
    for name in [name for group in event.groups or () for name in group]:
        if name not in stations:
            raise source.error((*where, "groups"), f"there is no node {name!r}; {nearest(name, stations)}")
        if name in grouped:
            raise source.error((*where, "groups"), f"{name!r} stands in two groups; a node hears one of them")
        grouped.add(name)


_TOLD = ("interface", "script", "file", "value", "process", "count", "segment", "server", "status", "keepalived")


def tell(event: EventSpec) -> str:
    """An event as a phrase for the timeline."""
    words = [FAULTS[event.action].text]
    words += [str(getattr(event, key)) for key in _TOLD if getattr(event, key) is not None]
    if event.groups is not None:
        words.append(" | ".join(", ".join(group) for group in event.groups))
    if event.delay is not None:
        constant_ns = event.delay.constant_ns
        words.append("varies" if constant_ns is None else duration_text(constant_ns))
    if event.rate is not None:
        words.append(f"{event.rate:.1%}")
    return " ".join(words)
