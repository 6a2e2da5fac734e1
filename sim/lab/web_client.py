"""The program that a scenario's client is for real: it asks every so often, and writes down what became of it.

    python -c "from sim.lab.web_client import main; main()" ORDERS ROWS

ORDERS is a file of JSON, an `Orders`; it is waited for. ROWS is the CSV file that is written, a row for each request
that is over, in the columns of `sim.requests`; times in seconds since the run began.
"""

from __future__ import annotations

import asyncio
import csv
import errno
import json
import socket
import ssl
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from sim.lab.listener import urgently

SECOND_NS = 1_000_000_000
COLUMNS = ("kind", "seq", "t_start", "t_end", "tcp_connect_s", "result", "node")
URGENT = 40
"""Its real-time priority: below the engines', so that a hundred clients do not disturb those."""
OK = "ok"
_LONGEST = 1 << 20
_POLL_S = 0.01
_UNREACHABLE = {errno.EHOSTUNREACH, errno.ENETUNREACH}


@dataclass(frozen=True, slots=True)
class Orders:
    """What the client does: `sim.client.Habits`, and when. `zero_ns` is when the run begins (since 1970)."""

    zero_ns: int
    start_ns: int
    end_ns: int
    host: str
    port: int
    every_ns: int
    timeout_ns: int
    tls: bool
    keep_alive: bool
    cookies: bool
    retries: int
    path: str


@dataclass(slots=True)
class Answer:
    """A response: its status, its first line of text, and whether the connection stays."""

    status: int
    text: str
    keep_alive: bool
    cookies: dict[str, str]


class RequestError(Exception):
    """How a request failed, in the words of a result."""


@dataclass(slots=True)
class _Attempt:
    phase: str = "tcp"
    connected_ns: int = -1
    began_ns: int = field(default_factory=time.time_ns)


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class WebClient:
    """One client, as its orders say."""

    def __init__(self, orders: Orders, rows: TextIO) -> None:
        self._orders = orders
        self._rows = csv.writer(rows, lineterminator="\n")
        self._rows.writerow(COLUMNS)
        self._jar: dict[str, str] = {}
        self._kept: Streams | None = None
        self._context = _context() if orders.tls else None
        self._under_way: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Ask until the end, and wait for the last answers."""
        orders = self._orders
        next_ns, number = orders.zero_ns + orders.start_ns, 0
        until_ns = orders.zero_ns + orders.end_ns
        while next_ns < until_ns:
            await asyncio.sleep((next_ns - time.time_ns()) / SECOND_NS)
            asked = asyncio.create_task(self._request(number))
            number += 1
            if orders.keep_alive:
                await asked
            else:
                self._under_way.add(asked)
                asked.add_done_callback(self._under_way.discard)
            # One that is kept from the processor does not make up for what it missed.
            next_ns = max(next_ns + orders.every_ns, time.time_ns())
        await asyncio.gather(*self._under_way)

    async def _request(self, number: int) -> None:
        started_ns = time.time_ns()
        result, text, connect_ns = "", "", -1
        for _ in range(self._orders.retries + 1):
            attempt = _Attempt()
            text = ""
            try:
                async with asyncio.timeout(self._orders.timeout_ns / SECOND_NS):
                    answer = await self._ask(attempt)
                result, text = OK if 200 <= answer.status < 400 else f"http{answer.status}", answer.text
            except TimeoutError:
                result = f"{attempt.phase}:timeout"
            except (OSError, RequestError, asyncio.IncompleteReadError, ValueError) as error:
                result = f"{attempt.phase}:{_what(error)}"
            if attempt.connected_ns >= 0:
                connect_ns = attempt.connected_ns - started_ns
            if result == OK:
                break
            self._drop()
        ended_ns, zero_ns = time.time_ns(), self._orders.zero_ns
        times = [f"{(at_ns - zero_ns) / SECOND_NS:.6f}" for at_ns in (started_ns, ended_ns)]
        connect = f"{connect_ns / SECOND_NS:.6f}" if connect_ns >= 0 else ""
        kind = "ka" if self._orders.keep_alive else "new"
        self._rows.writerow((kind, number, *times, connect, result, text))

    async def _ask(self, attempt: _Attempt) -> Answer:
        orders = self._orders
        streams = self._kept
        if streams is None:
            streams = await self._connect(attempt)
            if orders.keep_alive:
                self._kept = streams
        reader, writer = streams
        with _closing(writer, unless=orders.keep_alive):
            attempt.phase = "http"
            cookies = "; ".join(f"{name}={value}" for name, value in self._jar.items())
            lines = [f"GET {orders.path} HTTP/1.1", f"Host: {orders.host}"]
            lines += [f"Cookie: {cookies}"] if cookies else []
            lines += [f"Connection: {'keep-alive' if orders.keep_alive else 'close'}", "", ""]
            writer.write("\r\n".join(lines).encode())
            answer = await _answer(reader)
        if orders.cookies:
            self._jar |= answer.cookies
        if orders.keep_alive and not answer.keep_alive:
            self._drop()
        return answer

    async def _connect(self, attempt: _Attempt) -> Streams:
        opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            opened.setblocking(False)
            await asyncio.get_running_loop().sock_connect(opened, (self._orders.host, self._orders.port))
            attempt.connected_ns = time.time_ns()
            if self._context is None:
                return await asyncio.open_connection(sock=opened)
            attempt.phase = "tls"
            # Without a close_notify that nobody answers: a request is over when it is answered.
            return await asyncio.open_connection(
                sock=opened, ssl=self._context, server_hostname="", ssl_shutdown_timeout=0.001
            )
        except BaseException:
            opened.close()
            raise

    def _drop(self) -> None:
        if self._kept is not None:
            self._kept[1].close()
            self._kept = None


@contextmanager
def _closing(writer: asyncio.StreamWriter, *, unless: bool) -> Iterator[None]:
    try:
        yield
    finally:
        if not unless:
            writer.transport.abort()


async def _answer(reader: asyncio.StreamReader) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    words = head[0].split()
    if len(words) < 2 or not words[0].startswith("HTTP/"):
        raise RequestError("not HTTP")
    fields = [line.partition(":") for line in head[1:]]
    named = {name.lower(): value.strip() for name, _, value in fields}
    length = min(int(named.get("content-length", "0")), _LONGEST)
    body = (await reader.readexactly(length)).decode("utf-8", "replace")
    set_cookies = [value.strip() for name, _, value in fields if name.lower() == "set-cookie"]
    given = [cookie.partition(";")[0].partition("=") for cookie in set_cookies]
    stays = named.get("connection", "").lower() != "close" and words[0] != "HTTP/1.0"
    first_line = body.strip().splitlines()[0] if 200 <= int(words[1]) < 400 and body.strip() else ""
    return Answer(int(words[1]), first_line, stays, {name: value for name, _, value in given})


def _what(error: Exception) -> str:
    """In the simulator's words where it has some."""
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return "reset"
    if isinstance(error, asyncio.IncompleteReadError | ssl.SSLEOFError | ConnectionAbortedError):
        return "closed"
    if isinstance(error, ssl.SSLError):
        return "not TLS" if "WRONG_VERSION" in str(error) else "alert"
    if isinstance(error, OSError) and error.errno in _UNREACHABLE:
        return "unreachable"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error)


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def main() -> None:
    """Wait for orders, and carry them out."""
    told = Path(sys.argv[1])
    while not told.exists():
        time.sleep(_POLL_S)
    orders = Orders(**json.loads(told.read_text(encoding="utf-8")))
    with urgently(URGENT), Path(sys.argv[2]).open("w", encoding="utf-8", newline="", buffering=1) as rows:
        asyncio.run(WebClient(orders, rows).run())
