"""Servers to be checked, some of which can be made to answer badly: on loopback, in the namespace of the test."""

from __future__ import annotations

import select
import socket
import ssl
import struct
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

REFUSED, BLACK_HOLE = 6001, 6002
"""Ports on which nobody listens, and on which somebody does but takes no connection."""
_FLIPS, _WEB, _TLS, _SMTP, _DNS, _UDP = 6003, 6004, 6005, 6006, 6007, 6008
_SCRIPT = """#!/bin/sh
if [ -e {bad} ]; then
    case $1 in flips) exit 3;; weighs) exit 51;; esac
fi
case $1 in hangs) sleep 20;; dies) kill -9 $$;; esac
exit 0
"""
_WELL = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"


class CheckServers:
    """All of them, from `with` to its end. `places` has their ports, and the script's path, by name."""

    def __init__(self, folder: Path) -> None:
        self._bad = folder / "bad"
        self._folder = folder
        script = folder / "script"
        script.write_text(_SCRIPT.format(bad=self._bad), encoding="ascii")
        script.chmod(0o755)
        self.places: dict[str, object] = {
            "flips": _FLIPS,
            "web": _WEB,
            "tls": _TLS,
            "smtp": _SMTP,
            "dns": _DNS,
            "udp": _UDP,
            "script": script,
        }
        self.requests: list[bytes] = []
        self.names: list[str | None] = []
        self._sockets: list[socket.socket] = []
        self._flipping: socket.socket | None = None
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []

    def flip(self, *, bad: bool) -> None:
        """From now on what flips answers badly, or well again."""
        if bad:
            self._bad.touch()
            assert self._flipping is not None
            self._flipping.close()
        else:
            self._bad.unlink(missing_ok=True)
            self._flipping = self._listen(_FLIPS)

    def __enter__(self) -> CheckServers:
        """Begin to serve."""
        self.flip(bad=False)
        self._fill(BLACK_HOLE)
        self._serve(_WEB, self._web)
        self._serve(_TLS, self._web, self._context())
        self._serve(_SMTP, self._smtp)
        self._answer(_DNS, lambda data: data[:2] + b"\x81\x80" + data[4:])
        self._answer(_UDP, lambda data: b"x")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Serve no more."""
        self._ended.set()
        for thread in self._threads:
            thread.join(10)
        for one in self._sockets:
            one.close()

    def _listen(self, port: int, backlog: int = 100) -> socket.socket:
        listening = socket.create_server(("127.0.0.1", port), backlog=backlog)
        self._sockets.append(listening)
        return listening

    def _fill(self, port: int) -> None:
        """A queue that is full: whoever comes now gets no answer."""
        self._listen(port, 0)
        for _ in range(4):
            waiting = socket.socket()
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
            self._sockets.append(waiting)

    def _serve(self, port: int, talk: Callable[[Any], None], tls: ssl.SSLContext | None = None) -> None:
        listening = self._listen(port)

        def one(connection: socket.socket) -> None:
            connection.settimeout(10)
            with suppress(OSError), connection:
                if tls is None:
                    talk(connection)
                else:
                    with tls.wrap_socket(connection, server_side=True) as wrapped:
                        talk(wrapped)

        def loop() -> None:
            while not self._ended.is_set():
                if select.select([listening], [], [], 0.1)[0]:
                    threading.Thread(target=one, args=(listening.accept()[0],), daemon=True).start()

        self._run(loop)

    def _answer(self, port: int, reply: Callable[[bytes], bytes]) -> None:
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        opened.bind(("127.0.0.1", port))
        self._sockets.append(opened)

        def loop() -> None:
            while not self._ended.is_set():
                if select.select([opened], [], [], 0.1)[0]:
                    data, sender = opened.recvfrom(4096)
                    if not self._bad.exists():
                        opened.sendto(reply(data), sender)

        self._run(loop)

    def _run(self, loop: Callable[[], None]) -> None:
        self._threads.append(threading.Thread(target=loop, daemon=True))
        self._threads[-1].start()

    def _context(self) -> ssl.SSLContext:
        key, certificate = self._folder / "key.pem", self._folder / "certificate.pem"
        words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate]
        subprocess.run([*map(str, words), "-days", "2", "-subj", "/CN=x"], check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        context.sni_callback = lambda opened, name, _: self.names.append(name)
        return context

    def _web(self, connection: socket.socket) -> None:
        asked = b""
        while not asked.endswith(b"\r\n\r\n"):
            piece = connection.recv(4096)
            if not piece:
                return
            asked += piece
        self.requests.append(asked)
        path = asked.split(b" ")[1].decode("utf-8", "replace")
        bad = self._bad.exists()
        if path == "/hangs":
            self._ended.wait(5)
        elif path == "/closes":
            connection.sendall(_WELL[:20])
        elif path == "/stays":
            connection.sendall(_WELL + b"hello")
            self._ended.wait(5)
        elif path == "/backtracks":
            connection.sendall(_WELL + b"a" * 200)
        elif path == "/resets":
            connection.sendall(_WELL)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif path == "/drops":
            while True:
                connection.sendall(b"H")
                self._ended.wait(0.05)
        elif path[1:].isdigit():
            connection.sendall(_WELL.replace(b"200", path[1:].encode()))
        elif path == "/flips" and bad:
            connection.sendall(_WELL.replace(b"200", b"503"))
        else:
            connection.sendall(_WELL + (b"hello" if path == "/hello" and not bad else b"other"))
        if isinstance(connection, ssl.SSLSocket) and path != "/rude":
            connection.unwrap()

    def _smtp(self, connection: socket.socket) -> None:
        if self._bad.exists():
            connection.sendall(b"554 no\r\n")
            return
        for said in (b"220 here\r\n", b"250 there\r\n", b"221 gone\r\n"):
            connection.sendall(said)
            connection.recv(4096)
