"""virtual_routes and static_routes: iproute2's language as keepalived 2.2.7 reads it (measured)."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from vrrp.config.context import word_set
from vrrp.config.diagnostics import Report
from vrrp.config.host import Interfaces
from vrrp.config.instance.address_lines import read_address
from vrrp.config.routing.model import NextHop, Route
from vrrp.config.routing.words import (
    KEEPALIVED_PROTOCOLS,
    PROTOCOLS,
    SCOPES,
    TABLES,
    LineError,
    Words,
    is_number,
    is_realms,
)
from vrrp.config.tree import Block, Statement
from vrrp.config.values import UNSIGNED_MAX, address

_DROPPED = "keepalived leaves the route out"
_KINDS = word_set("unicast local broadcast anycast multicast blackhole unreachable prohibit throw nat xresolve")
_EVERYWHERE = frozenset({"default", "default6", "all", "any"})
_MIXED = "Cannot mix IPv4 and IPv6 addresses for route"
_TIME = re.compile(r"([0-9]{1,9})(\.[0-9]*)?(m?s)?", re.ASCII)
_LONGEST_TIME_MS = 960_000
# encapsulations, and the options that each has; mpls and ila have one value.
_ENCAPSULATIONS: Mapping[str, frozenset[str]] = {
    "ila": frozenset(),
    "ip": frozenset({"dst", "flags", "hoplimit", "id", "src", "tos", "ttl"}),
    "ip6": frozenset({"dst", "flags", "hoplimit", "id", "src", "tc", "ttl"}),
    "mpls": frozenset(),
}
# keyword -> its range, and what keepalived says beside the number
_NUMBERS: Mapping[str, tuple[int, str]] = {
    "advmss": (UNSIGNED_MAX, "Invalid advmss {} specified for route"),
    "cwnd": (UNSIGNED_MAX, "Invalid cwnd value {} specified for route"),
    "fastopen_no_cookie": (1, "Invalid fastopen_no_cookie value {} specified for route"),
    "hoplimit": (255, "Invalid hoplimit {} specified for route"),
    "initcwnd": (UNSIGNED_MAX, "Invalid initcwnd value {} specified for route"),
    "initrwnd": (UNSIGNED_MAX, "Invalid initrwnd value {} specified for route"),
    "mtu": (UNSIGNED_MAX, "Invalid MTU {} specified for route"),
    "quickack": (1, "Invalid quickack value {} specified for route"),
    "reordering": (UNSIGNED_MAX, "Invalid reordering value {} specified for route"),
    "ssthresh": (UNSIGNED_MAX, "Invalid ssthresh value {} specified for route"),
    "window": (UNSIGNED_MAX, "Invalid window value {} specified for route"),
}
# What may have a lock before its number, so that the kernel does not change it; the times and congctl may as well.
_LOCKABLE = frozenset({"advmss", "cwnd", "mtu", "reordering", "ssthresh"})
_TIMES = {"rtt": "Invalid rtt {} for route", "rttvar": "Invalid rttvar {} for route", "rto_min": ""}
# keyword -> whether its value is good, and what keepalived says when it is not
_NAMES: Mapping[str, tuple[Callable[[str], bool], str]] = {
    "dsfield": (lambda text: is_number(text, 255), "TOS value {} is invalid"),
    "features": (lambda text: text == "ecn", "feature {} not supported"),
    "protocol": (lambda text: text in PROTOCOLS or is_number(text, 255), "Protocol {} not found or invalid for route"),
    "realms": (is_realms, "Invalid realms {} for route"),
    "scope": (lambda text: text in SCOPES or is_number(text, 255), "Scope {} not found or invalid for route"),
    "tos": (lambda text: is_number(text, 255), "TOS value {} is invalid"),
    "ttl-propagate": (
        lambda text: text in {"enabled", "disabled"},
        "ttl-propagate value {} not recognised",
    ),
}
_ONLY_IPV6: Mapping[str, tuple[Callable[[str], bool], str]] = {
    "expires": (str.isdigit, "Invalid expires time {} specified for route"),
    "pref": (lambda text: text in {"low", "medium", "high"}, "Invalid pref value {} specified for route"),
}


def is_table(text: str) -> bool:
    """Whether it names a routing table; keepalived wants no more of a number than that it is one."""
    return text in TABLES or re.fullmatch(r"[-+]?[0-9]+|0[xX][0-9a-fA-F]+", text, re.ASCII) is not None


@dataclass(slots=True)
class _Draft:
    words: Words
    interfaces: Interfaces
    track_groups: Collection[str] | None
    fields: dict[str, Any] = field(default_factory=dict)
    options: list[tuple[str, str]] = field(default_factory=list)
    hop: dict[str, Any] = field(default_factory=dict)
    untracked: bool = False


def routes(
    block: Block, interfaces: Interfaces, report: Report, track_groups: Collection[str] | None = None
) -> tuple[Route, ...]:
    """The routes of a block that keepalived takes.

    Args:
        block: virtual_routes or static_routes.
        interfaces: says which there are.
        report: takes the diagnostics.
        track_groups: for static_routes, the names of the track_groups before it.
    """
    found = (_route(entry, interfaces, report, track_groups) for entry in block.entries())
    return tuple(route for route in found if route is not None)


def _route(
    entry: Statement, interfaces: Interfaces, report: Report, track_groups: Collection[str] | None
) -> Route | None:
    draft = _Draft(Words(entry, report), interfaces, track_groups)
    try:
        for word in draft.words:
            _word(draft, word)
        if "destination" not in draft.fields:
            raise LineError("Route must have a destination")
        return _settled(draft, entry)
    except LineError as fault:
        if str(fault):
            report.error(entry.line, str(fault), _DROPPED)
        return None


def _word(draft: _Draft, word: str) -> None:
    words, fields = draft.words, draft.fields
    if word in _WORDS:
        _WORDS[word](draft, word)
    elif word in _NUMBERS:
        high, complaint = _NUMBERS[word]
        lock = _lock(draft) if word in _LOCKABLE else ""
        draft.options.append((word, f"{lock}{words.number(0, high, complaint)}"))
    elif word in _TIMES:
        _time(draft, word)
    elif word in _NAMES or word in _ONLY_IPV6:
        _name(draft, word)
    elif word == "track_group" and draft.track_groups is not None:
        fields["track_group"] = words.value()
        if fields["track_group"] not in draft.track_groups:
            raise LineError(f"track_group {fields['track_group']} not found")
    elif word in _KINDS or is_number(word, 255):
        fields["kind"] = word
        _destination(draft, words.value())
    else:
        _destination(draft, word)


def _settled(draft: _Draft, entry: Statement) -> Route:
    fields = draft.fields
    tracked = not draft.untracked
    if tracked and "device" not in fields:
        tracked = False
        draft.words.warn(
            f"Warning - cannot track route {fields['destination']} with no interface specified, not tracking",
            "its loss changes nothing; no_track says so without a warning",
        )
    protocol = dict(draft.options).get("protocol")
    if tracked and protocol is not None and protocol not in KEEPALIVED_PROTOCOLS:
        draft.words.warn(
            "Route cannot be tracked if protocol is not RTPROT_KEEPALIVED(18), resetting protocol",
            "keepalived gives the route its own protocol",
        )
    if "track_group" in fields and "device" not in fields:
        draft.words.warn("Static route cannot have track group if no oif specified", "keepalived ignores the group")
        del fields["track_group"]
    text = " ".join(entry.words)
    return Route(
        **fields,
        options=tuple(draft.options),
        family=draft.words.family or 4,
        tracked=tracked,
        text=text,
        line=entry.line,
    )


def _destination(draft: _Draft, word: str) -> None:
    if word in _EVERYWHERE:
        if draft.words.family is not None:
            raise LineError(f"{_MIXED} ({word})")
        if word == "default6":
            draft.words.family = 6
        draft.fields["destination"] = word
        return
    found = read_address(word, draft.words.statement.line, draft.words.report)
    if found is None:
        raise LineError(f"unknown route keyword {word}")
    draft.words.belongs(found[0], f"{_MIXED} ({word})")
    draft.fields["destination"] = word


def _to(draft: _Draft, word: str) -> None:
    following = draft.words.value()
    if following in _KINDS:
        draft.fields["kind"] = following
        following = draft.words.value()
    _destination(draft, following)


def _lock(draft: _Draft) -> str:
    """Takes the word lock, where there is one."""
    return f"{draft.words.value()} " if draft.words.following == "lock" else ""


def _time(draft: _Draft, word: str) -> None:
    complaint = _TIMES[word] or f"Invalid {word} value {{}} specified for route"
    lock = _lock(draft)
    text = draft.words.value()
    found = _TIME.match(text)
    if found is None or ((rest := text[found.end() :]) and ":" in rest):
        fault = f"negative number '{text}': " if text.startswith("-") else f"invalid number '{text}': "
        raise LineError(("" if ":" in text else fault) + complaint.format(text))
    longest = _LONGEST_TIME_MS // (1 if found[3] == "ms" else 1000) if found[3] else _LONGEST_TIME_MS
    if int(found[1]) > longest:
        raise LineError(f"number '{text}' outside range [0., {longest}.]: {complaint.format(text)}")
    if found[2]:
        draft.words.warn(f"number '{text}' has too many decimal places", "keepalived rounds it")
    draft.options.append((word, lock + text))


def _name(draft: _Draft, word: str) -> None:
    is_good, complaint = _NAMES.get(word) or _ONLY_IPV6[word]
    if word in _ONLY_IPV6 and draft.words.family == 4:
        raise LineError(f"{word} is only valid for IPv6")
    if word == "realms" and draft.words.family == 6:
        raise LineError("realms are only valid for IPv4")
    text = draft.words.value()
    if not is_good(text):
        raise LineError(complaint.format(text))
    draft.options.append((word, text))


def _table(draft: _Draft, word: str) -> None:
    draft.fields["table"] = draft.words.value()
    if not is_table(draft.fields["table"]):
        raise LineError(f"Routing table {draft.fields['table']} not found for route")


def _metric(draft: _Draft, word: str) -> None:
    draft.fields["metric"] = draft.words.number(0, UNSIGNED_MAX, "Invalid metric {} specified for route")


def _source(draft: _Draft, word: str) -> None:
    draft.fields["source"] = draft.words.one_address("invalid route src address {}", _MIXED)


def _via(draft: _Draft, word: str) -> None:
    if word == "gw":
        draft.words.warn('"gw" for routes is deprecated. Please use "via"', "keepalived takes it for via")
    _family_before(draft.words)
    draft.fields["gateway"] = draft.words.one_address("invalid route via address {}", _MIXED)


def _family_before(words: Words) -> None:
    """Inet or inet6, which may stand before an address."""
    if words.following in {"inet", "inet6"}:
        family: Literal[4, 6] = 4 if words.value() == "inet" else 6
        if words.family not in {None, family}:
            raise LineError(_MIXED)
        words.family = family


def _from(draft: _Draft, word: str) -> None:
    text = draft.words.value()
    found = read_address(text, draft.words.statement.line, draft.words.report)
    if found is None:
        raise LineError(f"invalid route from address {text}")
    draft.words.belongs(found[0], _MIXED)
    if found[0].version == 4:
        raise LineError(f"route from address only supported with IPv6 ({text})")
    draft.options.append((word, text))


def _device(draft: _Draft, word: str) -> None:
    draft.fields["device"] = _existing(draft)


def _existing(draft: _Draft) -> str:
    name = draft.words.value()
    if not draft.interfaces.have(name):
        raise LineError(f"WARNING - interface {name} for VROUTE nexthop doesn't exist")
    return name


def _congctl(draft: _Draft, word: str) -> None:
    draft.options.append((word, _lock(draft) + draft.words.value()))


def _or(draft: _Draft, word: str) -> None:
    words = draft.words
    words.warn('"or" for routes is deprecated. Please use "nexthop"', "keepalived takes it for nexthop")
    text = words.value()
    found = address(text)
    if found is None:
        raise LineError(f'VRRP parsed invalid IP {text}. skipping IP...: Invalid "or" address {text}')
    if word in dict(draft.options):
        words.warn('"or" route already specified - ignoring subsequent', "keepalived uses the first")
    else:
        draft.options.append((word, str(found)))


def _as(draft: _Draft, word: str) -> None:
    draft.words.value()
    draft.words.warn('"as to" for MPLS only - ignoring', "keepalived ignores the words")


def _encap(draft: _Draft, word: str) -> None:
    words = draft.words
    kind = words.following
    if kind is None:
        raise LineError("Missing encap type")
    words.value()
    if kind not in _ENCAPSULATIONS:
        raise LineError(f"Unknown encap type - {kind}")
    draft.options.append((word, kind if _ENCAPSULATIONS[kind] else f"{kind} {words.value()}"))
    while words.following in _ENCAPSULATIONS[kind]:
        draft.options.append((f"{word} {kind} {words.value()}", words.value()))


def _next_hop(draft: _Draft, word: str) -> None:
    words = draft.words
    if "or" in dict(draft.options):
        words.warn('Cannot specify nexthops with "or" route', "keepalived ignores the rest of the line")
        raise LineError("Route has trailing nonsense - nexthop")
    outside, hops = draft.options, []
    draft.options, draft.hop = [], {}
    while (following := words.following) is not None:
        if following not in _HOP_WORDS:
            raise LineError(f"Route has trailing nonsense after nexthops - {following}")
        words.value()
        if following == "nexthop":
            hops.append(NextHop(**draft.hop, options=tuple(draft.options)))
            draft.options, draft.hop = [], {}
        else:
            _HOP_WORDS[following](draft, following)
    hops.append(NextHop(**draft.hop, options=tuple(draft.options)))
    draft.fields["next_hops"] = tuple(hops)
    draft.options = outside


def _hop_via(draft: _Draft, word: str) -> None:
    _family_before(draft.words)
    found = draft.words.one_address("invalid nexthop address {}", "Address family mismatch for next hop")
    draft.hop["gateway"] = found


def _hop_device(draft: _Draft, word: str) -> None:
    draft.hop["device"] = _existing(draft)


def _hop_weight(draft: _Draft, word: str) -> None:
    weight = draft.words.number(0, 256, "Invalid weight {} specified for route")
    if weight == 0:
        raise LineError("Invalid weight 0 specified for route")
    draft.hop["weight"] = weight


def _flag(draft: _Draft, word: str) -> None:
    draft.options.append((word, ""))


def _no_track(draft: _Draft, word: str) -> None:
    draft.untracked = True


def _family(draft: _Draft, word: str) -> None:
    draft.words.family = draft.words.family or (4 if word == "inet" else 6)
    # keepalived reads over the next word, whatever it is (measured).
    draft.words.value()


_WORDS: Mapping[str, Callable[[_Draft, str], None]] = {
    "as": _as,
    "congctl": _congctl,
    "dev": _device,
    "encap": _encap,
    "from": _from,
    "gw": _via,
    "inet": _family,
    "inet6": _family,
    "metric": _metric,
    "nexthop": _next_hop,
    "no_track": _no_track,
    "oif": _device,
    "onlink": _flag,
    "or": _or,
    "preference": _metric,
    "priority": _metric,
    "src": _source,
    "table": _table,
    "to": _to,
    "via": _via,
}
_HOP_WORDS: Mapping[str, Callable[[_Draft, str], None]] = {
    "dev": _hop_device,
    "encap": _encap,
    "nexthop": _next_hop,
    "onlink": _flag,
    "realms": _name,
    "via": _hop_via,
    "weight": _hop_weight,
}
