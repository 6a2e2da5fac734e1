"""One run of a scenario for real: built of namespaces, acted upon, watched, and taken down again."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from sim.faults import tell
from sim.inputs import Inputs
from sim.lab.actions import ACTIONS, BY_SIGNAL
from sim.lab.assignment import Assignment
from sim.lab.chronicle import Chronicle, Ended, Linked
from sim.lab.client import Client
from sim.lab.control import Controls
from sim.lab.frr import Frr
from sim.lab.holdings import Holdings
from sim.lab.listener import Listener
from sim.lab.namespace import LabError
from sim.lab.node import Node
from sim.lab.services import FORWARDING, NONLOCAL_BIND, Services, looks_of
from sim.lab.site import Site
from sim.lab.station import Station
from sim.lab.switch import Switch, can_lose
from sim.lab.wire import Wire
from sim.network import ReloadKey
from sim.result import Happened, Result
from sim.scenario import EventSpec
from vrrp.config.model import KeepalivedConfig
from vrrp.config.router_config import convert
from vrrp.protocol.profile import profile_named
from vrrp.protocol.settings import RouterConfig
from vrrp.wire.address import text

SHORT_NS = 1_000_000
"""A delay up to this is as good as that of a cable."""
NO_LOSS = "there is no nft on this machine"


@dataclass(slots=True)
class Setting:
    """What runs on the nodes: each engine's share of the configurations, and what is left out of the scenario.

    `notes` has one line for each thing that is not done for real.
    """

    configs: dict[str, KeepalivedConfig] = field(default_factory=dict)
    routers: dict[str, RouterConfig] = field(default_factory=dict)
    later_configs: dict[ReloadKey, KeepalivedConfig] = field(default_factory=dict)
    later_routers: dict[ReloadKey, RouterConfig] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class Laboratory:
    """The run of one assignment of engines. `number` is its place among those of the same command."""

    def __init__(self, inputs: Inputs, assignment: Assignment, site: Site, number: int) -> None:
        self.scenario = inputs.scenario
        self.assignment = assignment
        self._site = site
        self._listener = Listener()
        self.folder = site.folder / f"run{number}"
        self.switches: dict[str, Switch] = {
            name: Switch(name, site.namespace(f"{number}-segment-{name}"), self._sides(name))
            for name in self.scenario.segments
        }
        self.wires = {name: Wire(switch) for name, switch in self.switches.items()}
        self.setting = Setting()
        self.nodes: dict[str, Node] = {}
        self._folders: dict[str, Path] = {}
        """Of nodes, servers that have a host, and clients."""
        self.chronicle = Chronicle({})
        for place, (name, engine_type) in enumerate(assignment.engines.items()):
            namespace = site.namespace(f"{number}-{name}")
            folder = self._folders[name] = self.folder / f"node{place}"
            engine = engine_type(name, namespace.name, folder)
            looks = looks_of(inputs, name, folder)
            controls = Controls(f"{site.folder.name[-5:]}{number}{place}", namespace, folder, looks)
            self.nodes[name] = Node(name, namespace, engine, controls, self.chronicle.hear)
        self._take(inputs)
        hosts = [name for name, spec in self.scenario.servers.items() if spec.node is None]
        self._stations = {
            name: Station(name, site.namespace(f"{number}-{name}")) for name in (*hosts, *self.scenario.clients)
        }
        self._folders |= {name: self.folder / f"station{place}" for place, name in enumerate(self._stations)}
        self.services = Services(inputs, self.nodes, {name: self._stations[name] for name in hosts}, self._folders)
        self.clients = {
            name: Client(name, self._stations[name].namespace, spec, self._folders[name])
            for name, spec in self.scenario.clients.items()
        }
        self.begun_ns: dict[str, list[int]] = {name: [] for name in self.nodes}
        """When each node was told to start, each time (nanoseconds since 1970)."""
        self.done: list[tuple[EventSpec, int]] = []
        """The events that were carried out, and when (nanoseconds since 1970)."""
        self._holdings: list[Holdings] = []
        self._acting_ns = 0

    def _sides(self, segment: str) -> int:
        groups = (len(event.groups or ()) for event in self.scenario.events if event.segment == segment)
        return 1 + max(groups, default=0)

    # What is run ----------------------------------------------------------------------------------------

    def _take(self, inputs: Inputs) -> None:
        """Each engine's share of what stands in the files."""
        setting = self.setting
        for name, node in self.nodes.items():
            setting.configs[name], notes = node.engine.able(inputs.parsed[name].config)
            setting.notes += notes
            setting.routers[name] = self._router(name, setting.configs[name])
        for key, parsed in inputs.parsed_reloads.items():
            setting.later_configs[key], _ = self.nodes[key[0]].engine.able(parsed.config)
            setting.later_routers[key] = self._router(key[0], setting.later_configs[key])
        for event in self.scenario.events:
            reason = self.undone(event)
            if reason is not None:
                setting.notes.append(f"not done for real: {event.action} at {event.at / 1e9:g} s: {reason}")
        for name, spec in self.scenario.segments.items():
            if spec.delay.constant_ns is None or spec.delay.constant_ns > SHORT_NS:
                setting.notes.append(f"not done for real: the delay of segment {name}; frames take some 0.03 ms")
            if spec.loss and not can_lose():
                setting.notes.append(f"not done for real: the loss of segment {name}: {NO_LOSS}")
        routers = {name: {one.name: one for one in router.virtual_routers} for name, router in setting.routers.items()}
        for key, router in setting.later_routers.items():
            for one in router.virtual_routers:
                routers[key[0]].setdefault(one.name, one)
        self.chronicle.routers = {name: tuple(known.values()) for name, known in routers.items()}
        self.chronicle.by_state = frozenset(name for name, node in self.nodes.items() if isinstance(node.engine, Frr))

    def _router(self, node: str, config: KeepalivedConfig) -> RouterConfig:
        return convert(config, profile_named(self.profile(node))).router

    def profile(self, node: str) -> str:
        """Whose behaviour is expected of a node."""
        return self.assignment.profile.get(node) or self.scenario.nodes[node].profile or self.scenario.profile

    def undone(self, event: EventSpec) -> str | None:
        """Why an event is not carried out; None: it is."""
        if event.action == "delay":
            return "frames take the time they take"
        if event.action == "loss" and not can_lose():
            return NO_LOSS
        if event.action == "server-silent" and not can_lose():
            return NO_LOSS
        return self.nodes[event.node].engine.cannot.get(event.action) if event.node in self.nodes else None

    # Building and taking down ---------------------------------------------------------------------------

    def build(self) -> None:
        """Everything but the engines. LabError for what the machine does not allow."""
        for switch in self.switches.values():
            switch.build()
        macs = self._macs()
        for name, node in self.nodes.items():
            spec = self.scenario.nodes[name]
            settings = {FORWARDING: int(spec.forwarding), NONLOCAL_BIND: int(spec.nonlocal_bind)}
            node.build(spec.interfaces, self.switches, macs[name], {**settings, **node.engine.settings})
        for name, station in self._stations.items():
            interfaces = (self.scenario.servers.get(name) or self.scenario.clients[name]).interfaces
            station.build(interfaces, self.switches, macs[name], {})
        for name, node in self.nodes.items():
            node.engine.folder.mkdir(parents=True)
            config = node.controls.take(self.setting.configs[name])
            node.engine.configure(config)
            node.namespace.configure(node.engine.devices(config))
            node.controls.run_programs()
            self._holdings.append(Holdings(name, node.namespace, self._addresses(name), self.chronicle.hold))
        for wire in self.wires.values():
            wire.listen()
        for name, segment in self.scenario.segments.items():
            if segment.loss and can_lose():
                self.switches[name].lose(segment.loss)
        for holdings in self._holdings:
            holdings.start(self._listener)
        self._listener.start()
        self.services.begin(self._listener)
        for client in self.clients.values():
            client.prepare()

    def _macs(self) -> dict[str, dict[str, str]]:
        """The MACs that the simulator gives: numbered in the order of the scenario."""
        number = 0
        macs: dict[str, dict[str, str]] = {}
        for specs in (self.scenario.nodes, self.scenario.servers, self.scenario.clients):
            for name, spec in specs.items():
                macs[name] = {}
                for interface in spec.interfaces:
                    number += 1
                    packed = b"\x02\x00" + number.to_bytes(4, "big")
                    macs[name][interface] = packed.hex(":")
        return macs

    def _addresses(self, node: str) -> frozenset[str]:
        return frozenset(
            text(address) for one in self.chronicle.routers[node] for address in one.addresses + one.excluded_addresses
        )

    def begin(self, zero_ns: int) -> None:
        """The scenario begins at this moment (nanoseconds since 1970)."""
        self.chronicle.zero_ns = zero_ns
        for client in self.clients.values():
            client.start(zero_ns, self.scenario.duration)

    def end(self) -> None:
        """The scenario is over, or never began: end everything that runs, whatever befalls the rest."""
        with ExitStack() as stack:  # the last one first
            for name, wire in self.wires.items():
                stack.callback(self._read, name, wire)
            for switch in self.switches.values():
                stack.callback(_hush, switch)
            stack.callback(self._listener.end)
            stack.callback(self.services.end)
            for holdings in self._holdings:
                stack.callback(holdings.end)
            for node in self.nodes.values():
                stack.callback(node.close)
            for client in self.clients.values():
                stack.callback(client.end)

    def _read(self, segment: str, wire: Wire) -> None:
        wire.end()
        self.chronicle.read_wire(wire.frames, self._sources(segment))

    def _sources(self, segment: str) -> dict[bytes, str]:
        return {
            address.ip.packed: name
            for name, spec in self.scenario.nodes.items()
            for interface in spec.interfaces.values()
            if interface.segment == segment
            for address in interface.addresses
        }

    def result(self, notes: tuple[str, ...] = ()) -> Result:
        """What was seen."""
        end_ns = self.chronicle.zero_ns + self.scenario.duration
        complaints = [line for wire in self.wires.values() for line in wire.complaints] + self.services.complaints
        return self.chronicle.result(
            title=self.scenario.title,
            seed=self.scenario.seed,
            duration_ns=self.scenario.duration,
            clients={name: client.story(end_ns) for name, client in self.clients.items()},
            notes=(*self.setting.notes, *notes, *complaints),
        )

    # What happens ---------------------------------------------------------------------------------------

    def start(self, name: str) -> None:
        """Start what runs on a node or a server's host; one that is switched off is switched on first."""
        host = self.host(name)
        if not host.powered:
            self._note_links(name, host.set_power(True))
        if name not in self.nodes:
            self.services.servers[name].start(self._listener)
            return
        node = self.nodes[name]
        self.services.boot(name, self._listener)
        self.begun_ns[name].append(time.time_ns())
        node.start(self._listener)

    def act(self, event: EventSpec) -> None:
        """Carry out an event now; nothing for one that is not done for real."""
        if self.undone(event) is not None:
            return
        self._acting_ns = time.time_ns()
        ACTIONS[event.action](self, event)
        # A signal arrives at once, a link is changed when ip(8) has ended.
        at_ns = self._acting_ns if event.action in BY_SIGNAL else time.time_ns()
        self.done.append((event, at_ns))
        happened = Happened(max(0, at_ns - self.chronicle.zero_ns), event.node or event.server, tell(event))
        self.chronicle.events.append(happened)

    def ended(self, name: str, reason: str) -> None:
        """Note that nothing runs on a node since the event began that is being carried out."""
        self.chronicle.facts.append((self._acting_ns, Ended(name, reason)))

    def host(self, name: str) -> Station:
        """A node, or the host of a server."""
        return self.nodes[name] if name in self.nodes else self._stations[name]

    def serve(self, name: str) -> None:
        """Start a server."""
        self.services.servers[name].start(self._listener)

    def power_off(self, name: str) -> None:
        """A node or a server's host is gone at once; what it had in memory goes with it."""
        node = self.nodes.get(name)
        if node is not None:
            node.crash()
            self.ended(name, "power lost")
        self._note_links(name, self.host(name).set_power(False))
        # Only now: the kernel says goodbye for those that had connections, and nobody is to hear that.
        self.services.power_off(name)
        if node is not None:
            node.wipe([address for one in self._prefixed(name) for address in one])

    def _prefixed(self, name: str) -> Iterator[list[str]]:
        configs = [self.setting.configs[name]]
        configs += [config for key, config in self.setting.later_configs.items() if key[0] == name]
        for config in configs:
            for one in config.instances:
                yield [f"{v.address}/{v.prefix}" for v in (*one.addresses, *one.excluded_addresses)]

    def set_link(self, name: str, interface: str, up: bool) -> None:
        """Plug a cable in or out."""
        self._note_links(name, {interface: self.host(name).set_link(interface, up)})

    def _note_links(self, name: str, links: Mapping[str, bool]) -> None:
        now_ns = time.time_ns()
        self.chronicle.facts += [(now_ns, Linked(name, interface, up)) for interface, up in links.items()]


def _hush(switch: Switch) -> None:
    with suppress(LabError):  # it may not have been built
        switch.hush()
