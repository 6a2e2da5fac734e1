"""The virtual addresses themselves: whether a node can hold them, and whether anybody reaches them there."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, ip_network

from vrrp.check.cluster import Cluster, Member, addresses, family
from vrrp.check.finding import Finding
from vrrp.check.rule import check
from vrrp.check.rulebook import rulebook
from vrrp.config.instance.completion import OWNER_PRIORITY
from vrrp.config.model import VirtualAddress
from vrrp.words import nearest

_RULES = rulebook("holding")
_EVERYBODYS_VRID = 51
_LONGEST_NETWORK = 30


@check(_RULES["VRRP-W100"], _RULES["VRRP-E101"], _RULES["VRRP-E102"], _RULES["VRRP-E103"], _RULES["VRRP-E108"])
def addressed(cluster: Cluster) -> Iterator[Finding]:
    """Each address by itself, and against the node's others."""
    for node in cluster.nodes:
        holders: dict[object, Member] = {}
        for instance in node.config.instances:
            member = Member(node, instance)
            if family(instance) == 6 and instance.addresses and not instance.strict:
                first = instance.addresses[0]
                if not first.address.is_link_local:
                    yield _RULES["VRRP-W100"].finding(
                        node.place(first.line),
                        f"({instance.name}) the first IPv6 address, {first.address}, is not link-local",
                    )
            for held in (*instance.addresses, *instance.excluded_addresses):
                yield from _one(member, held)
            for address in addresses(instance):
                other = holders.setdefault(address, member)
                if other is not member:
                    yield _RULES["VRRP-E108"].finding(
                        member.place("virtual_ipaddress"),
                        f"({instance.name}) {address} belongs to {other.instance.name} as well",
                        related=[other.place("virtual_ipaddress")],
                    )


def _one(member: Member, held: VirtualAddress) -> Iterator[Finding]:
    one, place = member.instance, member.node.place(held.line)
    if held.broadcast == held.address:
        yield _RULES["VRRP-E101"].finding(place, f"({one.name}) {held.address} is its own broadcast address")
    if isinstance(held.address, IPv4Address) and held.prefix <= _LONGEST_NETWORK:
        network = ip_network((int(held.address), held.prefix), strict=False)
        kind = {network.network_address: "network", network.broadcast_address: "broadcast"}.get(held.address)
        if kind is not None:
            yield _RULES["VRRP-E102"].finding(
                place, f"({one.name}) {held.address} is the {kind} address of {network}, which no host can have"
            )
    if held.address in {one.unicast_source, one.multicast_source} and one.priority != OWNER_PRIORITY:
        yield _RULES["VRRP-E103"].finding(
            place,
            f"({one.name}) advertisements are to come from {held.address}, which is a virtual address",
            related=[member.place("unicast_src_ip", "mcast_src_ip")],
        )


@check(_RULES["VRRP-W110"])
def reachable(cluster: Cluster) -> Iterator[Finding]:
    """Whether the master takes packets for the addresses."""
    for member in cluster.members():
        one = member.instance
        if one.accept or one.priority == OWNER_PRIORITY:
            continue
        strict = one.strict and "no_accept" not in one.lines
        lines = member.node.config.globals.lines
        place = member.place("no_accept", "strict_mode")
        if strict and "strict_mode" not in one.lines and "vrrp_strict" in lines:
            place = member.node.place(lines["vrrp_strict"])
        yield _RULES["VRRP-W110"].finding(
            place,
            f"({one.name}) {'strict mode' if strict else 'no_accept'}: the master drops what is sent to "
            f"{', '.join(str(held.address) for held in one.addresses[:3])}",
        )


@check(_RULES["VRRP-N104"])
def vrids(cluster: Cluster) -> Iterator[Finding]:
    """The VRID of everybody's example."""
    for peers in cluster.peers:
        if peers.vrid == _EVERYBODYS_VRID:
            member = peers.members[0]
            yield _RULES["VRRP-N104"].finding(
                member.place("virtual_router_id"), f"({member.instance.name}) VRID 51 is everybody's example"
            )


@check(_RULES["VRRP-W030"], _RULES["VRRP-N031"])
def machine(cluster: Cluster) -> Iterator[Finding]:
    """Whether this machine has the interfaces, and not the addresses, when the files are for it."""
    known = cluster.facts.interfaces
    if known is None:
        return
    own = {address: interface for interface, held in known.items() for address in held}
    for member in cluster.members():
        one = member.instance
        if one.interface and one.interface not in known:
            yield _RULES["VRRP-W030"].finding(
                member.place("interface"),
                f"({one.name}) this machine has no interface {one.interface}",
                instead=f"the instance stays in FAULT; {nearest(one.interface, known)}",
            )
        for held in one.addresses:
            interface = own.get(str(held.address))
            if interface is not None and one.priority != OWNER_PRIORITY:
                yield _RULES["VRRP-N031"].finding(
                    member.node.place(held.line),
                    f"({one.name}) this machine has {held.address} already, on {interface}",
                )
