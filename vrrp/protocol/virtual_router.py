"""One virtual router on one interface: the state machine of RFC 3768, 5798 and 9568 section 6.4.

How it is driven
----------------
The machine has no clock, socket or thread. Each input is a method taking the time in integer nanoseconds and
returning a tuple of effects, nearly always the empty one. `deadline_ns` says when `expire` is next due; an
early `expire` changes nothing, a late one acts at the time it is given. Rule 1: all that affects the state of a
virtual router lives in this file. Rule 2: what differs between implementations is a field of `Profile`.

Who is master
-------------
A BACKUP waits for the master's advertisements. Each acceptable one sets the timer to Master_Down_Interval:
three intervals and the Skew_Time, which is shorter the higher the priority, so that of several backups the best
speaks first. Priority 0 ("I am leaving") leaves only the skew to wait. An advertisement weaker than our own
priority is not acceptable unless preemption is off: it does not set the timer, and when that ends we take over.

A MASTER advertises each interval. It steps down for a higher priority, and for an equal one from a numerically
higher address; priority 0 from another makes it advertise at once. What it does about a weaker advertisement
is the profile's affair: nothing, advertise, or advertise and announce its addresses.

FAULT is keepalived's: a tracked interface or weight-0 script is down. Profiles without it go to INITIALIZE.

Members of a sync group move together: a backup whose timer ends waits until all members want to be master.

`TRANSITIONS` in `transitions.py` states all of this as data; the tests walk every state and input through it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vrrp.protocol.advertiser import Advertiser
from vrrp.protocol.ah_sequence import AhSequence
from vrrp.protocol.announcer import Announcer
from vrrp.protocol.effects import (
    AcquireAddresses,
    Announce,
    Effects,
    PriorityChanged,
    ReleaseAddresses,
    SendAdvertisement,
    StateChanged,
)
from vrrp.protocol.profile import LowerReply, OwnerStart, Profile
from vrrp.protocol.reasons import end_of_wait
from vrrp.protocol.settings import OWNER_PRIORITY, VirtualRouterConfig
from vrrp.protocol.state import State
from vrrp.protocol.timers import CENTISECOND_NS, NEVER, master_down_ns, skew_ns
from vrrp.wire.address import AnyAddress, pack, text
from vrrp.wire.advertisement import Advertisement
from vrrp.wire.checksum import ChecksumPolicy

if TYPE_CHECKING:
    from vrrp.protocol.sync_group import Group

# Names of the module, because reaching a member through its Enum class costs 0.1 us each time.
INITIALIZE, BACKUP, MASTER, FAULT = State


class VirtualRouter:
    """One virtual router. `source` is the primary address its advertisements leave from.

    Attributes for readers: `state`, `priority` (the effective one), `advertiser`, `master` (packed source of the last
    accepted advertisement, None before), `master_interval_cs` (learned), `deadline_ns`, `ah_sequence`.
    """

    __slots__ = (
        "_announcer",
        "_cause",
        "_down_ns",
        "_goodbye",
        "_heard_ns",
        "_interval_ns",
        "_preempt",
        "_preempt_after_ns",
        "_priority_reason",
        "_quiet_until_ns",
        "_remembered_ns",
        "_steady",
        "_tick",
        "_timer_ns",
        "advertiser",
        "ah_sequence",
        "checksum_policy",
        "config",
        "group",
        "master",
        "master_interval_cs",
        "priority",
        "profile",
        "source",
        "state",
        "wake_ns",
        "wants_master",
        "wire_interval_cs",
    )

    def __init__(self, config: VirtualRouterConfig, *, source: AnyAddress, profile: Profile) -> None:
        """ValueError when the profile does not speak the configured version."""
        if config.version not in profile.versions:
            raise ValueError(f"{config.name}: profile {profile.name} does not speak version {config.version}")
        self.config = config
        self.profile = profile
        self.source = pack(source)
        self.ah_sequence = AhSequence()
        self.state = INITIALIZE
        self.priority = config.priority
        self.master: bytes | None = None
        self.master_interval_cs = config.interval_cs
        self.group: Group | None = None
        self.wants_master = False
        self.wake_ns = NEVER
        self.advertiser = Advertiser(config, profile)
        self.checksum_policy: ChecksumPolicy = self.advertiser.policy
        self.wire_interval_cs = self.advertiser.interval_cs
        self._announcer = Announcer(
            config.addresses + config.excluded_addresses, config.announcements or profile.announcements
        )
        self._interval_ns = config.interval_cs * CENTISECOND_NS
        self._timer_ns = NEVER
        self._preempt = config.preempt
        self._preempt_after_ns: int | None = None
        self._heard_ns = 0
        self._quiet_until_ns = 0
        self._remembered_ns = 0
        self._cause: tuple[bytes, int] | None = None
        self._priority_reason = ""
        self._steady: Advertisement | None = None
        """The advertisement accepted last in BACKUP, while nothing else happened: heard again it takes no thought."""
        self._goodbye = SendAdvertisement(self.advertiser.say(0))
        self._set_formulas()

    @property
    def deadline_ns(self) -> int | None:
        """When `expire` is next due; None when there is nothing to wait for."""
        return None if self.wake_ns >= NEVER else self.wake_ns

    @property
    def master_down_interval_ns(self) -> int:
        """Master_Down_Interval at the present priority and learned interval."""
        return self._down_ns

    @property
    def served(self) -> tuple[bytes, ...]:
        """All addresses that it stands for as a master, those that it does not list among them, packed."""
        return self._announcer.addresses

    @property
    def skew_ns(self) -> int:
        """Skew_Time at the present priority and learned interval."""
        return skew_ns(self.priority, self.master_interval_cs, self.config.version, self.profile.skew)

    # Inputs ---------------------------------------------------------------------------------------------

    def start(self, now_ns: int, delay_ns: int = 0, held: str = "") -> Effects:
        """The Startup event; no backup's timer runs before `delay_ns` are over (vrrp_startup_delay).

        `held` says what must come up first: until `recover` it is in FAULT.
        """
        if self.state is not INITIALIZE:
            return ()
        self._quiet_until_ns = now_ns + delay_ns
        return self.fail(now_ns, held) if held else self._begin(now_ns, "start")

    def stop(self, now_ns: int, reason: str = "stopped") -> Effects:
        """The Shutdown event: a master says good-bye with priority 0."""
        if self.state is INITIALIZE:
            return ()
        return self._leave(INITIALIZE, reason, 1)

    def expire(self, now_ns: int) -> Effects:
        """Time has passed: act on every deadline reached by `now_ns`. Harmless when early."""
        if now_ns < self.wake_ns:
            return ()
        effects: Effects = ()
        if now_ns >= self._announcer.due_ns:
            effects = self._announcer.expire(now_ns, master=self.state is MASTER)
        if now_ns >= self._timer_ns:
            if self.state is MASTER:
                self._timer_ns = now_ns + self._interval_ns
                effects += self._tick + self._announcer.refresh(now_ns)
            else:
                effects += self._time_out(now_ns)
        self._set_wake()
        return effects

    def receive(self, now_ns: int, source: AnyAddress, advertisement: Advertisement) -> Effects:
        """An advertisement that passed every check, from this source address (packed is quickest)."""
        if advertisement is self._steady and source is self.master:
            self._heard_ns = now_ns
            self._remembered_ns = down_ns = self._down_ns
            self.wake_ns = self._timer_ns = now_ns + down_ns
            return ()
        if type(source) is not bytes:
            source = pack(source)
        self._steady = None
        if self.state is BACKUP:
            priority = advertisement.priority
            if not priority:
                return self._hear_goodbye(now_ns, source)
            if priority >= self.priority or not self._preempt:
                self._preempt_after_ns = None
                if self._announcer.due_ns >= NEVER and now_ns >= self._quiet_until_ns:
                    self._steady = advertisement
            elif not self._accept_weaker(now_ns, source, priority):
                return ()
            self.master = source
            self.wants_master = False
            self._cause = None
            self._heard_ns = now_ns
            if advertisement.interval_cs != self.master_interval_cs or advertisement.reserved:
                self._learn(advertisement)
            self._wait(now_ns, self._down_ns)
            return ()
        if self.state is MASTER:
            effects = self._receive_as_master(now_ns, source, advertisement)
            self._set_wake()
            return effects
        return ()

    def refuse(self, now_ns: int) -> Effects:
        """A packet for this virtual router that failed a check. Some implementations react all the same."""
        if self.state is BACKUP:
            self._refused(now_ns)
        elif self.state is MASTER and self.profile.refused_packet_restarts_advert_timer:
            self._disturbed(now_ns)
            self._set_wake()
        return ()

    def set_priority(self, now_ns: int, priority: int, reason: str = "") -> Effects:
        """Tracking moved the effective priority to `priority` (1 to 254). An owner's never moves."""
        if priority == self.priority or self.config.owner:
            return ()
        self._steady = None
        old, self.priority = self.priority, priority
        self._priority_reason = reason if priority != self.config.priority else ""
        self._set_formulas()
        if self.profile.priority_change_moves_timer and self.state is BACKUP:
            self._timer_ns += self._down_ns - self._remembered_ns
            self._remembered_ns = self._down_ns
            self._set_wake()
        return (PriorityChanged(old, priority, reason),)

    def fail(self, now_ns: int, reason: str, along: bool = False) -> Effects:
        """Something tracked went down that this virtual router, or (`along`) its sync group, cannot be without."""
        if self.profile.fault_state:
            goodbyes = 1 if along else self.profile.goodbyes_on_fault
            return self._leave(FAULT, reason, goodbyes) if self.state is not FAULT else ()
        return self.stop(now_ns, reason)

    def recover(self, now_ns: int, reason: str, starting: bool = False, along: bool = False) -> Effects:
        """All is up again, or (`along`) all of its sync group; `starting`: only first results had been missing."""
        if self.state is not FAULT:
            return self.start(now_ns)
        effects = self._begin(now_ns, reason) if starting else self._become_backup(now_ns, reason)
        if self.config.unicast_peers and self.profile.announces_source_after_fault and not along:
            effects += (Announce((self.source,), 1),)
        return effects

    def lead(self, now_ns: int, reason: str) -> Effects:
        """The sync group moves to MASTER."""
        return self._become_master(now_ns, reason) if self.state is BACKUP else ()

    def follow(self, now_ns: int, reason: str) -> Effects:
        """The sync group moves to BACKUP."""
        return self._step_down(now_ns, reason) if self.state is MASTER else ()

    def announce(self, now_ns: int) -> Effects:
        """Another member of its sync group answered a weaker advertisement: a master announces its addresses too."""
        effects = self._announcer.reply(now_ns) if self.state is MASTER else ()
        self._set_wake()
        return effects

    def advertise(self, now_ns: int) -> Effects:
        """A master speaks at once, whenever its next turn would have been."""
        if self.state is not MASTER:
            return ()
        self._timer_ns = now_ns + self._interval_ns
        self._set_wake()
        return self._tick

    def carry_on(self, now_ns: int, predecessor: VirtualRouter) -> Effects:
        """Take the place of the same virtual router of an earlier configuration, in the state it was in.

        A master stays it and says so; it announces its addresses only when there are new ones, and not again later.
        A backup waits anew (keepalived, measured, owners too).
        """
        if self.state is not INITIALIZE:
            return ()
        self.state, self.ah_sequence = predecessor.state, predecessor.ah_sequence
        self._quiet_until_ns = predecessor._quiet_until_ns
        if self.state is BACKUP:
            self._heard_ns = now_ns
            self._wait(now_ns, self._down_ns)
        if self.state is not MASTER:
            return ()
        return self._announcer.replace(now_ns, predecessor._announcer) + self.advertise(now_ns)

    # BACKUP ---------------------------------------------------------------------------------------------

    def _accept_weaker(self, now_ns: int, source: bytes, priority: int) -> bool:
        """Whether a preempting backup still lets a weaker master be: only while preempt_delay runs."""
        if self.config.preempt_delay_ns:
            if self._preempt_after_ns is None:
                self._preempt_after_ns = now_ns + self.config.preempt_delay_ns
            if now_ns < self._preempt_after_ns:
                return True
        if self._cause is None or self._cause[1]:
            self._cause = (source, priority)
        self._refused(now_ns)
        return False

    def _refused(self, now_ns: int) -> None:
        if self.profile.refused_advert_shortens_memory:
            self._wait(now_ns, max(0, self._timer_ns - now_ns))

    def _hear_goodbye(self, now_ns: int, source: bytes) -> Effects:
        self._cause = (source, 0)
        self._heard_ns = now_ns
        self._wait(now_ns, self.skew_ns)
        return ()

    def _time_out(self, now_ns: int) -> Effects:
        if self.group is not None and not self.group.ready(self):
            self.wants_master = True
            self._steady = None
            self._wait(now_ns, self._down_ns)
            return ()
        silent_ns = now_ns - self._heard_ns
        return self._become_master(now_ns, end_of_wait(self._cause, self.master, silent_ns, self._ours()))

    # MASTER ---------------------------------------------------------------------------------------------

    def _receive_as_master(self, now_ns: int, source: bytes, advertisement: Advertisement) -> Effects:
        priority = advertisement.priority
        self._disturbed(now_ns)
        if not priority:
            self._timer_ns = now_ns + self._interval_ns
            return self._tick
        if priority == self.priority == OWNER_PRIORITY and self.profile.second_owner_yields:
            self.priority = OWNER_PRIORITY - 1
            self._set_formulas()
            return self._yield_to(now_ns, source, advertisement, "has priority 255 too: reduced to 254")
        if (priority, source) > (self.priority, self.source):
            what = f"higher priority {priority}" if priority > self.priority else "a higher address"
            return self._yield_to(now_ns, source, advertisement, f"has {what}, our priority is {self._ours()}")
        reply = self.profile.lower_reply
        if reply is LowerReply.NOTHING:
            return ()
        effects: Effects = () if self.config.lower_prio_no_advert else self._tick
        if reply is LowerReply.ADVERTISE_AND_ANNOUNCE:
            effects += self._announcer.reply(now_ns)
        return effects

    def _disturbed(self, now_ns: int) -> None:
        """A packet for this virtual router arrived, whatever is in it."""
        if self.profile.any_packet_restarts_advert_timer and not self.config.lower_prio_no_advert:
            self._timer_ns = now_ns + self._interval_ns

    def _yield_to(self, now_ns: int, source: bytes, advertisement: Advertisement, reason: str) -> Effects:
        farewell = self._tick if self.config.higher_prio_send_advert else ()
        self.master = source
        self._learn(advertisement)
        return farewell + self._step_down(now_ns, f"{text(source)} {reason}")

    def _step_down(self, now_ns: int, reason: str) -> Effects:
        return (ReleaseAddresses(self._announcer.addresses), *self._become_backup(now_ns, reason))

    # Changing state -------------------------------------------------------------------------------------

    def _begin(self, now_ns: int, reason: str) -> Effects:
        rule = self.profile.owner_start
        at_once = rule is OwnerStart.MASTER or (rule is OwnerStart.MASTER_IF_STATE_MASTER and self.config.state_master)
        if not (self.config.owner and at_once):
            return self._become_backup(now_ns, reason)
        if self.state is FAULT or now_ns >= self._quiet_until_ns:  # a first result ends the delay, too (measured)
            return self._become_master(now_ns, "owner of the addresses (priority 255)")
        effects = self._become_backup(now_ns, reason)
        self._wait(now_ns, 0)
        return effects

    def _become_backup(self, now_ns: int, reason: str) -> Effects:
        old, self.state = self.state, BACKUP
        if old is not MASTER:
            self.master = None
            self.master_interval_cs = self.config.interval_cs
            self._set_formulas()
        self._forget()
        self._heard_ns = now_ns
        self._wait(now_ns, self._down_ns)
        return (StateChanged(old, BACKUP, reason),)

    def _become_master(self, now_ns: int, reason: str) -> Effects:
        old, self.state = self.state, MASTER
        if self.master_interval_cs != self.config.interval_cs:
            self.master_interval_cs = self.config.interval_cs
            self._set_formulas()
        self._forget()
        self._timer_ns = now_ns + self._interval_ns
        announced = self._announcer.start(now_ns)
        self._set_wake()
        acquired = AcquireAddresses(self._announcer.addresses)
        first = self._tick if self.config.width == 4 or self.profile.first_ipv6_advertisement else ()
        return (*first, acquired, *announced, StateChanged(old, MASTER, reason))

    def _leave(self, new: State, reason: str, goodbyes: int) -> Effects:
        old, self.state = self.state, new
        self._forget()
        self._timer_ns = NEVER
        self._set_wake()
        changed = StateChanged(old, new, reason)
        if old is not MASTER:
            return (changed,)
        return (*(self._goodbye,) * goodbyes, ReleaseAddresses(self._announcer.addresses), changed)

    def _forget(self) -> None:
        self.wants_master = False
        self._steady = None
        self._cause = None
        self._preempt_after_ns = None

    # Timers and messages --------------------------------------------------------------------------------

    def _wait(self, now_ns: int, wait_ns: int) -> None:
        """Set a backup's timer; while the startup delay lasts, from its end on (keepalived, measured)."""
        self._remembered_ns = wait_ns
        self._timer_ns = max(now_ns, self._quiet_until_ns) + wait_ns
        self._set_wake()

    def _learn(self, advertisement: Advertisement) -> None:
        """Take over the master's interval; a version 2 packet that passed the checks states our own."""
        if self.config.version == 3:
            self.master_interval_cs = advertisement.interval_cs
            if self.profile.reserved_bits_in_interval:
                self.master_interval_cs |= advertisement.reserved << 12
            self._set_formulas()

    def _set_formulas(self) -> None:
        config = self.config
        self._down_ns = master_down_ns(
            self.priority, self.master_interval_cs, config.version, self.profile.skew, config.down_timer_adverts
        )
        self._tick = (SendAdvertisement(self.advertiser.say(self.priority)),)

    def _set_wake(self) -> None:
        self.wake_ns = min(self._timer_ns, self._announcer.due_ns)

    def _ours(self) -> str:
        return f"{self.priority} ({self._priority_reason})" if self._priority_reason else str(self.priority)
