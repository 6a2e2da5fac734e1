"""Check scripts that really look: what they get and connect to goes over flows, from the node they run on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sim.flow.chance import mixed
from sim.flow.deadlines import Deadlines
from sim.flow.endpoint import OPENER, Reaction
from sim.flow.flow import Flow
from sim.flow.message import Ending, Message, Request, Response, TlsFlight
from sim.flow.program import Program
from vrrp.protocol.lateness import WHOLE, Lateness
from vrrp.wire.address import pack

if TYPE_CHECKING:
    from sim.flow.connection import Connection
    from sim.flow.flows import Flows
    from sim.node import Node
    from sim.scenario import StepSpec

LOCALHOST = "127.0.0.1"
STARTING = Lateness(
    ((0, 9_000_000), (250, 18_000_000), (500, 34_000_000), (750, 40_000_000), (950, 57_000_000), (1000, 72_000_000))
)
"""From the end of one step to the next one's first packet: curl is started, reads what it trusts, and sets up TLS (24
runs on a machine with two processors and as much to do as a node with HAProxy has). With it goes which of the servers
behind a balancer a step meets."""
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a script looks at; where it finds it bad, the script fails.

    With an `address` (packed) and `port`: whether a connection is accepted; with a `path` as well, whether a request
    for it is answered, inside TLS if `tls`, and with a status below 400 if `fails_on_status`. `timeout_ns` None: as
    long as it takes. With a `process`: whether one of this name runs. Only `when_holding` a packed address, if given.
    """

    address: bytes | None = None
    port: int = 0
    path: str | None = None
    tls: bool = False
    process: str | None = None
    timeout_ns: int | None = None
    when_holding: bytes | None = None
    fails_on_status: bool = False


def get_step(
    url: str, *, timeout_ns: int | None = None, when_holding: bytes | None = None, fails_on_status: bool = False
) -> Step:
    """The step that gets a URL. ValueError, worded for people, for one that flows cannot get."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or parts.hostname is None:
        raise ValueError(f"{url!r} is no URL; write http://10.0.0.100:80/ or https://localhost:8443/")
    address = _packed(parts.hostname)
    port = parts.port or _PORTS[parts.scheme]
    path = parts.path or "/"
    return Step(address, port, path, parts.scheme == "https", None, timeout_ns, when_holding, fails_on_status)


def connect_step(target: str, *, timeout_ns: int | None = None, when_holding: bytes | None = None) -> Step:
    """The step that connects to "address:port". ValueError, worded for people."""
    host, _, port = target.rpartition(":")
    if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f"{target!r} is no target; write an address and a port: localhost:8443")
    return Step(_packed(host), int(port), timeout_ns=timeout_ns, when_holding=when_holding)


def step_of(spec: StepSpec) -> Step:
    """The step that a scenario asks for. ValueError, worded for people."""
    if [spec.get, spec.connect, spec.process].count(None) != 2:
        raise ValueError("a step has one of get, connect and process")
    holding = spec.when_holding.packed if spec.when_holding is not None else None
    if spec.get is not None:
        return get_step(spec.get, timeout_ns=spec.timeout, when_holding=holding, fails_on_status=spec.fails_on_status)
    if spec.connect is not None:
        return connect_step(spec.connect, timeout_ns=spec.timeout, when_holding=holding)
    return Step(process=spec.process, when_holding=holding)


def _packed(host: str) -> bytes:
    try:
        address = pack(LOCALHOST if host == "localhost" else host)
    except ValueError as error:
        raise ValueError(f"{host!r} is no IPv4 address and not localhost; names are not resolved here") from error
    if len(address) != 4:
        raise ValueError(f"{host!r} is no IPv4 address")
    return address


class ScriptRun(Flow):
    """One run of a script: it takes its steps, and tells `done` whether all were good. It is its own endpoint."""

    careless = False

    def __init__(
        self, node: Node, flows: Flows, name: str, steps: Sequence[Step], done: Callable[[bool], None]
    ) -> None:
        super().__init__(flows.rank())
        self.deadline_ns = -1
        self._flows = flows
        self._program = Program(node, name)
        self._steps = list(steps)
        self._done = done
        self._step: Step | None = None
        self._used: Connection | None = None

    def begin(self) -> None:
        """Take the first step, and whatever follows from it."""
        while self._steps and self._program.alive:
            step = self._step = self._steps.pop(0)
            if step.when_holding is not None and not self._program.node.has(step.when_holding):
                continue
            if step.process is not None:
                if not self._program.node.runs(step.process):
                    self._finish(good=False)
                    return
                continue
            self._look(step)
            return
        self._finish(good=True)

    def kill(self) -> None:
        """It took too long: nothing of it goes on."""
        self._program.end(self._flows.kernel.now_ns)

    def _look(self, step: Step) -> None:
        """A shell starts a program for it, which needs some time until it looks."""
        kernel = self._flows.kernel
        wait_ns = STARTING.at(int(kernel.stream(f"{self._program.node.name}/scripts").random() * WHOLE))
        kernel.at(kernel.now_ns + wait_ns, partial(self._open, step))

    def _open(self, step: Step) -> None:
        if not self._program.alive:
            return
        assert step.address is not None  # it is no process that it looks for
        if step.timeout_ns is not None:
            Deadlines(self._flows.kernel, step.timeout_ns, self._expired).begin(self)
        first: Message = None
        if step.path is not None:
            first = TlsFlight("1.3") if step.tls else self._request(step)
        self._used = self._flows.open(self, self._program, step.address, step.port, self, first)

    def _request(self, step: Step) -> Request:
        return Request(mixed(self.rank), step.tls, path=step.path or "/")

    def _expired(self, now_ns: int, _: ScriptRun) -> None:
        self._finish(good=False)

    def _finish(self, *, good: bool) -> None:
        """A step or the whole run is over."""
        self.deadline_ns = -1
        used, self._used = self._used, None
        if used is not None:
            used.close(OPENER)
        if not self._program.alive:
            return  # it was killed, perhaps before it began
        if good and self._steps:
            self.begin()
        else:
            self._program.end(self._flows.kernel.now_ns)
            self._done(good)

    # As an endpoint ---------------------------------------------------------------------------------------

    def foresee(self, at_ns: int, connection: Connection, message: Message) -> Reaction | None:
        """A handshake takes its course, and the request follows it."""
        if type(message) is not TlsFlight or self._step is None:
            return None
        if message.last:
            return at_ns, connection, OPENER, self._request(self._step)
        return at_ns, connection, OPENER, TlsFlight(message.version, message.number + 1, last=True)

    def passed(self, at_ns: int, connection: Connection, message: Message) -> None:
        """Nothing is remembered."""

    def connected(self, now_ns: int, connection: Connection) -> None:
        """That was all it wanted to know."""
        if connection is self._used:
            self._finish(good=True)

    def received(self, now_ns: int, connection: Connection, message: Message) -> None:
        """The answer, or something that is none."""
        if connection is self._used and self._step is not None:
            answered = type(message) is Response
            status = message.status if type(message) is Response else 0
            self._finish(good=answered and not (self._step.fails_on_status and status >= 400))

    def ended(self, now_ns: int, connection: Connection, ending: Ending) -> None:
        """There is no answer to be had."""
        if connection is self._used:
            self._finish(good=False)
