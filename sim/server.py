"""A server: what answers behind an address, well or badly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sim.delay import Constant, Delay
from sim.flow.chance import Chance, mixed
from sim.flow.endpoint import ACCEPTOR, Endpoint, Reaction
from sim.flow.message import Ending, Message, NotTls, Request, Response, TlsAlert, TlsFlight
from sim.flow.program import Program

if TYPE_CHECKING:
    from sim.flow.connection import Connection
    from sim.node import Node
    from sim.scenario import ServerSpec

HANDSHAKE_NS = 400_000
"""From a hello to the server's first flight (OpenSSL 3 with RSA-2048, measured: 0.32 ms of TLS 1.2, 0.41 of 1.3)."""
_AT_ONCE = Constant(0)


@dataclass(frozen=True, slots=True)
class Behavior:
    """How a server behaves. `latency` is from a request's arrival to its response.

    `tls` is "1.2" or "1.3", or None for plain HTTP. `plain_on_tls`: what plain HTTP on the TLS port meets, "400" as
    Go has it or "reset" as most. `accepts_only`: takes connections and says nothing. `silent`: SYNs get no answer
    (a firewall that drops). After a start it listens only `start_delay_ns` later, and for `warm_up_ns` from then each
    request takes `warm_up_latency`. `headers` are those of its responses.
    """

    status: int = 200
    latency: Delay = _AT_ONCE
    tls: str | None = None
    plain_on_tls: str = "reset"
    accepts_only: bool = False
    silent: bool = False
    start_delay_ns: int = 0
    warm_up_ns: int = 0
    warm_up_latency: Delay = _AT_ONCE
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, spec: ServerSpec) -> Behavior:
        """As a scenario has it."""
        return cls(
            status=spec.status,
            latency=spec.latency,
            tls=spec.tls,
            plain_on_tls=spec.plain_on_tls,
            accepts_only=spec.accepts_only,
            silent=spec.silent,
            start_delay_ns=spec.start_delay,
            warm_up_ns=spec.warm_up,
            warm_up_latency=spec.warm_up_latency,
            headers=spec.headers,
        )


class Server:
    """A server program that can be started, killed and made to behave otherwise. No `ports`: it takes them all."""

    def __init__(self, node: Node, name: str, ports: tuple[int, ...] | None, behavior: Behavior) -> None:
        self.node = node
        self.name = name
        self.ports = ports
        self.behavior = behavior
        self.process: ServerProcess | None = None
        self._starts = 0

    @property
    def running(self) -> bool:
        """Whether it has a process now."""
        return self.process is not None and self.process.alive

    def start(self, now_ns: int) -> None:
        """Start it; nothing where it runs."""
        if self.process is None or not self.process.alive:
            self._starts += 1
            start = self._starts
            if self.behavior.start_delay_ns:
                self.node.kernel.at(now_ns + self.behavior.start_delay_ns, lambda: self._listen(start))
            else:
                self._listen(start)

    def kill(self, now_ns: int) -> None:
        """SIGKILL, or its host lost power."""
        self._starts += 1
        if self.process is not None and self.process.alive:
            self.process.end(now_ns)

    def behave(self, behavior: Behavior) -> None:
        """From now on it behaves so."""
        self.node.kernel.changed()
        self.behavior = behavior
        if self.process is not None:
            self.process.behave(behavior)

    def _listen(self, start: int) -> None:
        if start == self._starts:
            self.process = ServerProcess(self)


class ServerProcess(Program):
    """One life of a server: it takes every connection, and whoever asks gets his answer."""

    careless = True

    def __init__(self, server: Server) -> None:
        super().__init__(server.node, server.name)
        self._key = mixed(int.from_bytes(server.name.encode(), "big"))
        self._born_ns = server.node.kernel.now_ns
        self._behavior = server.behavior
        if server.ports is None:
            self.listen_to_all(self)
        for port in server.ports or ():
            self.listen(None, port, self)
        self.behave(server.behavior)

    def behave(self, behavior: Behavior) -> None:
        """From now on it behaves so."""
        self._behavior = behavior
        for socket in self.sockets:
            socket.silent = behavior.silent

    # As a listener and an endpoint ------------------------------------------------------------------------

    def foresee(self, at_ns: int, connection: Connection, message: Message) -> Reaction | None:
        """What comes of a message: a server has nothing to decide, so all of it is foreseen."""
        behavior = self._behavior
        if behavior.accepts_only:
            return None
        if type(message) is Request:
            if message.tls != (behavior.tls is not None):
                answer = Response(400, self.name) if behavior.plain_on_tls == "400" else Ending.RESET
                return at_ns, connection, ACCEPTOR, answer
            return at_ns + self._latency_ns(at_ns, message), connection, ACCEPTOR, self._respond(message)
        if type(message) is TlsFlight:
            return self._shake_hands(at_ns, connection, message)
        return None

    def accepts(self, at_ns: int, connection: Connection, message: Message) -> Endpoint | None:
        """Itself, always."""
        return self

    def accept(self, now_ns: int, connection: Connection, message: Message) -> Endpoint | None:
        """Itself, always."""
        return self

    def passed(self, at_ns: int, connection: Connection, message: Message) -> None:
        """Nothing is remembered."""

    def connected(self, now_ns: int, connection: Connection) -> None:
        """It opens none."""

    def received(self, now_ns: int, connection: Connection, message: Message) -> None:
        """Nothing to say to that."""

    def ended(self, now_ns: int, connection: Connection, ending: Ending) -> None:
        """Nothing is remembered."""

    def _latency_ns(self, at_ns: int, request: Request) -> int:
        behavior = self._behavior
        warming_up = at_ns < self._born_ns + behavior.warm_up_ns
        latency = behavior.warm_up_latency if warming_up else behavior.latency
        constant_ns = latency.constant_ns
        return latency.draw(Chance(request.key ^ self._key)) if constant_ns is None else constant_ns

    def _respond(self, request: Request) -> Response:
        return Response(self._behavior.status, self.name, request.keep_alive, headers=self._behavior.headers)

    def _shake_hands(self, at_ns: int, connection: Connection, flight: TlsFlight) -> Reaction:
        version = self._behavior.tls
        if version is None:
            # Neither HTTP nor anything else that it knows.
            return at_ns, connection, ACCEPTOR, NotTls()
        if flight.version == "ssl3":
            return at_ns, connection, ACCEPTOR, TlsAlert()
        if flight.number == 0:
            return at_ns + HANDSHAKE_NS, connection, ACCEPTOR, TlsFlight(version, 0, last=version == "1.3")
        return at_ns, connection, ACCEPTOR, TlsFlight(version, 1, last=True)
