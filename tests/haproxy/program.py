"""The real HAProxy, for recordings and live tests: started on a configuration, asked through its stats socket."""

from __future__ import annotations

import csv
import io
import json
import shutil
import socket
import socketserver
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from linux.namespaces import ENVIRONMENT

DATA = Path(__file__).parent / "data"

HEAD = """global
  nbthread 1
  log stdout format raw local0
  stats socket {folder}/socket level admin
defaults
  timeout connect 1s
  timeout client 60s
  timeout server 60s
  timeout queue 1s
"""


def recorded(name: str) -> Any:
    """What data/NAME.json holds."""
    return json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))


def keep(name: str, found: object) -> None:
    """Write data/NAME.json."""
    DATA.mkdir(exist_ok=True)
    (DATA / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


class Program:
    """One HAProxy that runs; `log` grows with (monotonic time, line)."""

    def __init__(self, configuration: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="haproxy-"))
        self.log: list[tuple[float, str]] = []
        (self.folder / "haproxy.cfg").write_text(HEAD.format(folder=self.folder) + configuration, encoding="utf-8")
        self.started = time.monotonic()
        self._process = subprocess.Popen(
            ["haproxy", "-db", "-f", str(self.folder / "haproxy.cfg")],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            bufsize=1,
            env=ENVIRONMENT,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.log.append((time.monotonic(), line.rstrip()))

    def wait(self) -> None:
        """Until it answers at its socket."""
        for _ in range(200):
            try:
                self.command("show info")
            except OSError:
                assert self._process.poll() is None, self.log
                time.sleep(0.02)
            else:
                return
        raise AssertionError(self.log)

    def command(self, line: str) -> str:
        """The answer to one command of the stats socket."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            client.connect(str(self.folder / "socket"))
            client.sendall(line.encode() + b"\n")
            answer = b""
            while some := client.recv(65536):
                answer += some
        return answer.decode()

    def rows(self) -> dict[tuple[str, str], dict[str, str]]:
        """`show stat`: (proxy, server) -> column -> text."""
        table = csv.DictReader(io.StringIO(self.command("show stat").removeprefix("# ")))
        return {(row["pxname"], row["svname"]): row for row in table}

    def until(self, holds: Callable[[], bool], seconds: float = 5.0) -> None:
        """Wait for something to hold."""
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, self.log[-20:]
            time.sleep(0.002)

    def stop(self) -> None:
        """Kill it."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()
        shutil.rmtree(self.folder)


@contextmanager
def haproxy(configuration: str) -> Iterator[Program]:
    """A HAProxy on this configuration (behind a usual beginning), ready."""
    program = Program(configuration)
    try:
        program.wait()
        yield program
    finally:
        program.stop()


class _Quiet(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients come and go."""


class _Named(socketserver.BaseRequestHandler):
    """Says at which port it is, and waits for the end."""

    def handle(self) -> None:
        """One connection."""
        self.request.sendall(f"{self.request.getsockname()[1]}\n".encode())
        while self.request.recv(4096):
            pass


class Listeners:
    """Servers at ports of this namespace, each in a thread; they can die and come back."""

    def __init__(self, handler: type[socketserver.BaseRequestHandler] = _Named) -> None:
        self._handler = handler
        self._servers: dict[int, _Quiet] = {}

    def open(self, port: int, handler: type[socketserver.BaseRequestHandler] | None = None) -> None:
        """Listen."""
        server = _Quiet(("0.0.0.0", port), handler or self._handler)
        self._servers[port] = server
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self, port: int) -> None:
        """Do not listen any more."""
        server = self._servers.pop(port)
        server.shutdown()
        server.server_close()

    def stop(self) -> None:
        """All of them."""
        for port in list(self._servers):
            self.close(port)


@contextmanager
def listeners(ports: Sequence[int], handler: type[socketserver.BaseRequestHandler] = _Named) -> Iterator[Listeners]:
    """Servers at these ports."""
    servers = Listeners(handler)
    try:
        for port in ports:
            servers.open(port)
        yield servers
    finally:
        servers.stop()
