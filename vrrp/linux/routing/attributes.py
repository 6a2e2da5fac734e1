"""Attributes of rtnetlink messages (rtnetlink(7)), packed.

pyroute2 knows neither how a route's packets are wrapped in IP nor all of a route's metrics, and what was asked for is
written down as it was sent, so that it can be taken away after a crash without reading any of it.
"""

from __future__ import annotations

import struct

from vrrp.config.routing.words import TABLES
from vrrp.config.values import Address, address

_HEADER = struct.Struct("=HH")
_NESTED = 0x8000
_KEEPALIVED = 18


class RequestError(ValueError):
    """What cannot be asked of this kernel's routing, in the words of the configuration."""


def attribute(kind: int, value: bytes, *, nested: bool = False) -> bytes:
    """One attribute, padded."""
    padding = b"\0" * (-len(value) % 4)
    return _HEADER.pack(_HEADER.size + len(value), kind | (_NESTED if nested else 0)) + value + padding


def number(kind: int, value: int) -> bytes:
    """An attribute that is an unsigned number of 32 bits."""
    return attribute(kind, struct.pack("=I", value & 0xFFFF_FFFF))


def text(kind: int, value: str) -> bytes:
    """An attribute that is a name."""
    return attribute(kind, value.encode("utf-8", "surrogateescape") + b"\0")


def whole(written: str) -> int:
    """A number as iproute2's language has it: decimal, or hexadecimal behind 0x."""
    return int(written, 16 if written[:2] in {"0x", "0X"} else 10)


def table_number(written: str | None) -> int:
    """The number of a table; that of the main one where none is named."""
    if written is None:
        return TABLES["main"]
    return TABLES[written] if written in TABLES else whole(written) & 0xFFFF_FFFF


def realms(written: str) -> int:
    """FROM/TO or TO, as one number."""
    first, _, second = written.partition("/")
    return _realm(first) << 16 | _realm(second) if second else _realm(first)


def _realm(written: str) -> int:
    return 0 if written == "cosmos" else whole(written)


def network(written: str) -> tuple[Address, int]:
    """ADDRESS[/PREFIX]; the prefix is the whole address where it has none, or none that is right (keepalived)."""
    host, _, bits = written.partition("/")
    found = address(host)
    if found is None:
        raise RequestError(f"{written} is no address")
    prefix = int(bits) if bits.isascii() and bits.isdigit() else found.max_prefixlen
    return found, min(prefix, found.max_prefixlen)


def protocol_number(given: int | None, *, tracked: bool) -> int:
    """Whose a route or rule is: keepalived's, unless it is not tracked and says otherwise (measured)."""
    return _KEEPALIVED if tracked or given is None else given
