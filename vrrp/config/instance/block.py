"""Reading a vrrp_instance block, line by line; what the lines mean together is settled in `completion`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from vrrp.config.diagnostics import Voice
from vrrp.config.following import SUBJECTS
from vrrp.config.globals.specials import extra_interfaces_interval
from vrrp.config.instance import addresses as instance_addresses
from vrrp.config.instance.draft import InstanceDraft
from vrrp.config.instance.keywords import INSTANCE_KEYWORDS
from vrrp.config.instance.vmac import LONGEST_INTERFACE, Ipvlan, Vmac
from vrrp.config.kinds import take
from vrrp.config.notify import NOTIFY_KEYWORDS
from vrrp.config.routing.routes import routes
from vrrp.config.settings import argument, options_of
from vrrp.config.tree import Block, Statement
from vrrp.config.values import UNSIGNED_MAX, octets, switch, whole

DEFAULT_PRIORITY = 100
LONGEST_PASSWORD = 8
_HIGHEST_OF_OTHERS = 254
# That an instance is unicast, keepalived takes from any of these, whether it has peers or not.
UNICAST_KEYWORDS = frozenset(
    {"check_unicast_src", "old_unicast_checksum", "unicast_fault_no_peer", "unicast_peer", "unicast_src_ip"}
)
# Read, and yet only for the kernel or for messages.
_KEPT = frozenset(
    {"debug", "notify_priority_changes", "promote_secondaries", "smtp_alert", "track_src_ip", "use_vmac_addr"}
)


def read_instance(draft: InstanceDraft, block: Block) -> None:
    """Take the lines of a vrrp_instance block in."""
    for entry in block.body:
        draft.lines[entry.keyword] = entry.line
        if isinstance(entry, Block):
            _BLOCKS.get(entry.keyword, _keep)(draft, entry)
        elif entry.keyword in NOTIFY_KEYWORDS:
            draft.notifications.read(entry)
        elif entry.keyword in INSTANCE_KEYWORDS:
            draft.doubtful.discard(entry.keyword)
            if not take(entry, INSTANCE_KEYWORDS[entry.keyword], draft.values, draft.report, draft.name):
                draft.doubtful.add(entry.keyword)
            if entry.keyword in _KEPT:
                _keep(draft, entry)
        else:
            _STATEMENTS.get(entry.keyword, _keep)(draft, entry)
    _close(draft, block.end)


def _close(draft: InstanceDraft, line: int) -> None:
    """What keepalived looks at where the block ends."""
    if draft.uses_vmac and UNICAST_KEYWORDS & draft.lines.keys():
        if draft.interface is None or draft.interface_missing:
            draft.report.warning(
                line,
                f"({draft.name}): Cannot use VMAC/ipvlan with unicast and no interface - clearing use_vmac",
                "keepalived makes no interface",
            )
            draft.vmac = draft.ipvlan = None
        elif "vmac_xmit_base" not in draft.values:
            draft.values["vmac_xmit_base"] = True
            draft.complain(
                line,
                "unicast with use_vmac requires vmac_xmit_base - setting",
                "adverts go out from the interface itself",
            )
    if not draft.unicast_peers and draft.values.pop("unicast_ttl", None) is not None:
        draft.report.warning(
            line,
            f"({draft.name}): Cannot use unicast_ttl without unicast peers - resetting",
            "adverts have TTL 255",
        )


def _keep(draft: InstanceDraft, entry: Statement | Block) -> None:
    draft.options.extend(options_of(entry))


def _deprecated(draft: InstanceDraft, entry: Statement) -> None:
    _keep(draft, entry)
    draft.complain(
        entry.line,
        f"Specifying {entry.keyword} against a vrrp is deprecated. Please use global lvs_sync_daemon",
        "keepalived follows it",
    )
    if argument(entry, draft.report) is None:
        return
    known = draft.values.get(entry.keyword)
    draft.values.setdefault(entry.keyword, entry.arguments[0])
    if known is not None:
        message = f"lvs_sync_daemon_interface has already been specified as {known} - ignoring"
        draft.complain(entry.line, message, "keepalived uses the first")


def _state(draft: InstanceDraft, entry: Statement) -> None:
    text = argument(entry, draft.report)
    if text == "MASTER":
        draft.state = "MASTER"
    elif text == "BACKUP" and draft.state == "MASTER":
        draft.complain(entry.line, "state previously set as MASTER - ignoring BACKUP", "keepalived starts as MASTER")
    elif text is not None:
        draft.state = "BACKUP"
        if text != "BACKUP":
            draft.complain(
                entry.line,
                f"unknown state '{text}', defaulting to BACKUP",
                "keepalived knows MASTER and BACKUP, in capitals",
            )


def _interface(draft: InstanceDraft, entry: Statement) -> None:
    text = argument(entry, draft.report)
    if text is None:
        return
    if len(octets(text)) > LONGEST_INTERFACE:
        draft.complain(entry.line, f"Interface name '{text}' too long - ignoring", "keepalived ignores the line")
    elif text == "lo":
        draft.interface = None
        draft.complain(
            entry.line,
            "cannot use a loopback interface (lo) for vrrp - ignoring",
            "keepalived ignores the line",
        )
    else:
        draft.interface = text
        draft.interface_missing = not draft.interfaces.have(text)
        if draft.interface_missing:
            draft.report.warning(
                entry.line,
                f"WARNING - interface {text} for vrrp_instance {draft.name} doesn't exist",
                "keepalived does not start; give global_defs dynamic_interfaces if it comes later",
            )


def _version(draft: InstanceDraft, entry: Statement) -> None:
    text = argument(entry, draft.report)
    if text is None:
        return
    number = whole(text, 2, 3)
    version: Literal[2, 3] = 3 if number.value == 3 else 2
    # An IPv6 address gives the instance version 3, but this check still sees none (measured).
    known = draft.version or (0 if draft.family == 6 and version == 2 else version)
    if number.complaint:
        draft.report.warning(
            entry.line,
            f"{number.complaint}: ({draft.name}): Version must be either 2 or 3",
            "keepalived ignores the line",
        )
    elif version != known:
        draft.complain(
            entry.line,
            f"vrrp_version {version} conflicts with configured or deduced version {known}; ignoring.",
            f"keepalived uses version {known or 3}",
        )
    else:
        draft.version = version


def _native_ipv6(draft: InstanceDraft, entry: Statement) -> None:
    if draft.family == 4:
        draft.complain(entry.line, "Cannot specify native_ipv6 with IPv4 addresses", "keepalived ignores the line")
        return
    draft.family = 6
    draft.version = 3


def _preempt(draft: InstanceDraft, entry: Statement) -> None:
    draft.preempt = entry.keyword == "preempt"


def _skip_check(draft: InstanceDraft, entry: Statement) -> None:
    value = switch(entry.arguments)
    if value is None:
        draft.complain(
            entry.line, f"invalid {entry.keyword} {entry.arguments[0]} specified", "keepalived ignores the line"
        )
    else:
        _presence(draft, entry)


def _use_vmac(draft: InstanceDraft, entry: Statement) -> None:
    _keep(draft, entry)
    draft.vmac = draft.vmac or Vmac()
    known = draft.vmac.name
    for message in draft.vmac.read(entry.arguments):
        draft.report.warning(entry.line, message, "keepalived ignores the word")
    if draft.vmac.name and draft.vmac.name != known and draft.interfaces.taken(draft.vmac.name):
        draft.complain(
            entry.line,
            f"interface {draft.vmac.name} already exists and is not a private macvlan; ignoring vmac if_name",
            "keepalived chooses a name",
        )
        draft.vmac.name = None


def _use_ipvlan(draft: InstanceDraft, entry: Statement) -> None:
    _keep(draft, entry)
    if draft.ipvlan is not None:
        draft.complain(entry.line, "use_ipvlan already specified", "keepalived ignores the line")
        return
    draft.ipvlan = Ipvlan()
    for message in draft.ipvlan.read(entry.arguments, draft.name):
        draft.report.warning(entry.line, message, "keepalived ignores the word")
    address = draft.ipvlan.address
    if address is not None and not draft.same_family(address):
        draft.complain(
            entry.line,
            f"ipvlan address[{address}] MUST match vrrp instance family !!! Skipping...",
            "keepalived uses no address",
        )
        draft.ipvlan.address = None
    if draft.ipvlan.name and draft.interfaces.taken(draft.ipvlan.name):
        draft.complain(
            entry.line,
            f"interface {draft.ipvlan.name} already exists and is not an l2 ipvlan; ignoring ipvlan if_name",
            "keepalived chooses a name",
        )


def _vrf(draft: InstanceDraft, entry: Statement) -> None:
    text = argument(entry, draft.report)
    if text is None:
        return
    _keep(draft, entry)
    if len(octets(text)) > LONGEST_INTERFACE:
        message = f"VRF interface name '{text}' too long - ignoring"
    elif draft.interface is not None:
        message = "Cannot specify VRF interface and interface - ignoring"
    elif draft.vrf is not None:
        message = f"VRF interface already specified as '{draft.vrf}' - ignoring"
    elif not draft.interfaces.have(text):
        message = f"WARNING - VRF interface {text} doesn't exist"
    elif text == "lo":
        message = f"cannot use a loopback interface ({text}) for VRF - ignoring"
    else:
        draft.vrf = text
        return
    draft.complain(entry.line, message, "keepalived ignores the line")


def _old_checksum(draft: InstanceDraft, entry: Statement) -> None:
    _keep(draft, entry)
    if entry.arguments and entry.arguments[0] != "never":
        message = f"Unknown old_unicast_chksum mode {entry.arguments[0]} - ignoring"
        draft.complain(entry.line, message, "keepalived ignores the word")


def _receive_buffer(draft: InstanceDraft, entry: Statement) -> None:
    _keep(draft, entry)
    number = whole(entry.arguments[0], 0, UNSIGNED_MAX) if len(entry.arguments) == 1 else None
    if number is None or number.complaint:
        complaint = f"{number.complaint}: " if number else ""
        draft.report.warning(
            entry.line,
            f"{complaint}({draft.name}) invalid kernel_rx_buf_size specified",
            "keepalived ignores the line",
        )


def _linkbeat(draft: InstanceDraft, entry: Statement) -> None:
    _keep(draft, entry)
    draft.complain(
        entry.line,
        "'linkbeat_use_polling' in vrrp instance deprecated - use linkbeat_interfaces block",
        "keepalived follows it all the same",
    )


def _extra_interfaces(draft: InstanceDraft, entry: Statement) -> None:
    _keep(draft, entry)
    extra_interfaces_interval(entry, draft.values, draft.report, f"({draft.name}): ", "garp_extra_if", 0)


def _accept(draft: InstanceDraft, entry: Statement) -> None:
    draft.accept = entry.keyword == "accept"


def _presence(draft: InstanceDraft, entry: Statement) -> None:
    draft.values[entry.keyword] = True
    if switch(entry.arguments) is False:
        draft.complain(
            entry.line,
            f"{entry.keyword} {entry.arguments[0]} does not switch it off",
            "keepalived 2.2.7 takes the keyword alone for on; remove the line",
            Voice.OURS,
        )


def _timer_expired_backup(draft: InstanceDraft, entry: Statement) -> None:
    """[PRIORITY], which 2.2.7 does not know: what is wrong with it, only we say."""
    number = whole(entry.arguments[0] if entry.arguments else str(_HIGHEST_OF_OTHERS), 1, _HIGHEST_OF_OTHERS)
    if number.complaint:
        message = f"({draft.name}) {number.complaint}"
        instead = f"a priority from 1 to {_HIGHEST_OF_OTHERS} would be right; the line is ignored"
        draft.report.note(entry.line, message, instead)
    else:
        draft.values[entry.keyword] = number.read


def _authentication(draft: InstanceDraft, block: Block) -> None:
    for entry in block.entries():
        text = argument(entry, draft.report)
        if text is None:
            continue
        draft.lines[entry.keyword] = entry.line
        if entry.keyword == "auth_pass":
            password = octets(text)
            draft.password = password[:LONGEST_PASSWORD]
            if len(password) > LONGEST_PASSWORD:
                cut = draft.password.decode("utf-8", "replace")
                draft.report.warning(
                    entry.line,
                    "Truncating auth_pass to 8 characters",
                    f"cut to 8 characters: '{cut}'",
                )
        elif text in {"PASS", "AH"}:
            draft.auth_type = "PASS" if text == "PASS" else "AH"
        else:
            draft.report.error(
                entry.line,
                f"({draft.name}) unknown authentication type '{text}'",
                "keepalived ignores the line; PASS or AH would be right",
            )


def _follow(draft: InstanceDraft, block: Block) -> None:
    draft.follower.read(block)


def _routes(draft: InstanceDraft, block: Block) -> None:
    draft.routes.extend(routes(block, draft.interfaces, draft.report))


def _rules(draft: InstanceDraft, block: Block) -> None:
    draft.rules.extend(draft.rule_reader.read(block))


_STATEMENTS: Mapping[str, Callable[[InstanceDraft, Statement], None]] = {
    "accept": _accept,
    "check_unicast_src": _presence,
    "garp_extra_if": _extra_interfaces,
    "interface": _interface,
    "kernel_rx_buf_size": _receive_buffer,
    "linkbeat_use_polling": _linkbeat,
    "lvs_sync_daemon_interface": _deprecated,
    "mcast_dst_ip": instance_addresses.multicast_group,
    "mcast_src_ip": instance_addresses.source,
    "native_ipv6": _native_ipv6,
    "no_accept": _accept,
    "nopreempt": _preempt,
    "old_unicast_checksum": _old_checksum,
    "owner_ignore_adverts": _presence,
    "preempt": _preempt,
    "skip_check_adv_addr": _skip_check,
    "state": _state,
    "timer_expired_backup": _timer_expired_backup,
    "unicast_fault_no_peer": _presence,
    "unicast_src_ip": instance_addresses.source,
    "use_ipvlan": _use_ipvlan,
    "use_vmac": _use_vmac,
    "v3_checksum_as_v2": _presence,
    "version": _version,
    "vmac_garp_intvl": _extra_interfaces,
    "vmac_xmit_base": _presence,
    "vrf": _vrf,
}
_BLOCKS: Mapping[str, Callable[[InstanceDraft, Block], None]] = {
    "authentication": _authentication,
    **dict.fromkeys(SUBJECTS, _follow),
    "virtual_routes": _routes,
    "virtual_rules": _rules,
    "unicast_peer": instance_addresses.unicast_peers,
    "virtual_ipaddress": instance_addresses.virtual_addresses,
    "virtual_ipaddress_excluded": instance_addresses.virtual_addresses,
}
