"""One request's way through HAProxy (a stream): to a server, by queue, connection, retries and redispatch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from enum import Enum
from typing import TYPE_CHECKING

from sim.flow.endpoint import ACCEPTOR, OPENER, Reaction
from sim.flow.message import Ending, Message, NotTls, Request, TlsAlert, TlsFlight
from sim.haproxy.hash_key import NOTHING_ASKED, Asked
from sim.haproxy.redispatch import retry
from sim.server import HANDSHAKE_NS

if TYPE_CHECKING:
    from sim.flow.connection import Connection
    from sim.flow.flow import Flow
    from sim.haproxy.backend_state import BackendState
    from sim.haproxy.frontend_state import FrontendState
    from sim.haproxy.server_state import ServerState


_HELLO = TlsFlight("1.3")


class Phase(Enum):
    """Where a stream is."""

    OUTSIDE = "waits in the kernel for the frontend to have room"
    SILENT = "nothing came yet"
    QUEUED = "waits for a server to have room"
    PAUSED = "waits before it tries again"
    CONNECTING = "waits for a connection to stand, or has it and does not know yet"
    RELAYING = "has its server"
    OVER = "is over"


class Stream(ABC):
    """What tcp and http have in common.

    `first` is what goes to the server as soon as the connection stands; `tls`: whether HAProxy itself speaks TLS with
    the client.
    """

    careless = False

    __slots__ = (
        "active_ns",
        "answer_ns",
        "back",
        "backend",
        "began_ns",
        "bin",
        "bout",
        "first",
        "front",
        "frontend",
        "own",
        "phase",
        "pinned",
        "process",
        "queued_ns",
        "served_ns",
        "server",
        "tls",
        "tried",
    )

    def __init__(self, frontend: FrontendState, front: Connection, *, tls: bool) -> None:
        self.frontend = frontend
        self.process = frontend.process
        self.front = front
        self.tls = tls
        self.back: Connection | None = None
        self.backend: BackendState | None = None
        self.server: ServerState | None = None
        self.first: Message = None
        self.phase = Phase.OUTSIDE
        self.pinned = False
        self.own: Flow | None = None
        """Its own thread of cause and effect, once the client has gone and what it asked for goes on."""
        self.tried = 0
        self.bin = self.bout = 0
        self.began_ns = self.active_ns = self.queued_ns = self.served_ns = self.answer_ns = 0

    # What kinds of streams do their own way -------------------------------------------------------------

    @abstractmethod
    def begin(self, now_ns: int, *, spoken: bool) -> None:
        """HAProxy has accepted it; `spoken`: the client's first words come right behind."""

    @abstractmethod
    def refuse(self, now_ns: int, why: str) -> None:
        """There is no server to be had: tell the client, and end."""

    @abstractmethod
    def expired(self, now_ns: int, what: str) -> None:
        """A timeout came true: "connect", "queue", "server", "client" and those of requests."""

    def asked(self) -> Asked:
        """What balancing may look at."""
        return Asked(self.front.addresses[OPENER])

    def pin(self) -> ServerState | None:
        """The server that the request itself names, if it is to be had."""
        return None

    # As an endpoint ---------------------------------------------------------------------------------------

    @abstractmethod
    def foresee(self, at_ns: int, connection: Connection, message: Message) -> Reaction | None:
        """See `Endpoint`."""

    @abstractmethod
    def passed(self, at_ns: int, connection: Connection, message: Message) -> None:
        """See `Endpoint`."""

    @abstractmethod
    def connected(self, now_ns: int, connection: Connection) -> None:
        """See `Endpoint`."""

    @abstractmethod
    def received(self, now_ns: int, connection: Connection, message: Message) -> None:
        """See `Endpoint`."""

    @abstractmethod
    def ended(self, now_ns: int, connection: Connection, ending: Ending) -> None:
        """See `Endpoint`."""

    def _begin_timeouts(self, backend: BackendState) -> None:
        """The server's time runs."""
        if backend.answering is not None:
            backend.answering.begin(self)

    # To a server ----------------------------------------------------------------------------------------

    def dispatch(self, now_ns: int, backend: BackendState | None) -> None:
        """Find a server in this backend, and connect."""
        self.backend = backend
        if backend is None:
            self.refuse(now_ns, "no backend")
            return
        backend.enter(now_ns)
        self._begin_timeouts(backend)
        self.tried = 0
        self.queued_ns = now_ns
        server = self.pin()
        self.pinned = server is not None
        if server is None:
            self.assign(now_ns, avoid=None)
        elif server.limit and (server.queue or server.served >= server.limit):
            self._wait(now_ns, server)
        else:
            self.serve(now_ns, server)

    def assign(self, now_ns: int, avoid: ServerState | None) -> None:
        """Let the algorithm choose, and queue where all are full."""
        backend = self.backend
        assert backend is not None  # it was dispatched
        self.server = None
        asked = NOTHING_ASKED if backend.spec.balance.algorithm == "roundrobin" else self.asked()
        server = backend.choose(now_ns, asked, avoid)
        if server is not None:
            if server.limit and (server.queue or server.served >= server.limit):
                self._wait(now_ns, server)
            else:
                self.serve(now_ns, server)
        elif backend.balancer.alive:
            self._wait(now_ns, None)
        else:
            self.refuse(now_ns, "no server")

    def _wait(self, now_ns: int, server: ServerState | None) -> None:
        assert self.backend is not None  # it was dispatched
        if server is not None and server.maxqueue and len(server.queue) >= server.maxqueue:
            # Full is full: one that is only its own by a cookie may go elsewhere.
            if self.pinned:
                self.pinned = False
                self.assign(now_ns, avoid=server)
            else:
                self.refuse(now_ns, "queue full")
            return
        self.phase = Phase.QUEUED
        self.server = server
        self.queued_ns = now_ns
        self.backend.wait(self, server)

    def serve(self, now_ns: int, server: ServerState) -> None:
        """This server has room for it."""
        self.server = server
        server.streams[self] = None
        server.take(now_ns)
        self.served_ns = now_ns
        self.connect(now_ns)

    def connect(self, now_ns: int) -> None:
        """Open a connection to the server."""
        server, backend = self.server, self.backend
        assert server is not None and backend is not None  # noqa: PT018  it has been served
        self.phase = Phase.CONNECTING
        server.stot += 1
        server.rate.add(now_ns)
        server.connect += 1
        backend.connect += 1
        address = server.address
        if address is None:
            self.failed(now_ns, Ending.UNREACHABLE)
            return
        spec = server.spec
        port = spec.port or self.front.port + spec.port_offset
        self.back = self.process.flows.open(self.flow, self.process, address, port, self, self.opening)
        if backend.connecting is not None:
            backend.connecting.begin(self)

    @property
    def opening(self) -> Message:
        """What is said first to the server."""
        server = self.server
        tls = server is not None and server.spec.ssl
        if tls:
            return _HELLO
        return self.carried(self.first) if self.tls else self.first

    # TLS of HAProxy's own -------------------------------------------------------------------------------

    def shake(self, at_ns: int, connection: Connection, message: TlsFlight) -> Reaction | None:
        """What a flight of a handshake makes HAProxy do; None: the server is ready, and nothing is to be said yet."""
        if connection is self.front:
            if message.version == "ssl3":
                return at_ns, connection, ACCEPTOR, TlsAlert()
            # 1.3, as HAProxy and all of today prefer it.
            return at_ns + HANDSHAKE_NS, connection, ACCEPTOR, TlsFlight("1.3", 0, last=True)
        if not message.last:
            return at_ns, connection, OPENER, TlsFlight(message.version, message.number + 1, last=True)
        if type(self.first) is TlsFlight:
            # TLS inside TLS: the server understands none of it, and says so.
            return at_ns, self.front, ACCEPTOR, NotTls()
        return None if self.first is None else (at_ns, connection, OPENER, self.carried(self.first))

    def carried(self, message: Message) -> Message:
        """What the client said as it is said to the server: inside TLS or not."""
        server = self.server
        if type(message) is Request and server is not None and message.tls is not server.spec.ssl:
            return replace(message, tls=server.spec.ssl)
        return message

    def _handshake_failed(self, now_ns: int) -> None:
        """The server does not speak TLS as HAProxy wants it: that is a connection that failed."""
        back = self.back
        assert back is not None  # it was spoken on
        back.close(OPENER)
        self.failed(now_ns, Ending.RESET)

    @property
    def flow(self) -> Flow:
        """Whose messages go through it."""
        return self.own or self.front.flow

    def go_alone(self) -> None:
        """The client has gone, and may do something else; what it asked for goes on."""
        self.own = self.process.flows.flow()
        if self.back is not None:
            self.back.flow = self.own

    def give_up(self, now_ns: int) -> None:
        """The connection has not come about in time."""
        assert self.back is not None  # it is connecting
        self.back.abort(OPENER)
        self.failed(now_ns, Ending.TIMEOUT)

    @property
    def established(self) -> bool:
        """Whether the connection to the server stands now."""
        back = self.back
        return back is not None and 0 <= back.connected_ns <= self.process.node.kernel.now_ns

    def _is_up(self, now_ns: int) -> None:
        """The connection to the server stands, and has been of use."""
        if self.phase is Phase.CONNECTING:
            self.phase = Phase.RELAYING
            if self.server is not None:
                self.server.observe(now_ns, 4, ok=True)

    def failed(self, now_ns: int, ending: Ending) -> None:
        """There is no connection to the server: again, elsewhere, or not at all."""
        server, backend = self.server, self.backend
        assert server is not None and backend is not None  # noqa: PT018  it has tried to connect
        if backend.connecting is not None:
            backend.connecting.end(self)
        flow = self.flow
        self.back = None
        server.observe(now_ns, 4, ok=False)
        if self.phase is Phase.OVER:
            return
        again = retry(
            backend.spec,
            tried=self.tried,
            pinned=self.pinned,
            active=backend.balancer.active,
            timed_out=ending is Ending.TIMEOUT,
        )
        if again is None:
            server.econ += 1
            backend.econ += 1
            self._release(now_ns)
            self.refuse(now_ns, "connection failed")
            return
        self.tried += 1
        if again.elsewhere:
            server.wredis += 1
            backend.wredis += 1
            self._release(now_ns)
        else:
            server.wretr += 1
            backend.wretr += 1
        if again.pause_ns:
            self.phase = Phase.PAUSED
            kernel = self.process.node.kernel
            kernel.agenda.add(now_ns + again.pause_ns, flow.rank, self._again, server)
        elif again.elsewhere:
            self.assign(now_ns, avoid=server)
        else:
            self.connect(now_ns)

    def _again(self, server: ServerState) -> None:
        """The pause is over."""
        if self.phase is not Phase.PAUSED or not self.process.alive:
            return
        now_ns = self.process.node.kernel.now_ns
        if self.server is None:
            self.assign(now_ns, avoid=server)
        else:
            self.connect(now_ns)

    # Ending ---------------------------------------------------------------------------------------------

    def _release(self, now_ns: int) -> None:
        """Its server is its no more."""
        server, backend = self.server, self.backend
        if backend is None:
            return
        if self.phase is Phase.QUEUED:
            backend.forget(self)
        elif server is not None and self in server.streams:
            del server.streams[self]
            server.let_go()
            if server.queue or backend.queue:
                backend.serve(now_ns, server)
        self.server = None

    def settle(self) -> None:
        """Count the bytes that went through it."""
        for one in (self.frontend, self.backend, self.server):
            if one is not None:
                one.bin += self.bin
                one.bout += self.bout
        self.bin = self.bout = 0

    def _turn_away(self, connection: Connection) -> None:
        """The client has gone before HAProxy accepted it."""
        self.frontend.outside.remove(self)
        self.phase = Phase.OVER
        connection.close(ACCEPTOR)

    def cut(self, now_ns: int) -> None:
        """Its server went down, and nothing is to remain of it (on-marked-down)."""
        self.front.close(ACCEPTOR)
        self.over(now_ns)

    @abstractmethod
    def over(self, now_ns: int) -> None:
        """It is over: whatever it still has is let go."""

    @abstractmethod
    def retire(self, now_ns: int) -> None:
        """The process listens no more, and ends with its last stream."""

    def _finish(self, now_ns: int) -> None:
        """What it had in its backend is over."""
        back, backend = self.back, self.backend
        self.back = None
        if backend is not None:
            if backend.connecting is not None:
                backend.connecting.end(self)
            if backend.answering is not None:
                backend.answering.end(self)
            backend.count(self, back, now_ns)
        self.settle()
        self._release(now_ns)
        self.phase = Phase.OVER
        if back is not None:
            back.close(OPENER)
        if backend is not None:
            self.backend = None
            backend.leave(now_ns)

    def _leave(self, now_ns: int) -> None:
        """The client's connection is over."""
        self.process.streams.pop(self, None)
        if self.frontend.idling is not None:
            self.frontend.idling.end(self)
        self.frontend.leave(now_ns)
        self.process.leave(now_ns)
