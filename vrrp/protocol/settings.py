"""How virtual routers, track scripts and sync groups are set up. Frozen; made by hand or from keepalived.conf."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vrrp.protocol.timers import SECOND_NS
from vrrp.wire.address import VRRP_GROUP_V4, VRRP_GROUP_V6, AnyAddress, pack
from vrrp.wire.advertisement import AUTH_SIZE, MAX_ADDRESSES, MAX_INTERVAL_CS
from vrrp.wire.checksum import ChecksumPolicy
from vrrp.wire.ethernet import virtual_mac

OWNER_PRIORITY = 255


@dataclass(frozen=True, slots=True)
class Announcements:
    """When and how often a master announces its addresses. keepalived's names in brackets."""

    repeat: int = 1
    """Rounds at once on becoming master (garp_master_repeat)."""
    again_after_ns: int = 0
    """A second batch of `repeat` rounds this long after (garp_master_delay); 0: none."""
    refresh_ns: int = 0
    """While master, again with the first advertisement this long after the last (garp_master_refresh); 0: never."""
    refresh_repeat: int = 1
    """Rounds of a refresh (garp_master_refresh_repeat)."""
    lower_repeat: int = 0
    """Rounds when a lower advertisement arrives in MASTER (garp_lower_prio_repeat)."""
    lower_again_after_ns: int = 0
    """A second such batch this long after (garp_lower_prio_delay); 0: none."""
    spacing_ns: int = 0
    """At least this long between two announcements of an interface (vrrp_garp_interval). While one address
    waits for its turn its further rounds collapse into that one: measured, 2 addresses x 5 give 3 packets."""


@dataclass(frozen=True, slots=True)
class TrackedScript:
    """A script that moves the priority by `weight`, or with weight 0 holds the virtual router in FAULT.

    A positive weight is added while the script succeeds, a negative one while it fails. `reverse` turns that
    round: it takes away what it would add, and with weight 0 a success is what holds.
    """

    name: str
    weight: int = 0
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class TrackedInterface:
    """An interface whose loss puts the virtual router in FAULT (weight 0) or moves its priority, as a script does."""

    name: str
    weight: int = 0
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class TrackedFile:
    """A file whose number, times the weight, is added to the priority; a product of -254 or less means FAULT.

    With weight 0 any other number than 0 means FAULT. `reverse` is a weight of the other sign, or FAULT for 0.
    """

    name: str
    weight: int = 1
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class TrackedProcess:
    """Running processes that a virtual router follows as it would a script that succeeds while there are enough."""

    name: str
    weight: int = 0
    reverse: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptConfig:
    """One track script. Times in nanoseconds; `timeout_ns` 0 means the interval, as keepalived has it."""

    name: str
    interval_ns: int = SECOND_NS
    timeout_ns: int = 0
    rise: int = 1
    fall: int = 1
    init_fail: bool = False

    def __post_init__(self) -> None:
        if self.interval_ns <= 0 or self.timeout_ns < 0 or self.rise < 1 or self.fall < 1:
            raise ValueError(f"script {self.name}: interval above 0, timeout from 0, rise and fall from 1")
        if not self.timeout_ns:
            object.__setattr__(self, "timeout_ns", self.interval_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessConfig:
    """Processes to count: from `quorum` to `quorum_max` (None: no limit) of them must run.

    A quorum gained counts after `fork_delay_ns`, one lost after `terminate_delay_ns`, unless it is the other way
    again by then.
    """

    name: str
    quorum: int = 1
    quorum_max: int | None = None
    fork_delay_ns: int = 0
    terminate_delay_ns: int = 0
    judged: bool = False
    """Not counted: what is followed is up (1) or down (0), such as a server that is checked."""

    def __post_init__(self) -> None:
        most = self.quorum if self.quorum_max is None else self.quorum_max
        if self.quorum < 0 or most < 0 or self.fork_delay_ns < 0 or self.terminate_delay_ns < 0:
            raise ValueError(f"process {self.name}: quorum, quorum_max and delays from 0")


@dataclass(frozen=True, slots=True)
class LinkDelays:
    """How long an interface must be up, or down, before it counts as that (interface_up_down_delays)."""

    name: str
    up_ns: int = 0
    down_ns: int = 0


@dataclass(frozen=True, slots=True)
class FileConfig:
    """A file with a number to follow. `initial` is what is in it when the router starts; 0 where there is none."""

    name: str
    initial: int = 0


@dataclass(frozen=True, slots=True)
class PeerTtl:
    """From a unicast peer (packed address) only packets with a TTL or hop limit within these bounds are taken."""

    address: bytes
    lowest: int = 0
    highest: int = 255


@dataclass(frozen=True, slots=True)
class SyncGroupConfig:
    """Virtual routers, by name, that change state together, and what the group as a whole follows.

    Without `tracking_weight` weights are for the group to give: of what a member follows with a weight of its own,
    scripts and files are left out and interfaces have weight 0 (keepalived 2.2.7, measured; processes keep theirs).
    What a member and its group both follow, the member decides.
    """

    name: str
    members: tuple[str, ...]
    tracking_weight: bool = False
    track_scripts: tuple[TrackedScript, ...] = ()
    track_interfaces: tuple[TrackedInterface, ...] = ()
    track_files: tuple[TrackedFile, ...] = ()
    track_processes: tuple[TrackedProcess, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualRouterConfig:
    """One virtual router on one interface, one address family.

    Addresses may be given as text, `ipaddress` objects or packed bytes and are kept packed. ValueError for
    what no implementation could run: no address, mixed families, IPv6 in version 2, numbers out of range.
    """

    vrid: int
    addresses: tuple[bytes, ...]
    priority: int = 100
    interval_cs: int = 100
    version: int = 3
    name: str = ""
    """Left out: "VRID 51"."""
    interface: str = ""
    excluded_addresses: tuple[bytes, ...] = ()
    """Held by the master but not listed in its advertisements (virtual_ipaddress_excluded); any family."""
    preempt: bool = True
    preempt_delay_ns: int = 0
    accept: bool = True
    """Accept_Mode: the master accepts packets for addresses it does not own. True: keepalived's default."""
    state_master: bool = False
    """keepalived's `state MASTER`; matters for priority 255 only."""
    auth_type: int = 0
    """Version 2 only; version 3 ignores it, as keepalived does."""
    auth_data: bytes = b""
    ah_key: bytes = b""
    """The password of authentication type 2 (IP Authentication Header); it is never sent."""
    checksum: ChecksumPolicy | None = None
    """Which sums are taken in version 3 over IPv4, and (PLAIN or not) sent; None: the profile's."""
    source: bytes | None = None
    """Address to send from; None: the interface's first, for IPv6 its first link-local."""
    unicast_peers: tuple[bytes, ...] = ()
    """Send to these instead of the group, and hear unicast only."""
    check_unicast_source: bool = False
    """Hear only these (vrrp_check_unicast_src)."""
    ttl: int = 255
    """TTL or hop limit of what it sends to unicast peers (unicast_ttl); to the group it is always 255."""
    peer_ttls: tuple[PeerTtl, ...] = ()
    group: bytes | None = None
    """Multicast group; None: 224.0.0.18 or ff02::12."""
    announcements: Announcements | None = None
    """None: the profile's."""
    lower_prio_no_advert: bool = False
    higher_prio_send_advert: bool = False
    down_timer_adverts: int = 3
    skip_check_adv_addr: bool = False
    owner_ignore_adverts: bool = False
    """An owner takes no advertisement at all (keepalived 2.3.3 and later)."""
    virtual_mac: bool = False
    """Answer with 00:00:5e:00:0x:VRID (use_vmac)."""
    transmit_from_base: bool = False
    """Advertisements leave with the interface's own MAC all the same (vmac_xmit_base)."""
    track_scripts: tuple[TrackedScript, ...] = ()
    track_interfaces: tuple[TrackedInterface, ...] = ()
    track_files: tuple[TrackedFile, ...] = ()
    track_processes: tuple[TrackedProcess, ...] = ()
    track_own_interface: bool = True

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            vrid: int,
            addresses: Iterable[AnyAddress],
            priority: int = 100,
            interval_cs: int = 100,
            version: int = 3,
            name: str = "",
            interface: str = "",
            excluded_addresses: Iterable[AnyAddress] = (),
            preempt: bool = True,
            preempt_delay_ns: int = 0,
            accept: bool = True,
            state_master: bool = False,
            auth_type: int = 0,
            auth_data: bytes = b"",
            ah_key: bytes = b"",
            checksum: ChecksumPolicy | None = None,
            source: AnyAddress | None = None,
            unicast_peers: Iterable[AnyAddress] = (),
            check_unicast_source: bool = False,
            ttl: int = 255,
            peer_ttls: tuple[PeerTtl, ...] = (),
            group: AnyAddress | None = None,
            announcements: Announcements | None = None,
            lower_prio_no_advert: bool = False,
            higher_prio_send_advert: bool = False,
            down_timer_adverts: int = 3,
            skip_check_adv_addr: bool = False,
            owner_ignore_adverts: bool = False,
            virtual_mac: bool = False,
            transmit_from_base: bool = False,
            track_scripts: tuple[TrackedScript, ...] = (),
            track_interfaces: tuple[TrackedInterface, ...] = (),
            track_files: tuple[TrackedFile, ...] = (),
            track_processes: tuple[TrackedProcess, ...] = (),
            track_own_interface: bool = True,
        ) -> None: ...

    def __post_init__(self) -> None:
        for name in ("addresses", "excluded_addresses", "unicast_peers"):
            object.__setattr__(self, name, tuple(pack(address) for address in getattr(self, name)))
        for name in ("source", "group"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, pack(getattr(self, name)))
        object.__setattr__(self, "name", self.name or f"VRID {self.vrid}")
        if self.version == 2:
            object.__setattr__(self, "auth_data", self.auth_data.ljust(AUTH_SIZE, b"\0"))
        else:
            object.__setattr__(self, "auth_type", 0)
            object.__setattr__(self, "auth_data", b"")
            object.__setattr__(self, "ah_key", b"")
        self._check()

    def _check(self) -> None:
        widths = {len(address) for address in self.addresses}
        for wrong, what in (
            (self.version not in MAX_INTERVAL_CS, f"version is 2 or 3, not {self.version}"),
            (not 1 <= self.vrid <= 255, f"a virtual router identifier is 1 to 255, not {self.vrid}"),
            (not 1 <= self.priority <= OWNER_PRIORITY, f"a priority is 1 to 255, not {self.priority}"),
            (
                not 1 <= self.interval_cs <= MAX_INTERVAL_CS.get(self.version, 1),
                f"no interval of {self.interval_cs} cs",
            ),
            (not self.addresses, "a virtual router needs an address"),
            (len(self.addresses) > MAX_ADDRESSES, f"an advertisement lists at most {MAX_ADDRESSES} addresses"),
            (len(widths) > 1, "addresses of one family only; put the others in excluded_addresses"),
            (self.version == 2 and 16 in widths, "version 2 knows no IPv6; use version 3"),
            (len(self.auth_data) > AUTH_SIZE, f"authentication data has at most {AUTH_SIZE} bytes"),
        ):
            if wrong:
                raise ValueError(f"{self.name}: {what}")

    @property
    def width(self) -> int:
        """Bytes per address: 4 for IPv4, 16 for IPv6."""
        return len(self.addresses[0])

    @property
    def multicast_group(self) -> bytes:
        """The group its advertisements go to and come from, packed."""
        return self.group or (VRRP_GROUP_V4 if self.width == 4 else VRRP_GROUP_V6)

    @property
    def unheard_mac(self) -> bytes | None:
        """The source MAC that it cannot hear unless `Profile.base_hears_itself`; None: there is none.

        With vmac_xmit_base it listens below its virtual interface, which takes what comes from its own MAC.
        """
        return virtual_mac(self.vrid, self.width) if self.virtual_mac and self.transmit_from_base else None

    @property
    def owner(self) -> bool:
        """Whether this router is configured as the addresses' owner (priority 255)."""
        return self.priority == OWNER_PRIORITY


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterConfig:
    """Everything one VRRP router (host) runs."""

    virtual_routers: tuple[VirtualRouterConfig, ...]
    scripts: tuple[ScriptConfig, ...] = ()
    files: tuple[FileConfig, ...] = ()
    processes: tuple[ProcessConfig, ...] = ()
    link_delays: tuple[LinkDelays, ...] = ()
    sync_groups: tuple[SyncGroupConfig, ...] = ()
    startup_delay_ns: int = 0
    """Added to the first Master_Down_Interval (vrrp_startup_delay)."""
