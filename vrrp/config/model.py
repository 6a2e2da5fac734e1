"""What a keepalived.conf means, with every default, clamp and fallback of keepalived 2.2.7 already applied.

Durations are nanoseconds (`_ns`) or, as on the wire, centiseconds (`_cs`). `line` is where the thing begins, from 1;
`lines` has the line of each keyword that it was given, the last where one stands twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import Literal

from vrrp.config.diagnostics import Diagnostic, Verdict
from vrrp.config.lvs.model import Checker, SslContext, VirtualServer, VirtualServerGroup
from vrrp.config.routing.model import Route, Rule, TrackGroup
from vrrp.config.script_security import ROOT, Identity, Runnable
from vrrp.config.values import Address as Address  # noqa: PLC0414 (said again for those who import the model)

InitialState = Literal["MASTER", "BACKUP"]
AuthenticationKind = Literal["PASS", "AH"]


@dataclass(frozen=True, slots=True)
class Option:
    """A keyword that only the kernel side uses, kept as text: `keyword` or the block's name, and the rest."""

    keyword: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class OtherBlock:
    """A block that only the kernel side uses, such as garp_group: the words before its brace, and its lines."""

    name: str
    arguments: tuple[str, ...]
    line: int
    options: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True)
class GlobalDefs:
    """The global_defs; `line` is 0 when the file has none. `router_id` None is the host's name.

    `runnables` has, by keyword, the scripts that it has run and the FIFOs that it has written, and as whom.
    """

    router_id: str | None = None
    version: Literal[2, 3] = 2
    multicast_group_v4: IPv4Address = field(default_factory=lambda: IPv4Address("224.0.0.18"))
    multicast_group_v6: IPv6Address = field(default_factory=lambda: IPv6Address("ff02::12"))
    startup_delay_ns: int = 0
    delay_after_boot_ns: int = 0
    lower_prio_no_advert: bool = False
    higher_prio_send_advert: bool = False
    down_timer_adverts: int = 3
    skip_check_adv_addr: bool = False
    check_unicast_src: bool = False
    garp_master_delay_ns: int = 5_000_000_000
    garp_master_repeat: int = 5
    garp_master_refresh_ns: int = 0
    garp_master_refresh_repeat: int = 1
    garp_lower_prio_delay_ns: int = 5_000_000_000
    garp_lower_prio_repeat: int = 5
    garp_interval_ns: int = 0
    gna_interval_ns: int = 0
    v3_checksum_as_v2: bool = False
    owner_ignore_adverts: bool = False
    script_user: str | None = None
    enable_script_security: bool = False
    strict: bool = False
    dynamic_interfaces: bool = False
    options: tuple[Option, ...] = ()
    line: int = 0
    lines: Mapping[str, int] = field(default_factory=dict)
    runnables: Mapping[str, Runnable] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VirtualAddress:
    """One virtual address: `prefix` bits, the `device` it goes on (None: the instance's interface)."""

    address: Address
    prefix: int
    device: str | None
    broadcast: IPv4Address | None
    label: str | None
    scope: str | None
    peer: Address | None
    no_track: bool
    use_vmac: bool
    line: int
    preferred_lifetime_s: int | None = None
    """How long the kernel prefers it as a source, of 32 bits; the greatest is for ever; None: nothing is said."""


@dataclass(frozen=True, slots=True)
class StaticAddress:
    """A line of static_ipaddress, and the track_group whose instances it follows."""

    address: VirtualAddress
    track_group: str | None


@dataclass(frozen=True, slots=True)
class Authentication:
    """Version 2's authentication: `password` is what goes on the wire, 1 to 8 bytes, without padding."""

    kind: AuthenticationKind
    password: bytes
    line: int


@dataclass(frozen=True, slots=True)
class Tracked:
    """Something that an instance or group follows: `weight` is what the line gives, or else its own; 0 means FAULT."""

    name: str
    weight: int
    reverse: bool
    line: int


class TrackedScript(Tracked):
    """A vrrp_script."""

    __slots__ = ()


class TrackedInterface(Tracked):
    """A network interface."""

    __slots__ = ()


class TrackedFile(Tracked):
    """A track_file: its number times the weight is added to the priority."""

    __slots__ = ()


class TrackedProcess(Tracked):
    """A vrrp_track_process."""

    __slots__ = ()


class TrackedBfd(Tracked):
    """A bfd_instance."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class TrackFile:
    """A file with a number to follow. `initial`: what keepalived writes where there is none; None: nothing.

    `overwrite`: it is written when keepalived starts, whatever is there.
    """

    name: str
    path: str
    weight: int
    reverse: bool
    initial: int | None
    line: int
    overwrite: bool = False


@dataclass(frozen=True, slots=True)
class TrackProcess:
    """Processes to count: from `quorum` to `quorum_max` of them (None: any number) must run `command`.

    `full_command`: the whole command line is compared, not the program's name alone; `match`: how much of its
    parameters, None for none.
    """

    name: str
    command: str
    weight: int
    reverse: bool
    quorum: int
    quorum_max: int | None
    fork_delay_ns: int
    terminate_delay_ns: int
    full_command: bool
    match: str | None
    line: int


@dataclass(frozen=True, slots=True)
class BfdSession:
    """A bfd_instance, a session with a `neighbor`, and what its state weighs for those who follow it.

    `min_rx_ns` and `min_tx_ns` are the intervals that it asks for, `idle_tx_ns` the one while the session is down;
    `multiplier` of them without a packet mean down. `ttl` is sent, and `max_hops` fewer are accepted. `passive`: it
    begins nothing itself.
    """

    name: str
    neighbor: str
    source: str | None
    weight: int
    reverse: bool
    line: int
    min_rx_ns: int = 10_000_000
    min_tx_ns: int = 10_000_000
    idle_tx_ns: int = 1_000_000_000
    multiplier: int = 5
    ttl: int = 255
    max_hops: int = 0
    passive: bool = False


@dataclass(frozen=True, slots=True)
class LinkDelays:
    """How long an interface must be up, or down, before keepalived takes it for so."""

    interface: str
    up_ns: int
    down_ns: int
    line: int


@dataclass(frozen=True, slots=True)
class VrrpScript:
    """A check script. `init_fail`: taken as failed until it first ran; `rise` and `fall` are counts of runs."""

    name: str
    command: str
    interval_ns: int
    timeout_ns: int
    weight: int
    reverse: bool
    rise: int
    fall: int
    init_fail: bool
    user: str | None
    line: int
    lines: Mapping[str, int] = field(default_factory=dict)
    identity: Identity = ROOT


@dataclass(frozen=True, slots=True)
class SyncGroup:
    """Instances that change state together; `members` are names of instances that exist.

    `notify`, `notify_users` and `runs_as` are those of `VrrpInstance`.
    """

    name: str
    members: tuple[str, ...]
    tracking_weight: bool
    track_scripts: tuple[TrackedScript, ...]
    track_interfaces: tuple[TrackedInterface, ...]
    notify: Mapping[str, str]
    options: tuple[Option, ...]
    line: int
    track_files: tuple[TrackedFile, ...] = ()
    track_processes: tuple[TrackedProcess, ...] = ()
    track_bfd: tuple[TrackedBfd, ...] = ()
    notify_users: Mapping[str, str] = field(default_factory=dict)
    runs_as: Mapping[str, Identity] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VrrpInstance:
    """One virtual router as this node is to run it.

    `unicast_peer_ttl` has the (lowest, highest) TTL accepted from a peer, for those with a min_ttl or max_ttl.
    `multicast_group` is where adverts go when there are no `unicast_peers`. `notify` maps keyword to command,
    and `notify_users` to "USER" or "USER GROUP" where the line names one; without, it is the script_user.
    `timer_expired_backup` is the highest priority that the others may have, 0 where it is not given: one whose timer
    rings that late waits for another to become master first. `runs_as` has who runs each command.
    """

    name: str
    initial_state: InitialState
    interface: str
    vrid: int
    priority: int
    interval_cs: int
    version: Literal[2, 3]
    addresses: tuple[VirtualAddress, ...]
    excluded_addresses: tuple[VirtualAddress, ...]
    authentication: Authentication | None
    preempt: bool
    preempt_delay_ns: int
    track_scripts: tuple[TrackedScript, ...]
    track_interfaces: tuple[TrackedInterface, ...]
    unicast_source: Address | None
    multicast_source: Address | None
    multicast_group: Address
    unicast_peers: tuple[Address, ...]
    unicast_peer_ttl: Mapping[Address, tuple[int, int]]
    unicast_ttl: int
    unicast_fault_no_peer: bool
    check_unicast_src: bool
    use_vmac: bool
    vmac_xmit_base: bool
    accept: bool
    strict: bool
    garp_master_delay_ns: int
    garp_master_repeat: int
    garp_master_refresh_ns: int
    garp_master_refresh_repeat: int
    garp_lower_prio_delay_ns: int
    garp_lower_prio_repeat: int
    garp_interval_ns: int
    gna_interval_ns: int
    lower_prio_no_advert: bool
    higher_prio_send_advert: bool
    down_timer_adverts: int
    skip_check_adv_addr: bool
    v3_checksum_as_v2: bool
    owner_ignore_adverts: bool
    dont_track_primary: bool
    notify: Mapping[str, str]
    options: tuple[Option, ...]
    line: int
    lines: Mapping[str, int] = field(default_factory=dict)
    track_files: tuple[TrackedFile, ...] = ()
    track_processes: tuple[TrackedProcess, ...] = ()
    track_bfd: tuple[TrackedBfd, ...] = ()
    routes: tuple[Route, ...] = ()
    rules: tuple[Rule, ...] = ()
    notify_users: Mapping[str, str] = field(default_factory=dict)
    timer_expired_backup: int = 0
    runs_as: Mapping[str, Identity] = field(default_factory=dict)
    ignored_scripts: tuple[TrackedScript, ...] = ()
    """Tracked in the file, and of no effect: a weight is nothing to an owner or a member of a group."""
    vmac_name: str | None = None
    """With use_vmac: what the interface of its own is called; None where keepalived chooses."""
    vmac_mac: str | None = None
    """With use_vmac: its MAC address; None for the virtual router's."""


@dataclass(frozen=True, slots=True)
class NamedCheck:
    """A check to follow; without an address of its own it is one of this machine."""

    name: str
    checker: Checker
    line: int


@dataclass(frozen=True, slots=True)
class TrackedCheck:
    """A line of a track_check: the block in which it stands, by its keyword and name, and what the check weighs."""

    follower: tuple[str, str]
    name: str
    weight: int = 0
    reverse: bool = False
    line: int = 0


@dataclass(frozen=True, slots=True)
class KeepalivedConfig:
    """A whole file. Instances, groups and scripts that keepalived would not run are left out."""

    filename: str
    globals: GlobalDefs = field(default_factory=GlobalDefs)
    scripts: Mapping[str, VrrpScript] = field(default_factory=dict)
    instances: tuple[VrrpInstance, ...] = ()
    sync_groups: tuple[SyncGroup, ...] = ()
    options: tuple[Option, ...] = ()
    others: tuple[OtherBlock, ...] = ()
    virtual_servers: tuple[VirtualServer, ...] = ()
    virtual_server_groups: tuple[VirtualServerGroup, ...] = ()
    ssl: SslContext | None = None
    track_files: Mapping[str, TrackFile] = field(default_factory=dict)
    track_processes: Mapping[str, TrackProcess] = field(default_factory=dict)
    bfd_sessions: tuple[BfdSession, ...] = ()
    link_delays: tuple[LinkDelays, ...] = ()
    track_groups: Mapping[str, TrackGroup] = field(default_factory=dict)
    static_addresses: tuple[StaticAddress, ...] = ()
    static_routes: tuple[Route, ...] = ()
    static_rules: tuple[Rule, ...] = ()
    checks: Mapping[str, NamedCheck] = field(default_factory=dict)
    """Only where additions are asked for; so `tracked_checks`."""
    tracked_checks: tuple[TrackedCheck, ...] = ()

    @property
    def ignored_scripts(self) -> Mapping[str, frozenset[str]]:
        """The scripts that each instance, by its name, tracks to no effect."""
        return {one.name: frozenset(entry.name for entry in one.ignored_scripts) for one in self.instances}


@dataclass(frozen=True, slots=True)
class ParsedConfig:
    """What a file means, and everything that there is to say about it, in the order of its lines.

    `keywords` has each keyword that was read, and its line.
    `texts` has what stands in each file that was read, the first and those that it includes, by the names that
    diagnostics carry; `config_id` is what it was read for.
    """

    config: KeepalivedConfig
    diagnostics: tuple[Diagnostic, ...]
    keywords: tuple[tuple[int, str], ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    config_id: str | None = None

    @property
    def refused(self) -> bool:
        """Whether keepalived does not start with this file; `config` then holds what could be read all the same."""
        return any(diagnostic.fatal for diagnostic in self.diagnostics)

    @property
    def verdict(self) -> Verdict:
        """How `keepalived -t` would end with this file."""
        if any(diagnostic.ends for diagnostic in self.diagnostics):
            return Verdict.FATAL
        found = {diagnostic.verdict for diagnostic in self.diagnostics} - {Verdict.CLEAN}
        # An interface that is not there is fatal only as long as there is nothing else to complain of.
        return max(found - {Verdict.FATAL}, default=max(found, default=Verdict.CLEAN))
