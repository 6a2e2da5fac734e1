"""The program that a scenario's server is for real: HTTP, inside TLS or not, well or badly.

    python -c "from sim.lab.web_server import main; main()" NAME BEHAVIOR CERTIFICATE DELAY_NS PORT…

BEHAVIOR is a file of JSON, see `write_behavior`, and is read anew for every connection and request: who changes it
changes how the server behaves from then on. It says "listening" when it does.
"""

from __future__ import annotations

import json
import random
import socket
import ssl
import sys
import threading
import time
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any

from sim.delay import Constant, Delay, Lognormal, Uniform
from vrrp.whole_file import write_text

LISTENING = "listening"
SECOND_NS = 1_000_000_000
_HANDSHAKE = b"\x16"
_DELAYS: dict[str, type[Delay]] = {one.__name__: one for one in (Constant, Uniform, Lognormal)}
_BACKLOG = 512
_PATIENCE_S = 30.0
_KEPT = 512
"""As many silent connections are kept open, as a queue of a server that hangs."""
NOT_HTTPS = b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"


@dataclass(frozen=True, slots=True)
class Conduct:
    """How the program behaves: of `sim.server.Behavior` what is to be seen of a server that runs."""

    status: int
    latency: Delay
    tls: str | None
    plain_on_tls: str
    accepts_only: bool
    warm_up_ns: int
    warm_up_latency: Delay


def write_behavior(path: Path, conduct: Conduct) -> None:
    """Let a server behave so from now on."""
    told = {**asdict(conduct), "latency": _told(conduct.latency), "warm_up_latency": _told(conduct.warm_up_latency)}
    write_text(path, json.dumps(told))


def read_behavior(path: Path) -> Conduct:
    """What was last written."""
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    for key in ("latency", "warm_up_latency"):
        kind, values = told[key]
        told[key] = _DELAYS[kind](**values)
    return Conduct(**told)


def _told(delay: Delay) -> tuple[str, dict[str, Any]]:
    return type(delay).__name__, asdict(delay)  # type: ignore[call-overload]  # every delay is a dataclass


class WebServer(ThreadingMixIn, HTTPServer):
    """One port of it; a thread for each connection, so that TLS and slowness of one is not another's."""

    daemon_threads = True
    request_queue_size = _BACKLOG
    allow_reuse_address = True

    def __init__(self, name: str, port: int, behavior: Path, certificate: Path) -> None:
        self.name = name
        self._behavior = behavior
        self._born_ns = time.monotonic_ns()
        self._contexts = {version: _context(certificate, version) for version in ("1.2", "1.3")}
        self._kept: list[socket.socket] = []
        super().__init__(("", port), Handler)

    def server_bind(self) -> None:
        """Bind, without asking for the name of this host."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = self.name, self.server_address[1]

    @property
    def conduct(self) -> Conduct:
        """How it behaves now."""
        return read_behavior(self._behavior)

    def latency_s(self, conduct: Conduct) -> float:
        """What one request takes."""
        warming_up = time.monotonic_ns() < self._born_ns + conduct.warm_up_ns
        latency = conduct.warm_up_latency if warming_up else conduct.latency
        return latency.draw(random) / SECOND_NS

    def finish_request(self, request: Any, client_address: Any) -> None:
        """One connection, in a thread of its own."""
        conduct = self.conduct
        if conduct.accepts_only:
            self._kept = [*self._kept[-_KEPT:], request]
            threading.Event().wait()
        request.settimeout(_PATIENCE_S)
        request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if conduct.tls is not None:
            first = request.recv(1, socket.MSG_PEEK)
            if first and first != _HANDSHAKE and conduct.plain_on_tls == "400":
                request.recv(1 << 16)
                request.sendall(NOT_HTTPS)
                return
            request = self._contexts[conduct.tls].wrap_socket(request, server_side=True)
        Handler(request, client_address, self)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who asks badly, or goes away, is told nothing."""


def _context(certificate: Path, version: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    if version == "1.3":
        context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


class Handler(BaseHTTPRequestHandler):
    """The requests of one connection."""

    protocol_version = "HTTP/1.1"
    timeout = _PATIENCE_S
    server: WebServer

    def do_GET(self) -> None:
        """Answer with the server's name."""
        conduct = self.server.conduct
        time.sleep(self.server.latency_s(conduct))
        body = f"{self.server.name}\n".encode()
        self.send_response(conduct.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_OPTIONS = do_POST = do_GET  # noqa: N815  # as above

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class's name
        """Nothing is logged."""


def main() -> None:
    """Serve until killed."""
    name, behavior, certificate, delay_ns, *ports = sys.argv[1:]
    time.sleep(int(delay_ns) / SECOND_NS)
    servers = [WebServer(name, int(port), Path(behavior), Path(certificate)) for port in ports]
    for server in servers[1:]:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"{LISTENING}\n")
    sys.stdout.flush()
    servers[0].serve_forever()
