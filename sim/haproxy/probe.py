"""A check on its way: its connection over the network, between `CheckRun` and what answers."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from sim.flow.endpoint import OPENER, Reaction
from sim.flow.message import Ending, Message, NotTls, Request, Response, TlsFlight
from sim.flow.message import TlsAlert as AlertMessage
from sim.haproxy.checking import CheckActions, CheckRun, OpenConnection
from sim.haproxy.exchange import (
    Closed,
    HttpRequest,
    HttpResponse,
    Octets,
    Received,
    Reset,
    Sent,
    Ssl3Hello,
    TlsAlert,
    TlsHello,
    TlsReady,
)
from sim.haproxy.service import request_in
from sim.haproxy.status import CheckResult, Status
from sim.kernel import LAST

if TYPE_CHECKING:
    from sim.flow.connection import Connection
    from sim.haproxy.server_state import ServerState

_REASONS = {one.value: one.phrase for one in HTTPStatus}


class _Probe:
    """What checks of both kinds have in common: they are endpoints that foresee nothing, being few."""

    careless = False

    def __init__(self, server: ServerState) -> None:
        self.server = server
        self.process = server.backend.process
        self._used: Connection | None = None

    def foresee(self, at_ns: int, connection: Connection, message: Message) -> Reaction | None:
        """Nothing: what comes is judged when it comes."""
        return None

    def passed(self, at_ns: int, connection: Connection, message: Message) -> None:
        """Nothing passes it."""

    def _drop(self) -> None:
        used, self._used = self._used, None
        if used is not None:
            # HAProxy resets the connections of its checks, to leave no sockets in TIME-WAIT.
            used.abort(OPENER)


class CheckProbe(_Probe):
    """One check of a server. At its end `server.checked` hears of it."""

    def __init__(self, server: ServerState) -> None:
        super().__init__(server)
        backend = server.backend
        self.run = CheckRun(backend.spec.check, server.spec, backend.spec.timeouts)
        self._flow = self.process.flows.flow()
        self._tls = False

    def begin(self, now_ns: int) -> None:
        """Do the first thing."""
        self._go_on(now_ns, self.run.begin(now_ns))

    def _go_on(self, now_ns: int, actions: CheckActions) -> None:
        for action in actions:
            if isinstance(action, OpenConnection):
                self._open(now_ns, action)
            elif self._used is not None:
                message = self._message(action.what)
                if message is not None:
                    self._used.send(OPENER, message)
        run = self.run
        if run.result is not None:
            self._drop()
            self.server.checked(now_ns, self)
        elif run.deadline_ns is not None:
            self.process.node.kernel.agenda.add(run.deadline_ns, LAST, self._expire, run.deadline_ns)

    def _expire(self, deadline_ns: int) -> None:
        if self.run.deadline_ns == deadline_ns and self.process.alive:
            self._go_on(deadline_ns, self.run.expire(deadline_ns))

    def _open(self, now_ns: int, action: OpenConnection) -> None:
        self._drop()
        self._tls = False
        if action.address is None:
            self._go_on(now_ns, self.run.refused(now_ns, "No address"))
            return
        flows = self.process.flows
        self._used = flows.open(self._flow, self.process, action.address.packed, action.port, self)

    def _message(self, sent: Sent) -> Message:
        """What goes over the network; None for octets that no server of the simulation answers."""
        if isinstance(sent, Ssl3Hello):
            return TlsFlight("ssl3")
        if isinstance(sent, TlsHello):
            return TlsFlight("1.3")
        request = sent if isinstance(sent, HttpRequest) else request_in(sent.data)
        if request is None:
            return None
        return Request(self._flow.rank, self._tls, keep_alive=request.version == "HTTP/1.1", path=request.uri)

    # As an endpoint ---------------------------------------------------------------------------------------

    def connected(self, now_ns: int, connection: Connection) -> None:
        """The connection stands."""
        if connection is self._used:
            self._go_on(now_ns, self.run.connected(now_ns))

    def received(self, now_ns: int, connection: Connection, message: Message) -> None:
        """Something came."""
        if connection is not self._used:
            return
        if type(message) is TlsFlight:
            if not message.last:
                connection.send(OPENER, TlsFlight(message.version, message.number + 1, last=True))
                return
            self._tls = True
        what = _received(message)
        if what is not None:
            self._go_on(now_ns, self.run.received(now_ns, what))

    def ended(self, now_ns: int, connection: Connection, ending: Ending) -> None:
        """The connection ended, or never came about."""
        if connection is not self._used:
            connection.close(OPENER)
            return
        if connection.connected_ns < 0:
            self._used = None
            if ending is not Ending.TIMEOUT:
                self._go_on(now_ns, self.run.refused(now_ns, _PHRASES[ending]))
            return
        if ending is Ending.RESET:
            self._used = None
        self._go_on(now_ns, self.run.received(now_ns, Closed() if ending is Ending.FIN else Reset()))


class AgentProbe(_Probe):
    """One question to a server's agent. No agent is simulated: it fails, as one that is not there."""

    def __init__(self, server: ServerState) -> None:
        super().__init__(server)
        self.result = CheckResult(Status.L4CON, text="Connection refused")

    def begin(self, now_ns: int) -> None:
        """Nobody is asked."""
        self.server.backend.process.node.kernel.agenda.add(now_ns, LAST, self._end, now_ns)

    def _end(self, now_ns: int) -> None:
        self.server.agent_failed(now_ns, self)


_PHRASES = {Ending.REFUSED: "Connection refused", Ending.UNREACHABLE: "No route to host"}


def _received(message: Message) -> Received | None:
    """What a message is to a check."""
    if type(message) is TlsFlight:
        return TlsReady()
    if type(message) is AlertMessage:
        return TlsAlert()
    if type(message) is NotTls:
        return Octets(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    if type(message) is Response:
        return HttpResponse(message.status, _REASONS.get(message.status, ""), tuple(message.headers.items()))
    return None
