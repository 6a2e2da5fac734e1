"""How many octets messages are, for the columns that count them: HTTP as it says itself, TLS as is usual."""

from __future__ import annotations

from sim.flow.message import Message, NotTls, Request, Response, TlsAlert, TlsFlight

_FROM_CLIENT = (517, 80)
_FROM_SERVER = (1810, 51)
"""The first flight of a TLS handshake and the second; a server's first has a certificate of RSA-2048, and
with it are counted the session tickets that follow (measured: 2005 octets of a connection that asks once)."""
_ALERT = 7
_RECORD = 22
"""What a TLS record adds to a request in it."""


def size_of(message: Message, *, from_client: bool) -> int:
    """Octets of TCP's payload."""
    if isinstance(message, Request):
        return message.size + _RECORD * message.tls
    if isinstance(message, Response | NotTls):
        return message.size
    if isinstance(message, TlsFlight):
        return (_FROM_CLIENT if from_client else _FROM_SERVER)[min(message.number, 1)]
    return _ALERT if isinstance(message, TlsAlert) else 0
