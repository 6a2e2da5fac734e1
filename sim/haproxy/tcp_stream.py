"""A connection through HAProxy in mode tcp: what comes is passed on, whatever it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.flow.connection import Connection
from sim.flow.endpoint import ACCEPTOR, OPENER, Reaction
from sim.flow.message import Ending, Message, NotTls, Request, TlsAlert, TlsFlight
from sim.haproxy.acls import Circumstances
from sim.haproxy.sizes import size_of
from sim.haproxy.stream import Phase, Stream
from sim.kernel import LAST

if TYPE_CHECKING:
    from sim.haproxy.backend_state import BackendState
    from sim.haproxy.server_state import ServerState


class TcpStream(Stream):
    """It connects as soon as it is accepted, without waiting for the client to speak."""

    __slots__ = ()

    def begin(self, now_ns: int, *, spoken: bool) -> None:
        """HAProxy has accepted it; `spoken`: the client's first words come right behind."""
        self.phase = Phase.SILENT
        self.began_ns = self.active_ns = now_ns
        self.process.streams[self] = None
        if self.frontend.idling is not None and not spoken:
            self.frontend.idling.begin(self)
        if not self.tls and (not spoken or self.first is not None):
            self.dispatch(now_ns, self._backend)

    def refuse(self, now_ns: int, why: str) -> None:
        """Whatever there is to say, a client in mode tcp only sees the end (FIN, measured)."""
        self.front.close(ACCEPTOR)
        self.over(now_ns)

    def expired(self, now_ns: int, what: str) -> None:
        """A timeout came true."""
        if what == "queue":
            self.refuse(now_ns, what)
        elif what != "connect":
            self._look(what)
        elif self.phase is Phase.CONNECTING and not self.established:
            self.give_up(now_ns)
        else:
            self._look("client")
            self._look("server")

    def _begin_timeouts(self, backend: BackendState) -> None:
        """Nearly all are over before the connect timeout: only then are the longer ones looked at."""
        idling, answering = self.frontend.idling, backend.answering
        connecting = backend.connecting
        for patience in (idling, answering):
            if patience is not None and (connecting is None or connecting.after_ns > patience.after_ns):
                patience.begin(self)

    def _look(self, what: str) -> None:
        """Perhaps nothing went through for as long as `what` allows; else look again when that may be.

        Who waits for a connection to a server is not idle.
        """
        if self.phase is Phase.OVER or not self.process.alive:
            return
        patience = self.frontend.idling if what == "client" or self.backend is None else self.backend.answering
        if patience is None:
            return
        self.process.flows.catch_up(self.front.flow)
        now_ns = self.process.node.kernel.now_ns
        back = self.back
        if self.established and back is not None:
            due_ns = max(self.active_ns, back.connected_ns) + patience.after_ns
        else:
            due_ns = (self.active_ns if self.phase is Phase.SILENT else now_ns) + patience.after_ns
        if due_ns > now_ns:
            self.process.node.kernel.agenda.add(due_ns, LAST, self._look, what)
        else:
            self.refuse(now_ns, what)

    def retire(self, now_ns: int) -> None:
        """The process listens no more; open connections may take their time."""

    @property
    def _backend(self) -> BackendState | None:
        frontend = self.frontend
        return frontend.backend_for(self._circumstances()) if frontend.spec.rules else frontend.default

    def _circumstances(self) -> Circumstances:
        return Circumstances(self.front.addresses[OPENER], self.front.port)

    def pin(self) -> ServerState | None:
        """The server that `use-server` names."""
        backend = self.backend
        assert backend is not None  # it is being dispatched
        return backend.forced(self._circumstances()) if backend.spec.use_server else None

    # As an endpoint ---------------------------------------------------------------------------------------

    def foresee(self, at_ns: int, connection: Connection, message: Message) -> Reaction | None:
        """What comes from one side goes to the other, but for handshakes that are HAProxy's own."""
        back = self.back
        if self.own is not None:
            return None
        if connection is not back:
            if self.tls and type(message) is TlsFlight:
                return self.shake(at_ns, connection, message)
            if back is None or back.connected_ns < 0:
                return None
            return at_ns, back, OPENER, self.carried(message) if self._translates else message
        if type(message) is TlsFlight and self._translates and self._speaks_tls:
            return self.shake(at_ns, connection, message)
        if self._speaks_tls and type(message) in {NotTls, TlsAlert}:
            return None
        return at_ns, self.front, ACCEPTOR, message

    @property
    def _speaks_tls(self) -> bool:
        """Whether HAProxy itself speaks TLS with the server."""
        return self.server is not None and self.server.spec.ssl

    @property
    def _translates(self) -> bool:
        """Whether what goes through is inside TLS on one side and not on the other, or anew."""
        return self.tls or self._speaks_tls

    def passed(self, at_ns: int, connection: Connection, message: Message) -> None:
        """Something went through."""
        self.active_ns = at_ns
        if connection is self.front:
            self.bin += size_of(message, from_client=True)
            return
        self.bout += size_of(message, from_client=False)
        self._is_up(at_ns)

    def connected(self, now_ns: int, connection: Connection) -> None:
        """The server's connection stands, and the client has said nothing yet."""
        self._is_up(now_ns)
        if self.own is not None:
            self.over(now_ns)

    def received(self, now_ns: int, connection: Connection, message: Message) -> None:
        """The client speaks, and there is no server yet; or the server does, and the client is not to be told."""
        self.active_ns = now_ns
        if connection is self.back:
            if self.own is not None:
                self.bout += size_of(message, from_client=False)
                self.over(now_ns)
            elif type(message) is TlsFlight:
                self._is_up(now_ns)
            else:
                self._handshake_failed(now_ns)
            return
        if self.phase is Phase.OUTSIDE:
            self.first = message
            return
        self.bin += size_of(message, from_client=True)
        if self.tls and (type(message) is not Request or not message.tls):
            reaction = self.shake(now_ns, connection, message) if type(message) is TlsFlight else None
            if reaction is None:
                self.over(now_ns)
            else:
                self.process.flows.go(self.front.flow, *reaction)
            return
        self.first = message
        if self.phase is Phase.SILENT:
            self.dispatch(now_ns, self._backend)
        elif self.back is not None:
            self.back.send(OPENER, self.opening)

    def ended(self, now_ns: int, connection: Connection, ending: Ending) -> None:
        """One side is over."""
        if self.phase is Phase.OVER:
            connection.close(connection.side_of(self))
            return
        if self.phase is Phase.OUTSIDE:
            self._turn_away(connection)
            return
        if connection is not self.front:
            if connection is not self.back:
                connection.close(OPENER)
            elif not self.established:
                self.failed(now_ns, ending)
            else:
                self.front.close(ACCEPTOR)
                self.over(now_ns)
            return
        waiting = self.phase in {Phase.QUEUED, Phase.PAUSED} or (
            self.phase is Phase.CONNECTING and not self.established
        )
        if waiting and ending is Ending.FIN and self.first is not None:
            # It has something to say still, and HAProxy goes on for it (no `option abortonclose`).
            connection.close(ACCEPTOR)
            self.go_alone()
        else:
            self.over(now_ns)

    def over(self, now_ns: int) -> None:
        """It is over: both connections are closed, and all is counted."""
        if self.phase is Phase.OVER:
            return
        self._finish(now_ns)
        self.front.close(ACCEPTOR)
        self._leave(now_ns)
