"""Persistence by cookie: which server a request names, and what is changed in the headers of both directions.

HAProxy 2.6.12, measured: tests/haproxy/data/cookies.json. Not modelled: maxidle and maxlife (no cookie grows old),
dynamic cookies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from vrrp.config.haproxy.model import Cookie, Server

_FORGET = "Expires=Thu, 01-Jan-1970 00:00:01 GMT"
_CACHEABLE = frozenset({200, 203, 204, 206, 300, 301, 404, 405, 410, 414, 501})
"""Statuses of responses that a cache may keep without being told so (RFC 9110 section 15.1)."""


class Found(Enum):
    """What a request's cookie was worth; the value is HAProxy's letter in the log's termination state."""

    NONE = "N"
    INVALID = "I"
    DOWN = "D"
    VALID = "V"


@dataclass(frozen=True, slots=True)
class Pinning:
    """What a request's cookies said: the server's index in the backend, or None.

    `cookies` is the value of the Cookie header as it goes on to the server, None for no such header.
    """

    server: int | None
    found: Found
    cookies: str | None


class Persistence:
    """A backend's cookie."""

    def __init__(self, cookie: Cookie, servers: Sequence[Server]) -> None:
        self._cookie = cookie
        self._keys = [server.cookie for server in servers]
        self._by_key: dict[str, int] = {}
        for number, key in enumerate(self._keys):
            if key:
                self._by_key.setdefault(key, number)
        self._insert = cookie.mode == "insert"
        tail = ["path=/", *(f"domain={domain}" for domain in cookie.domains)]
        tail += ["HttpOnly"] if cookie.httponly else []
        tail += ["Secure"] if cookie.secure else []
        self._tail = "; ".join([*tail, *cookie.attributes])

    def pin(self, cookies: str | None, usable: Sequence[bool]) -> Pinning:
        """Read a request.

        `cookies` is its Cookie header, `usable` says of each server whether it may be had at all (up, or drained: a
        weight of 0 does not matter here).
        """
        if cookies is None:
            return Pinning(None, Found.NONE, None)
        found, server = Found.NONE, None
        kept: list[str] = []
        changed = False
        for pair in cookies.split(";"):
            name, equals, value = pair.strip().partition("=")
            if not equals or name.strip() != self._cookie.name:
                kept.append(pair.strip())
                continue
            key, tilde, rest = (
                value.strip().partition("~") if self._cookie.mode == "prefix" else (value.strip(), "", "")
            )
            if found is Found.NONE:
                # Only the first of the name counts.
                server = self._by_key.get(key)
                found = Found.INVALID if server is None else Found.VALID if usable[server] else Found.DOWN
            changed = changed or bool(tilde) or (self._insert and self._cookie.indirect)
            if tilde:
                kept.append(f"{name}={rest}")
            elif not (self._insert and self._cookie.indirect):
                kept.append(pair.strip())
        passed_on = ("; ".join(kept) or None) if changed else cookies
        return Pinning(server if found is Found.VALID else None, found, passed_on)

    def answer(
        self,
        pinning: Pinning,
        server: int,
        response: Sequence[tuple[str, str]],
        *,
        method: str = "GET",
        status: int = 200,
    ) -> tuple[tuple[str, str], ...]:
        """The response's headers as the client gets them, when `server` (index) answered."""
        headers: list[tuple[str, str]] = []
        own = False
        for name, value in response:
            changed = self._own(pinning, server, value) if self._is_own(name, value) else value
            own = own or self._is_own(name, value)
            if changed is not None:
                headers.append((name, changed))
        wanted = self._insert and not (own and self._cookie.preserve) and pinning.server != server
        if wanted and (method == "POST" or not self._cookie.postonly):
            key = self._keys[server]
            headers.append(("Set-Cookie", f"{self._cookie.name}={key}; {'' if key else _FORGET + '; '}{self._tail}"))
            if self._cookie.nocache and _cacheable(response, method, status):
                headers.append(("Cache-Control", "private"))
        return tuple(headers)

    def _is_own(self, name: str, value: str) -> bool:
        """Whether the server itself sets the cookie of this name."""
        return name.lower() == "set-cookie" and value.partition("=")[0].strip() == self._cookie.name

    def _own(self, pinning: Pinning, server: int, value: str) -> str | None:
        """What becomes of the server's own Set-Cookie; None: it is taken out."""
        cookie, key = self._cookie, self._keys[server]
        if cookie.preserve:
            return value
        if self._insert or (cookie.indirect and pinning.server is not None):
            return None
        name, _, rest = value.partition("=")
        if not key or cookie.mode == "passive":
            return value
        if cookie.mode == "prefix":
            return f"{name}={key}~{rest}"
        _, semicolon, tail = rest.partition(";")
        return f"{name}={key}{semicolon}{tail}"


def _cacheable(response: Sequence[tuple[str, str]], method: str, status: int) -> bool:
    """Whether a cache might keep the response: nothing forbids it, and something says how long or how to ask anew."""
    given = {name.lower(): value.lower() for name, value in response}
    control = {word.strip().partition("=")[0] for word in given.get("cache-control", "").split(",")}
    if method not in {"GET", "HEAD"} or status not in _CACHEABLE or control & {"no-cache", "no-store", "private"}:
        return False
    return bool({"etag", "last-modified", "expires"} & given.keys() or control & {"max-age", "s-maxage"})
