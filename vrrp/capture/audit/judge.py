"""What only the end of a capture can tell: comparisons between routers, and what did not happen."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import NamedTuple

from vrrp.capture.audit.auditor import Auditor
from vrrp.capture.audit.meaning import Sum
from vrrp.capture.audit.sender import Sender
from vrrp.capture.audit.watch import Cause, Conflict, Takeover, Watch
from vrrp.protocol.timers import CENTISECOND_NS, SECOND_NS, seconds_text
from vrrp.wire.address import text
from vrrp.wire.advertisement import AUTHENTICATION_HEADER, NO_AUTHENTICATION, SIMPLE_PASSWORD
from vrrp.wire.ethernet import virtual_mac

ANNOUNCE_WITHIN_NS = SECOND_NS
_TWO_MASTERS_SEND = 0.75
"""Of the advertisements due of two masters, so many at least; those that silence each other send half."""
_REGULAR_GAPS = 8
_QUERY_ANSWER_NS = 12 * SECOND_NS
"""Hosts answer an IGMP query within its maximum response time, 10 s by default (RFC 3376 section 8.3)."""
_MEMBERSHIP_NS = 260 * SECOND_NS
"""A snooping switch forgets a member after this (RFC 3376 section 8.4)."""
_AUTHENTICATIONS = {
    NO_AUTHENTICATION: "none",
    SIMPLE_PASSWORD: "simple password",
    AUTHENTICATION_HEADER: "authentication header",
}


class _Property(NamedTuple):
    """What all routers of a virtual router must agree on."""

    code: str
    name: str
    show: Callable[[Hashable], str]
    matters: Callable[[Sender], bool] = lambda sender: True
    """Whether a difference makes receivers reject; all differences are reported."""


def _password(value: Hashable) -> str:
    return f"one of {len(value.rstrip(bytes(1)))} characters" if isinstance(value, bytes) else "none"


_PROPERTIES = (
    _Property("version", "version", str),
    _Property("authentication-type", "auth_type", lambda value: _AUTHENTICATIONS.get(value, str(value))),  # type: ignore[call-overload]  # any hashable may be asked for
    _Property("password", "password", _password),
    _Property(
        "interval",
        "interval_cs",
        lambda value: f"{int(str(value)) / 100:g} s",
        lambda sender: sender.said.advertisement.version == 2,
    ),
    _Property("checksum-forms", "checksum", lambda value: value.value if isinstance(value, Sum) else ""),
    _Property("mixed-addressing", "unicast", lambda value: "unicast" if value is True else "multicast"),
    _Property(
        "address-list",
        "addresses",
        lambda value: ",".join(map(text, value)) or "none" if isinstance(value, tuple) else "",
    ),
)


def conclude(auditor: Auditor) -> None:
    """Add to the auditor's findings what the whole capture shows."""
    for watch in auditor.watches.values():
        if not watch.senders:
            continue
        _compare(auditor, watch)
        _strangers(auditor, watch)
        for conflict in watch.conflicts.values():
            _conflict(auditor, watch, conflict)
        _absences(auditor, watch)
        _pace(auditor, watch)
        _announcements(auditor, watch)
        _ending(auditor, watch)
        _groups(auditor, watch)
    _carp(auditor)


def differences(one: Sender, other: Sender) -> list[str]:
    """The properties in which two routers differ so that they reject each other, as names."""
    return [
        p.name for p in _PROPERTIES if p.matters(one) and _values(one, p.name).keys() != _values(other, p.name).keys()
    ]


def _values(sender: Sender, name: str) -> Mapping[Hashable, int]:
    values = sender.values.get(name, {})
    if name == "addresses":
        # Their order means nothing.
        return {tuple(sorted(value)): number for value, number in values.items() if isinstance(value, tuple)}
    return values


# Comparisons ------------------------------------------------------------------------------------------------


def _compare(auditor: Auditor, watch: Watch) -> None:
    clusters = _clusters(watch.senders.values())
    if len(clusters) > 1:
        lists = " and ".join(
            f"{text(cluster[0].source)} has {','.join(map(text, cluster[0].said.advertisement.addresses))}"
            for cluster in clusters[:4]
        )
        newest = max(clusters, key=lambda cluster: min(_first_number(sender) for sender in cluster))
        number = min(_first_number(sender) for sender in newest)
        auditor.findings.add("duplicate-vrid", watch.where, None, _noted_ns(newest, number), number, lists)
        _compare_property(auditor, watch, [sender for cluster in clusters for sender in cluster], _PROPERTIES[-1])
    for cluster in clusters:
        for prop in _PROPERTIES:
            _compare_property(auditor, watch, cluster, prop)
        owners = [sender for sender in cluster if 255 in sender.values.get("priority", {})]
        if len(owners) > 1:
            names = " and ".join(text(owner.source) for owner in owners)
            number = max(owner.values["priority"][255] for owner in owners)
            auditor.findings.add("two-owners", watch.where, None, _noted_ns(owners, number), number, names)
        for index, one in enumerate(cluster):
            for other in cluster[index + 1 :]:
                priority = one.said.advertisement.priority
                if 0 < priority == other.said.advertisement.priority != 255:
                    detail = f"{text(one.source)} and {text(other.source)} both have {priority}"
                    auditor.findings.add(
                        "equal-priorities", watch.where, detail, other.last_ns, _first_number(other), detail
                    )


def _noted_ns(senders: Iterable[Sender], number: int) -> int:
    """When a packet came that one of these is remembered for."""
    return next(sender.noted_ns[number] for sender in senders if number in sender.noted_ns)


def _first_number(sender: Sender) -> int:
    return min((n for values in sender.values.values() for n in values.values()), default=sender.last_number)


def _clusters(senders: Iterable[Sender]) -> list[list[Sender]]:
    """Senders that share addresses, directly or through others; those that list none belong to everybody's."""
    clusters: list[tuple[set[bytes], list[Sender]]] = []
    for sender in senders:
        own = {
            address for value in sender.values.get("addresses", {}) if isinstance(value, tuple) for address in value
        }
        members = [sender]
        apart = []
        for addresses, others in clusters:
            if own & addresses or not own or not addresses:
                own |= addresses
                members = others + members
            else:
                apart.append((addresses, others))
        clusters = [*apart, (own, members)]
    return [members for _, members in clusters]


def _compare_property(auditor: Auditor, watch: Watch, cluster: list[Sender], prop: _Property) -> None:
    first: dict[Hashable, tuple[int, Sender]] = {}
    for sender in cluster:
        for value, number in _values(sender, prop.name).items():
            if value not in first or number < first[value][0]:
                first[value] = number, sender
    if len(first) < 2:
        return
    ordered = sorted(first.items(), key=lambda item: item[1][0])
    detail = ", ".join(
        f"{text(sender.source)} {prop.show(value)} (packet {number})" for value, (number, sender) in ordered[:4]
    )
    finding = None
    for _, (number, sender) in ordered:
        finding = auditor.findings.add(prop.code, watch.where, None, _noted_ns([sender], number), number, detail)
    assert finding is None or finding.count


# Two masters ------------------------------------------------------------------------------------------------


def _conflict(auditor: Auditor, watch: Watch, conflict: Conflict) -> None:
    one, other = conflict.first, conflict.second
    differ = differences(one, other)
    length_ns = conflict.last_ns - conflict.first_ns
    silent = (conflict.announcements or conflict.goodbyes or differ) and _sparse(conflict)
    signs = [
        f"{count} {what}{'s' * (count != 1)}"
        for count, what in (
            (conflict.contradictions, "advertisement") if conflict.contradictions else (0, ""),
            (conflict.announcements, "gratuitous announcement"),
            (conflict.goodbyes, "priority 0"),
        )
        if count
    ]
    detail = (
        f"{text(one.source)} and {text(other.source)} for {seconds_text(length_ns)} from packet "
        f"{conflict.first_number} on; out of turn: {', '.join(signs)}"
    )
    if differ:
        detail += f"; they differ in {', '.join(differ)}"
    code = "silent-second-master" if silent else "two-masters"
    finding = auditor.findings.add(
        code, watch.where, frozenset((one.source, other.source)), conflict.first_ns, conflict.first_number, detail
    )
    if finding is not None:
        finding.last_ns = conflict.last_ns


def _strangers(auditor: Auditor, watch: Watch) -> None:
    for (place, address, mac), stranger in auditor.strangers.items():
        if place != watch.place or watch.owner(mac) is not None:
            continue
        for number in stranger.numbers:
            auditor.findings.add(
                "address-elsewhere",
                watch.where,
                (address, mac),
                stranger.first_ns,
                number,
                f"{mac.hex(':')} announces {text(address)} and takes no part in VRRP",
            )


def _pace(auditor: Auditor, watch: Watch) -> None:
    for sender in watch.senders.values():
        jitter, interval_ns = sender.jitter, sender.interval_ns
        mean_ns = interval_ns + jitter.mean_late_ns
        regular = jitter.gaps >= _REGULAR_GAPS and jitter.deviation_ns < mean_ns / 5
        if regular and abs(jitter.mean_late_ns) > interval_ns / 10:
            auditor.findings.add(
                "interval-not-kept",
                watch.where,
                sender.source,
                sender.last_ns,
                sender.last_number,
                f"{text(sender.source)} states {seconds_text(interval_ns)}, sends each {seconds_text(round(mean_ns))}",
            )


def _absences(auditor: Auditor, watch: Watch) -> None:
    for absence in watch.absences:
        sender = absence.sender
        elapsed_ns = absence.time_ns - (auditor.first_ns or 0)
        # Some senders number their packets at random; a number that fits the time is no chance.
        if absence.missed * sender.interval_ns <= elapsed_ns * 1.1:
            auditor.findings.add(
                "cut-off",
                watch.where,
                sender.source,
                absence.time_ns,
                absence.number,
                f"{text(sender.source)} had sent {absence.missed} packets before packet {absence.number} that are not "
                "in this capture",
            )


def _sparse(conflict: Conflict) -> bool:
    """Whether the two sent clearly fewer advertisements than two masters do, or one fell silent without resigning."""
    pair = (conflict.first, conflict.second)
    for sender, other in (pair, pair[::-1]):
        if not sender.resigned and other.last_ns - sender.last_ns > sender.down_ns:
            return True
    length_ns = conflict.last_ns - conflict.first_ns
    due = sum(length_ns / max(sender.interval_ns, CENTISECOND_NS) for sender in pair) + 1
    return conflict.adverts_then - conflict.adverts_before < _TWO_MASTERS_SEND * due


# What did not happen ------------------------------------------------------------------------------------------


def _announcements(auditor: Auditor, watch: Watch) -> None:
    place = watch.place
    if (place.interface, place.vlans, place.width) not in auditor.announcing:
        return  # the capture was made without ARP
    ends: list[Takeover | None] = [*watch.takeovers, None]
    for takeover, next_one in itertools.pairwise(ends):
        assert takeover is not None  # only the last one is None
        end_ns = auditor.last_ns if next_one is None else next_one.time_ns
        if takeover.cause in {Cause.FIRST, Cause.RETURNED, Cause.UNDUE, Cause.ALREADY}:
            continue
        if end_ns - takeover.time_ns < ANNOUNCE_WITHIN_NS:
            continue
        sender = watch.senders[takeover.new]
        macs = frozenset(sender.macs) | {virtual_mac(place.vrid, place.width)}
        start_ns = takeover.time_ns - ANNOUNCE_WITHIN_NS
        missing = []
        for address in sender.said.advertisement.addresses:
            holder = auditor.holders.get((place.interface, place.vlans, address))
            if holder is None or not holder.told_between(macs, start_ns, takeover.time_ns + ANNOUNCE_WITHIN_NS):
                missing.append(text(address))
        if missing:
            auditor.findings.add(
                "no-gratuitous-arp",
                watch.where,
                takeover.number,
                takeover.time_ns,
                takeover.number,
                f"{text(takeover.new)} announced {', '.join(missing[:4])} to nobody within "
                f"{seconds_text(ANNOUNCE_WITHIN_NS)} of its first advertisement",
            )


def _ending(auditor: Auditor, watch: Watch) -> None:
    speaker = watch.speaker
    if speaker is None or speaker.span is None:
        return
    quiet_ns = auditor.last_ns - speaker.last_ns
    if quiet_ns > speaker.down_ns + SECOND_NS:
        what = "resigned" if speaker.resigned else "fell silent"
        auditor.findings.add(
            "no-master",
            watch.where,
            "end",
            speaker.last_ns,
            speaker.last_number,
            f"{text(speaker.source)} {what} in packet {speaker.last_number}; the capture goes on for "
            f"{seconds_text(quiet_ns)} without an advertisement",
        )
        return
    place = watch.place
    virtual = virtual_mac(place.vrid, place.width)
    for address in speaker.said.advertisement.addresses:
        holder = auditor.holders.get((place.interface, place.vlans, address))
        told = [p for p in holder.pointings if p.unasked] if holder is not None else []
        if not told or told[-1].mac in speaker.macs or told[-1].mac == virtual:
            continue
        loser = watch.owner(told[-1].mac)
        late = told[-1].last_ns > speaker.span.first_ns
        if loser is None or not late or frozenset((loser.source, speaker.source)) in watch.conflicts:
            continue
        auditor.findings.add(
            "stale-arp",
            watch.where,
            address,
            told[-1].last_ns,
            told[-1].last_number,
            f"{text(address)} was last announced by {text(loser.source)}, the master is {text(speaker.source)}",
        )


def _groups(auditor: Auditor, watch: Watch) -> None:
    hosts = auditor.hosts.get(watch.place.interface)
    if hosts is None or watch.place.width != 4:
        return
    for sender in watch.senders.values():
        if sender.said.unicast or sender.source not in hosts.reported:
            continue
        if hosts.first_query_ns is None:
            if auditor.first_ns is not None and auditor.last_ns - auditor.first_ns > _MEMBERSHIP_NS:
                auditor.findings.add(
                    "no-querier", watch.where, None, hosts.reported[sender.source], sender.last_number
                )
        elif (
            hosts.reported[sender.source] > hosts.first_query_ns
            and auditor.last_ns - hosts.first_query_ns > _QUERY_ANSWER_NS
            and sender.source not in hosts.joined
        ):
            auditor.findings.add(
                "no-igmp-report",
                watch.where,
                sender.source,
                hosts.reported[sender.source],
                sender.last_number,
                f"{text(sender.source)} reports other groups, never VRRP's",
            )


def _carp(auditor: Auditor) -> None:
    used = {place.vrid: watch for place, watch in auditor.watches.items() if place.width == 4}
    for vhid, (source, time_ns, number) in auditor.carp.items():
        watch = used.get(vhid)
        detail = f"{text(source)} speaks CARP with vhid {vhid}"
        if watch is None:
            auditor.findings.add("carp", f"vhid {vhid}", None, time_ns, number, detail)
        else:
            auditor.findings.add("carp-same-vrid", watch.where, None, time_ns, number, detail)
