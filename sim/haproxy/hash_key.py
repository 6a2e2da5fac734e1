"""What of a request each hashing algorithm looks at, and its hash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sim.haproxy.hashing import FUNCTIONS, avalanche, hash_address, sdbm
from vrrp.config.haproxy.model import Balance


@dataclass(frozen=True, slots=True)
class Asked:
    """What hashing looks at in a request: the client's packed address, and of HTTP the URI and headers."""

    source: bytes = b""
    uri: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    """By lower-case name."""


NOTHING_ASKED = Asked()


def hash_of(balance: Balance, asked: Asked) -> int | None:
    """The hash by which `balance` finds a server for a request; None when it lacks what is hashed."""
    if balance.algorithm == "source":
        hashed = hash_address(asked.source)
    else:
        part = _part(balance, asked)
        if part is None:
            return None
        hashed = FUNCTIONS.get(balance.hash_function, sdbm)(part.encode())
    return avalanche(hashed) if balance.hash_modifier == "avalanche" else hashed


def _part(balance: Balance, asked: Asked) -> str | None:
    if balance.algorithm == "uri":
        return _part_of_uri(balance, asked.uri)
    if balance.algorithm == "url_param":
        return _parameter(asked.uri, balance.argument)
    value = asked.headers.get(balance.argument.lower())
    return _domain(value) if value is not None and balance.use_domain_only else value


def _part_of_uri(balance: Balance, uri: str) -> str:
    """Up to the query (unless `whole`), so many characters or directories."""
    if balance.path_only and "://" in uri:
        _, slash, path = uri.partition("://")[2].partition("/")
        uri = slash + path
    if balance.length:
        uri = uri[: balance.length]
    if not balance.whole:
        uri = uri.partition("?")[0]
    return "/".join(uri.split("/")[: balance.depth + 1]) if balance.depth else uri


def _parameter(uri: str, name: str) -> str | None:
    """The value of a parameter in the query, as written."""
    for pair in uri.partition("?")[2].split("&"):
        key, equals, value = pair.partition("=")
        if equals and key == name:
            return value
    return None


def _domain(host: str) -> str:
    """The part of a host name before its top-level domain: "example" of www.example.com."""
    labels = host.partition(":")[0].split(".")
    return labels[-2] if len(labels) > 1 else labels[0]
