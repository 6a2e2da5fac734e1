"""What travels on a connection: flights of a TLS handshake, requests, responses, and the two endings of TCP.

A message tells all that its receiver needs to know in order to react, so that a reaction can be worked out ahead of
its time.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias


class Ending(enum.Enum):
    """How a connection ended, as one of its sides learns it."""

    FIN = "closed"
    RESET = "reset"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    """The kernel gave up: nobody answered as often as it tries."""


@dataclass(frozen=True, slots=True)
class TlsFlight:
    """One flight of a TLS handshake: the `number`-th of its side, from 0; `last` says that it is the side's last.

    `version` is "1.2" or "1.3" as the server has it; a client's first flight has what it offers at most, "ssl3" for
    the hello of HAProxy's ssl-hello-chk.
    """

    version: str
    number: int = 0
    last: bool = False


@dataclass(frozen=True, slots=True)
class TlsAlert:
    """A server's refusal of a TLS hello that it understood (SSLv3 offered to a server that speaks TLS 1.2)."""


@dataclass(frozen=True, slots=True)
class NotTls:
    """What a plain HTTP server says to a TLS hello: a 400 that no TLS speaker understands. `size` in bytes."""

    size: int = 76


@dataclass(slots=True)
class Request:
    """An HTTP request. `key` decides all that chance has to say about it, whoever asks first.

    `tls` says that it travels inside TLS. `keep_alive` asks that the connection stays open. `size` in bytes.
    """

    key: int
    tls: bool = False
    keep_alive: bool = False
    method: str = "GET"
    path: str = "/"
    cookies: Mapping[str, str] = field(default_factory=dict)
    size: int = 120
    source: bytes = b""
    """Packed address of the client that it comes from first (for `option forwardfor`)."""


@dataclass(slots=True)
class Response:
    """An HTTP response. `server` is the name of who wrote it. `set_cookie`: name and value. `size` in bytes."""

    status: int
    server: str
    keep_alive: bool = False
    set_cookie: tuple[str, str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    size: int = 150


Message: TypeAlias = TlsFlight | TlsAlert | NotTls | Request | Response | Ending | None
"""None is a bare acknowledgement: it opens a connection for good and says nothing."""
