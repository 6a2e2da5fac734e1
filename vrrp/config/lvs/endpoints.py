"""ADDRESS [PORT] as virtual_server, real_server and sorry_server have it: keepalived 2.2.7's reading (measured)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address

from vrrp.config.language.words import REMEMBERED
from vrrp.config.values import UNSIGNED_MAX, Address, address, whole

LONGEST_FWMARK = UNSIGNED_MAX


@dataclass(frozen=True, slots=True)
class ServiceAddress:
    """Where a service is: an address with a port (0: any), a firewall mark, or a virtual_server_group's name."""

    address: Address | None = None
    port: int = 0
    fwmark: int | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What a line names: no address where keepalived does not take it; then what it says of it."""

    address: ServiceAddress | None
    complaints: tuple[str, ...] = ()
    crashes: bool = False


def host_address(text: str) -> Address | None:
    """An address; a prefix or the end of a range behind it is not looked at."""
    return address(text.partition("/")[0].partition("-")[0])


@lru_cache(maxsize=REMEMBERED)
def address_text(found: Address) -> str:
    """The address as keepalived prints it."""
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return str(found) if mapped is None else f"::ffff:{mapped}"


def service_label(address: ServiceAddress, protocol: str | None) -> str:
    """What keepalived calls a service: [10.0.0.1]:tcp:80, FWM 1 or [GROUP]:0."""
    if address.group is not None:
        return f"[{address.group}]:0"
    if address.fwmark:
        return f"FWM {address.fwmark}"
    host = "" if address.address is None else address_text(address.address)
    return f"[{host}]:{(protocol or 'none').lower()}:{address.port}"


def port_number(words: tuple[str, ...]) -> tuple[int | None, str]:
    """The port that stands behind an address, None when it is bad, and keepalived's complaint about the number."""
    if len(words) < 3 or not words[2].strip("0"):
        return 0, ""
    number = whole(words[2], 1, 65535)
    return (None if number.complaint else number.value), number.complaint


def _endpoint(words: tuple[str, ...], complaint: str) -> Found:
    found = host_address(words[1])
    port, fault = port_number(words)
    if found is None or port is None:
        return Found(None, (fault, complaint) if fault else (complaint,))
    return Found(ServiceAddress(found, port))


def virtual_address(words: tuple[str, ...]) -> Found:
    """What the words of a virtual_server's first line name; there are two at least."""
    if words[1] in {"fwmark", "group"} and len(words) == 2:
        return Found(None, crashes=True)
    if words[1] == "group":
        return Found(ServiceAddress(group=words[2]))
    if words[1] == "fwmark":
        number = whole(words[2], 0, LONGEST_FWMARK)
        if number.complaint:
            told = f"virtual server fwmark '{words[2]}' must be in [0, {LONGEST_FWMARK}] - ignoring"
            return Found(None, (number.complaint, told))
        return Found(ServiceAddress(fwmark=number.value))
    label = f" {words[1]}" if len(words) < 3 or words[2] == "0" else f"/port {words[1]}/{words[2]}"
    return _endpoint(words, f"Invalid virtual server IP address{label} - skipping")


@lru_cache(maxsize=REMEMBERED)
def real_address(words: tuple[str, ...]) -> Found:
    """What the words of a real_server's first line name; there are two at least."""
    port = words[2] if len(words) > 2 else "(null)"
    return _endpoint(words, f"Invalid real server ip address/port {words[1]}/{port} - skipping")


def sorry_address(words: tuple[str, ...]) -> Found:
    """What the words of a sorry_server line name; there are two at least."""
    return _endpoint(words, f"Invalid sorry server IP address {words[1]} - skipping")
