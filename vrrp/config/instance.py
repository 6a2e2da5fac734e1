"""Reading a vrrp_instance block, line by line; what the lines mean together is settled in `completion`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from vrrp.config.address_lines import virtual_address
from vrrp.config.diagnostics import Report
from vrrp.config.model import (
    Address,
    Option,
    TrackedInterface,
    TrackedScript,
    VirtualAddress,
    VrrpScript,
)
from vrrp.config.settings import (
    COUNTERS,
    NOTIFY_KEYWORDS,
    Counter,
    add_notify,
    argument,
    count,
    duration_us,
    options_of,
)
from vrrp.config.tracking import tracked_interfaces, tracked_scripts
from vrrp.config.tree import Block, Statement
from vrrp.config.values import MICROSECOND_NS, address, decimal_us, octets, switch, whole

DEFAULT_PRIORITY = 100
LONGEST_PASSWORD = 8
_LONGEST_INTERFACE = 15
_LONGEST_INTERVAL_US = 255_000_000
_SHORTEST_INTERVAL_US = 10_000
_LONGEST_PREEMPT_DELAY_US = 1_000_000_000
_TTL = Counter(0, 255, "TTL '{value}' not valid - must be between 0 & 255")


@dataclass(slots=True)
class InstanceDraft:
    """A vrrp_instance as far as its lines say; None and a missing key mean that they do not.

    `lines` has the line of each keyword that was given, for what is found out later.
    """

    name: str
    line: int
    report: Report
    scripts: Mapping[str, VrrpScript]
    lines: dict[str, int] = field(default_factory=dict)
    state: Literal["MASTER", "BACKUP"] | None = None
    interface: str | None = None
    vrid: int | None = None
    priority: int | None = None
    interval_us: int = 1_000_000
    version: Literal[2, 3] | None = None
    family: Literal[4, 6] | None = None
    addresses: list[VirtualAddress] = field(default_factory=list)
    excluded_addresses: list[VirtualAddress] = field(default_factory=list)
    auth_type: Literal["PASS", "AH"] | None = None
    password: bytes = b""
    preempt: bool = True
    preempt_delay_ns: int = 0
    track_scripts: dict[str, TrackedScript] = field(default_factory=dict)
    track_interfaces: dict[str, TrackedInterface] = field(default_factory=dict)
    unicast_source: Address | None = None
    multicast_source: Address | None = None
    multicast_group: Address | None = None
    unicast_peers: list[Address] = field(default_factory=list)
    unicast_peer_ttl: dict[Address, tuple[int, int]] = field(default_factory=dict)
    accept: bool | None = None
    counters: dict[str, int] = field(default_factory=dict)
    switches: dict[str, bool] = field(default_factory=dict)
    notify: dict[str, str] = field(default_factory=dict)
    options: list[Option] = field(default_factory=list)

    def read(self, block: Block) -> None:
        """Take the block in."""
        for entry in block.body:
            self.lines[entry.keyword] = entry.line
            if isinstance(entry, Block):
                _BLOCKS.get(entry.keyword, _keep)(self, entry)
            elif entry.keyword in NOTIFY_KEYWORDS:
                add_notify(self.notify, entry, self.report, f"({self.name}) ")
            elif entry.keyword in COUNTERS:
                number = count(entry, COUNTERS[entry.keyword], self.report, f"({self.name}): ")
                if number is not None:
                    self.counters[entry.keyword] = number
            else:
                _STATEMENTS.get(entry.keyword, _keep)(self, entry)

    def line_of(self, *keywords: str) -> int:
        """The line of the first of these keywords that was given; else where the instance begins."""
        return next((self.lines[keyword] for keyword in keywords if keyword in self.lines), self.line)

    def complain(self, line: int, message: str, instead: str) -> None:
        """A warning that names the instance as keepalived does."""
        self.report.warning(line, f"({self.name}) {message}", instead)

    def same_family(self, found: Address) -> bool:
        """Whether the address is of the instance's family, which the first address of any kind decides."""
        if self.family is None:
            self.family = 4 if found.version == 4 else 6
        return found.version == self.family


def _keep(draft: InstanceDraft, entry: Statement | Block) -> None:
    draft.options.extend(options_of(entry))


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
        draft.complain(
            entry.line,
            "cannot use a loopback interface (lo) for vrrp - ignoring",
            "keepalived ignores the line",
        )
    else:
        draft.interface = text


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


def _source(draft: InstanceDraft, entry: Statement) -> None:
    text = argument(entry, draft.report)
    if text is None:
        return
    found = address(text.partition("/")[0])
    about = f"Configuration error: VRRP instance[{draft.name}]"
    if found is None:
        message = f"{about} malformed src address[{text}]. Skipping..."
    elif not draft.same_family(found):
        message = f"{about} and src address[{text}] MUST be of the same family !!! Skipping..."
    elif entry.keyword == "unicast_src_ip":
        draft.unicast_source = found
        return
    else:
        draft.multicast_source = found
        return
    draft.report.error(entry.line, message, "keepalived uses the interface's own address")


def _multicast_group(draft: InstanceDraft, entry: Statement) -> None:
    text = argument(entry, draft.report)
    if text is None:
        return
    group = address(text.partition("/")[0])
    if group is None:
        message = f"malformed mcast dest address {text}. Skipping..."
    elif not group.is_multicast:
        message = f"mcast_dst_ip {text} not multicast. Skipping..."
    elif group.version == 6 and group.packed[1] & 0xF != 2:
        message = f"mcast_dst_ip {text} not link-local multicast. Skipping..."
    elif not draft.same_family(group):
        message = f"mcast dest address {text} MUST match VRRP instance family. Skipping..."
    else:
        draft.multicast_group = group
        return
    draft.report.error(entry.line, f"({draft.name}) {message}", "keepalived uses the global group")


def _unicast_ttl(draft: InstanceDraft, entry: Statement) -> None:
    number = count(entry, _TTL, draft.report, f"({draft.name}): ")
    if number is not None:
        draft.counters["unicast_ttl"] = number


def _virtual_addresses(draft: InstanceDraft, block: Block) -> None:
    for entry in block.entries():
        found = virtual_address(entry, draft.report)
        if found is None:
            continue
        if block.keyword == "virtual_ipaddress_excluded":
            draft.excluded_addresses.append(found)
        elif draft.same_family(found.address):
            draft.addresses.append(found)
        else:
            draft.report.error(
                entry.line,
                f"({draft.name}): address family must match VRRP instance [{entry.keyword}] - ignoring",
                "keepalived leaves it out; write it in virtual_ipaddress_excluded",
            )


def _unicast_peers(draft: InstanceDraft, block: Block) -> None:
    for entry in block.entries():
        text = entry.keyword
        found = address(text.partition("/")[0])
        about = f"Configuration error: VRRP instance[{draft.name}]"
        if found is None:
            message = f"{about} malformed unicast peer address[{text}]. Skipping..."
        elif not draft.same_family(found):
            message = f"{about} and unicast peer address[{text}] MUST be of the same family !!! Skipping..."
        else:
            draft.unicast_peers.append(found)
            _peer_ttl(draft, found, entry)
            continue
        draft.report.error(entry.line, message, "keepalived sends nothing to it")


def _peer_ttl(draft: InstanceDraft, peer: Address, entry: Statement) -> None:
    limits = {"min_ttl": 0, "max_ttl": 255}
    given = False
    options = entry.arguments
    for position in range(0, len(options), 2):
        option = options[position]
        if position + 1 == len(options):
            draft.complain(entry.line, f"{option} is missing a value", "keepalived ignores the word")
        elif option not in limits:
            draft.complain(entry.line, f"unknown unicast_peer option {option}", "keepalived ignores the word")
        else:
            number = whole(options[position + 1], 0, 255)
            if number.complaint or number.value is None:
                draft.report.warning(entry.line, number.complaint, f"keepalived uses no {option}")
            else:
                limits[option] = number.value
                given = True
    if given:
        draft.unicast_peer_ttl[peer] = (limits["min_ttl"], limits["max_ttl"])
    if limits["min_ttl"] > limits["max_ttl"]:
        draft.complain(
            entry.line,
            f"min_ttl {limits['min_ttl']} > max_ttl {limits['max_ttl']} - all packets will be discarded",
            "keepalived hears nothing from this peer",
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
    tracked_interfaces(block, draft.track_interfaces, draft.name, draft.report)


_STATEMENTS: Mapping[str, Callable[[InstanceDraft, Statement], None]] = {
    "accept": _accept,
    "advert_int": _advert_int,
    "check_unicast_src": _presence,
    "dont_track_primary": _presence,
    "higher_prio_send_advert": _switch,
    "interface": _interface,
    "lower_prio_no_advert": _switch,
    "mcast_dst_ip": _multicast_group,
    "mcast_src_ip": _source,
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
    "unicast_src_ip": _source,
    "unicast_ttl": _unicast_ttl,
    "v3_checksum_as_v2": _presence,
    "version": _version,
    "virtual_router_id": _vrid,
    "vmac_xmit_base": _presence,
}
_BLOCKS: Mapping[str, Callable[[InstanceDraft, Block], None]] = {
    "authentication": _authentication,
    "track_interface": _track_interface,
    "track_script": _track_script,
    "unicast_peer": _unicast_peers,
    "virtual_ipaddress": _virtual_addresses,
    "virtual_ipaddress_excluded": _virtual_addresses,
}
