"""Rules as the kernel takes them (struct fib_rule_hdr and its attributes), as keepalived 2.2.7 asks for them."""

from __future__ import annotations

import struct

from vrrp.config.routing.model import Rule
from vrrp.config.routing.rules import IP_PROTOCOLS
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

_RULE = struct.Struct("=BBBBBBBBI")
_FAMILIES = {4: 2, 6: 10}
_EVERYWHERE = frozenset({"all", "any", "default"})
_INVERT = 2
_DST, _SRC, _IIFNAME, _GOTO, _PRIORITY, _FWMARK, _FLOW = 1, 2, 3, 4, 6, 10, 11
_SUPPRESS_IFGROUP, _SUPPRESS_PREFIXLEN, _TABLE, _FWMASK, _OIFNAME = 13, 14, 15, 16, 17
_L3MDEV, _UID_RANGE, _PROTOCOL, _IP_PROTO, _SPORT_RANGE, _DPORT_RANGE = 19, 20, 21, 22, 23, 24
_ACTIONS = {"table": 1, "l3mdev": 1, "goto": 2, "nop": 3, "blackhole": 6, "unreachable": 7, "prohibit": 8}
_RANGES = {"sport": (_SPORT_RANGE, "=HH"), "dport": (_DPORT_RANGE, "=HH"), "uidrange": (_UID_RANGE, "=II")}


def rule_request(rule: Rule) -> bytes:
    """The body of RTM_NEWRULE or RTM_DELRULE.

    A rule without `no_track` is keepalived's; another one nobody's unless it says whose (keepalived, measured).

    Raises:
        RequestError: what cannot be asked for, in the words of the configuration.
    """
    options = dict(rule.options)
    source, destination = (
        None if one is None or one in _EVERYWHERE else network(one) for one in (rule.source, rule.destination)
    )
    table = table_number(rule.table) if rule.action == "table" else 0
    header = _RULE.pack(
        _FAMILIES[rule.family],
        destination[1] if destination else 0,
        source[1] if source else 0,
        whole(options.get("tos") or options.get("dsfield") or "0"),
        table if table < 256 else 0,
        0,
        0,
        _ACTIONS[rule.action],
        _INVERT if "not" in options else 0,
    )
    parts = [header, number(_PRIORITY, rule.priority)]
    if destination is not None:
        parts.append(attribute(_DST, destination[0].packed))
    if source is not None:
        parts.append(attribute(_SRC, source[0].packed))
    if rule.action == "table":
        parts.append(number(_TABLE, table))
    elif rule.action == "l3mdev":
        parts.append(attribute(_L3MDEV, b"\1"))
    if rule.in_device is not None:
        parts.append(text(_IIFNAME, rule.in_device))
    if rule.out_device is not None:
        parts.append(text(_OIFNAME, rule.out_device))
    if rule.tracked or "protocol" in options:
        given = int(options["protocol"]) if "protocol" in options else None
        parts.append(attribute(_PROTOCOL, bytes([protocol_number(given, tracked=rule.tracked)])))
    parts += [_option(keyword, value) for keyword, value in options.items()]
    return b"".join(parts)


def _option(keyword: str, value: str) -> bytes:
    if keyword in _RANGES:
        kind, shape = _RANGES[keyword]
        return attribute(kind, _range(value, shape))
    if keyword == "fwmark":
        mark, _, mask = value.partition("/")
        return number(_FWMARK, whole(mark)) + (number(_FWMASK, whole(mask)) if mask else b"")
    if keyword == "ipproto":
        return attribute(_IP_PROTO, bytes([IP_PROTOCOLS[value] if value in IP_PROTOCOLS else whole(value)]))
    if keyword == "suppress_ifgroup":
        return number(_SUPPRESS_IFGROUP, 0 if value == "default" else whole(value))
    if keyword == "realms":
        return number(_FLOW, realms(value))
    if keyword in {"goto", "suppress_prefixlength"}:
        return number(_GOTO if keyword == "goto" else _SUPPRESS_PREFIXLEN, int(value))
    return b""  # in the header, or beside it


def _range(written: str, shape: str) -> bytes:
    low, _, high = written.partition("-")
    try:
        return struct.pack(shape, int(low), int(high))
    except struct.error as error:
        raise RequestError(f"{written} is no range of what the kernel knows") from error
