"""What goes over a connection while a server is checked: what HAProxy sends, and what comes back.

Only what a check can tell apart: a TLS hello and its kind, an HTTP request, other octets; and of answers the end of a
handshake, an alert, an HTTP response, octets, the end of the connection, a reset.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Ssl3Hello:
    """The hello of `option ssl-hello-chk`: SSLv3, nothing that a server of today agrees to."""


@dataclass(frozen=True, slots=True)
class TlsHello:
    """A hello of today, TLS 1.2 and 1.3."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """An HTTP request."""

    method: str
    uri: str
    version: str = "HTTP/1.0"


@dataclass(frozen=True, slots=True)
class Octets:
    """Octets that are none of the others; sent or received."""

    data: bytes


Sent: TypeAlias = Ssl3Hello | TlsHello | HttpRequest | Octets


@dataclass(frozen=True, slots=True)
class TlsReady:
    """The handshake is done: from here all is inside TLS."""


@dataclass(frozen=True, slots=True)
class TlsAlert:
    """A TLS alert: the server speaks TLS and agrees to nothing."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An HTTP response."""

    status: int
    reason: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    version: str = "HTTP/1.1"

    @property
    def data(self) -> bytes:
        """As octets."""
        lines = [f"{self.version} {self.status} {self.reason}", *(f"{name}: {value}" for name, value in self.headers)]
        return "\r\n".join([*lines, "", self.body]).encode()


@dataclass(frozen=True, slots=True)
class Closed:
    """The server ends the connection (FIN), after nothing or after an answer."""


@dataclass(frozen=True, slots=True)
class Reset:
    """The server resets the connection (RST)."""


Received: TypeAlias = TlsReady | TlsAlert | HttpResponse | Octets | Closed | Reset
