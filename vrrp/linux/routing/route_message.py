"""Routes as the kernel takes them (struct rtmsg and its attributes), as keepalived 2.2.7 asks for them (measured)."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping

from vrrp.config.routing.model import NextHop, Route
from vrrp.config.routing.words import PROTOCOLS, SCOPES
from vrrp.config.values import Address, address
from vrrp.linux.routing.attributes import (
    RequestError,
    attribute,
    network,
    number,
    protocol_number,
    realms,
    table_number,
    text,
    whole,
)

_ROUTE = struct.Struct("=BBBBBBBBI")
_HOP = struct.Struct("=HBBi")
_FAMILIES = {4: 2, 6: 10}
_ONLINK = 4
_DST, _SRC, _OIF, _GATEWAY, _PRIORITY, _PREFSRC, _METRICS, _MULTIPATH, _FLOW = 1, 2, 4, 5, 6, 7, 8, 9, 11
_TABLE, _PREF, _ENCAP_TYPE, _ENCAP, _EXPIRES, _TTL_PROPAGATE = 15, 20, 21, 22, 23, 26
_KINDS = {
    "unicast": 1,
    "local": 2,
    "broadcast": 3,
    "anycast": 4,
    "multicast": 5,
    "blackhole": 6,
    "unreachable": 7,
    "prohibit": 8,
    "throw": 9,
    "nat": 10,
    "xresolve": 11,
}
_EVERYWHERE = frozenset({"default", "default6", "all", "any"})
_LOCK, _CC_ALGO = 1, 16
_RTT, _RTTVAR, _RTO_MIN = 4, 5, 13
_NUMBERS = {
    "mtu": 2,
    "window": 3,
    "ssthresh": 6,
    "cwnd": 7,
    "advmss": 8,
    "reordering": 9,
    "hoplimit": 10,
    "initcwnd": 11,
    "initrwnd": 14,
    "quickack": 15,
    "fastopen_no_cookie": 17,
}
"""RTAX_*."""
_TIMES = {"rtt": (_RTT, 8), "rttvar": (_RTTVAR, 4), "rto_min": (_RTO_MIN, 1)}
"""Each with the kernel's units in a millisecond."""
_SHORTEST_MS = 200
"""What is shorter keepalived lengthens."""
_TIME = re.compile(r"([0-9]+(?:\.[0-9]*)?)(m?s)?", re.ASCII)
_FEATURES, _ECN = 12, 1
_PREFERENCES = {"medium": 0, "high": 1, "low": 3}
_PROPAGATION = {"disabled": 0, "enabled": 1}
_Packed = Callable[[str], bytes]


def _wide(written: str) -> bytes:
    return struct.pack("!Q", whole(written))


def _byte(written: str) -> bytes:
    return struct.pack("=B", whole(written))


def _address(written: str) -> bytes:
    found = address(written)
    if found is None:
        raise RequestError(f"{written} is no address")
    return found.packed


_ENCAPSULATIONS: Mapping[str, tuple[int, Mapping[str, tuple[int, _Packed]]]] = {
    "ip": (2, {"id": (1, _wide), "dst": (2, _address), "src": (3, _address), "ttl": (4, _byte), "tos": (5, _byte)}),
    "ip6": (
        4,
        {"id": (1, _wide), "dst": (2, _address), "src": (3, _address), "hoplimit": (4, _byte), "tc": (5, _byte)},
    ),
}
"""LWTUNNEL_ENCAP_* and, by word, LWTUNNEL_IP_*."""


def route_request(route: Route, index_of: Callable[[str], int]) -> bytes:
    """The body of RTM_NEWROUTE or RTM_DELROUTE.

    Args:
        route: as the configuration has it.
        index_of: gives an interface's index; what it raises goes through.

    Raises:
        RequestError: what cannot be asked for, in the words of the configuration.
    """
    options = dict(route.options)
    destination = None if route.destination in _EVERYWHERE else network(route.destination)
    origin = network(options["from"]) if "from" in options else None
    table = table_number(route.table)
    protocol = protocol_number(_named(PROTOCOLS, options.get("protocol")), tracked=route.tracked)
    header = _ROUTE.pack(
        _FAMILIES[route.family],
        destination[1] if destination else 0,
        origin[1] if origin else 0,
        whole(options.get("tos") or options.get("dsfield") or "0"),
        table if table < 256 else 0,
        protocol,
        _named(SCOPES, options.get("scope")) or 0,
        _KINDS[route.kind] if route.kind in _KINDS else whole(route.kind),
        _ONLINK if "onlink" in options else 0,
    )
    parts = [header, number(_TABLE, table)]
    if destination is not None:
        parts.append(attribute(_DST, destination[0].packed))
    if origin is not None:
        parts.append(attribute(_SRC, origin[0].packed))
    if route.source is not None:
        parts.append(attribute(_PREFSRC, route.source.packed))
    if route.metric is not None:
        parts.append(number(_PRIORITY, route.metric))
    if route.device is not None:
        parts.append(number(_OIF, index_of(route.device)))
    if "realms" in options:
        parts.append(number(_FLOW, realms(options["realms"])))
    if "pref" in options:
        parts.append(attribute(_PREF, bytes([_PREFERENCES[options["pref"]]])))
    if "expires" in options:
        parts.append(number(_EXPIRES, whole(options["expires"])))
    if "ttl-propagate" in options:
        parts.append(attribute(_TTL_PROPAGATE, bytes([_PROPAGATION[options["ttl-propagate"]]])))
    parts += [_encapsulation(route.options), _metrics(route.options)]
    hops = [_hop(one, index_of) for one in route.next_hops]
    if "or" in options:
        other = address(options["or"])
        hops = [_packed_hop(0, 0, 1, _gateway(one)) for one in (route.gateway, other)]
    elif route.gateway is not None:
        parts.append(_gateway(route.gateway))
    if hops:
        parts.append(attribute(_MULTIPATH, b"".join(hops)))
    return b"".join(parts)


def _named(numbers: Mapping[str, int], written: str | None) -> int | None:
    if written is None:
        return None
    return numbers[written] if written in numbers else whole(written)


def _gateway(gateway: Address | None) -> bytes:
    return b"" if gateway is None else attribute(_GATEWAY, gateway.packed)


def _hop(hop: NextHop, index_of: Callable[[str], int]) -> bytes:
    options = dict(hop.options)
    if "encap" in options:
        raise RequestError("encap of a nexthop is not possible; keepalived 2.2.7 leaves it out")
    flags = _ONLINK if "onlink" in options else 0
    attributes = _gateway(hop.gateway)
    if "realms" in options:
        attributes += number(_FLOW, realms(options["realms"]))
    return _packed_hop(flags, 0 if hop.device is None else index_of(hop.device), hop.weight, attributes)


def _packed_hop(flags: int, index: int, weight: int, attributes: bytes) -> bytes:
    return _HOP.pack(_HOP.size + len(attributes), flags, weight - 1, index) + attributes


def _encapsulation(options: tuple[tuple[str, str], ...]) -> bytes:
    given = [value for keyword, value in options if keyword == "encap"]
    if not given:
        return b""
    kind = given[-1].partition(" ")[0]
    if kind not in _ENCAPSULATIONS:
        raise RequestError(f"encap {kind} is not possible; encap ip and encap ip6 are")
    number_of_kind, words = _ENCAPSULATIONS[kind]
    parts = []
    for keyword, value in options:
        if not keyword.startswith("encap "):
            continue
        word = keyword.rpartition(" ")[2]
        if word not in words:
            raise RequestError(f"encap {kind} {word} is not possible")
        inner, pack = words[word]
        try:
            parts.append(attribute(inner, pack(value)))
        except (ValueError, struct.error) as error:
            raise RequestError(f"encap {kind} {word} {value} is not right") from error
    return attribute(_ENCAP_TYPE, struct.pack("=H", number_of_kind)) + attribute(_ENCAP, b"".join(parts), nested=True)


def _metrics(options: tuple[tuple[str, str], ...]) -> bytes:
    found: dict[int, bytes] = {}
    locked = 0
    for keyword, written in options:
        lock, value = written.startswith("lock "), written.removeprefix("lock ")
        if keyword in _NUMBERS:
            kind = _NUMBERS[keyword]
            found[kind] = number(kind, int(value))
        elif keyword in _TIMES:
            kind, units = _TIMES[keyword]
            found[kind] = number(kind, _time(value, units))
        elif keyword == "congctl":
            kind = _CC_ALGO
            found[kind] = text(kind, value)
        elif keyword == "features":
            kind = _FEATURES
            found[kind] = number(kind, _ECN)
        else:
            continue
        locked |= lock << kind
    if locked:
        found[_LOCK] = number(_LOCK, locked)
    return attribute(_METRICS, b"".join(found.values())) if found else b""


def _time(written: str, units: int) -> int:
    """In the kernel's units, which are meant where no unit is written."""
    found = _TIME.match(written)
    if found is None:
        raise RequestError(f"{written} is no time")
    per = {None: 1, "ms": units, "s": 1000 * units}[found[2]]
    return max(int(float(found[1]) * per), _SHORTEST_MS * units)
