"""What the nodes of one virtual router must have in common and do not: the reasons for two masters at once.

A table of comparisons; each looks at all nodes at once, so that its time is in proportion to their number.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass

from vrrp.check.cluster import Cluster, Member, Peers, addresses, family
from vrrp.check.finding import Finding, Place
from vrrp.check.rule import Rule, check
from vrrp.check.rulebook import rulebook
from vrrp.config.diagnostics import Severity
from vrrp.config.model import Address, VrrpInstance

_RULES = rulebook("mismatch")
_MOST_NAMES = 4
# What is not worth telling of lists that differ anyway.
_OF_EQUAL_LISTS = frozenset({"VRRP-W050", "VRRP-N056"})


@dataclass(frozen=True, slots=True)
class _Comparison:
    """One thing in which nodes may differ.

    Attributes:
        rule: what it is when they do.
        keywords: where it stands in an instance, the likeliest first.
        value: what is compared.
        says: the value, in words: "priority 100".
        severity: how bad, when it depends.
    """

    rule: Rule
    keywords: tuple[str, ...]
    value: Callable[[VrrpInstance], Hashable]
    says: Callable[[VrrpInstance], str]
    severity: Callable[[VrrpInstance], Severity | None] = lambda _: None


def seconds(interval_cs: int) -> str:
    """An interval for people."""
    return f"{interval_cs / 100:g} s"


def _interval_severity(one: VrrpInstance) -> Severity:
    # A backup of version 3 takes the master's interval; in version 2 each rejects the other's advertisements.
    return Severity.ERROR if one.version == 2 else Severity.WARNING


def _held(one: VrrpInstance) -> Hashable:
    return frozenset(held.address for held in one.addresses)


def _held_text(one: VrrpInstance) -> str:
    shown = [str(held.address) for held in one.addresses[:_MOST_NAMES]]
    more = len(one.addresses) - len(shown)
    return "addresses " + ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _lacking(one: VrrpInstance, other: VrrpInstance, where: str) -> str:
    """Which addresses the one lacks, and which the other."""
    own = dict.fromkeys(str(held.address) for held in one.addresses)
    theirs = dict.fromkeys(str(held.address) for held in other.addresses)
    parts = []
    for verb, place, missing in (
        ("lacks", f"which is {where}", [address for address in theirs if address not in own]),
        ("has", f"which is not {where}", [address for address in own if address not in theirs]),
    ):
        if missing:
            more = len(missing) - _MOST_NAMES
            shown = ", ".join(missing[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
            parts.append(f"{verb} {shown}, {place if len(missing) == 1 else place.replace('which is', 'which are')}")
    return "; ".join(parts)


def _authentication(one: VrrpInstance) -> Hashable:
    if one.version != 2 or one.authentication is None:
        return None
    return one.authentication.kind, one.authentication.password


def _authentication_text(one: VrrpInstance) -> str:
    if one.version != 2 or one.authentication is None:
        return "no authentication"
    # A password does not belong into a report; its length tells two of them apart often enough.
    count = len(one.authentication.password)
    return f"auth_type {one.authentication.kind} with a password of {count} character{'s' * (count != 1)}"


def _prefixes(one: VrrpInstance) -> Hashable:
    return frozenset((held.address, held.prefix) for held in (*one.addresses, *one.excluded_addresses))


def _prefixes_text(one: VrrpInstance) -> str:
    return ", ".join(f"{held.address}/{held.prefix}" for held in one.addresses[:_MOST_NAMES])


def _old_checksum(one: VrrpInstance) -> bool:
    """Whether unicast advertisements of version 3 have the checksum that keepalived 1.3.6 gave them."""
    given = "old_unicast_checksum" in one.lines and not any(
        option.keyword == "old_unicast_checksum" and option.text == "never" for option in one.options
    )
    return given and one.version == 3 and bool(one.unicast_peers)


_COMPARISONS = (
    _Comparison(
        _RULES["VRRP-E045"],
        ("virtual_router_id",),
        lambda one: one.vrid,
        lambda one: f"VRID {one.vrid}",
    ),
    _Comparison(
        _RULES["VRRP-E043"],
        ("version",),
        lambda one: one.version,
        lambda one: f"version {one.version}",
    ),
    _Comparison(
        _RULES["VRRP-E042"],
        ("advert_int",),
        lambda one: one.interval_cs,
        lambda one: f"advert_int {seconds(one.interval_cs)}",
        _interval_severity,
    ),
    _Comparison(_RULES["VRRP-E044"], ("auth_pass", "authentication"), _authentication, _authentication_text),
    _Comparison(
        _RULES["VRRP-E040"],
        ("virtual_ipaddress",),
        _held,
        _held_text,
        lambda one: Severity.WARNING if one.skip_check_adv_addr else None,
    ),
    _Comparison(
        _RULES["VRRP-E047"],
        ("unicast_peer",),
        lambda one: bool(one.unicast_peers),
        lambda one: "unicast" if one.unicast_peers else f"multicast to {one.multicast_group}",
    ),
    _Comparison(
        _RULES["VRRP-E048"],
        ("mcast_dst_ip",),
        lambda one: None if one.unicast_peers else one.multicast_group,
        lambda one: f"multicast to {one.multicast_group}",
    ),
    _Comparison(
        _RULES["VRRP-E049"],
        ("v3_checksum_as_v2",),
        lambda one: one.version == 3 and family(one) == 4 and one.v3_checksum_as_v2,
        lambda one: "checksum without pseudo-header" if one.v3_checksum_as_v2 else "checksum with pseudo-header",
    ),
    _Comparison(_RULES["VRRP-W050"], ("virtual_ipaddress",), _prefixes, _prefixes_text),
    _Comparison(
        _RULES["VRRP-N056"],
        ("virtual_ipaddress",),
        lambda one: tuple(held.address for held in one.addresses),
        _held_text,
    ),
    _Comparison(
        _RULES["VRRP-E057"],
        ("old_unicast_checksum",),
        _old_checksum,
        lambda one: "with old_unicast_checksum" if _old_checksum(one) else "without old_unicast_checksum",
    ),
    _Comparison(
        _RULES["VRRP-W051"],
        ("skip_check_adv_addr",),
        lambda one: one.skip_check_adv_addr,
        lambda one: "with skip_check_adv_addr" if one.skip_check_adv_addr else "without skip_check_adv_addr",
    ),
    _Comparison(
        _RULES["VRRP-W052"],
        ("use_vmac",),
        lambda one: one.use_vmac,
        lambda one: "use_vmac" if one.use_vmac else "no use_vmac",
    ),
)


def named(members: list[Member]) -> str:
    """Their names, the first few of many."""
    shown = [member.name for member in members[:_MOST_NAMES]]
    more = len(members) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


@check(*(one.rule for one in _COMPARISONS))
def compare(cluster: Cluster) -> Iterator[Finding]:
    """Each thing in which the members of a virtual router differ, at each node that differs from the most."""
    for peers in cluster.peers:
        if len(peers.members) > 1:
            for comparison in _COMPARISONS:
                yield from _differences(peers, comparison)


def _differences(peers: Peers, comparison: _Comparison) -> Iterator[Finding]:
    by = peers.by(lambda member: comparison.value(member.instance))
    if len(by) == 1 or (comparison.rule.id in _OF_EQUAL_LISTS and not _same_addresses(peers)):
        return
    usual = max(by.values(), key=len)
    usual_text = comparison.says(usual[0].instance)
    for members in by.values():
        if members is usual:
            continue
        for member in members:
            own = comparison.says(member.instance)
            other = f"on {named(usual)}"
            if comparison.value is _held:
                told = _lacking(member.instance, usual[0].instance, other)
            elif own == usual_text:  # two passwords of the same length
                told = f"{own}, another than {other}"
            else:
                told = f"{own} here, {usual_text} {other}"
            yield comparison.rule.finding(
                _place(member, comparison, usual[0]),
                f"({member.instance.name}) {told}",
                severity=comparison.severity(member.instance),
                related=[_place(other, comparison, member) for other in usual[:_MOST_NAMES]],
            )


def _same_addresses(peers: Peers) -> bool:
    return len(peers.by(lambda member: frozenset(addresses(member.instance)))) == 1


def _place(member: Member, comparison: _Comparison, other: Member) -> Place:
    """The line that says it; of addresses, the first that the other does not have."""
    given = any(keyword in member.instance.lines for keyword in comparison.keywords)
    says = "" if given else comparison.says(member.instance)
    if comparison.keywords == ("virtual_ipaddress",):
        theirs = {(held.address, held.prefix) for held in other.instance.addresses}
        bare = {address for address, _ in theirs}
        prefixes = comparison.rule.id == "VRRP-W050"
        for held in member.instance.addresses:
            if held.address not in bare or (prefixes and (held.address, held.prefix) not in theirs):
                return member.node.place(held.line, says)
    return member.place(*comparison.keywords, says=says)


@check(_RULES["VRRP-E046"], _RULES["VRRP-E053"], _RULES["VRRP-W054"], _RULES["VRRP-W055"])
def unicast(cluster: Cluster) -> Iterator[Finding]:
    """Whether each node is among its peers' peers."""
    for peers in cluster.peers:
        talking = [member for member in peers.members if member.instance.unicast_peers]
        yield from _one_source_each(talking)
        # Told once for each node, with all that it does not list: five hundred nodes are not five hundred squared.
        sources = {member.instance.unicast_source: member for member in talking if member.instance.unicast_source}
        for member in talking:
            one = member.instance
            if one.unicast_source is None and family(one) == 6:
                yield _RULES["VRRP-W055"].finding(
                    member.place("unicast_peer"), f"({one.name}) unicast over IPv6 without unicast_src_ip"
                )
            if one.unicast_source in one.unicast_peers:
                yield _RULES["VRRP-W054"].finding(
                    member.place("unicast_peer"),
                    f"({one.name}) its own address {one.unicast_source} is among its peers",
                )
            yield from _missing_peers(member, sources)


def _one_source_each(talking: list[Member]) -> Iterator[Finding]:
    owners: dict[Address, Member] = {}
    for member in talking:
        source = member.instance.unicast_source
        if source is None:
            continue
        other = owners.setdefault(source, member)
        if other is not member:
            yield _RULES["VRRP-E053"].finding(
                member.place("unicast_src_ip"),
                f"({member.instance.name}) unicast_src_ip {source} is {other.name}'s as well",
                related=[other.place("unicast_src_ip")],
            )


def _missing_peers(member: Member, sources: dict[Address, Member]) -> Iterator[Finding]:
    one = member.instance
    known = {*one.unicast_peers, one.unicast_source}
    missing = [source for source in sources if source not in known]
    if missing:
        others = [sources[source] for source in missing[:_MOST_NAMES]]
        told = ", ".join(f"{sources[source].name} ({source})" for source in missing[:_MOST_NAMES])
        more = len(missing) - len(others)
        yield _RULES["VRRP-E046"].finding(
            member.place("unicast_peer"),
            f"({one.name}) {told}{f' and {more} more' if more > 0 else ''} {'is' if len(missing) == 1 else 'are'} not "
            "among its unicast peers",
            related=[other.place("unicast_src_ip") for other in others],
        )
