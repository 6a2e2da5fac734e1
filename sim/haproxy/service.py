"""What speaks at a server's port, and what it answers to what a check sends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Literal

from sim.haproxy.exchange import (
    Closed,
    HttpRequest,
    HttpResponse,
    Octets,
    Received,
    Reset,
    Sent,
    Ssl3Hello,
    TlsAlert,
    TlsHello,
    TlsReady,
)

_REASONS = {one.value: one.phrase for one in HTTPStatus}
_METHODS = (b"GET ", b"HEAD ", b"OPTIONS ", b"POST ")
_NOT_UNDERSTOOD = (Octets(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Closed())

_NOT_TLS = (HttpResponse(400, "Bad Request", version="HTTP/1.0"), Closed())


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A server's behaviour: HTTP, unless `reply` is another language.

    Attributes:
        tls: None speaks plain; "1.2" TLS 1.2 and 1.3; "1.3" that alone.
        plain_on_tls: what one who does not speak TLS gets at a TLS port: "reset", or "400" as Go's net/http answers.
        accepts_only: connections are accepted, and nothing is ever said.
        leaves: "at once", when a connection comes; "asked", in place of an answer; else never.
        banner: what it says of itself when a connection comes, as SMTP and MySQL do; b"" is nothing.
        reply: what it says to everything, in place of HTTP; b"" speaks HTTP.
        status: of every path that `statuses` does not name.
        statuses: path without query -> status.
        headers, body: of every response.
    """

    tls: Literal["1.2", "1.3"] | None = None
    plain_on_tls: Literal["reset", "400"] = "reset"
    accepts_only: bool = False
    leaves: Literal["", "at once", "asked"] = ""
    banner: bytes = b""
    reply: bytes = b""
    status: int = 200
    statuses: Mapping[str, int] = field(default_factory=dict)
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""

    def greet(self, *, inside_tls: bool = False) -> tuple[Received, ...]:
        """What it says before anything was sent: on a new connection, or once TLS is agreed."""
        if self.leaves == "at once":
            return (Closed(),)
        return (Octets(self.banner),) if self.banner and inside_tls is (self.tls is not None) else ()

    def answer(self, sent: Sent, *, inside_tls: bool = False) -> tuple[Received, ...]:
        """What comes back to this, in order; empty: nothing, ever."""
        if self.accepts_only:
            return ()
        if self.leaves == "asked":
            return (Closed(),)
        if self.tls is not None and not inside_tls:
            if isinstance(sent, TlsHello):
                return (TlsReady(),)
            if isinstance(sent, Ssl3Hello):
                return (TlsAlert(), Closed())
            return (Reset(),) if self.plain_on_tls == "reset" else _NOT_TLS
        if self.reply:
            return (Octets(self.reply),)
        return self._answer_http(sent)

    def _answer_http(self, sent: Sent) -> tuple[Received, ...]:
        if isinstance(sent, Octets):
            if b"\n" not in sent.data:
                return ()
            request = request_in(sent.data)
            return _NOT_UNDERSTOOD if request is None else self._answer_http(request)
        if not isinstance(sent, HttpRequest):
            return _NOT_UNDERSTOOD
        status = self.statuses.get(sent.uri.partition("?")[0], self.status)
        body = "" if sent.method == "HEAD" else self.body
        response = HttpResponse(status, _REASONS.get(status, ""), self.headers, body)
        return (response, Closed()) if sent.version == "HTTP/1.0" else (response,)


def request_in(data: bytes) -> HttpRequest | None:
    """Octets that are an HTTP request, or None."""
    line = data.partition(b"\n")[0].decode("latin-1").split()
    if not data.startswith(_METHODS) or len(line) != 3:
        return None
    return HttpRequest(*line)
