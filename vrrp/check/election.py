"""Who becomes master, as far as priorities and weights alone tell."""

from __future__ import annotations

from collections.abc import Iterator

from vrrp.check.cluster import Cluster, Member, Peers
from vrrp.check.finding import Finding
from vrrp.check.mismatch import named
from vrrp.check.rule import check
from vrrp.check.rulebook import rulebook
from vrrp.config.instance.completion import OWNER_PRIORITY
from vrrp.config.model import SyncGroup, Tracked, VrrpInstance

_RULES = rulebook("election")
_LOWEST, _HIGHEST = 1, 254


def tracked(one: VrrpInstance) -> tuple[Tracked, ...]:
    """What an instance follows, of what either fails or does not; files, which hold any number, are left out."""
    ignored = set(one.ignored_scripts)
    scripts = (entry for entry in one.track_scripts if entry not in ignored)
    return (*scripts, *one.track_interfaces, *one.track_processes, *one.track_bfd)


def healthy(one: VrrpInstance) -> int:
    """The effective priority while nothing fails: positive weights count."""
    return _effective(one, sum(max(0, entry.weight) for entry in tracked(one)))


def failed(one: VrrpInstance) -> int:
    """The effective priority while everything with a weight fails: negative weights count."""
    return _effective(one, sum(min(0, entry.weight) for entry in tracked(one)))


def _effective(one: VrrpInstance, change: int) -> int:
    if one.priority == OWNER_PRIORITY:
        return OWNER_PRIORITY
    return min(_HIGHEST, max(_LOWEST, one.priority + change))


def first(peers: Peers) -> Member:
    """Who is master while nothing fails; of equals the first given."""
    return max(peers.members, key=lambda member: healthy(member.instance))


def others(peers: Peers, member: Member) -> list[Member]:
    """The other members."""
    return [other for other in peers.members if other is not member]


def _all(members: list[Member]) -> str:
    return f"{named(members)} {'both' if len(members) == 2 else 'all'}"


@check(_RULES["VRRP-W060"], _RULES["VRRP-E061"])
def equals(cluster: Cluster) -> Iterator[Finding]:
    """Nodes that cannot be told apart in the election."""
    for peers in cluster.peers:
        for priority, members in peers.by(lambda member: healthy(member.instance)).items():
            if len(members) < 2:
                continue
            places = [member.place("priority", says=f"priority {member.instance.priority}") for member in members]
            one = members[1].instance
            owner = priority == OWNER_PRIORITY
            rule = _RULES["VRRP-E061" if owner else "VRRP-W060"]
            who = f"({one.name}) {_all(members)}"
            if owner:
                message = f"{who} say priority 255, that they own the addresses"
            else:
                wait = f"{one.garp_master_delay_ns / 1e9:g} s"
                message = (
                    f"{who} have priority {priority}: they take over at the same moment, and the loser's gratuitous "
                    f"ARP may come last: {wait} more without service"
                )
            yield rule.finding(places[1], message, related=[places[0], *places[2:]])


@check(_RULES["VRRP-W062"], _RULES["VRRP-N063"], _RULES["VRRP-N070"])
def states(cluster: Cluster) -> Iterator[Finding]:
    """What `state` says against what the priorities do."""
    for peers in cluster.peers:
        masters = [member for member in peers.members if member.instance.initial_state == "MASTER"]
        best = first(peers)
        for member in peers.members:
            if member.instance.priority == OWNER_PRIORITY:
                yield _RULES["VRRP-N070"].finding(
                    member.place("priority"),
                    f"({member.instance.name}) priority 255 is for the router whose own addresses these are",
                )
        if len(masters) > 1:
            yield _RULES["VRRP-N063"].finding(
                masters[1].place("state"),
                f"({masters[1].instance.name}) {_all(masters)} say state MASTER",
                related=[member.place("state") for member in masters if member is not masters[1]],
            )
        elif masters and healthy(masters[0].instance) < healthy(best.instance):
            own, most = healthy(masters[0].instance), healthy(best.instance)
            yield _RULES["VRRP-W062"].finding(
                masters[0].place("state"),
                f"({masters[0].instance.name}) state MASTER with priority {own}, but {best.name} has {most}",
                related=[best.place("priority", says=f"priority {most}")],
            )


@check(_RULES["VRRP-W064"], _RULES["VRRP-W066"], _RULES["VRRP-W067"])
def weights(cluster: Cluster) -> Iterator[Finding]:
    """Whether the failures that are watched move the addresses at all."""
    for peers in cluster.peers:
        if len(peers.members) < 2:
            continue
        master = first(peers)
        one = master.instance
        rivals = others(peers, master)
        entries = tracked(one)
        weighted = [entry for entry in entries if entry.weight]
        yield from _cut(peers)
        if not weighted or one.priority == OWNER_PRIORITY or any(entry.reverse for entry in weighted):
            continue
        if one.track_files:  # the number in a file may be any
            continue
        place = master.node.place(weighted[0].line)
        rival = max(rivals, key=lambda member: healthy(member.instance))
        least, most = failed(one), healthy(rival.instance)
        if len(weighted) == len(entries) and least >= most:
            yield _RULES["VRRP-W064"].finding(
                place,
                f"({one.name}) no failure moves the addresses: when all that is tracked fails, {master.name} still "
                f"has {least} and {rival.name} has {most}",
                mend=f"Make the weights add up to more than {healthy(one) - most}, or leave the weight out.",
                related=[
                    master.place("priority", says=f"priority {one.priority}"),
                    rival.place("priority", says=f"priority {rival.instance.priority}"),
                ],
            )
        elif all(not member.instance.preempt for member in rivals) and least < most:
            yield _RULES["VRRP-W067"].finding(
                place,
                f"({one.name}) the priority falls to {least}, but with nopreempt {named(rivals)} "
                f"will not take over from a master that lives",
                related=[member.place("nopreempt") for member in rivals],
            )


def _cut(peers: Peers) -> Iterator[Finding]:
    """Weights that lead out of 1 to 254."""
    for member in peers.members:
        one = member.instance
        entries = tracked(one)
        highest = one.priority + sum(max(0, entry.weight) for entry in entries)
        lowest = one.priority + sum(min(0, entry.weight) for entry in entries)
        if one.priority == OWNER_PRIORITY or (lowest >= _LOWEST and highest <= _HIGHEST):
            continue
        bound, sum_ = (_HIGHEST, highest) if highest > _HIGHEST else (_LOWEST, lowest)
        equal = [
            other for other in others(peers, member) if bound in {healthy(other.instance), failed(other.instance)}
        ]
        if equal:
            yield _RULES["VRRP-W066"].finding(
                member.place("priority"),
                f"({one.name}) priority and weights make {sum_}, which is cut to {bound}, and so can be "
                f"{named(equal)}'s",
                related=[other.place("priority") for other in equal],
            )


@check(_RULES["VRRP-W068"])
def preemption(cluster: Cluster) -> Iterator[Finding]:
    """A nopreempt that changes nothing, because it stands on the wrong node."""
    for peers in cluster.peers:
        modest = [member for member in peers.members if not member.instance.preempt]
        best = first(peers)
        if modest and best.instance.preempt and best.instance.priority != OWNER_PRIORITY:
            yield _RULES["VRRP-W068"].finding(
                modest[0].place("nopreempt"),
                f"({modest[0].instance.name}) nopreempt stands on {named(modest)}, but {best.name} has the highest "
                "priority and preempts",
                related=[best.place("priority", says=f"priority {best.instance.priority}")],
            )


@check(_RULES["VRRP-W069"])
def sync_groups(cluster: Cluster) -> Iterator[Finding]:
    """Whether the members of a sync group want the same master."""
    of = {
        (id(member.node), member.instance.name): (peers, member) for peers in cluster.peers for member in peers.members
    }
    told: set[frozenset[int]] = set()
    for node in cluster.nodes:
        for group in node.config.sync_groups:
            routers = [of[id(node), name] for name in group.members if (id(node), name) in of]
            key = frozenset(id(peers) for peers, _ in routers)
            if key not in told:
                told.add(key)
                yield from _order(group, routers)


def _order(group: SyncGroup, routers: list[tuple[Peers, Member]]) -> Iterator[Finding]:
    wanted = [(first(peers), peers) for peers, _ in routers if len(peers.members) > 1]
    for best, peers in wanted[1:]:
        ahead = wanted[0][0]
        if best.node is not ahead.node:
            yield _RULES["VRRP-W069"].finding(
                best.place("priority", says=f"priority {best.instance.priority}"),
                f"sync group {group.name}: {ahead.instance.name} wants {ahead.name} as master, "
                f"{best.instance.name} wants {best.name}",
                related=[
                    ahead.place("priority", says=f"priority {ahead.instance.priority}"),
                    *(m.place("priority", says=f"priority {m.instance.priority}") for m in others(peers, best)[:4]),
                ],
            )
            return
