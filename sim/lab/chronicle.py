"""What was seen of a run, told as a `Result`: by the engines' logs, by the wire, and by what was done.

A virtual router is master from its first advertisement as such, for which the kernel gives the time; where none was
captured, and for every other state, from the line in its log.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sim.lab.engine import Entered, Remark, Reprioritized, Said
from sim.lab.wire import Heard
from sim.recorder import MASTER, Recorder
from sim.result import ClientStory, Happened, PriorityChange, Result, Sent, Transition
from vrrp.protocol.settings import VirtualRouterConfig
from vrrp.wire.address import text
from vrrp.wire.checksum import ChecksumPolicy
from vrrp.wire.errors import DecodeError
from vrrp.wire.frame import Datagram, decode_datagram, parse_frame

INITIALIZE = "INITIALIZE"
REMARK_NS = 50_000_000
"""A remark no older than this is the reason of a transition."""
NEARBY_NS = 200_000_000
"""How far apart the line in a log and the advertisement that goes with it may be, on a busy machine."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The engine of a node ended: nothing runs there any more."""

    node: str
    reason: str


@dataclass(frozen=True, slots=True)
class Linked:
    """A link came or went."""

    node: str
    interface: str
    up: bool


@dataclass(frozen=True, slots=True)
class Held:
    """An address (text) was put on a node, or taken off."""

    node: str
    address: str
    there: bool


@dataclass(frozen=True, slots=True)
class SaidBy:
    """A log of a node said something."""

    node: str
    said: Said


@dataclass(frozen=True, slots=True)
class Advertised:
    """A node sent an advertisement."""

    node: str
    instance: str
    priority: int


Fact = Ended | Linked | Held | SaidBy | Advertised


@dataclass(slots=True)
class Chronicle:
    """Facts with their times (nanoseconds since 1970), in whatever order they come to be known.

    `routers` has each node's virtual routers, those of every reload among them; addresses of the nodes in `by_state`
    are held by who is master, since they stand on the interface all the time.
    """

    routers: Mapping[str, Sequence[VirtualRouterConfig]]
    by_state: frozenset[str] = frozenset()
    zero_ns: int = 0
    facts: list[tuple[int, Fact]] = field(default_factory=list)
    events: list[Happened] = field(default_factory=list)

    def hear(self, at_ns: int, node: str, said: Said) -> None:
        """A line of a log."""
        self.facts.append((at_ns, SaidBy(node, said)))

    def hold(self, at_ns: int, node: str, address: str, there: bool) -> None:
        """An address came or went."""
        self.facts.append((at_ns, Held(node, address, there)))

    def first_state_ns(self, node: str, after_ns: int) -> int | None:
        """When a node first entered a state after this, the wire having been read."""
        times = [
            at_ns
            for at_ns, fact in self._timed()
            if isinstance(fact, SaidBy) and fact.node == node and isinstance(fact.said, Entered) and at_ns >= after_ns
        ]
        return min(times, default=None)

    def read_wire(self, frames: Iterable[Heard], sources: Mapping[bytes, str]) -> None:
        """Take the advertisements out of a segment's frames; `sources` has the node of each primary address."""
        names = {(node, one.vrid, one.width): one.name for node, routers in self.routers.items() for one in routers}
        for heard in frames:
            datagram = parse_frame(heard.raw).content
            if not isinstance(datagram, Datagram):
                continue
            advertisement = decode_datagram(datagram, ChecksumPolicy.EITHER)
            node = sources.get(datagram.source)
            if isinstance(advertisement, DecodeError) or node is None:
                continue
            name = names.get((node, advertisement.vrid, len(datagram.source)))
            if name is not None:
                self.facts.append((heard.at_ns, Advertised(node, name, advertisement.priority)))

    def result(
        self,
        *,
        title: str,
        seed: int,
        duration_ns: int,
        clients: Mapping[str, ClientStory],
        notes: Sequence[str],
    ) -> Result:
        """The run as the simulator would tell it."""
        teller = _Teller(self)
        end_ns = self.zero_ns + duration_ns
        for at_ns, fact in sorted(self._timed(), key=lambda one: one[0]):
            if at_ns < end_ns:
                teller.tell(max(0, at_ns - self.zero_ns), fact)
        recorder = teller.recorder
        recorder.events.extend(self.events)
        return recorder.result(
            title=title,
            seed=seed,
            duration_ns=duration_ns,
            nodes=tuple(self.routers),
            instances=teller.instances,
            clients=clients,
            counters={},
            notes=tuple(notes),
        )

    def _timed(self) -> list[tuple[int, Fact]]:
        """The facts, with the becoming of a master where its first advertisement was."""
        sent: dict[tuple[str, str], list[int]] = {}
        for at_ns, fact in self.facts:
            if isinstance(fact, Advertised) and fact.priority:
                sent.setdefault((fact.node, fact.instance), []).append(at_ns)
        timed: list[tuple[int, Fact]] = []
        for at_ns, fact in self.facts:
            if isinstance(fact, SaidBy) and isinstance(fact.said, Entered) and fact.said.state == MASTER:
                near = [
                    one
                    for one in sent.get((fact.node, fact.said.instance), ())
                    if at_ns - NEARBY_NS <= one <= at_ns + NEARBY_NS
                ]
                timed.append((min(near, default=at_ns), fact))
            else:
                timed.append((at_ns, fact))
        return timed


class _Teller:
    """Goes through the facts in the order of time."""

    def __init__(self, chronicle: Chronicle) -> None:
        self.recorder = Recorder()
        self.instances: dict[str, tuple[str, ...]] = {}
        self._by_state = chronicle.by_state
        self._routers = {(node, one.name): one for node, routers in chronicle.routers.items() for one in routers}
        self._states = dict.fromkeys(self._routers, INITIALIZE)
        self._remarks: dict[tuple[str, str], tuple[int, str]] = {}
        self._down: set[tuple[str, str]] = set()
        self._serving: dict[str, dict[str, None]] = {}
        for (_, name), one in self._routers.items():
            served = tuple(map(text, one.addresses + one.excluded_addresses))
            self.instances.setdefault(name, served)
            for address in served:
                self.recorder.expect(address)

    def tell(self, now_ns: int, fact: Fact) -> None:
        """The next fact."""
        if isinstance(fact, SaidBy):
            self._said(now_ns, fact.node, fact.said)
        elif isinstance(fact, Advertised):
            self.recorder.sent.append(Sent(now_ns, fact.node, fact.instance, fact.priority))
        elif isinstance(fact, Held):
            if fact.node not in self._by_state:
                self._hold(now_ns, fact.node, fact.address, fact.there)
        elif isinstance(fact, Linked):
            (self._down.discard if fact.up else self._down.add)((fact.node, fact.interface))
            self._serve(now_ns, fact.node)
        else:
            for node, name in self._routers:
                if node == fact.node:
                    self._enter(now_ns, node, name, INITIALIZE, fact.reason)

    def _said(self, now_ns: int, node: str, said: Said) -> None:
        if isinstance(said, Remark):
            self._remarks[node, said.instance] = (now_ns, said.text)
            return
        if isinstance(said, Reprioritized):
            reason = self._reason(now_ns, node, said.instance)
            self.recorder.priorities.append(PriorityChange(now_ns, node, said.instance, said.old, said.new, reason))
            return
        if (node, said.instance) in self._routers:
            self._enter(now_ns, node, said.instance, said.state, self._reason(now_ns, node, said.instance))

    def _reason(self, now_ns: int, node: str, name: str) -> str:
        at_ns, words = self._remarks.get((node, name), (0, ""))
        return words if now_ns - at_ns <= REMARK_NS else ""

    def _enter(self, now_ns: int, node: str, name: str, state: str, reason: str) -> None:
        old = self._states[node, name]
        if old == state:
            return
        self._states[node, name] = state
        self.recorder.transitions.append(Transition(now_ns, node, name, old, state, reason))
        if node in self._by_state:
            for address in map(text, self._routers[node, name].addresses):
                self._hold(now_ns, node, address, state == MASTER)
        self._serve(now_ns, node)

    def _hold(self, now_ns: int, node: str, address: str, there: bool) -> None:
        (self.recorder.hold if there else self.recorder.release)(now_ns, node, address)

    def _serve(self, now_ns: int, node: str) -> None:
        serving: dict[str, None] = {}
        for (other, name), one in self._routers.items():
            up = (node, one.interface) not in self._down
            if other == node and up and self._states[node, name] == MASTER:
                serving |= dict.fromkeys(map(text, one.addresses + one.excluded_addresses))
        before = self._serving.get(node, {})
        for address in before:
            if address not in serving:
                self.recorder.serve(now_ns, node, address, False)
        for address in serving:
            self.recorder.serve(now_ns, node, address, True)
        self._serving[node] = serving
