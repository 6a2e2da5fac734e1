"""FRR's vrrpd as a peer of keepalived: what each of the two does not understand of the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from vrrp.check.cluster import Cluster, Member, Peers, Sidecar, addresses, family
from vrrp.check.finding import Finding
from vrrp.check.mismatch import seconds
from vrrp.check.rule import check
from vrrp.check.rulebook import rulebook
from vrrp.config.frr import FrrRouter

_RULES = rulebook("mixing")


def _version(member: Member, frr: FrrRouter) -> str:
    one = member.instance
    return f"version {one.version} here, {frr.version} in FRR" if one.version != frr.version else ""


def _authentication(member: Member, _: FrrRouter) -> str:
    one = member.instance
    kind = one.authentication.kind if one.authentication is not None and one.version == 2 else ""
    return f"auth_type {kind} here, and FRR has no authentication" if kind else ""


def _unicast(member: Member, _: FrrRouter) -> str:
    return "unicast here, and FRR hears multicast only" if member.instance.unicast_peers else ""


def _interval(member: Member, frr: FrrRouter) -> str:
    one = member.instance
    if one.interval_cs == frr.interval_cs:
        return ""
    return f"advert_int {seconds(one.interval_cs)} here, {seconds(frr.interval_cs)} in FRR"


def _base(member: Member, _: FrrRouter) -> str:
    return "use_vmac with vmac_xmit_base: FRR is not heard" if member.instance.vmac_xmit_base else ""


def _addresses(member: Member, frr: FrrRouter) -> str:
    own = {held.address for held in member.instance.addresses}
    theirs = {address for address in frr.addresses if address.version == family(member.instance)}
    if own == theirs:
        return ""
    odd = sorted(map(str, own ^ theirs))
    return f"{', '.join(odd[:4])} {'is' if len(odd) == 1 else 'are'} not on both"


def _priority(member: Member, frr: FrrRouter) -> str:
    return f"priority {frr.priority} on both" if member.instance.priority == frr.priority else ""


# Rule, where it stands in the instance, in FRR's file, and what is wrong, or "".
_DIFFERENCES: tuple[tuple[str, tuple[str, ...], str, Callable[[Member, FrrRouter], str]], ...] = (
    ("VRRP-E150", ("version",), "version", _version),
    ("VRRP-E151", ("auth_type", "authentication"), "vrrp", _authentication),
    ("VRRP-E152", ("vmac_xmit_base",), "vrrp", _base),
    ("VRRP-E153", ("virtual_ipaddress",), "ip", _addresses),
    ("VRRP-E154", ("advert_int",), "advertisement-interval", _interval),
    ("VRRP-E155", ("unicast_peer",), "vrrp", _unicast),
    ("VRRP-W156", ("priority",), "priority", _priority),
)


@check(*_RULES.values())
def mixed(cluster: Cluster) -> Iterator[Finding]:
    """Each instance against FRR's router of the same VRID that shares an address, or of few nodes any."""
    for file in cluster.beside:
        for frr in file.frr:
            for peers in cluster.peers:
                if peers.vrid == frr.vrid and _one_router(peers, frr):
                    for member in peers.members:
                        yield from _differences(member, file, frr)


def _one_router(peers: Peers, frr: FrrRouter) -> bool:
    held = {address for member in peers.members for address in addresses(member.instance)}
    return not held.isdisjoint(frr.addresses)


def _differences(member: Member, file: Sidecar, frr: FrrRouter) -> Iterator[Finding]:
    for rule, keywords, theirs, difference in _DIFFERENCES:
        told = difference(member, frr)
        if told:
            yield _RULES[rule].finding(
                member.place(*keywords),
                f"({member.instance.name}) {told}",
                related=[file.place(frr.lines.get(theirs, frr.line))],
            )
