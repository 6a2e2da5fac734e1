"""A scenario made into a network of objects, run, and told as a result."""

from __future__ import annotations

import gc
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TypeAlias

from sim.alarms import AlarmClock
from sim.client import Client, Habits
from sim.faults import FAULTS, check_events, tell
from sim.flow.balancer import Balancer
from sim.flow.flows import Flows
from sim.haproxy.snapshots import haproxies
from sim.kernel import Kernel
from sim.node import ACQUIRE_UNDER_LOAD, Node
from sim.recorder import Recorder
from sim.requests import write_requests
from sim.result import Happened, Result
from sim.scenario import EventSpec, InterfaceSpec, Scenario, ScenarioSource
from sim.script import ScriptRun, Step, step_of
from sim.segment import Port, Segment
from sim.server import Behavior, Server
from vrrp.protocol.profile import profile_named
from vrrp.protocol.router import Router
from vrrp.protocol.settings import RouterConfig, VirtualRouterConfig
from vrrp.wire.address import text
from vrrp.words import nearest

ReloadKey: TypeAlias = tuple[str, str | None, tuple[tuple[str, str], ...]]
MakeBalancer: TypeAlias = "Callable[[Node, Flows], Balancer]"


def reload_key(event: EventSpec) -> ReloadKey:
    """What decides which configuration a reload finds: the node, the file and the environment."""
    return event.node or "", event.keepalived, tuple(sorted((event.environment or {}).items()))


class Network:
    """Everything of one run. `configs` gives each node's router configuration; `ideal` processes are never late.

    `reloads` gives those of reload events that name another file or environment, by `reload_key`. `balancers` makes
    the load balancer of each node that has one; a node without, on which no server runs, accepts connections to all
    ports itself. `scripts` are the check scripts that really look, by node and name; the scenario's own come before
    them. Without `quick` flows go step by step, with the same results.

    ScenarioError (with the place in the scenario file) for a topology that cannot be: an interface on a segment
    that does not exist, a virtual router on an interface the node lacks or without an address of its family.
    """

    def __init__(
        self,
        scenario: Scenario,
        source: ScenarioSource,
        configs: dict[str, RouterConfig],
        seed: int | None = None,
        *,
        ideal: bool = False,
        reloads: Mapping[ReloadKey, RouterConfig] | None = None,
        balancers: Mapping[str, MakeBalancer] | None = None,
        scripts: Mapping[str, Mapping[str, Sequence[Step]]] | None = None,
        quick: bool = True,
    ) -> None:
        self._ideal = ideal
        self._reloads = reloads or {}
        self._balancers = balancers or {}
        self.scenario = scenario
        self.source = source
        self.kernel = Kernel(scenario.seed if seed is None else seed)
        self.flows = Flows(self.kernel, quick=quick)
        self._clock = AlarmClock(self.kernel)
        self.recorder = Recorder()
        self.segments = {
            name: Segment(self.kernel, name, spec.delay, spec.loss) for name, spec in scenario.segments.items()
        }
        self.nodes: dict[str, Node] = {}
        self.servers: dict[str, Server] = {}
        self.clients: dict[str, Client] = {}
        self.instances: dict[str, tuple[str, ...]] = {}
        self._macs = 0
        self._addresses: dict[tuple[str, str], str] = {}
        self._scripts = scripts or {}
        check_events(scenario, source, self._tracked(configs))
        self._check_names()
        for name, config in configs.items():
            self._add_node(name, config)
        for name in scenario.servers:
            self._add_server(name)
        for name, node in self.nodes.items():
            if not node.services:
                node.services.append(Server(node, name, None, Behavior()))
        for name in scenario.clients:
            self._add_client(name)

    def run(
        self,
        until_ns: int | None = None,
        progress: Callable[[int], None] | None = None,
        notes: tuple[str, ...] = (),
    ) -> Result:
        """Let it all happen, to the scenario's duration or `until_ns`; `progress` hears how far it has come.

        `notes` go into the result as they are.
        """
        duration_ns = self.scenario.duration if until_ns is None else until_ns
        self.begin()
        for event in sorted(self.scenario.events, key=lambda event: event.at):
            if event.at < duration_ns:
                self._note(event)
                self.kernel.at(event.at, lambda event=event: FAULTS[event.action].do(self, event))  # type: ignore[misc]  # mypy cannot type a default
        for name, client in self.clients.items():
            self.kernel.at(self.scenario.clients[name].start, client.start)
        steps = 100 if progress is not None else 1
        with seldom_collected():
            for step in range(1, steps + 1):
                self.kernel.run(duration_ns * step // steps)
                if progress is not None:
                    progress(self.kernel.now_ns)
        return self.told(duration_ns, notes)

    def begin(self) -> None:
        """Have the nodes started when their time comes: a run without its events, for one who decides as it goes."""
        for name, server in self.servers.items():
            if server.node.name not in self.nodes and self.scenario.servers[name].running:
                self.kernel.at(0, lambda server=server: server.start(0))  # type: ignore[misc]  # mypy cannot type a default
        for name, node in self.nodes.items():
            start_ns = self.scenario.nodes[name].start
            if start_ns is not None:
                self.kernel.at(start_ns, lambda node=node: node.start(self.kernel.now_ns))  # type: ignore[misc]  # mypy cannot type a default

    def act(self, event: EventSpec) -> None:
        """Let an event happen now, whenever it says, before whatever else is due at this moment."""
        self._note(event)
        FAULTS[event.action].do(self, event)

    def _note(self, event: EventSpec) -> None:
        self.recorder.events.append(Happened(event.at, event.node or event.server, tell(event)))

    def partition(self, name: str, groups: Sequence[Sequence[str]]) -> None:
        """Split a segment into groups of stations by name."""
        segment = self.segments[name]
        segment.partition([[p for station in group for p in self._ports(station, segment)] for group in groups])

    def reload(self, event: EventSpec) -> None:
        """A node's configuration changes, and its VRRP process is told so."""
        node = self.nodes[event.node or ""]
        before = node.configuration
        node.reload(self.kernel.now_ns, self._reloads.get(reload_key(event), before))
        wanted = {
            address
            for one in self.nodes.values()
            for virtual_router in one.configuration.virtual_routers
            for address in _served(virtual_router)
        }
        for virtual_router in before.virtual_routers:
            for address in _served(virtual_router):
                if address not in wanted:
                    self.recorder.dismiss(self.kernel.now_ns, address)

    def _tracked(self, configs: Mapping[str, RouterConfig]) -> dict[str, dict[str, list[str]]]:
        """The names of each node's scripts, files and processes, before and after every reload."""
        found: dict[str, dict[str, list[str]]] = {name: {} for name in configs}
        for name, config in (*configs.items(), *((key[0], one) for key, one in self._reloads.items())):
            for kind, known in (("script", config.scripts), ("file", config.files), ("process", config.processes)):
                found[name].setdefault(kind, []).extend(one.name for one in known)
        return found

    def _ports(self, station: str, segment: Segment) -> list[Port]:
        return [one.port for one in self.host(station).interfaces.values() if one.port.segment is segment]

    def host(self, station: str) -> Node:
        """The host that has this name, or on which the server or client of this name runs."""
        if station in self.nodes:
            return self.nodes[station]
        return (self.servers.get(station) or self.clients[station]).node

    def requests_csv(self) -> str:
        """Every request of every client that has ended, as CSV."""
        text = io.StringIO()
        kinds = {True: "ka", False: "new"}
        write_requests(
            text, {name: (kinds[one.habits.keep_alive], one.requests) for name, one in self.clients.items()}
        )
        return text.getvalue()

    # Building -------------------------------------------------------------------------------------------

    def _check_names(self) -> None:
        """A name is one station's: partitions and timelines speak of nodes, servers and clients alike."""
        taken = dict.fromkeys(self.scenario.nodes, "node")
        for kind, names in (("servers", self.scenario.servers), ("clients", self.scenario.clients)):
            for name in names:
                if name in taken:
                    raise self.source.error((kind, name), f"{name!r} is the name of a {taken[name]} already")
                taken[name] = kind.removesuffix("s")

    def _add_node(self, name: str, config: RouterConfig) -> None:
        spec = self.scenario.nodes[name]
        profile = profile_named(spec.profile or self.scenario.profile)
        addresses = {
            interface: tuple(a.ip.packed for a in part.addresses) for interface, part in spec.interfaces.items()
        }

        def make_router(config: RouterConfig) -> Router:
            return Router(config, profile=profile, interfaces=addresses)

        later = [one for (node, *_), one in self._reloads.items() if node == name]
        for one in (config, *later):
            try:
                make_router(one)
            except ValueError as error:
                raise self.source.error(("nodes", name), f"{name}: {error}") from error
        node = self.nodes[name] = Node(
            self.kernel, name, self.recorder, make_router, config, clock=self._clock, ideal=self._ideal
        )
        self._plug(node, ("nodes", name), spec.interfaces)
        node.forwarding = spec.forwarding
        node.sockets.nonlocal_bind = spec.nonlocal_bind
        self._add_scripts(node, [script.name for known in (config, *later) for script in known.scripts])
        if name in self._balancers:
            node.balancer = self._balancers[name](node, self.flows)
            node.services.append(node.balancer)
            if not self._ideal:
                node.acquiring = ACQUIRE_UNDER_LOAD
        for virtual_router in [one for known in (config, *later) for one in known.virtual_routers]:
            shown = _served(virtual_router)
            self.instances.setdefault(virtual_router.name, shown)
            for address in shown:
                self.recorder.expect(address)

    def _add_scripts(self, node: Node, known: Sequence[str]) -> None:
        steps = dict(self._scripts.get(node.name, {}))
        for name, spec in self.scenario.nodes[node.name].scripts.items():
            where = ("nodes", node.name, "scripts", name)
            if name not in known:
                raise self.source.error(where, f"there is no script {name!r}; {nearest(name, known)}")
            try:
                steps[name] = [step_of(one) for one in spec.steps]
            except ValueError as error:
                raise self.source.error(where, f"script {name}: {error}") from error
        for name, taken in steps.items():
            node.looks[name] = partial(ScriptRun, node, self.flows, name, taken)

    def _plug(self, node: Node, where: tuple[str, ...], interfaces: dict[str, InterfaceSpec]) -> None:
        if not interfaces:
            raise self.source.error(where, f"{node.name} has no interface")
        for name, spec in interfaces.items():
            segment = self._segment((*where, "interfaces", name), node.name, name, spec)
            packed = tuple(a.ip.packed for a in spec.addresses)
            prefixes = tuple(a.network.prefixlen for a in spec.addresses)
            node.add_interface(name, segment, self._next_mac(), packed, prefixes)

    def _add_server(self, name: str) -> None:
        spec = self.scenario.servers[name]
        where = ("servers", name)
        if (spec.node is None) is not bool(spec.interfaces):
            raise self.source.error(where, f"{name} has interfaces of its own or runs on a node: one of them")
        if spec.node is None:
            node = Node(self.kernel, name, self.recorder)
            self._plug(node, where, spec.interfaces)
        elif spec.node in self.nodes:
            node = self.nodes[spec.node]
        else:
            hint = nearest(spec.node, self.nodes)
            raise self.source.error((*where, "node"), f"there is no node {spec.node!r}; {hint}")
        server = self.servers[name] = Server(node, name, spec.listen, Behavior.of(spec))
        if spec.running:
            node.services.append(server)

    def _add_client(self, name: str) -> None:
        spec = self.scenario.clients[name]
        where = ("clients", name)
        if len(spec.interfaces) != 1:
            raise self.source.error(where, f"{name} has {len(spec.interfaces)} interfaces; a client has one")
        part = next(iter(spec.interfaces.values()))
        if not any(address.version == 4 for address in part.addresses):
            raise self.source.error(where, f"{name} has no IPv4 address to connect from")
        if spec.every <= 0 or spec.timeout <= 0:
            raise self.source.error(where, f"{name}: every and timeout are longer than 0s")
        node = Node(self.kernel, name, self.recorder)
        self._plug(node, where, spec.interfaces)
        habits = Habits(
            *spec.target,
            spec.every,
            spec.timeout,
            tls=spec.tls,
            keep_alive=spec.keep_alive,
            cookies=spec.cookies,
            retries=spec.retries,
            path=spec.path,
        )
        self.clients[name] = Client(node, self.flows, name, habits)

    def _segment(self, where: tuple[str, ...], station: str, interface: str, spec: InterfaceSpec) -> Segment:
        if spec.segment not in self.segments:
            hint = nearest(spec.segment, self.segments)
            raise self.source.error(where, f"{station} {interface}: there is no segment {spec.segment!r}; {hint}")
        for address in spec.addresses:
            taken = self._addresses.setdefault((spec.segment, str(address.ip)), f"{station} {interface}")
            if taken != f"{station} {interface}":
                raise self.source.error(
                    where, f"{station} {interface}: {address.ip} is the address of {taken} already"
                )
        return self.segments[spec.segment]

    def _next_mac(self) -> bytes:
        """Locally administered, numbered in the order of the scenario, so that a run repeats to the byte."""
        self._macs += 1
        return b"\x02\x00" + self._macs.to_bytes(4, "big")

    def told(self, duration_ns: int, notes: tuple[str, ...] = ()) -> Result:
        """What has happened so far, which is `duration_ns` of the run."""
        lost = [f"{name} lost {segment.lost} frames" for name, segment in self.segments.items() if segment.lost]
        balancers = haproxies(self)
        return self.recorder.result(
            said=tuple(sorted((one for each in balancers.values() for one in each.said), key=lambda one: one.at_ns)),
            balancers={name: tuple(one.statistics(duration_ns)) for name, one in balancers.items()},
            title=self.scenario.title,
            seed=self.kernel.seed,
            duration_ns=duration_ns,
            nodes=tuple(self.nodes),
            instances=self.instances,
            clients={name: client.story(duration_ns) for name, client in self.clients.items()},
            counters={name: node.counters() for name, node in self.nodes.items()},
            notes=(*notes, *lost),
        )


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Let Python look for cycles a hundred times more seldom: a run makes millions of objects, few in cycles."""
    thresholds = gc.get_threshold()
    gc.set_threshold(thresholds[0] * 100, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)


def _served(config: VirtualRouterConfig) -> tuple[str, ...]:
    return tuple(text(address) for address in config.addresses + config.excluded_addresses)
