"""The servers of a laboratory: a program for each, that is started, killed, and made to behave otherwise."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sim.delay import Constant
from sim.lab.certificate import PEM
from sim.lab.hurry import hurry
from sim.lab.listener import Listener
from sim.lab.namespace import LabError, Namespace, send
from sim.lab.web_server import LISTENING, Conduct, write_behavior
from sim.scenario import ServerSpec
from vrrp.whole_file import write_text

READY_S = 10.0
"""How long a program may take until it listens."""
_POLL_S = 0.01
_START = "from sim.lab.web_server import main; main()"


def conduct_of(spec: ServerSpec) -> Conduct:
    """How a server of a scenario behaves at first."""
    return Conduct(
        status=spec.status,
        latency=spec.latency,
        tls=spec.tls,
        plain_on_tls=spec.plain_on_tls,
        accepts_only=spec.accepts_only,
        warm_up_ns=spec.warm_up,
        warm_up_latency=spec.warm_up_latency,
    )


PLAIN = Conduct(200, Constant(0), None, "reset", accepts_only=False, warm_up_ns=0, warm_up_latency=Constant(0))
"""Who answers on a node that has neither HAProxy nor servers."""


class Server:
    """A server program in a namespace. `folder` is for its files, `delay_ns` passes before each start of it."""

    def __init__(
        self, name: str, namespace: Namespace, folder: Path, ports: Sequence[int], conduct: Conduct, delay_ns: int = 0
    ) -> None:
        self.name = name
        self.conduct = conduct
        self.started_ns: list[int] = []
        """When it was told to start, each time (nanoseconds since 1970)."""
        self.listened_ns: list[int] = []
        """When it listened, each time."""
        self._namespace = namespace
        self._folder = folder
        self._ports = ports
        self._delay_ns = delay_ns
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether it has a process now."""
        return self._process is not None and self._process.poll() is None

    def start(self, listener: Listener) -> None:
        """Start it; it listens a little later, see `listened_ns`. Nothing where it runs."""
        if self.running:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        behavior, certificate = self._folder / f"{self.name}.json", self._folder / f"{self.name}.pem"
        write_behavior(behavior, self.conduct)
        write_text(certificate, PEM)
        words = [sys.executable, "-c", _START, self.name, str(behavior), str(certificate), f"{self._delay_ns}"]
        self.started_ns.append(time.time_ns())
        with self.log.open("ab") as said:
            process = self._namespace.start([*words, *map(str, self._ports)], stdout=subprocess.PIPE, stderr=said)
        self._process = process
        assert process.stdout is not None  # a pipe, as asked for
        write_text(self._folder / f"{self.name}.pid", f"{process.pid}\n")
        listener.follow(process.stdout, self._hear)

    @property
    def log(self) -> Path:
        """What it complains of."""
        return self._folder / f"{self.name}.log"

    def _hear(self, at_ns: int, line: str) -> None:
        if line == LISTENING:
            self.listened_ns.append(at_ns)
            process = self._process
            if process is not None:
                hurry([process.pid])

    def wait(self) -> None:
        """Until it listens. LabError when it does not."""
        until = time.monotonic() + READY_S
        while len(self.listened_ns) < len(self.started_ns):
            if not self.running or time.monotonic() > until:
                lines = self.log.read_text(encoding="utf-8", errors="replace").split("\n")
                said = next((line for line in reversed(lines) if line), "it says nothing")
                raise LabError(f"server {self.name} does not start: {said}")
            time.sleep(_POLL_S)

    def kill(self) -> None:
        """SIGKILL; nothing where it does not run."""
        if self._process is not None and self.running:
            send(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._process = None

    def behave(self, **changes: object) -> None:
        """From the next connection and request on it behaves so; the names are those of `Conduct`."""
        self.conduct = replace(self.conduct, **changes)  # type: ignore[arg-type]  # the table of actions names fields
        if self._process is not None:
            write_behavior(self._folder / f"{self.name}.json", self.conduct)

    def silence(self) -> None:
        """From now on nobody gets an answer to a SYN. LabError where there is no nft."""
        ports = ", ".join(map(str, self._ports))
        rule = f"tcp dport {{ {ports} }} tcp flags & (syn | ack) == syn drop"
        self._namespace.filter(f"table inet lab {{ chain input {{ type filter hook input priority 0; {rule}; }}; }}")
