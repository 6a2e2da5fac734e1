"""Servers of many kinds in threads, for the real HAProxy to check."""

from __future__ import annotations

import http.server
import socket
import socketserver
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from haproxy.program import listeners
from linux.namespaces import ENVIRONMENT


class Http(http.server.BaseHTTPRequestHandler):
    """HTTP with one status for /healthz, 403 for /, and 200 for all else."""

    protocol_version = "HTTP/1.1"
    status: ClassVar[int] = 200
    context: ClassVar[ssl.SSLContext | None] = None
    answers_plain: ClassVar[bool] = False

    def handle(self) -> None:
        """A connection, after the TLS handshake if there is one."""
        try:
            super().handle()
        except OSError:
            return

    def setup(self) -> None:
        """Shake hands, or tell who speaks plainly that he should not, as Go does."""
        if self.context is not None:
            self.request.settimeout(5)
            if self.answers_plain and self.request.recv(1, socket.MSG_PEEK) not in {b"\x16", b""}:
                self.request.recv(4096)
                self.request.sendall(
                    b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"
                )
                raise ConnectionError
            self.request = self.context.wrap_socket(self.request, server_side=True, do_handshake_on_connect=False)
            try:
                self.request.do_handshake()
            except OSError:
                self.request.close()
                raise
        super().setup()

    def finish(self) -> None:
        """What wraps the connection is closed here; the server knows of the connection alone."""
        super().finish()
        self.request.close()

    def do_GET(self) -> None:
        """Any request."""
        body = b"all is well\n"
        self.send_response(self.status if self.path.startswith("/healthz") else 403 if self.path == "/" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Kind", "fake")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_OPTIONS = do_HEAD = do_GET  # noqa: N815  http.server's names

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What is no request is answered as most servers do."""
        self.wfile.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        self.close_connection = True

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002  http.server's name
        """Nothing."""


class Silent(socketserver.BaseRequestHandler):
    """Accepts, and never says a word."""

    greeting: ClassVar[bytes] = b""
    reply: ClassVar[bytes] = b""
    leaves: ClassVar[str] = ""

    def handle(self) -> None:
        """One connection."""
        try:
            self.request.sendall(self.greeting)
            while self.leaves != "at once" and self.request.recv(4096) and self.leaves != "asked":
                self.request.sendall(self.reply)
        except OSError:
            return


PORTS = {
    "https": 6001,
    "https13": 6002,
    "http": 6003,
    "http503": 6004,
    "https503": 6005,
    "tcponly": 6006,
    "refused": 6007,
    "gohttps": 6009,
    "leaves": 6010,
    "banner": 6011,
    "echo": 6012,
    "hangup": 6013,
}


def _certificate(folder: Path) -> Path:
    path = folder / "both.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=fake", "-days", "30"]
    subprocess.run(
        [*command, "-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")],
        check=True,
        capture_output=True,
        env=ENVIRONMENT,
    )
    path.write_bytes((folder / "key.pem").read_bytes() + (folder / "certificate.pem").read_bytes())
    return path


@contextmanager
def every_kind(folder: Path) -> Iterator[None]:
    """All of `PORTS`, listening but for "refused"."""
    today = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    today.load_cert_chain(_certificate(folder))
    newest = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    newest.load_cert_chain(folder / "both.pem")
    newest.minimum_version = ssl.TLSVersion.TLSv1_3
    handlers: dict[str, type[socketserver.BaseRequestHandler]] = {
        "https": type("Https", (Http,), {"context": today}),
        "https13": type("Https13", (Http,), {"context": newest}),
        "http": Http,
        "http503": type("Http503", (Http,), {"status": 503}),
        "https503": type("Https503", (Http,), {"status": 503, "context": today}),
        "tcponly": Silent,
        "gohttps": type("GoHttps", (Http,), {"context": today, "answers_plain": True}),
        "leaves": type("Leaves", (Silent,), {"leaves": "at once"}),
        "hangup": type("Hangup", (Silent,), {"leaves": "asked"}),
        "banner": type("Banner", (Silent,), {"greeting": b"220 fake ESMTP\r\n", "reply": b"250 fake\r\n"}),
        "echo": type("Echo", (Silent,), {"reply": b"+PONG\r\n"}),
    }
    with listeners([]) as servers:
        for kind, handler in handlers.items():
            servers.open(PORTS[kind], handler)
        yield
