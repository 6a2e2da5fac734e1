"""Persistence by cookie: which server a request names, and what is changed in the headers of both directions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from vrrp.config.haproxy.model import Cookie, Server


class Found(Enum):
    """What a request's cookie was worth; the value is HAProxy's letter in the log's termination state."""

    NONE = "N"
    INVALID = "I"
    DOWN = "D"
    VALID = "V"
    EXPIRED = "E"
    OLD = "O"
    UNUSED = "U"


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
        raise NotImplementedError

    def pin(self, cookies: str | None, usable: Sequence[bool], now_s: int = 0) -> Pinning:
        """Read a request.

        `cookies` is its Cookie header, `usable` says of each server whether it may be had at all
        (up, or drained: a weight of 0 does not matter here); `now_s` is Unix time, for maxidle and maxlife.
        """
        raise NotImplementedError

    def set(
        self,
        pinning: Pinning,
        server: int,
        response: Sequence[tuple[str, str]],
        *,
        method: str = "GET",
        status: int = 200,
        now_s: int = 0,
    ) -> tuple[tuple[str, str], ...]:
        """The response's headers as the client gets them, when `server` (index) answered."""
        raise NotImplementedError
