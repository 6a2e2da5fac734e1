"""Addresses with ports, as they stand in bind, server, source and log lines of HAProxy 2.6."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from vrrp.config.haproxy.diagnostics import RefusedError
from vrrp.config.haproxy.values import forgiving
from vrrp.config.values import Address

Family = Literal["ipv4", "ipv6", "unix", "abns", "fd", "ring"]
Resolver = Callable[[str], Address | None]
"""The address of a name, or None where it has none."""

HIGHEST_PORT = 65535
_LOCALHOST = ipaddress.IPv4Address("127.0.0.1")
_PREFIX = re.compile(r"(?:stream\+|dgram\+)?(unix|abns|ipv4|ipv6|tcp4?|tcp6|udp4?|udp6|quic4|quic6|fd|sockpair|ring)@")
_DATAGRAM = re.compile(r"dgram\+|udp[46]?@|quic[46]@")
_FAMILIES = {"ipv4": 4, "tcp4": 4, "udp4": 4, "ipv6": 6, "tcp6": 6, "udp6": 6}
_OCTETS = re.compile(r"(?:0[xX][0-9a-fA-F]{1,8}|[0-9]{1,10})(?:\.(?:0[xX][0-9a-fA-F]{1,8}|[0-9]{1,10})){0,3}")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address and its ports.

    Attributes:
        host: as written, without prefix, brackets and port; "" is all addresses.
        address: None is all, or a name that is not resolved, or a socket.
        first, last: the ports; 0 where none is given.
        offset: what is added to the port at which a client came in; None when that is not asked for.
        path: of a socket, or the number behind fd@.
        name: what became of `host` when it is a name: "" it is none, "missing" it has no address, "unknown" nobody
            looked.
    """

    family: Family
    host: str = ""
    address: Address | None = None
    first: int = 0
    last: int = 0
    offset: int | None = None
    path: str = ""
    name: Literal["", "resolved", "missing", "unknown"] = ""


def endpoint(
    text: str,
    *,
    port: Literal["needed", "given", "any"] = "any",
    ports: bool = False,
    offset: bool = False,
    datagram: bool = False,
    resolve: Resolver | None = None,
) -> Endpoint:
    """Read an address.

    Args:
        text: what stands in the file.
        port: needed, there must be one, and not 0; given, there must be one; any, there may be one.
        ports: whether a range of ports is taken.
        offset: whether +PORT and -PORT are taken.
        datagram: whether UDP is taken.
        resolve: looks names up; without it only localhost is known.

    Raises:
        RefusedError: HAProxy does not take it.
    """
    if not text:
        raise RefusedError("bad-address", "an empty address", "is an environment variable not set?")
    found = _PREFIX.match(text)
    kind, rest = (found[1], text[found.end() :]) if found else ("", text)
    if _DATAGRAM.match(text) and not datagram:
        raise RefusedError("bad-address", f"{text}: UDP is not taken here")
    if kind in {"unix", "abns", "ring"} or rest.startswith("/"):
        family: Family = "abns" if kind == "abns" else "ring" if kind == "ring" else "unix"
        return Endpoint(family, rest, path=rest)
    if kind in {"fd", "sockpair"}:
        if not rest.isdecimal():
            raise RefusedError("bad-address", f"{text}: {rest!r} is not the number of a file descriptor")
        return Endpoint("fd", rest, path=rest)
    host, given = _halves(rest)
    first, last, moved = _ports(text, given, port, ports, offset)
    version = _FAMILIES.get(kind, 0)
    address = _literal(host)
    everywhere = host in {"", "*"}
    name: Literal["", "resolved", "missing", "unknown"] = ""
    if address is None and not everywhere:
        address, name = _lookup(host, resolve)
    if address is not None and version and address.version != version:
        raise RefusedError("bad-address", f"{text}: {host!r} is no IPv{version} address")
    if not version:
        version = 4 if address is None else address.version
    unspecified = address is not None and address.is_unspecified
    return Endpoint(
        "ipv6" if version == 6 else "ipv4",
        "" if everywhere else host,
        None if unspecified else address,
        first,
        last,
        moved,
        name=name,
    )


def _lookup(host: str, resolve: Resolver | None) -> tuple[Address | None, Literal["resolved", "missing", "unknown"]]:
    if re.search(r"[\s\[\]/@,:]", host) or re.fullmatch(r"[0-9.]+", host):
        return None, "missing"
    if resolve is None and host != "localhost":
        return None, "unknown"
    address = _LOCALHOST if resolve is None else resolve(host)
    return address, "missing" if address is None else "resolved"


def _halves(text: str) -> tuple[str, str]:
    """Host and port, divided at the last colon that is not in brackets."""
    at = max(text.rfind(":"), text.rfind("]"))
    if at < 0 or text[at] == "]":
        return text, ""
    return text[:at], text[at + 1 :]


def _literal(host: str) -> Address | None:
    """The address that a host is written as, also with fewer numbers than four, as C's inet_aton() has it."""
    inner = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        return ipaddress.ip_address(inner)
    except ValueError:
        pass
    if not _OCTETS.fullmatch(host):
        return None
    numbers = [int(one, 16) if one[:2].lower() == "0x" else int(one, 10) for one in host.split(".")]
    *high, low = numbers
    if any(one > 255 for one in high) or low >= 256 ** (5 - len(numbers)):
        return None
    value = low
    for position, one in enumerate(high):
        value += one << (24 - 8 * position)
    return ipaddress.IPv4Address(value)


def _ports(
    text: str, given: str, port: Literal["needed", "given", "any"], ports: bool, offset: bool
) -> tuple[int, int, int | None]:
    if not given:
        if port != "any":
            raise RefusedError("bad-address", f"{text} has no port", "write ADDRESS:PORT, or :PORT for all addresses")
        return 0, 0, None
    if given[0] in "+-":
        if not offset:
            raise RefusedError("bad-address", f"{text}: no port relative to another is taken here")
        return 0, 0, forgiving(given)
    if not given[0].isdecimal():
        raise RefusedError("bad-address", f"{text}: {given!r} is not a port")
    low, dash, high = given.partition("-")
    if dash and not ports:
        raise RefusedError("bad-address", f"{text}: no range of ports is taken here")
    first = forgiving(low)
    last = forgiving(high) if dash else first
    lowest = 1 if port == "needed" else 0
    for number in (first, last):
        if not lowest <= number <= HIGHEST_PORT:
            raise RefusedError(
                "bad-address", f"{text}: {number} is not a port", f"ports are {lowest} to {HIGHEST_PORT}"
            )
    if first > last:
        raise RefusedError("bad-address", f"{text}: the ports {given} begin behind their end")
    return first, last, None
