"""frr.conf, as far as vrrpd reads it: the virtual routers of each interface, with FRR 8.4's defaults."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from vrrp.config.model import Address
from vrrp.config.values import whole

_LONGEST_INTERVAL_MS = 40_950


@dataclass(slots=True)
class FrrRouter:
    """One VRID on one interface; its IPv4 and IPv6 addresses are two virtual routers of one configuration.

    `lines` has the line of each word that was given; `line` is the first.
    """

    vrid: int
    interface: str
    line: int
    version: int = 3
    priority: int = 100
    interval_cs: int = 100
    preempt: bool = True
    addresses: list[Address] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)


def parse_frr(text: str) -> tuple[FrrRouter, ...]:
    """The virtual routers of a file. No text makes it raise; what vrrpd does not know it skips, as vrrpd does."""
    found: dict[tuple[str, int], FrrRouter] = {}
    interface = ""
    for number, line in enumerate(text.split("\n"), start=1):
        words = line.split()
        if words[:1] == ["interface"] and len(words) > 1:
            interface = words[1]
            continue
        off = words[:1] == ["no"]
        words = words[off:]
        if words[:1] != ["vrrp"] or len(words) < 2 or not interface:
            continue
        vrid = whole(words[1], 1, 255)
        if vrid.value is None or vrid.complaint:
            continue
        router = found.setdefault((interface, vrid.value), FrrRouter(vrid.value, interface, number))
        _take(router, words[2:], off, number)
    return tuple(found.values())


def _take(router: FrrRouter, words: list[str], off: bool, line: int) -> None:
    keyword, value = (*words, "", "")[:2]
    router.lines[keyword or "vrrp"] = line
    if keyword == "preempt":
        router.preempt = not off
    elif not off and keyword in _SETTERS:
        _SETTERS[keyword](router, value)


def _version(router: FrrRouter, text: str) -> None:
    router.version = whole(text, 2, 3).value or router.version


def _priority(router: FrrRouter, text: str) -> None:
    router.priority = whole(text, 1, 254).value or router.priority


def _interval(router: FrrRouter, text: str) -> None:
    # Rounded down to centiseconds (measured with 8.4.4).
    router.interval_cs = (whole(text, 10, _LONGEST_INTERVAL_MS).value or router.interval_cs * 10) // 10


def _address(router: FrrRouter, text: str) -> None:
    try:
        router.addresses.append(ipaddress.ip_address(text))
    except ValueError:
        return


_SETTERS: Mapping[str, Callable[[FrrRouter, str], None]] = {
    "advertisement-interval": _interval,
    "ip": _address,
    "ipv6": _address,
    "priority": _priority,
    "version": _version,
}
