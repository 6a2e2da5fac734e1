"""What speaks at a server's port, and what it answers to what a check sends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sim.haproxy.exchange import Received, Sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A server's behaviour.

    Attributes:
        tls: None speaks plain; "1.2" TLS 1.2 and 1.3; "1.3" that alone.
        plain_on_tls: what a request without TLS gets at a TLS port: "reset", or "400" as Go's net/http answers.
        accepts_only: connections are accepted, and nothing is ever said.
        banner: what it says of itself when a connection comes, as SMTP and MySQL do; b"" is nothing.
        status: of every path that `statuses` does not name.
        statuses: path without query -> status.
        body: of every response.
    """

    tls: Literal["1.2", "1.3"] | None = None
    plain_on_tls: Literal["reset", "400"] = "reset"
    accepts_only: bool = False
    banner: bytes = b""
    status: int = 200
    statuses: Mapping[str, int] = field(default_factory=dict)
    body: str = ""

    def greet(self) -> tuple[Received, ...]:
        """What it says before anything was sent."""
        raise NotImplementedError

    def answer(self, sent: Sent, *, inside_tls: bool) -> tuple[Received, ...]:
        """What comes back to this, in order; empty: nothing, ever."""
        raise NotImplementedError
