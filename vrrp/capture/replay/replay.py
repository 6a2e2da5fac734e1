"""A capture replayed: a router hears what its LAN carried, and what it does is set beside what it did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from vrrp.capture.replay.happening import Happening
from vrrp.capture.replay.hearing import Heard, HeardCapture, Hearing
from vrrp.capture.replay.process import MOST_WAKES, WAKES_PER_PACKET, EndlessError, ReplayedProcess, discards
from vrrp.capture.replay.stint import Difference, Stints, compare
from vrrp.protocol.effects import PriorityChanged, SendAdvertisement, StateChanged
from vrrp.protocol.journal import Journal
from vrrp.protocol.profile import Profile
from vrrp.protocol.router import KeyedEffects, Router
from vrrp.protocol.settings import RouterConfig
from vrrp.protocol.timers import CENTISECOND_NS
from vrrp.protocol.validation import Discard
from vrrp.wire.address import is_multicast

MOST_TRANSITIONS = 100_000
_PRIORITY_AT = 2
_VIRTUAL_MACS = bytes((0, 0, 0x5E, 0))
_PROGRESS_EACH = 2048


@dataclass(frozen=True, slots=True)
class Transition:
    """The router's virtual router went from one state to another. Nanoseconds since 1970."""

    at_ns: int
    instance: str
    old: str
    new: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """Who is replayed, on what. Times in nanoseconds since 1970."""

    config: RouterConfig
    profile: Profile
    interfaces: Mapping[str, Sequence[bytes]]
    """Its interfaces with their packed addresses."""
    captures: Sequence[HeardCapture]
    happenings: Sequence[Happening]
    """What befell the router itself, its first start among it."""
    end_ns: int
    latency_ns: int
    """How late it wakes after each timer."""
    macs: Sequence[bytes] = ()
    """Its MACs; where given, packets from its address with another MAC, no virtual router's, are not its own."""
    most_wakes: int = MOST_WAKES


@dataclass(slots=True)
class Replay:
    """What the router did."""

    setup: Setup
    transitions: list[Transition] = field(default_factory=list)
    priorities: list[Transition] = field(default_factory=list)
    """Changes of priority; `old` and `new` are numbers as text."""
    sent: dict[str, Stints] = field(default_factory=dict)
    """Instance -> what the replayed router would have advertised."""
    recorded: dict[str, Stints] = field(default_factory=dict)
    """Instance -> what the capture shows that it advertised."""
    discarded: Counter[tuple[str, Discard]] = field(default_factory=Counter)
    """(instance, or "" for none of its own; reason) -> packets."""
    packets: int = 0
    heard: int = 0
    own: int = 0
    missed: int = 0
    """Heard, but no process ran."""
    elsewhere: int = 0
    """VRRP packets unicast to others, on the other side of a partition, or from a MAC that it never hears."""
    dropped: int = 0
    """Transitions past the first 100 000."""
    notes: list[str] = field(default_factory=list)
    unseen: set[str] = field(default_factory=set)
    """Interfaces whose packets no capture would show at this moment: no link, or cut off."""

    @property
    def differences(self) -> list[Difference]:
        """Where it parts from what the router was recorded to do; none where it was not recorded to say anything."""
        found: list[Difference] = []
        if not self.own:
            return found
        for name, recorded in self.recorded.items():
            found += compare(name, recorded, self.sent[name], self.setup.end_ns)
        return sorted(found, key=lambda difference: difference.at_ns)

    # As the process's observer --------------------------------------------------------------------------

    def acted(self, at_ns: int, effects: KeyedEffects) -> None:
        """See `Observer`."""
        for virtual_router, effect in effects:
            if virtual_router is None:
                continue
            name = virtual_router.config.name
            if type(effect) is SendAdvertisement:
                if virtual_router.config.interface not in self.unseen:
                    self.sent[name].add(at_ns, effect.advertisement.priority)
            elif type(effect) is StateChanged:
                self._note(
                    self.transitions, Transition(at_ns, name, effect.old.value, effect.new.value, effect.reason)
                )
            elif type(effect) is PriorityChanged:
                change = Transition(at_ns, name, str(effect.old), str(effect.new), effect.reason)
                self._note(self.priorities, change)

    def ended(self, at_ns: int, router: Router, reason: str) -> None:
        """See `Observer`."""
        for virtual_router in router.virtual_routers:
            old = virtual_router.state.value
            if old != "INITIALIZE":
                name = virtual_router.config.name
                self._note(self.transitions, Transition(at_ns, name, old, "INITIALIZE", reason))

    def _note(self, notes: list[Transition], transition: Transition) -> None:
        if len(notes) < MOST_TRANSITIONS:
            notes.append(transition)
        else:
            self.dropped += 1


def replay(
    setup: Setup,
    *,
    write_journal: Callable[[str], object] | None = None,
    progress: Callable[[int], None] | None = None,
) -> Replay:
    """Let the router hear the captures. `write_journal` gets the lines of a journal, `progress` the packets read.

    Raises OSError and CaptureError, and ValueError for a configuration that no router runs.
    """
    result = Replay(setup)
    for one in setup.config.virtual_routers:
        result.sent[one.name] = Stints(one.interval_cs * CENTISECOND_NS)
        result.recorded[one.name] = Stints(one.interval_cs * CENTISECOND_NS)

    def make() -> Journal | Router:
        if write_journal is None:
            return Router(setup.config, profile=setup.profile, interfaces=setup.interfaces)
        return Journal(setup.config, profile=setup.profile, interfaces=setup.interfaces, write=write_journal)

    example = Router(setup.config, profile=setup.profile, interfaces=setup.interfaces)
    process = ReplayedProcess(make, result, latency_ns=setup.latency_ns, wakes_left=setup.most_wakes)
    hearing = Hearing(setup.captures, list(setup.interfaces))
    listener = _Listener(setup, example, process, result)
    try:
        for heard in hearing:
            listener.hear(heard)
            if progress is not None and not hearing.packets % _PROGRESS_EACH:
                progress(hearing.packets)
        listener.wait(setup.end_ns)
    except EndlessError:
        after_s = (process.now_ns - setup.happenings[0].at_ns) / 1e9
        result.notes.append(f"given up after {after_s:.0f} s, most of them without a packet: does the clock jump?")
    result.packets = hearing.packets
    result.notes += hearing.damage
    result.missed = process.missed
    result.discarded = process.discarded
    if process.running is not None:
        result.discarded += discards(process.running)
    return result


class _Listener:
    """Between captures and process: what is heard, what is the router's own, and what happens in between."""

    def __init__(self, setup: Setup, example: Router, process: ReplayedProcess, result: Replay) -> None:
        self._setup = setup
        self._process = process
        self._result = result
        self._happenings = sorted(setup.happenings, key=lambda happening: happening.at_ns, reverse=True)
        self._side: str | None = ""
        """The capture heard while cut off, None for nothing, "" while not cut off."""
        self._owners: dict[tuple[str, bytes], dict[int, str]] = {}
        """(interface, own source) -> key -> instance."""
        self._unheard: set[tuple[str, bytes | None]] = set()
        """(interface, source MAC) of what never reaches the router."""
        for virtual_router in example.virtual_routers:
            config = virtual_router.config
            if not setup.profile.base_hears_itself:
                self._unheard.add((config.interface, config.unheard_mac))
            names = self._owners.setdefault((config.interface, virtual_router.source), {})
            names[config.width << 8 | config.vrid] = config.name

    def wait(self, until_ns: int) -> None:
        """Everything that happens up to a time."""
        while self._happenings and self._happenings[-1].at_ns <= until_ns:
            happening = self._happenings.pop()
            self._process.advance(happening.at_ns)
            if happening.action in {"partition", "heal"}:
                self._side = happening.subject if happening.action == "partition" else ""
                self._look(set(self._setup.interfaces), shown=self._side is not None)
                continue
            if happening.action in {"link-down", "link-up"}:
                self._look({happening.subject or ""}, shown=happening.action == "link-up")
            self._process.happen(happening)
        self._process.advance(until_ns)

    def _look(self, interfaces: set[str], *, shown: bool) -> None:
        if shown:
            self._result.unseen -= interfaces
        else:
            self._result.unseen |= interfaces

    def hear(self, heard: Heard) -> None:
        """A packet of the capture."""
        datagram, interface = heard.datagram, heard.interface
        self._process.wakes_left += WAKES_PER_PACKET
        own = self._owners.get((interface, datagram.source))
        if own is not None and self._is_own(heard):
            self._result.own += 1
            name = own.get(datagram.key)
            if name is not None and len(datagram.payload) > _PRIORITY_AT:
                self._result.recorded[name].add(heard.time_ns, datagram.payload[_PRIORITY_AT])
            return
        self.wait(heard.time_ns)
        side = heard.capture.name if heard.capture.aside else ""
        addressed = is_multicast(datagram.destination) or datagram.destination in self._setup.interfaces[interface]
        if side != self._side or not addressed or (interface, heard.mac) in self._unheard:
            self._result.elsewhere += 1
            return
        self._result.heard += 1
        self._process.hear(interface, datagram)

    def _is_own(self, heard: Heard) -> bool:
        macs = self._setup.macs
        return not macs or not heard.mac or heard.mac in macs or heard.mac[:4] == _VIRTUAL_MACS
