"""A node: interfaces, addresses, the answers its kernel gives, the VRRP process it runs, and what else runs there.

The kernel part goes on while the process is killed or frozen: addresses left on an interface are still answered
for. What is not modelled: routes beyond the networks of its interfaces, IPv6 neighbor solicitation, and the ARP of
unicast peers (their MAC is looked up).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeAlias

from sim.alarms import AlarmClock
from sim.flow.balancer import Balancer, Service
from sim.flow.reach import Reached
from sim.flow.sockets import Sockets
from sim.flow.way import Way
from sim.interface import Interface
from sim.kernel import Kernel
from sim.process import ScriptOutcome, VrrpProcess
from sim.recorder import MASTER, Recorder
from sim.segment import Segment
from vrrp.protocol.lateness import PUNCTUAL, WHOLE, Lateness
from vrrp.protocol.packer import Packer
from vrrp.protocol.router import KeyedEffects, Router
from vrrp.protocol.settings import RouterConfig
from vrrp.protocol.virtual_router import VirtualRouter
from vrrp.wire.address import is_multicast, text
from vrrp.wire.advertisement import Advertisement
from vrrp.wire.announcement import announcement
from vrrp.wire.ethernet import BROADCAST, IPV4, IPV6, EthernetFrame, group_mac, virtual_mac

if TYPE_CHECKING:
    from sim.script import ScriptRun

Look: TypeAlias = Callable[[Callable[[bool], None]], "ScriptRun"]
"""Makes a run of a check script, which is to be begun and tells whether all was good."""
NO_ROUTER = RouterConfig(virtual_routers=())
"""What a host without a VRRP process runs."""
_LOOPBACK_NET = b"\x7f"
ACQUIRE = Lateness.always(370_000)
"""How long a process is busy putting addresses on an interface: its first gratuitous ARP follows its first
advertisement by that much more than a reply's follows the reply (keepalived, measured: median 0.41 ms and 0.03 ms)."""
ACQUIRE_UNDER_LOAD = Lateness(
    (
        (0, 249_000),
        (100, 659_000),
        (200, 1_011_000),
        (300, 1_322_000),
        (400, 2_332_000),
        (500, 3_751_000),
        (600, 5_630_000),
        (700, 8_524_000),
        (800, 13_716_000),
        (900, 24_316_000),
        (950, 32_202_000),
        (1000, 51_629_000),
    )
)
"""The same on a node whose HAProxy and check scripts want the processor too (66 takeovers of recorded runs with 70
connections a second). It decides who of two that took an address at the same time announces it last."""
ANNOUNCE_AFTER_NS = 30_000
"""From an advertisement to the first gratuitous ARP of the burst that goes with it (keepalived, measured)."""
ANNOUNCE_SPACING_NS = 75_000
"""Between two gratuitous ARPs of a burst (keepalived, measured: 60 to 90 us)."""
RESPAWN_NS = 18_000_000
"""From the death of keepalived's VRRP process to its successor's first state (measured: 9 to 35 ms)."""
RESPAWN_REST_NS = 60_000_000_000
"""A process that died younger than this is followed the more slowly the more often it happened: at once, after 1 s,
2 s, 4 s (keepalived, measured) and so on to a minute (its source)."""


class Node:
    """A host of the simulation. `make_router` gives a fresh router object of a configuration for each life.

    `configuration` is what stands in its file now; a running process knows of a change when it is told to reload.
    All nodes of a run share one `clock`. `ideal` makes the process wake exactly on time.
    """

    def __init__(
        self,
        kernel: Kernel,
        name: str,
        recorder: Recorder,
        make_router: Callable[[RouterConfig], Router] | None = None,
        configuration: RouterConfig = NO_ROUTER,
        *,
        clock: AlarmClock | None = None,
        ideal: bool = False,
    ) -> None:
        self.kernel = kernel
        self.clock = clock or AlarmClock(kernel)
        self.name = name
        self.recorder = recorder
        self.interfaces: dict[str, Interface] = {}
        self.sockets = Sockets(self)
        self.ways: dict[bytes, Way] = {}
        self.reached: dict[tuple[bytes, int, bytes | None], Reached] = {}
        self.balancer: Balancer | None = None
        """Its HAProxy."""
        self.services: list[Service] = []
        """What starts with the node and dies with it, the balancer among them."""
        self.booted = False
        """Whether its services were started since it has power."""
        self.forwarding = False
        """net.ipv4.ip_forward: whether it passes on packets to addresses that it has not."""
        self.process: VrrpProcess | None = None
        self.powered = True
        self.configuration = configuration
        self._make_router = make_router
        self.acquiring = ACQUIRE
        """How long it takes to put addresses on an interface."""
        self.lateness: Lateness | None = PUNCTUAL if ideal else None
        """How late its processes are from their next start on; None: as late as their profile has it."""
        self._files: dict[str, int] = {}
        self._counts: dict[str, int] = {}
        self._born_ns = 0
        self._respawn_delay_ns = 0
        self._respawn = 0
        self._scripts: dict[str, ScriptOutcome] = {}
        self._default_outcome: ScriptOutcome | None = None
        self.looks: dict[str, Look] = {}
        """How those check scripts run that really look: by name, what begins a run of it."""
        self._packer = Packer()
        self._busy_until_ns = 0
        """One thing after the other: addresses are set, then announced, one burst after another."""
        self._serving: dict[str, None] = {}
        self._heads: dict[tuple[VirtualRouter, bytes], bytes] = {}

    def add_interface(
        self,
        name: str,
        segment: Segment,
        mac: bytes,
        addresses: tuple[bytes, ...],
        prefixes: tuple[int, ...] = (),
    ) -> None:
        """Plug a new interface into a segment; `prefixes` are the prefix lengths of its addresses."""
        self.interfaces[name] = Interface(self, name, segment, mac, addresses, prefixes)

    # Its addresses ---------------------------------------------------------------------------------------

    def has(self, address: bytes) -> bool:
        """Whether a packed address is one of the node's now, loopback's and those of silent devices among them."""
        if address[:1] == _LOOPBACK_NET:
            return True
        return any(address in one.addresses or address in one.asleep for one in self.interfaces.values())

    def takes(self, address: bytes) -> bool:
        """Whether the node takes packets to an address: Linux does on any interface, whichever has it."""
        if address[:1] == _LOOPBACK_NET:
            return True
        return any(one.takes(address) for one in self.interfaces.values())

    def interface_to(self, address: bytes) -> Interface | None:
        """Which interface a packet to another host's address leaves by: the one on its network, else the first."""
        for interface in self.interfaces.values():
            if interface.is_on_link(address):
                return interface
        return next(iter(self.interfaces.values()), None)

    def source_to(self, address: bytes) -> bytes:
        """The address that a connection to this one comes from."""
        if self.has(address):
            return address
        interface = self.interface_to(address)
        return interface.source if interface is not None else bytes(4)

    # The process ----------------------------------------------------------------------------------------

    def start(self, now_ns: int) -> None:
        """Start the VRRP process; a node switched off is switched on first, with all that starts with it."""
        if self.process is not None and self.process.alive:
            return
        if not self.powered:
            self.powered = True
            for interface in self.interfaces.values():
                interface.port.set_link(interface.cable)
        self.boot(now_ns)
        if self._make_router is not None:
            self._respawn += 1
            self._respawn_delay_ns = 0
            self._born_ns = now_ns
            self._packer.forget()
            self._heads.clear()
            router = self._make_router(self.configuration)
            self.inform(now_ns, router)
            self.process = VrrpProcess(self, router, self.lateness or router.profile.lateness)
            self.process.start(now_ns)

    def boot(self, now_ns: int) -> None:
        """Start what starts with the node; nothing where that has happened since it has power."""
        if not self.booted:
            self.booted = True
            for service in self.services:
                service.start(now_ns)

    def inform(self, now_ns: int, router: Router) -> KeyedEffects:
        """Tell a router what it finds here: links, and those files and processes that were set to something."""
        effects: KeyedEffects = ()
        for interface in self.interfaces.values():
            effects += router.set_interface(now_ns, interface.name, interface.port.up)
        for file in router.config.files:
            if file.name in self._files:
                effects += router.set_file(now_ns, file.name, self._files[file.name])
        for kind in router.config.processes:
            if kind.name in self._counts:
                effects += router.set_process_count(now_ns, kind.name, self._counts[kind.name])
        return effects

    def stop(self, now_ns: int, reason: str) -> None:
        """SIGTERM to the VRRP process."""
        self._respawn += 1
        if self.process is not None:
            self.process.stop(now_ns, reason)

    def kill(self, now_ns: int, reason: str) -> None:
        """SIGKILL to all of the VRRP process."""
        self._respawn += 1
        if self.process is not None and self.process.alive:
            self.process.kill(now_ns, reason)

    def kill_child(self, now_ns: int, reason: str) -> None:
        """SIGKILL to keepalived's VRRP process alone: its parent starts another."""
        if self.process is None or not self.process.alive:
            return
        self.process.kill(now_ns, reason)
        wait_ns = self._respawn_delay_ns if now_ns - self._born_ns < RESPAWN_REST_NS else 0
        self._respawn_delay_ns = min(max(2 * wait_ns, 1_000_000_000), RESPAWN_REST_NS)
        self._respawn += 1
        respawn = self._respawn
        self.kernel.at(now_ns + wait_ns + RESPAWN_NS, lambda: self._start_again(respawn))

    def _start_again(self, respawn: int) -> None:
        if respawn == self._respawn:
            delay_ns = self._respawn_delay_ns
            self.start(self.kernel.now_ns)
            self._respawn_delay_ns = delay_ns

    def reload(self, now_ns: int, configuration: RouterConfig) -> None:
        """Another configuration stands in the file, and the VRRP process is sent SIGHUP."""
        self.configuration = configuration
        if self.process is not None:
            self.process.reload(now_ns)

    def power_off(self, now_ns: int) -> None:
        """The node is gone at once, with its links and addresses."""
        self.kernel.changed()
        self.powered = self.booted = False
        self._respawn += 1
        for interface in self.interfaces.values():
            interface.port.set_link(False)
            interface.neighbors.flush()
        for service in self.services:
            service.kill(now_ns)
        if self.process is not None:
            for virtual_router in self.process.router.virtual_routers:
                self.remove_addresses(now_ns, virtual_router, virtual_router.served)
            if self.process.alive:
                self.process.kill(now_ns, "power lost")

    def set_link(self, now_ns: int, name: str, up: bool) -> None:
        """Plug a cable in or out; the process hears of it as late as its profile says."""
        interface = self.interfaces[name]
        interface.cable = up
        interface.port.set_link(up and self.powered)
        if not up:
            interface.neighbors.flush()
        self.update_service(now_ns)
        process = self.process
        if process is not None and process.alive:
            at_ns = now_ns + process.router.profile.link_detection_ns
            self.kernel.at(at_ns, lambda: self._link_noticed(process, name))

    def _link_noticed(self, process: VrrpProcess, name: str) -> None:
        if process.alive:
            up = self.interfaces[name].port.up
            process.learn(self.kernel.now_ns, lambda now_ns: process.router.set_interface(now_ns, name, up))

    def set_file(self, now_ns: int, name: str, value: int) -> None:
        """A track file has another number in it."""
        self._files[name] = value
        process = self.process
        if process is not None and process.alive and any(file.name == name for file in process.router.config.files):
            process.learn(now_ns, lambda now_ns: process.router.set_file(now_ns, name, value))

    def set_processes(self, now_ns: int, name: str | None, count: int | None) -> None:
        """So many processes of a kind (None: of each) run now; None: as many as are enough."""
        process = self.process
        for kind in self.configuration.processes:
            if name in {None, kind.name}:
                self._counts[kind.name] = max(1, kind.quorum) if count is None else count
                if process is not None and process.alive:
                    self._tell_count(now_ns, process, kind.name)

    def _tell_count(self, now_ns: int, process: VrrpProcess, name: str) -> None:
        count = self._counts[name]
        if any(kind.name == name for kind in process.router.config.processes):
            process.learn(now_ns, lambda now_ns: process.router.set_process_count(now_ns, name, count))

    def set_script(self, outcome: ScriptOutcome, name: str | None = None) -> None:
        """How a check script (None: all of the node's) behaves from now on."""
        if name is None:
            self._scripts.clear()
            self._default_outcome = outcome
        else:
            self._scripts[name] = outcome

    def script_outcome(self, name: str) -> ScriptOutcome | None:
        """How a check script behaves now because an event says so; None: it looks, or passes where it cannot."""
        return self._scripts.get(name, self._default_outcome)

    def runs(self, process: str) -> bool:
        """Whether a process of this name runs here."""
        if process == "keepalived":
            return self.process is not None and self.process.alive
        return any(service.name == process and service.running for service in self.services)

    # What the process asks for --------------------------------------------------------------------------

    def send_advertisement(self, virtual_router: VirtualRouter, advertisement: Advertisement) -> None:
        """Encode, wrap and transmit, once per destination."""
        interface = self.interfaces[virtual_router.config.interface]
        for destination, packet in self._packer.packets(virtual_router, advertisement):
            interface.port.transmit(self._head(virtual_router, interface, destination) + packet)

    def _head(self, virtual_router: VirtualRouter, interface: Interface, to: bytes) -> bytes:
        """The Ethernet header of an advertisement; kept, since a master repeats itself."""
        head = self._heads.get((virtual_router, to))
        if head is None:
            config = virtual_router.config
            mac = interface.mac if config.transmit_from_base else self._mac(virtual_router, interface)
            neighbor = group_mac(to) if is_multicast(to) else self._neighbor(interface, to)
            head = EthernetFrame(neighbor, mac, IPV4 if config.width == 4 else IPV6, b"").build()
            self._heads[virtual_router, to] = head
        return head

    def announce(self, virtual_router: VirtualRouter, addresses: tuple[bytes, ...], repeat: int) -> None:
        """A burst of gratuitous ARPs and neighbor advertisements: rounds of all addresses."""
        interface = self.interfaces[virtual_router.config.interface]
        mac = self._mac(virtual_router, interface)
        at_ns = max(self.kernel.now_ns, self._busy_until_ns) + ANNOUNCE_AFTER_NS
        process = self.process
        for address in addresses * repeat:
            frame = announcement(address, mac, router_flag=virtual_router.profile.router_flag).build()
            self.kernel.at(at_ns, lambda frame=frame: self._transmit_if_alive(process, interface, frame))  # type: ignore[misc]  # mypy cannot type a default
            at_ns += ANNOUNCE_SPACING_NS
        self._busy_until_ns = at_ns

    def _transmit_if_alive(self, process: VrrpProcess | None, interface: Interface, raw: bytes) -> None:
        if process is not None and process.alive and not process.paused:
            interface.port.transmit(raw)

    def add_addresses(self, now_ns: int, virtual_router: VirtualRouter, addresses: tuple[bytes, ...]) -> None:
        """Put addresses of a virtual router on its interface."""
        config = virtual_router.config
        interface = self.interfaces[config.interface]
        chance = int(self.kernel.stream(f"{self.name}/acquiring").random() * WHOLE)
        self._busy_until_ns = max(now_ns, self._busy_until_ns) + self.acquiring.at(chance)
        for address in addresses:
            interface.take(address, self._mac(virtual_router, interface), refused=not (config.accept or config.owner))
            self.recorder.hold(now_ns, self.name, text(address))

    def remove_addresses(self, now_ns: int, virtual_router: VirtualRouter, addresses: tuple[bytes, ...]) -> None:
        """Take addresses of a virtual router off its interface, but not the interface's own (an owner's)."""
        interface = self.interfaces[virtual_router.config.interface]
        asleep = self._mac(virtual_router, interface) if virtual_router.profile.keeps_addresses else None
        for address in addresses:
            interface.give_back(address, asleep)
            self.recorder.release(now_ns, self.name, text(address))

    def prick_ears(self, router: Router | None = None) -> None:
        """Hear on each interface what the devices of this router's virtual MACs let through."""
        for name, interface in self.interfaces.items():
            interface.port.ignore(frozenset(_eaten(router, name)) if router is not None else frozenset())

    def update_service(self, now_ns: int) -> None:
        """Tell the recorder which addresses this node stands for now."""
        if self.process is None:
            return
        serving: dict[str, None] = {}
        for virtual_router in self.process.router.virtual_routers:
            up = self.interfaces[virtual_router.config.interface].port.up
            if up and self.process.alive and virtual_router.state.value == MASTER:
                serving |= dict.fromkeys(map(text, virtual_router.served))
        for address in self._serving:
            if address not in serving:
                self.recorder.serve(now_ns, self.name, address, False)
        for address in serving:
            self.recorder.serve(now_ns, self.name, address, True)
        self._serving = serving

    def _mac(self, virtual_router: VirtualRouter, interface: Interface) -> bytes:
        config = virtual_router.config
        if config.virtual_mac or virtual_router.profile.virtual_mac:
            return virtual_mac(config.vrid, config.width)
        return interface.mac

    def _neighbor(self, interface: Interface, address: bytes) -> bytes:
        """The MAC of a unicast peer; broadcast when nobody on the segment has the address."""
        return interface.port.segment.directory.get(address, BROADCAST)

    def counters(self) -> Mapping[str, Mapping[str, object]]:
        """What each virtual router sent and received in the process's present or last life."""
        if self.process is None:
            return {}
        router = self.process.router
        report = {}
        for virtual_router in router.virtual_routers:
            counted = router.counters(virtual_router.config.name)
            report[virtual_router.config.name] = {
                "sent": counted.sent,
                "priority_zero_sent": counted.priority_zero_sent,
                "accepted": counted.accepted,
                "priority_zero_received": counted.priority_zero_received,
                "became_master": counted.became_master,
                "discarded": {reason.name: n for reason, n in counted.discarded.items()},
            }
        return report


def _eaten(router: Router, interface: str) -> Iterator[bytes]:
    """The MACs of its own whose frames do not reach a router on this interface."""
    for virtual_router in router.virtual_routers:
        mac = virtual_router.config.unheard_mac
        if virtual_router.config.interface == interface and mac and not virtual_router.profile.base_hears_itself:
            yield mac
