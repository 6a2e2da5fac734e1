"""Reading a vrrp_instance block, line by line; what the lines mean together is settled in `completion`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from vrrp.config import instance_addresses
from vrrp.config.instance_draft import InstanceDraft
from vrrp.config.settings import (
    COUNTERS,
    NOTIFY_KEYWORDS,
    add_notify,
    argument,
    count,
    duration_us,
    options_of,
)
from vrrp.config.tracking import tracked_interfaces, tracked_scripts
from vrrp.config.tree import Block, Statement
from vrrp.config.values import MICROSECOND_NS, decimal_us, octets, switch, whole

DEFAULT_PRIORITY = 100
LONGEST_PASSWORD = 8
_LONGEST_INTERFACE = 15
_LONGEST_INTERVAL_US = 255_000_000
_SHORTEST_INTERVAL_US = 10_000
_LONGEST_PREEMPT_DELAY_US = 1_000_000_000


def read_instance(draft: InstanceDraft, block: Block) -> None:
    """Take the lines of a vrrp_instance block in."""
    for entry in block.body:
        draft.lines[entry.keyword] = entry.line
        if isinstance(entry, Block):
            _BLOCKS.get(entry.keyword, _keep)(draft, entry)
        elif entry.keyword in NOTIFY_KEYWORDS:
            add_notify(draft.notify, entry, draft.report, f"({draft.name}) ")
        elif entry.keyword in COUNTERS:
            number = count(entry, COUNTERS[entry.keyword], draft.report, f"({draft.name}): ")
            if number is not None:
                draft.counters[entry.keyword] = number
        else:
            _STATEMENTS.get(entry.keyword, _keep)(draft, entry)


def _keep(draft: InstanceDraft, entry: Statement | Block) -> None:
    draft.options.extend(options_of(entry))


def _deprecated(draft: InstanceDraft, entry: Statement) -> None:
    _keep(draft, entry)
    draft.complain(
        entry.line,
        f"Specifying {entry.keyword} against a vrrp is deprecated.",
        "keepalived follows it; please use global lvs_sync_daemon",
    )


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
    if len(octets(text)) > _LONGEST_INTERFACE:
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
        if not draft.interfaces.have(text):
            draft.report.warning(
                entry.line,
                f"WARNING - interface {text} for vrrp_instance {draft.name} doesn't exist",
                "keepalived does not start; give global_defs dynamic_interfaces if it comes later",
            )


def _vrid(draft: InstanceDraft, entry: Statement) -> None:
    text = argument(entry, draft.report)
    if text is None:
        return
    number = whole(text, 1, 255)
    if number.complaint:
        draft.report.warning(
            entry.line,
            f"{number.complaint}: ({draft.name}): VRID '{text}' not valid - must be between 1 & 255",
            "keepalived ignores the line",
        )
    else:
        draft.vrid = number.value


def _priority(draft: InstanceDraft, entry: Statement) -> None:
    text = argument(entry, draft.report)
    if text is None:
        return
    number = whole(text, 1, 255)
    draft.priority = number.value
    if number.complaint:
        draft.priority = DEFAULT_PRIORITY
        draft.report.warning(
            entry.line,
            f"{number.complaint}: ({draft.name}) Priority not valid! must be between 1 & 255. Using default 100",
            "keepalived uses 100",
        )


def _advert_int(draft: InstanceDraft, entry: Statement) -> None:
    text = argument(entry, draft.report)
    if text is None:
        return
    value_us = duration_us(
        entry,
        decimal_us(text, _SHORTEST_INTERVAL_US, _LONGEST_INTERVAL_US),
        f"({draft.name}) Advert interval ({text}) not valid! Must be > 0 - ignoring",
        f"keepalived uses {draft.interval_us / 1e6:g} s; 0.01 to 255 s would be right",
        draft.report,
    )
    if value_us is not None:
        draft.interval_us = value_us


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


def _preempt_delay(draft: InstanceDraft, entry: Statement) -> None:
    text = argument(entry, draft.report)
    if text is None:
        return
    value_us = duration_us(
        entry,
        decimal_us(text, 0, _LONGEST_PREEMPT_DELAY_US),
        f"({draft.name}) Preempt_delay not valid! must be between 0-1000",
        "keepalived uses no delay",
        draft.report,
    )
    draft.preempt_delay_ns = (value_us or 0) * MICROSECOND_NS


def _accept(draft: InstanceDraft, entry: Statement) -> None:
    draft.accept = entry.keyword == "accept"


def _switch(draft: InstanceDraft, entry: Statement) -> None:
    value = switch(entry.arguments)
    if value is None:
        draft.complain(
            entry.line, f"invalid {entry.keyword} {entry.arguments[0]} specified", "keepalived ignores the line"
        )
    elif entry.keyword == "skip_check_adv_addr" and not value:
        _presence(draft, entry)
    else:
        draft.switches[entry.keyword] = value


def _presence(draft: InstanceDraft, entry: Statement) -> None:
    draft.switches[entry.keyword] = True
    if switch(entry.arguments) is False:
        draft.complain(
            entry.line,
            f"{entry.keyword} {entry.arguments[0]} does not switch it off",
            "keepalived 2.2.7 takes the keyword alone for on; remove the line",
        )


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


def _track_script(draft: InstanceDraft, block: Block) -> None:
    tracked_scripts(block, draft.track_scripts, draft.scripts, draft.name, draft.report)


def _track_interface(draft: InstanceDraft, block: Block) -> None:
    tracked_interfaces(block, draft.track_interfaces, draft.interfaces, draft.name, draft.report)


_STATEMENTS: Mapping[str, Callable[[InstanceDraft, Statement], None]] = {
    "accept": _accept,
    "advert_int": _advert_int,
    "check_unicast_src": _presence,
    "dont_track_primary": _presence,
    "higher_prio_send_advert": _switch,
    "interface": _interface,
    "lower_prio_no_advert": _switch,
    "lvs_sync_daemon_interface": _deprecated,
    "mcast_dst_ip": instance_addresses.multicast_group,
    "mcast_src_ip": instance_addresses.source,
    "native_ipv6": _native_ipv6,
    "no_accept": _accept,
    "nopreempt": _preempt,
    "owner_ignore_adverts": _presence,
    "preempt": _preempt,
    "preempt_delay": _preempt_delay,
    "priority": _priority,
    "skip_check_adv_addr": _switch,
    "state": _state,
    "strict_mode": _switch,
    "unicast_fault_no_peer": _presence,
    "unicast_src_ip": instance_addresses.source,
    "unicast_ttl": instance_addresses.unicast_ttl,
    "v3_checksum_as_v2": _presence,
    "version": _version,
    "virtual_router_id": _vrid,
    "vmac_xmit_base": _presence,
}
_BLOCKS: Mapping[str, Callable[[InstanceDraft, Block], None]] = {
    "authentication": _authentication,
    "track_interface": _track_interface,
    "track_script": _track_script,
    "unicast_peer": instance_addresses.unicast_peers,
    "virtual_ipaddress": instance_addresses.virtual_addresses,
    "virtual_ipaddress_excluded": instance_addresses.virtual_addresses,
}
