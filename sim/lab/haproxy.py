"""HAProxy for real on a node: the program, told by the scenario's haproxy.cfg.

Of that file it gets everything but what would reach out of the laboratory: no other user or root folder, no daemon, no
log elsewhere, no certificate of somebody's.
"""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from sim.lab.certificate import PEM
from sim.lab.hurry import hurry
from sim.lab.listener import Listener
from sim.lab.namespace import LabError, Namespace, send
from vrrp.whole_file import write_text

PROGRAM = "haproxy"
READY_S = 10.0
_POLL_S = 0.002
_STOP_S = 5.0
_ANSWER_S = 2.0
_NAMES_OF_SECTIONS = frozenset(
    {
        "global", "defaults", "frontend", "backend", "listen", "peers", "resolvers", "mailers", "userlist", "cache",
        "program", "ring", "http-errors",
    }
)  # fmt: skip
_OUTSIDE = frozenset(
    {
        "chroot", "user", "group", "uid", "gid", "daemon", "master-worker", "nbproc", "pidfile", "log",
        "log-send-hostname", "localpeer", "ca-base", "crt-base", "server-state-base", "server-state-file",
        "load-server-state-from-file", "errorfile", "errorfiles", "lua-load", "lua-load-per-thread", "presetenv",
        "setenv", "resetenv", "unsetenv", "ssl-dh-param-file",
    }
)  # fmt: skip
"""What a line of `global` or of a proxy begins with that is left out; `log` in `global` only."""
_CERTIFICATE = re.compile(r"\b(crt|crt-list|ca-file|crl-file)\s+(\S+)")


def within_laboratory(text: str, control: Path, certificate: Path) -> str:
    """A haproxy.cfg that reaches for nothing outside: `control` is its socket, `certificate` what it shows."""
    ours = f"    stats socket {control} mode 600 level admin\n"
    lines, told = [], False
    section = ""
    for line in text.splitlines():
        words = line.split()
        if words and words[0] in _NAMES_OF_SECTIONS:
            section = words[0]
            lines.append(line)
            if section == "global" and not told:
                told = True
                lines.append(ours.rstrip("\n"))
            continue
        if not _reaches_out(words, section):
            lines.append(_own_certificate(line, words, certificate))
    begin = "" if told else f"global\n{ours}"
    return begin + "\n".join(lines) + "\n"


def _reaches_out(words: list[str], section: str) -> bool:
    if not words:
        return False
    first = words[0]
    if section == "global":
        return first in _OUTSIDE or words[:2] == ["stats", "socket"]
    return first in _OUTSIDE - {"log"} or (first == "log" and words[1:2] != ["global"])


def _own_certificate(line: str, words: list[str], certificate: Path) -> str:
    if not words or words[0] not in {"bind", "server", "default-server"}:
        return line
    serves = words[0] == "bind"
    without = _CERTIFICATE.sub("", line)
    if without == line:
        return line
    return f"{without.rstrip()} {f'crt {certificate}' if serves else 'verify none'}"


class Haproxy:
    """HAProxy in a namespace. `environment` fills `${…}` in its file, `folder` is for whatever it writes."""

    name = PROGRAM

    def __init__(
        self, node: str, namespace: Namespace, folder: Path, text: str, environment: Mapping[str, str]
    ) -> None:
        self.node = node
        self.begun_ns: list[int] = []
        """When it was ready, each time (nanoseconds since 1970)."""
        self._namespace = namespace
        self._folder = folder
        self._text = text
        self._environment = environment
        self._processes: list[subprocess.Popen[bytes]] = []

    @property
    def control(self) -> Path:
        """Its socket; the path is short, as the kernel wants it."""
        return self._folder / "haproxy.sock"

    @property
    def log(self) -> Path:
        """What it said."""
        return self._folder / "haproxy.log"

    @property
    def running(self) -> bool:
        """Whether it has a process now that takes connections."""
        return bool(self._processes) and self._processes[-1].poll() is None

    def start(self, listener: Listener | None = None) -> None:
        """Start it, and wait until it is there; nothing where it runs. LabError when it does not come up."""
        if not self.running:
            self._begin(())

    def _begin(self, more: Iterable[str]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        certificate, file = self._folder / "haproxy.pem", self._folder / "haproxy.cfg"
        write_text(certificate, PEM)
        write_text(file, within_laboratory(self._text, self.control, certificate))
        environment = [f"{name}={value}" for name, value in self._environment.items()]
        words = ["env", *environment, PROGRAM, "-db", "-f", str(file), *more]
        self.control.unlink(missing_ok=True)
        with self.log.open("ab") as said:
            process = self._namespace.start(words, stdout=said, stderr=said)
        self._processes.append(process)
        self._await(process)
        self.begun_ns.append(time.time_ns())
        write_text(self._folder / f"{self.name}.pid", f"{process.pid}\n")
        hurry([process.pid])

    def _await(self, process: subprocess.Popen[bytes]) -> None:
        until = time.monotonic() + READY_S
        while not self._answers():
            if process.poll() is not None or time.monotonic() > until:
                raise LabError(f"{self.node}: haproxy does not start: {self._complaint()}")
            time.sleep(_POLL_S)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as opened:
            return opened.connect_ex(str(self.control)) == 0

    def _complaint(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").split("\n")
        alerts = [line for line in lines if "[ALERT]" in line]
        return (alerts or [line for line in lines if line] or ["it says nothing"])[0]

    def kill(self) -> None:
        """SIGKILL; nothing where it does not run."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM: it ends at once."""
        self._end(signal.SIGTERM)

    def _end(self, what: signal.Signals) -> None:
        for process in self._processes:
            if process.poll() is None:
                send(process.pid, what)
        for process in self._processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(_STOP_S)
        self._processes.clear()

    def reload(self) -> None:
        """A new process takes the listening sockets; the old one ends with its last connection."""
        if self.running:
            self._begin(("-sf", str(self._processes[-1].pid)))

    def statistics(self) -> str:
        """What `show stat` says now: CSV; empty when it does not run."""
        return "".join(self._ask(b"show stat\n"))

    def _ask(self, command: bytes) -> Iterator[str]:
        with suppress(OSError), socket.socket(socket.AF_UNIX) as opened:
            opened.settimeout(_ANSWER_S)
            opened.connect(str(self.control))
            opened.sendall(command)
            while data := opened.recv(1 << 16):
                yield data.decode("utf-8", "replace")
