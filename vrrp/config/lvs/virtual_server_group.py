"""virtual_server_group: addresses, ranges of them and firewall marks under one name (measured)."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Literal

from vrrp.config.diagnostics import Report, missing_parameter
from vrrp.config.lvs.endpoints import LONGEST_FWMARK, host_address, port_number
from vrrp.config.lvs.model import GroupAddresses, VirtualServerGroup
from vrrp.config.tree import Block, Statement
from vrrp.config.values import Address, address, whole

_DROPS = "keepalived leaves the entry out"
_LONGEST_PART = 9
_FAMILIES: dict[str, Literal[4, 6]] = {"inet": 4, "inet6": 6}


def virtual_server_group(block: Block, report: Report) -> VirtualServerGroup | None:
    """One group, or None when keepalived removes it, which is reported."""
    name = block.arguments[0]
    found = [_entry(entry, name, report) for entry in block.entries()]
    entries = tuple(entry for entry in found if entry is not None)
    versions = {entry.first.version for entry in entries if entry.first is not None}
    if not entries:
        told = f"virtual server group {name} has no entries - removing"
    elif versions == {4, 6} and any(entry.fwmark is not None and entry.family is None for entry in entries):
        told = f"virtual server group {name} cannot have IPv4, IPv6 and fwmark without family - removing"
    else:
        return VirtualServerGroup(name, entries, block.line)
    report.error(block.end, told, "keepalived drops the group")
    return None


def _entry(entry: Statement, group: str, report: Report) -> GroupAddresses | None:
    if entry.keyword == "fwmark":
        return _fwmark(entry, group, report)
    text, *behind = entry.words
    port, fault = port_number(("", *entry.words))
    range_text = f" /port/{behind[0]}" if behind and behind[0] != "0" else " "
    first = host_address(text)
    if first is not None and first.version == 4 and ":" in text:
        first = None
    last, complaint = _last(text, first) if first is not None else (None, "")
    if port is None or first is None:
        told = f"Invalid virtual server group IP address {text}{range_text} - skipping"
        report.error(entry.line, f"{fault}: {told}" if fault else told, _DROPS)
        return None
    if complaint or last is None:
        report.error(entry.line, complaint, _DROPS)
        return None
    return GroupAddresses(first=first, last=last, port=port, line=entry.line)


def _fwmark(entry: Statement, group: str, report: Report) -> GroupAddresses | None:
    if not entry.arguments:
        report.stop(entry.line, missing_parameter(entry.keyword))
        return None
    text, *rest = entry.arguments
    number = whole(text, 0, LONGEST_FWMARK)
    if number.complaint:
        told = f"{number.complaint}: ({group}): fwmark '{text}' must be in [0, {LONGEST_FWMARK}] - ignoring"
        report.error(entry.line, told, _DROPS)
        return None
    if rest and rest[0] not in _FAMILIES:
        report.error(entry.line, f"({group}): fwmark '{number.value}' family {rest[0]} unknown - ignoring", _DROPS)
        return None
    family = _FAMILIES[rest[0]] if rest else None
    return GroupAddresses(fwmark=number.value, family=family, line=entry.line)


def _last(text: str, first: Address) -> tuple[Address | None, str]:
    """The last address of ADDRESS, ADDRESS/PREFIX, ADDRESS-LAST_PART or ADDRESS-ADDRESS, or what is wrong with it."""
    if "/" in text:
        return _last_of_prefix(text, first)
    if "-" not in text:
        return first, ""
    end = text.partition("-")[2]
    separator = "." if first.version == 4 else ":"
    if separator in end:
        last = address(end)
        if last is None:
            return None, f"Invalid range end {text} - skipping"
        if int(last) < int(first):
            return None, f"Address range end is less than address range start - {text} - skipping"
        return last, ""
    return _last_of_part(text, end, first)


def _last_of_part(text: str, end: str, first: Address) -> tuple[Address | None, str]:
    base, highest = (10, 255) if first.version == 4 else (16, 0xFFFF)
    digits = "0123456789abcdefABCDEF"[: 10 if base == 10 else None]
    number = end[: len(end) - len(end.lstrip(digits))]
    if number != end:
        return None, f"Virtual server group range '{text}' has extra characters at end '{end[len(number) :]}'"
    value = int(number or "0", base) if len(number.lstrip("0")) <= _LONGEST_PART else highest + 1
    if value > highest:
        return None, f"Virtual server group range '{text}' end '{end}' too large"
    start = int(first) & highest
    if value <= start:
        return None, f"Address range end is not greater than address range start - {text} - skipping"
    last = int(first) - start + value
    return (IPv4Address(last) if first.version == 4 else IPv6Address(last)), ""


def _last_of_prefix(text: str, first: Address) -> tuple[Address | None, str]:
    number = whole(text.partition("/")[2], 1, first.max_prefixlen)
    if number.complaint:
        return None, f"Invalid netmask - {text} - skipping"
    network = ip_network((first, number.read), strict=False)
    if network.network_address != first:
        return None, f"Address mask bits not empty - {text} - skipping"
    return network.broadcast_address, ""
