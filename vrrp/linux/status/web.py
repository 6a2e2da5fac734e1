"""A small web server for the status: GET and HEAD, one request a connection, everything bounded.

/          the page; /;refresh, /;refresh=N or /?refresh=N load it anew every N seconds (5)
/;csv      the virtual routers as CSV        /;json     the whole status
/metrics   for Prometheus                    /healthz   200 while no virtual router is in FAULT, else 503
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import ipaddress
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from vrrp.linux.status.document import Status
from vrrp.linux.status.metrics import CONTENT_TYPE, metrics
from vrrp.linux.status.page import STYLE_HASH, page, table

if TYPE_CHECKING:
    from vrrp.linux.daemon import Daemon

_LONGEST_REQUEST = 8192
_MOST_CONNECTIONS = 32
_REQUEST_WITHIN_S = 5.0
_ANSWER_WITHIN_S = 10.0
_REQUEST_LINE = re.compile(r"([A-Z]{1,16}) (/[\x21-\x7e]*) HTTP/1\.[01]", re.ASCII)
_REFRESH = re.compile(r"/(?:;refresh|\?refresh)(?:=(\d{1,4}))?", re.ASCII)
_USUAL_REFRESH_S = 5
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": f"default-src 'none'; style-src '{STYLE_HASH}'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Connection": "close",
}
_HTML, _TEXT = "text/html; charset=utf-8", "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered."""

    body: str
    kind: str = _TEXT
    status: HTTPStatus = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict)


_BUSY = Reply("too many connections\n", status=HTTPStatus.SERVICE_UNAVAILABLE)


class WebServer:
    """The service.

    Args:
        status: what to tell.
        address: IPv4 or IPv6 address to listen at.
        port: TCP port; 0 for any (see `port`).
        user: who may look, and `password`; None: everyone who can connect.
    """

    def __init__(self, status: Status, address: str, port: int, user: tuple[str, str] | None = None) -> None:
        self._status = status
        self._address = address
        self.port = port
        self._credentials = None if user is None else base64.b64encode(":".join(user).encode())
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self, daemon: Daemon) -> None:
        """Listen. OSError for what prevents it."""
        try:
            self._server = await asyncio.start_server(
                self._serve, self._address, self.port, limit=_LONGEST_REQUEST, backlog=_MOST_CONNECTIONS
            )
        except OSError as error:
            raise OSError(
                error.errno,
                os.strerror(error.errno) if error.errno else str(error),
                f"--http {self._address}:{self.port}",
            ) from error
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Listen no more."""
        self._server.close()
        for connection in list(self._connections):
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # asyncio runs it as one
        self._connections.add(task)
        try:
            await self._converse(reader, writer)
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            writer.transport.abort()  # too slow, gone, or the end
        finally:
            self._connections.discard(task)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head, count = "", len(self._connections)
        if count > 2 * _MOST_CONNECTIONS:
            raise ConnectionAbortedError
        try:
            async with asyncio.timeout(_REQUEST_WITHIN_S):
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            reply = self.reply(head) if count <= _MOST_CONNECTIONS else _BUSY
        except asyncio.LimitOverrunError:
            reply = Reply("the request is too long\n", status=HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        body = reply.body.encode()
        headers = {
            "Date": formatdate(usegmt=True),
            "Content-Type": reply.kind,
            "Content-Length": str(len(body)),
            **_HEADERS,
            **reply.headers,
        }
        lines = [f"HTTP/1.1 {reply.status.value} {reply.status.phrase}", *(f"{n}: {v}" for n, v in headers.items())]
        writer.write("\r\n".join([*lines, "", ""]).encode() + (b"" if head.startswith("HEAD ") else body))
        async with asyncio.timeout(_ANSWER_WITHIN_S):
            await writer.drain()

    def reply(self, head: str) -> Reply:
        """The reply to a request; `head` is its first line and its headers."""
        first, *rest = head.split("\r\n")
        request = _REQUEST_LINE.fullmatch(first)
        if request is None:
            return Reply("this is no HTTP/1 request\n", status=HTTPStatus.BAD_REQUEST)
        method, target = request.groups()
        if method not in {"GET", "HEAD"}:
            allow = {"Allow": "GET, HEAD"}
            return Reply("only GET and HEAD\n", status=HTTPStatus.METHOD_NOT_ALLOWED, headers=allow)
        headers = {name.strip().lower(): value.strip() for name, _, value in (one.partition(":") for one in rest)}
        if target == "/healthz":
            return self._health()
        if not self._may(headers.get("authorization", "")):
            ask = {"WWW-Authenticate": 'Basic realm="vrrp", charset="UTF-8"'}
            return Reply("a user and a password, please\n", status=HTTPStatus.UNAUTHORIZED, headers=ask)
        if self._credentials is None and not _local(headers.get("host", "localhost")):
            # Another site's name that leads here (DNS rebinding) must not read what only this machine may.
            return Reply("ask for this machine by its address\n", status=HTTPStatus.MISDIRECTED_REQUEST)
        return self._tell(target)

    def _tell(self, target: str) -> Reply:
        if target == "/metrics":
            return Reply(metrics(self._status.document), CONTENT_TYPE)
        if target == "/;csv":
            name = {"Content-Disposition": 'inline; filename="vrrp.csv"'}
            return Reply(table(self._status.document), "text/csv; charset=utf-8", headers=name)
        if target == "/;json":
            return Reply(json.dumps(self._status.document, indent=1) + "\n", "application/json")
        if target == "/":
            return Reply(page(self._status.document), _HTML)
        refresh = _REFRESH.fullmatch(target)
        if refresh is not None:
            return Reply(page(self._status.document, max(1, int(refresh[1] or _USUAL_REFRESH_S))), _HTML)
        return Reply("there are /, /;csv, /;json, /metrics and /healthz\n", status=HTTPStatus.NOT_FOUND)

    def _health(self) -> Reply:
        if self._status.healthy:
            return Reply("ok\n")
        return Reply("a virtual router is in FAULT\n", status=HTTPStatus.SERVICE_UNAVAILABLE)

    def _may(self, authorization: str) -> bool:
        scheme, _, given = authorization.partition(" ")
        if self._credentials is None:
            return True
        return scheme.lower() == "basic" and hmac.compare_digest(given.strip().encode("latin-1"), self._credentials)


def _local(host: str) -> bool:
    """Whether a Host header names this machine by an address, or as localhost."""
    name = host.rsplit(":", 1)[0] if re.search(r":\d+\Z", host) else host
    if name.lower() == "localhost":
        return True
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def loopback(address: str) -> bool:
    """Whether an address is of this machine alone. ValueError for what is no address."""
    return ipaddress.ip_address(address).is_loopback


def read_password(path: Path) -> str:
    """The first line of a file that none but its owner may read. ValueError says what is wrong, OSError as `open`."""
    with path.open("rb") as file:
        if path.stat().st_mode & 0o077:
            raise ValueError(f"{path}: others than its owner may read or write it; chmod 600 would be right")
        password = file.readline(1024).rstrip(b"\r\n").decode("utf-8", "replace")
    if not password:
        raise ValueError(f"{path}: there is no password in its first line")
    return password
