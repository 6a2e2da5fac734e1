"""The lines of a vrrp_instance that hold addresses: virtual ones, and where adverts come from and go to."""

from __future__ import annotations

from vrrp.config.instance.address_lines import virtual_address
from vrrp.config.instance.draft import InstanceDraft
from vrrp.config.model import Address
from vrrp.config.settings import argument
from vrrp.config.tree import Block, Statement
from vrrp.config.values import address, whole


def source(draft: InstanceDraft, entry: Statement) -> None:
    """Take in unicast_src_ip and mcast_src_ip."""
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


def multicast_group(draft: InstanceDraft, entry: Statement) -> None:
    """Take in mcast_dst_ip."""
    text = argument(entry, draft.report)
    if text is None:
        return
    group = address(text.partition("/")[0])
    if group is None:
        message = f"malformed mcast dest address {text}. Skipping..."
    elif not draft.same_family(group):
        message = f"mcast dest address {text} MUST match VRRP instance family. Skipping..."
    elif group.version == 4 and not group.is_multicast:
        message = f"mcast_dst_ip {text} not multicast. Skipping..."
    elif group.version == 6 and not (group.is_multicast and group.packed[1] & 0xF == 2):
        message = f"mcast_dst_ip {text} not link-local multicast. Skipping..."
    else:
        draft.multicast_group = group
        return
    draft.report.error(entry.line, f"({draft.name}) {message}", "keepalived uses the global group")


def virtual_addresses(draft: InstanceDraft, block: Block) -> None:
    """Take in virtual_ipaddress and virtual_ipaddress_excluded."""
    for entry in block.entries():
        found = virtual_address(entry, draft.interfaces, draft.report)
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


def unicast_peers(draft: InstanceDraft, block: Block) -> None:
    """Take in unicast_peer, and the TTLs allowed to each."""
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
