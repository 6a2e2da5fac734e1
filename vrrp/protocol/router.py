"""The VRRP router (the host): it finds the virtual router a packet is for, validates, counts, and tracks.

The virtual routers decide; this file only brings them together: several VRIDs and families on several
interfaces, the scripts and interfaces that move their priorities or hold them in FAULT, and sync groups.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from vrrp.protocol.counters import Counters
from vrrp.protocol.effects import Announce, Effect, Effects, SendAdvertisement, StateChanged
from vrrp.protocol.member import Member, primary
from vrrp.protocol.profile import Profile
from vrrp.protocol.settings import RouterConfig, SyncGroupConfig, VirtualRouterConfig
from vrrp.protocol.subjects import Subjects, Timed
from vrrp.protocol.sync_group import SyncGroup
from vrrp.protocol.timers import NEVER
from vrrp.protocol.tracking import ScriptTracker, Subject, effective_priority
from vrrp.protocol.validation import Discard, first_failure
from vrrp.protocol.virtual_router import VirtualRouter
from vrrp.wire.address import AnyAddress
from vrrp.wire.advertisement import HEADER_SIZE, decode
from vrrp.wire.checksum import ChecksumPolicy
from vrrp.wire.frame import Datagram

KeyedEffects: TypeAlias = tuple[tuple[VirtualRouter | None, Effect], ...]
"""Effects with the virtual router they belong to; None for those of track scripts."""
Witness: TypeAlias = Callable[[VirtualRouter, Datagram, Discard | None], None]


_UNHEARD = {Discard.OWN_ADDRESS, Discard.TOO_SHORT, Discard.DESTINATION}
"""Refused before the state machine hears of them, by the kernel or the socket."""


class Router:
    """All virtual routers of one host. Inputs take the time in nanoseconds and return keyed effects.

    `interfaces` gives each interface's addresses, in order (text, `ipaddress` objects or packed). `wake_ns` is
    when `expire` is due at the latest; it may be early, which is harmless. A router without virtual routers does
    nothing. ValueError naming the virtual router and what is wrong: an unknown interface, no address of its family
    (unless `addresses_later`: then `set_addresses` gives it), a duplicate VRID, an unknown script.
    """

    def __init__(
        self,
        config: RouterConfig,
        *,
        profile: Profile,
        interfaces: Mapping[str, Sequence[AnyAddress]],
        addresses_later: bool = False,
    ) -> None:
        self.profile = profile
        self._addresses_later = addresses_later
        self.wake_ns = NEVER
        self.strangers: Counter[Discard] = Counter()
        """Packets that reached no virtual router, by reason."""
        self.witness: Witness | None = None
        """Told of each packet that reached one and why it is not taken (None: it is), before anything is made of it;
        not of those that a `listener` need not judge."""
        self._interfaces = interfaces
        self._by_interface: dict[str, dict[int, Member]] = {name: {} for name in interfaces}
        self._started = False
        self._set_up(config)

    def _set_up(self, config: RouterConfig) -> None:
        """Make everything that a configuration names; ValueError changes nothing."""
        subjects = Subjects(config, self._interfaces)
        members: dict[str, Member] = {}
        tables: dict[str, dict[int, Member]] = {name: {} for name in self._interfaces}
        groups = {name: group for group in config.sync_groups for name in group.members}
        for one in config.virtual_routers:
            if one.name in members:
                raise ValueError(f"{one.name}: a second virtual router of this name")
            member = members[one.name] = self._make(one, subjects, groups.get(one.name))
            table, key = tables[one.interface], one.width << 8 | one.vrid
            if key in table:
                raise ValueError(f"{one.name}: VRID {one.vrid} is taken on {one.interface}")
            table[key] = member
        for group in config.sync_groups:
            missing = [name for name in group.members if name not in members]
            if missing:
                raise ValueError(f"sync group {group.name}: there is no virtual router {missing[0]}")
            SyncGroup(group.name, [members[name].virtual_router for name in group.members])
        self.config = config
        self.subjects = subjects
        self._members = members
        for name, table in tables.items():  # in place: listeners hold them
            known = self._by_interface.setdefault(name, {})
            known.clear()
            known.update(table)
        self._timed: tuple[VirtualRouter | Timed, ...] = (
            *self.virtual_routers,
            *subjects.timed,
        )

    def _make(self, config: VirtualRouterConfig, subjects: Subjects, group: SyncGroupConfig | None) -> Member:
        interfaces = self._interfaces
        if config.interface not in interfaces:
            known = ", ".join(interfaces) or "none"
            raise ValueError(f"{config.name}: there is no interface {config.interface!r} (known: {known})")
        source = config.source or primary(config.width, interfaces[config.interface])
        if source is None and self._addresses_later:
            source = bytes(config.width)
        if source is None or len(source) != config.width:
            family = "IPv4" if config.width == 4 else "IPv6 link-local"
            raise ValueError(f"{config.name}: interface {config.interface} has no {family} address to send from")
        return Member(
            VirtualRouter(config, source=source, profile=self.profile),
            followed=subjects.followed_by(config, group),
        )

    @property
    def virtual_routers(self) -> tuple[VirtualRouter, ...]:
        """The virtual routers, in the order of the configuration."""
        return tuple(member.virtual_router for member in self._members.values())

    @property
    def scripts(self) -> Mapping[str, ScriptTracker]:
        """The track scripts by name."""
        return self.subjects.scripts

    @property
    def undecided(self) -> bool:
        """Whether a link or a process changed, and that does not count yet: its delay runs."""
        delayed = (*self.subjects.links.values(), *self.subjects.processes.values())
        return any(subject.wake_ns < NEVER for subject in delayed)

    @property
    def deadline_ns(self) -> int | None:
        """When `expire` is due at the latest; None when there is nothing to wait for."""
        return None if self.wake_ns >= NEVER else self.wake_ns

    def settle(self) -> int:
        """Make `wake_ns` exact again and return it; in between, advertisements have put deadlines off."""
        if not self._started:
            return NEVER
        timed = self._timed
        wake_ns = timed[0].wake_ns if len(timed) == 1 else min([t.wake_ns for t in timed], default=NEVER)
        self.wake_ns = wake_ns
        return wake_ns

    def counters(self, name: str) -> Counters:
        """The counters of the virtual router of this name; KeyError when there is none."""
        return self._members[name].counters

    # Inputs ---------------------------------------------------------------------------------------------

    def start(self, now_ns: int) -> KeyedEffects:
        """The process starts, on interfaces that are up unless `set_interface` said otherwise."""
        self._started = True
        effects = self._start_scripts(now_ns)
        for member in self._members.values():
            self._weigh(member, now_ns)
        for member in self._members.values():
            effects += self._start(now_ns, member)
        self.settle()
        return effects

    def _start_scripts(self, now_ns: int) -> KeyedEffects:
        effects: KeyedEffects = ()
        for script in self.scripts.values():
            if self._followers(script):
                effects += _keyed(None, script.start(now_ns))
        return effects

    def _start(self, now_ns: int, member: Member) -> KeyedEffects:
        member.down = self._held(member)
        member.starting = self._undecided(member)
        held = "; ".join(self._reasons(member))
        return self._done(now_ns, member, member.virtual_router.start(now_ns, self.config.startup_delay_ns, held))

    def advertise(self, now_ns: int) -> KeyedEffects:
        """Have every master speak at once, as keepalived does before it reads its configuration again."""
        effects: KeyedEffects = ()
        for member in self._members.values():
            effects += self._done(now_ns, member, member.virtual_router.advertise(now_ns))
        self.settle()
        return effects

    def reload(self, now_ns: int, config: RouterConfig) -> KeyedEffects:
        """Run another configuration from now on (SIGHUP), as keepalived 2.2.7 was measured to.

        A virtual router that was there before (interface, family and VRID are the same) carries on in its state;
        one that is left out says good-bye, a new one starts. Verdicts of scripts are kept, their runs begin anew; a
        script not run before holds nothing that carries on until its first result.
        ValueError as at the start; everything then stays as it is.
        """
        before, subjects = self._members, self.subjects
        known = {(_place(one.virtual_router.config)): one for one in before.values()}
        self._set_up(config)
        self.subjects.remember(subjects)
        if not self._started:
            return ()
        places = {_place(member.virtual_router.config) for member in self._members.values()}
        effects: KeyedEffects = ()
        for place, member in known.items():
            member.datagram = None
            if place not in places:
                gone = member.virtual_router.stop(now_ns, "no longer configured")
                effects += self._done(now_ns, member, gone)
        effects += self._start_scripts(now_ns)
        for member in self._members.values():
            self._weigh(member, now_ns)
        for member in self._members.values():
            predecessor = known.get(_place(member.virtual_router.config))
            if predecessor is None:
                effects += self._start(now_ns, member)
                continue
            member.counters = predecessor.counters
            effects += self._done(now_ns, member, member.virtual_router.carry_on(now_ns, predecessor.virtual_router))
            member.down = predecessor.down
            if member.down or not self._undecided(member):
                effects += self._hold(now_ns, member, "reload")
        self.settle()
        return effects

    def stop(self, now_ns: int, reason: str = "stopped") -> KeyedEffects:
        """The process ends in good order (SIGTERM): masters say good-bye."""
        self._started = False
        effects: KeyedEffects = ()
        for member in self._members.values():
            effects += self._done(now_ns, member, member.virtual_router.stop(now_ns, reason))
        self.wake_ns = NEVER
        return effects

    def receive(self, now_ns: int, interface: str, datagram: Datagram) -> KeyedEffects:
        """A VRRP packet arrived on an interface. Whatever is wrong with it is counted, never raised."""
        return self._receive_new(now_ns, self._by_interface[interface].get(datagram.key), datagram)

    def listener(self, interface: str, act: Callable[[int, KeyedEffects], None]) -> Callable[[int, Datagram], None]:
        """`receive` for one interface, for a driver that calls it often. KeyError for an unknown interface.

        A datagram object just met and taken is not judged again, so that a steady master costs next to nothing.
        `act` is called with the time and the effects whenever there are any or `wake_ns` may have come nearer.
        """
        find = self._by_interface[interface].get

        last: Member | None = None

        def listen(now_ns: int, datagram: Datagram) -> None:
            nonlocal last
            member = last
            if member is None or datagram is not member.datagram:
                member = last = find(datagram.key)
                if member is None or datagram is not member.datagram:
                    act(now_ns, self._receive_new(now_ns, member, datagram))
                    return
            member.counters.accepted += 1
            effects = member.virtual_router.receive(now_ns, datagram.source, member.advertisement)
            if effects:
                act(now_ns, self._heard(now_ns, member, effects))

        return listen

    def _receive_new(self, now_ns: int, member: Member | None, datagram: Datagram) -> KeyedEffects:
        if member is None:
            self.strangers[Discard.TOO_SHORT if datagram.key < 0 else Discard.UNKNOWN_VRID] += 1
            return ()
        verdict = self._judge(member.virtual_router, datagram)
        if self.witness is not None:
            self.witness(member.virtual_router, datagram, verdict)
        if verdict is not None:
            member.counters.discarded[verdict] += 1
            if verdict not in _UNHEARD:
                member.virtual_router.refuse(now_ns)
            return ()
        advertisement = decode(datagram.payload, source=datagram.source, checksum=ChecksumPolicy.UNCHECKED)
        if datagram.authentication is not None:
            member.virtual_router.ah_sequence.hear(datagram.source, datagram.authentication.sequence)
        member.counters.accepted += 1
        member.counters.priority_zero_received += not advertisement.priority
        member.datagram = datagram if advertisement.priority else None
        member.advertisement = advertisement
        return self._heard(now_ns, member, member.virtual_router.receive(now_ns, datagram.source, advertisement))

    def _heard(self, now_ns: int, member: Member, effects: Effects) -> KeyedEffects:
        keyed = self._done(now_ns, member, effects)
        if any(type(effect) is Announce for effect in effects):  # as it does in reply to a weaker one
            for other in self._companions(member):
                told = other.virtual_router.announce(now_ns) if other is not member else ()
                keyed += self._done(now_ns, other, told)
        self.settle()
        return keyed

    def expire(self, now_ns: int) -> KeyedEffects:
        """Time has passed: act on every deadline reached. Harmless when early, or after `stop`."""
        effects: KeyedEffects = ()
        if not self._started:
            return effects
        for subject in self.subjects.timed:
            if now_ns >= subject.wake_ns:
                asked, changed = subject.expire(now_ns)
                effects += _keyed(None, asked)
                effects += self._changed(now_ns, subject) if changed else ()
        for member in self._members.values():
            if now_ns >= member.virtual_router.wake_ns:
                effects += self._done(now_ns, member, member.virtual_router.expire(now_ns))
        self.settle()
        return effects

    def script_finished(self, now_ns: int, name: str, ok: bool) -> KeyedEffects:
        """The run of a track script that `RunScript` asked for ended. KeyError for an unknown name."""
        script = self.subjects.scripts[name]
        return self._turned(now_ns, script, script.finished(ok))

    def set_interface(self, now_ns: int, name: str, up: bool) -> KeyedEffects:
        """An interface gained or lost its carrier. KeyError for an unknown name."""
        link = self.subjects.links[name]
        if not self.profile.tracks_links:
            return ()
        if not self._started:
            link.settle(up)
            return ()
        return self._turned(now_ns, link, link.turn(now_ns, up))

    def set_addresses(self, name: str, addresses: Sequence[AnyAddress]) -> bool:
        """An interface has these addresses now; virtual routers that are given none of their own send from the first.

        Whether each of them has one; one without keeps what it had, and is for `set_interface` to hold.
        """
        whole = True
        for member in self._by_interface.get(name, {}).values():
            config = member.virtual_router.config
            if config.source is None:
                source = primary(config.width, addresses)
                whole = whole and source is not None
                member.virtual_router.source = source or member.virtual_router.source
        return whole

    def set_file(self, now_ns: int, name: str, value: int) -> KeyedEffects:
        """A track file has this number in it (0 where it holds none or is gone). KeyError for an unknown name."""
        file = self.subjects.files[name]
        changed, file.value = value != file.value, value
        return self._turned(now_ns, file, changed)

    def set_process_count(self, now_ns: int, name: str, count: int) -> KeyedEffects:
        """So many processes of a kind run now; before `start`, without delay. KeyError for an unknown name."""
        process = self.subjects.processes[name]
        if not self._started:
            process.found(count)
            return ()
        return self._turned(now_ns, process, process.set_count(now_ns, count))

    # Tracking -------------------------------------------------------------------------------------------

    def _turned(self, now_ns: int, subject: Subject, changed: bool) -> KeyedEffects:
        effects = self._changed(now_ns, subject) if changed and self._started else ()
        self.settle()
        return effects

    def _followers(self, subject: Subject) -> list[Member]:
        return [member for member in self._members.values() if any(subject is one.subject for one in member.followed)]

    def _changed(self, now_ns: int, subject: Subject) -> KeyedEffects:
        effects: KeyedEffects = ()
        for member in self._followers(subject):
            effects += self._track(now_ns, member, subject.reason)
        return effects

    def _track(self, now_ns: int, member: Member, reason: str) -> KeyedEffects:
        """Something tracked changed for `reason`: move the priority, enter or leave FAULT."""
        member.datagram = None
        changed = self._weigh(member, now_ns, reason)
        effects = self._done(now_ns, member, changed)
        for other in self._companions(member):
            effects += self._hold(now_ns, other, reason, along=other is not member)
        return effects

    def _hold(self, now_ns: int, member: Member, reason: str, *, along: bool = False) -> KeyedEffects:
        """Enter or leave FAULT, if that is due; `along`: with another of its sync group."""
        effects: KeyedEffects = ()
        held = self._held(member)
        if held is not member.down:
            member.down = held
            virtual_router = member.virtual_router
            if held:
                moved = virtual_router.fail(now_ns, reason, along=along)
            else:
                moved = virtual_router.recover(now_ns, reason, starting=member.starting, along=along)
            effects = self._done(now_ns, member, moved)
        member.starting = member.starting and self._undecided(member)
        return effects

    def _weigh(self, member: Member, now_ns: int, reason: str = "") -> Effects:
        """Recompute what holds and what moves a virtual router; the effects of a change of priority."""
        config = member.virtual_router.config
        member.faults = [one.subject for one in member.followed if one.influence is None]
        old = member.virtual_router.priority
        new = effective_priority(config.priority, sum(one.influence or 0 for one in member.followed))
        return member.virtual_router.set_priority(now_ns, new, f"{reason}: {old} \u2192 {new}" if reason else "")

    def _companions(self, member: Member) -> list[Member]:
        """The members of its sync group, or itself alone."""
        group = member.virtual_router.group
        if not isinstance(group, SyncGroup):
            return [member]
        return [self._members[virtual_router.config.name] for virtual_router in group.members]

    def _held(self, member: Member) -> bool:
        return any(companion.faults for companion in self._companions(member))

    def _undecided(self, member: Member) -> bool:
        """Whether it is held, and all that holds it are scripts without a result."""
        faults = [subject for companion in self._companions(member) for subject in companion.faults]
        return bool(faults) and all(isinstance(one, ScriptTracker) and not one.results for one in faults)

    def _reasons(self, member: Member) -> list[str]:
        return [subject.reason for companion in self._companions(member) for subject in companion.faults]

    def _judge(self, virtual_router: VirtualRouter, datagram: Datagram) -> Discard | None:
        """Why a datagram for this virtual router is not taken; None when it is."""
        if datagram.source == virtual_router.source:
            return Discard.OWN_ADDRESS
        if len(datagram.payload) < HEADER_SIZE:
            return Discard.TOO_SHORT
        return first_failure(virtual_router, datagram, self.profile.checks)

    # Effects --------------------------------------------------------------------------------------------

    def _done(self, now_ns: int, member: Member, effects: Effects) -> KeyedEffects:
        """Key the effects, count them, and take the sync group along."""
        virtual_router = member.virtual_router
        keyed = _keyed(virtual_router, effects)
        counters = member.counters
        for effect in effects:
            if type(effect) is SendAdvertisement:
                counters.sent += 1
                counters.priority_zero_sent += not effect.advertisement.priority
            elif type(effect) is StateChanged:
                counters.became_master += effect.new.value == "MASTER"
                group = virtual_router.group
                if isinstance(group, SyncGroup):
                    for other, moved in group.move(now_ns, virtual_router):
                        keyed += self._done(now_ns, self._members[other.config.name], moved)
        return keyed


def _place(config: VirtualRouterConfig) -> tuple[str, int, int]:
    """What makes two configurations' virtual routers the same one."""
    return config.interface, config.width, config.vrid


def _keyed(virtual_router: VirtualRouter | None, effects: Effects) -> KeyedEffects:
    return tuple((virtual_router, effect) for effect in effects)
