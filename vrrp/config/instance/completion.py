"""What the lines of a vrrp_instance mean together and with global_defs, as keepalived 2.2.7 settles it (measured)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeVar

from vrrp.config.diagnostics import Voice
from vrrp.config.instance.block import DEFAULT_PRIORITY
from vrrp.config.instance.draft import InstanceDraft
from vrrp.config.model import (
    Address,
    Authentication,
    GlobalDefs,
    Tracked,
    TrackedBfd,
    TrackedFile,
    TrackedInterface,
    TrackedProcess,
    TrackedScript,
    VirtualAddress,
    VrrpInstance,
)
from vrrp.config.values import SECOND_NS

AnyTracked = TypeVar("AnyTracked", bound=Tracked)

OWNER_PRIORITY = 255
_LONGEST_INTERVAL_CS = 4095
# What fits into a packet: the count is one octet; of IPv6 addresses, 1500 octets hold this many (measured).
_MOST_ADDRESSES = {4: 255, 6: 89}


@dataclass(slots=True)
class _Settled:
    """What the checks below decide, one after the other."""

    version: Literal[2, 3]
    strict: bool
    priority: int
    state: Literal["MASTER", "BACKUP"]
    interval_cs: int = 100
    authentication: Authentication | None = None
    preempt: bool = True
    preempt_delay_ns: int = 0
    xmit_base: bool = False
    accept: bool = True


def complete(draft: InstanceDraft, defaults: GlobalDefs) -> VrrpInstance | None:
    """The instance as keepalived runs it, or None when keepalived refuses to start with it, which is reported.

    Whether it has an interface and a number is for `identified` to say, before.

    Args:
        draft: the lines of the block.
        defaults: the global_defs.
    """
    strict = bool(draft.values.get("strict_mode", defaults.strict))
    version = _version(draft, defaults, strict)
    if draft.interface is None or draft.vrid is None or not _has_addresses(draft, version, strict):
        return None
    settled = _Settled(version, strict, *_priority_and_state(draft))
    _interval(draft, settled)
    _authentication(draft, settled)
    _initial_state(draft, settled)
    _preemption(draft, settled)
    _transmission(draft, settled)
    if strict:
        _strictness(draft, settled)
    else:
        settled.accept = draft.accept is not False
    addresses, excluded = _addresses(draft)
    group = defaults.multicast_group_v6 if draft.family == 6 else defaults.multicast_group_v4
    values = draft.values
    return VrrpInstance(
        name=draft.name,
        initial_state=settled.state,
        interface=draft.interface,
        vrid=draft.vrid,
        priority=settled.priority,
        interval_cs=settled.interval_cs,
        version=version,
        addresses=addresses,
        excluded_addresses=excluded,
        authentication=settled.authentication,
        preempt=settled.preempt,
        preempt_delay_ns=settled.preempt_delay_ns,
        track_scripts=_followed(draft, "track_script", TrackedScript),
        track_interfaces=_followed(draft, "track_interface", TrackedInterface),
        track_files=_followed(draft, "track_file", TrackedFile),
        track_processes=_followed(draft, "track_process", TrackedProcess),
        track_bfd=_followed(draft, "track_bfd", TrackedBfd),
        routes=tuple(draft.routes),
        rules=tuple(draft.rules),
        unicast_source=draft.unicast_source,
        multicast_source=draft.multicast_source,
        multicast_group=draft.multicast_group or group,
        unicast_peers=tuple(draft.unicast_peers),
        unicast_peer_ttl=draft.unicast_peer_ttl,
        unicast_ttl=draft.number("unicast_ttl", 255),
        unicast_fault_no_peer="unicast_fault_no_peer" in values,
        check_unicast_src="check_unicast_src" in values or bool(draft.unicast_peer_ttl) or defaults.check_unicast_src,
        use_vmac="use_vmac" in draft.lines,
        vmac_xmit_base=settled.xmit_base,
        accept=settled.accept,
        strict=strict,
        garp_master_delay_ns=_seconds_ns(draft, "garp_master_delay", defaults.garp_master_delay_ns),
        garp_master_repeat=draft.number("garp_master_repeat", defaults.garp_master_repeat),
        garp_master_refresh_ns=_seconds_ns(draft, "garp_master_refresh", defaults.garp_master_refresh_ns),
        garp_master_refresh_repeat=draft.number("garp_master_refresh_repeat", defaults.garp_master_refresh_repeat),
        garp_lower_prio_delay_ns=0
        if strict
        else _seconds_ns(draft, "garp_lower_prio_delay", defaults.garp_lower_prio_delay_ns),
        garp_lower_prio_repeat=0
        if strict
        else draft.number("garp_lower_prio_repeat", defaults.garp_lower_prio_repeat),
        garp_interval_ns=defaults.garp_interval_ns,
        gna_interval_ns=defaults.gna_interval_ns,
        lower_prio_no_advert=strict or bool(values.get("lower_prio_no_advert", defaults.lower_prio_no_advert)),
        higher_prio_send_advert=not strict
        and bool(values.get("higher_prio_send_advert", defaults.higher_prio_send_advert)),
        down_timer_adverts=3 if strict else draft.number("down_timer_adverts", defaults.down_timer_adverts),
        skip_check_adv_addr="skip_check_adv_addr" in values or defaults.skip_check_adv_addr,
        v3_checksum_as_v2="v3_checksum_as_v2" in values or defaults.v3_checksum_as_v2,
        owner_ignore_adverts="owner_ignore_adverts" in values or defaults.owner_ignore_adverts,
        dont_track_primary="dont_track_primary" in values,
        notify=draft.notifications.commands,
        notify_users=draft.notifications.named,
        timer_expired_backup=draft.number("timer_expired_backup", 0),
        runs_as=draft.notifications.runs_as,
        options=tuple(draft.options),
        line=draft.line,
        lines=draft.lines,
        vmac_name=draft.vmac.name if draft.vmac is not None else None,
        vmac_mac=draft.vmac.mac if draft.vmac is not None else None,
    )


def _followed(draft: InstanceDraft, keyword: str, kind: type[AnyTracked]) -> tuple[AnyTracked, ...]:
    return tuple(one for one in draft.follower.followed[keyword].values() if isinstance(one, kind))


def _seconds_ns(draft: InstanceDraft, keyword: str, otherwise_ns: int) -> int:
    return draft.number(keyword, 0) * SECOND_NS if keyword in draft.values else otherwise_ns


def _version(draft: InstanceDraft, defaults: GlobalDefs, strict: bool) -> Literal[2, 3]:
    if draft.family != 6:
        return draft.version or defaults.version
    if draft.version == 2:
        draft.complain(
            draft.lines["version"],
            "cannot use IPv6 with VRRP version 2; setting version 3",
            "read as version 3; keepalived 2.2.7 does so in strict mode, else it sends version 2 over IPv6",
            Voice.PLAIN if strict else Voice.OURS,
        )
    return 3


def identified(draft: InstanceDraft) -> bool:
    """Whether the instance has what keepalived wants of each before it settles the first."""
    if draft.vrid is None:
        draft.report.refuse(draft.line, f"({draft.name}) the virtual router id must be set")
        return False
    if draft.interface is None:
        draft.report.refuse(draft.line, f"({draft.name}) Unknown interface!")
        return False
    return True


def _has_addresses(draft: InstanceDraft, version: int, strict: bool) -> bool:
    """Whether there are any where keepalived does not start without."""
    if draft.addresses:
        return True
    if version == 3 or strict:
        draft.report.refuse(draft.line, f"({draft.name}) No VIP specified; at least one is required")
        return False
    draft.settle(draft.line, "No VIP specified; at least one is sensible", "keepalived elects a master for nothing")
    return True


def _priority_and_state(draft: InstanceDraft) -> tuple[int, Literal["MASTER", "BACKUP"]]:
    """Without a state, 255 starts as MASTER; without a priority, MASTER has 255 (both measured)."""
    priority = draft.priority
    if priority is None:
        priority = OWNER_PRIORITY if draft.state == "MASTER" else DEFAULT_PRIORITY
        if draft.state == "MASTER":
            draft.report.note(
                draft.lines["state"],
                f"({draft.name}) state MASTER without a priority",
                "keepalived takes priority 255, the address owner's",
            )
    return priority, draft.state or ("MASTER" if priority == OWNER_PRIORITY else "BACKUP")


def _interval(draft: InstanceDraft, settled: _Settled) -> None:
    line = draft.line_of("advert_int")
    if settled.version == 2 or (draft.version == 2 and not settled.strict):
        seconds = max(1, (draft.interval_us + 500_000) // 1_000_000)
        settled.interval_cs = seconds * 100
        if draft.interval_us % 1_000_000:
            draft.settle(
                line,
                f"VRRPv2 advertisement interval {draft.interval_us / 1e6:.6f}s must be an integer. rounding",
                f"keepalived uses {seconds} s",
            )
        return
    settled.interval_cs = min(_LONGEST_INTERVAL_CS, (draft.interval_us + 5_000) // 10_000)
    if draft.interval_us > _LONGEST_INTERVAL_CS * 10_000:
        draft.settle(
            line,
            f"VRRPv3 advertisement interval {draft.interval_us / 1e6:.2f}s is out of range."
            " Must be less than 40.96s. Setting to 40.95s",
            "keepalived uses 40.95 s",
        )
    elif draft.interval_us % 10_000:
        draft.settle(
            line,
            f"VRRPv3 advertisement interval {draft.interval_us / 1e6:.6f}s must be in units of 10ms - rounding",
            f"keepalived uses {settled.interval_cs / 100:.2f} s",
        )


def _authentication(draft: InstanceDraft, settled: _Settled) -> None:
    if draft.auth_type is None:
        return
    line = draft.line_of("authentication")
    if settled.strict:
        draft.settle(line, "Strict mode does not support authentication. Ignoring.", "adverts carry no password")
    elif settled.version == 3:
        draft.settle(line, "VRRP version 3 does not support authentication. Ignoring.", "adverts carry no password")
    elif not draft.password:
        draft.settle(
            line,
            "Authentication specified but no password given. Ignoring",
            "adverts carry no password",
        )
    else:
        settled.authentication = Authentication(draft.auth_type, draft.password, line)


def _initial_state(draft: InstanceDraft, settled: _Settled) -> None:
    line = draft.line_of("state")
    owner = settled.priority == OWNER_PRIORITY
    if settled.strict and (settled.state == "MASTER") != owner:
        settled.state = "MASTER" if owner else "BACKUP"
        draft.settle(line, "State MASTER must match being address owner", f"keepalived starts as {settled.state}")
    ah = settled.authentication is not None and settled.authentication.kind == "AH"
    if ah and settled.state == "MASTER" and not owner:
        settled.state = "BACKUP"
        draft.settle(
            line,
            "Initial state master is incompatible with AH authentication - clearing",
            "keepalived starts as BACKUP",
        )


def _preemption(draft: InstanceDraft, settled: _Settled) -> None:
    settled.preempt = draft.preempt
    settled.preempt_delay_ns = draft.preempt_delay_ns
    preempt_line = draft.line_of("nopreempt")
    delay_line = draft.line_of("preempt_delay")
    if not settled.preempt and settled.priority == OWNER_PRIORITY:
        settled.preempt = True
        draft.settle(
            preempt_line,
            "nopreempt is incompatible with priority 255. resetting nopreempt",
            "the address owner preempts",
        )
    if settled.state == "MASTER":
        if not settled.preempt:
            settled.preempt = True
            draft.settle(
                preempt_line,
                "Warning - nopreempt will not work with initial state MASTER - clearing",
                "it preempts; write state BACKUP on all nodes",
            )
        if settled.preempt_delay_ns:
            settled.preempt_delay_ns = 0
            draft.settle(
                delay_line,
                "Warning - preempt delay will not work with initial state MASTER - clearing",
                "it preempts without delay; write state BACKUP on all nodes",
            )
    if settled.preempt_delay_ns and settled.strict:
        settled.preempt_delay_ns = 0
        draft.settle(delay_line, "preempt_delay is incompatible with strict mode - resetting", "no delay")
    if draft.preempt_delay_ns and not settled.preempt:
        settled.preempt_delay_ns = 0
        draft.settle(delay_line, "preempt_delay is incompatible with nopreempt mode - resetting", "no delay")


def _transmission(draft: InstanceDraft, settled: _Settled) -> None:
    """How and to whom the adverts go: unicast or not, over the VMAC interface or the one below."""
    wants_unicast = [
        keyword
        for keyword in ("unicast_src_ip", "unicast_peer", "check_unicast_src", "old_unicast_checksum")
        if keyword in draft.lines
    ]
    if not draft.unicast_peers and wants_unicast and "unicast_fault_no_peer" not in draft.values:
        draft.settle(
            draft.line_of(*wants_unicast),
            "A unicast keyword has been specified without any unicast peers. Defaulting to multicast."
            " This usage is deprecated - please update your configuration.",
            "adverts go to the multicast group",
        )
    vmac = draft.vmac is not None
    settled.xmit_base = vmac and "vmac_xmit_base" in draft.values
    if not vmac and "vmac_xmit_base" in draft.values:
        draft.settle(
            draft.line_of("vmac_xmit_base"),
            "vmac_xmit_base is only valid with a vmac",
            "keepalived ignores the line",
        )
    if draft.uses_vmac and "promote_secondaries" in draft.values:
        draft.settle(
            draft.lines["promote_secondaries"],
            "promote_secondaries is automatically set for vmacs - ignoring",
            "keepalived ignores the line",
        )
    if draft.ipvlan is not None and draft.ipvlan.address is None and draft.family != 6:
        draft.settle(
            draft.lines["use_ipvlan"],
            "IPv4 ipvlan requires a source ip address to be configured. setting instance to fault state",
            "the instance stays in FAULT; write an address behind use_ipvlan",
        )
    for virtual in (*draft.addresses, *draft.excluded_addresses):
        _virtual_mac(draft, virtual)
    if draft.unicast_peers and draft.multicast_group is not None:
        draft.settle(
            draft.lines["mcast_dst_ip"],
            "multicast destination specified with unicast - ignoring",
            "adverts go to the peers only",
        )


def _virtual_mac(draft: InstanceDraft, virtual: VirtualAddress) -> None:
    """An address of which use_vmac is said behind it, and of its instance as well."""
    own = virtual.device in {None, draft.interface}
    prefix = "" if virtual.prefix == virtual.address.max_prefixlen else f"/{virtual.prefix}"
    if not virtual.use_vmac:
        return
    if own and draft.vmac is not None:
        message = f"use_vmac specified for VIP/eVIP {virtual.address}{prefix} and vrrp instance"
    elif not own and "use_vmac_addr" in draft.values:
        message = f"use_vmac_addr specified and use_vmac specified for VIP/eVIP {virtual.address}{prefix}"
    else:
        return
    draft.settle(virtual.line, message, "once is enough")


def _strictness(draft: InstanceDraft, settled: _Settled) -> None:
    """What vrrp_strict or strict_mode forbids beside the rest."""
    values = draft.values
    forbidden = (
        (
            draft.surely("garp_lower_prio_delay"),
            "garp_lower_prio_delay",
            "Strict mode requires no repeat garp delay. resetting",
            "0 is used",
        ),
        (
            draft.surely("garp_lower_prio_repeat"),
            "garp_lower_prio_repeat",
            "Strict mode requires no repeat garps. resetting",
            "0 is used",
        ),
        (
            values.get("lower_prio_no_advert") is False,
            "lower_prio_no_advert",
            "Strict mode requires no lower priority advert. resetting",
            "it is on",
        ),
        (
            bool(values.get("higher_prio_send_advert")),
            "higher_prio_send_advert",
            "strict mode requires higher_prio_send_advert to be clear. resetting",
            "it is off",
        ),
        (
            draft.surely("down_timer_adverts") and draft.number("down_timer_adverts", 3) != 3,
            "down_timer_adverts",
            "down_timer_adverts is incompatible with strict mode - resetting",
            "3 is used",
        ),
        (
            settled.xmit_base,
            "vmac_xmit_base",
            "xmit_base is incompatible with strict mode - resetting",
            "adverts go out from the VMAC interface",
        ),
    )
    for given, keyword, message, instead in forbidden:
        if given:
            draft.settle(draft.line_of(keyword), message, instead)
    if draft.vmac is not None and draft.vmac.mac is not None:
        draft.vmac.mac = None
        draft.report.warning(
            draft.lines["use_vmac"],
            f"({draft.name}): cannot specify MAC address with strict mode - clearing",
            "keepalived uses the virtual router's MAC",
            Voice.PLAIN,
        )
    settled.xmit_base = False
    settled.accept = draft.accept is True
    if settled.accept and settled.version == 2 and settled.priority != OWNER_PRIORITY:
        settled.accept = False
        draft.settle(
            draft.lines["accept"],
            "warning - accept mode for VRRP version 2 does not comply with RFC3768 - resetting",
            "packets to the virtual addresses are dropped",
        )
    first_counts = draft.family == 6 and not draft.unicast_peers
    if draft.addresses and first_counts and not draft.addresses[0].address.is_link_local:
        draft.settle(
            draft.addresses[0].line,
            "the first IPv6 VIP address must be link local",
            "keepalived goes on all the same",
        )


def _addresses(draft: InstanceDraft) -> tuple[tuple[VirtualAddress, ...], tuple[VirtualAddress, ...]]:
    """What is advertised and what is not: the packet has room for so many."""
    most = _MOST_ADDRESSES[draft.family or 4]
    addresses = draft.addresses[:most]
    excess = draft.addresses[most:]
    if excess:
        draft.settle(
            excess[0].line,
            f"Number of VIPs ({len(draft.addresses)}) exceeds maximum/space available in packet"
            f" (max {most} addresses) - excess moved to eVIPs",
            "they are held and not advertised",
        )
    seen: set[tuple[Address, int, str | None]] = set()
    for entry in addresses:
        key = (entry.address, entry.prefix, entry.device)
        if key in seen:
            draft.report.note(
                entry.line, f"({draft.name}) {entry.address} is listed twice", "keepalived advertises it twice"
            )
        seen.add(key)
    return tuple(addresses), (*draft.excluded_addresses, *excess)
