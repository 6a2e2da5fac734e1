"""A client's connection to HAProxy in mode http, and its requests, one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from sim.flow.connection import Connection
from sim.flow.endpoint import ACCEPTOR, OPENER, Reaction
from sim.flow.message import Ending, Message, NotTls, Request, Response, TlsAlert, TlsFlight
from sim.haproxy.acls import Circumstances
from sim.haproxy.cookies import Found, Pinning
from sim.haproxy.hash_key import Asked
from sim.haproxy.redispatch import retry
from sim.haproxy.sizes import size_of
from sim.haproxy.stream import Phase, Stream
from sim.kernel import LAST
from vrrp.wire.address import text

if TYPE_CHECKING:
    from sim.haproxy.frontend_state import FrontendState
    from sim.haproxy.server_state import ServerState

_ERRORS = {400: 187, 408: 212, 502: 206, 503: 214, 504: 195}
"""HAProxy's own answers, and their octets (2.6.12, measured)."""
_NOT_CACHED = {"Cache-Control": "no-cache"}
_FORWARDED_SIZE = len("x-forwarded-for: \r\n")
_NOT_PINNED = Pinning(None, Found.NONE, None)


class HttpStream(Stream):
    """`request` is the one that is being answered, the `number`-th of its connection; `outgoing` what its server gets.

    `kept` is the server's connection that waits for the client's next request (`http-reuse never`).
    """

    __slots__ = (
        "_kept_at",
        "_patience",
        "_reuses",
        "asks",
        "kept",
        "number",
        "outgoing",
        "pinning",
        "request",
        "sent_ns",
    )

    def __init__(self, frontend: FrontendState, front: Connection, *, tls: bool) -> None:
        super().__init__(frontend, front, tls=tls)
        self.number = 0
        self.request: Request | None = None
        self.outgoing: Request | None = None
        self.pinning = _NOT_PINNED
        self.kept: Connection | None = None
        self._kept_at: ServerState | None = None
        self._reuses = False
        self._patience = ""
        self.sent_ns = 0

    def begin(self, now_ns: int, *, spoken: bool) -> None:
        """HAProxy has accepted it; `spoken`: the client's first words come right behind."""
        self.phase = Phase.SILENT
        self.began_ns = self.active_ns = now_ns
        self.process.streams[self] = None
        first, self.first = self.first, None
        if first is not None:
            self.received(now_ns, self.front, first)
        elif not spoken:
            self._expect(self.frontend.asking)

    def _expect(self, patience: str) -> None:
        """Wait for a request, as long as this timeout says."""
        self._patience = patience
        self.frontend.patience[patience].begin(self)

    def _stop_expecting(self) -> None:
        if self._patience:
            self.frontend.patience[self._patience].end(self)
            self._patience = ""

    # A request ------------------------------------------------------------------------------------------

    def received(self, now_ns: int, connection: Connection, message: Message) -> None:
        """A request, a response, or what is neither."""
        if connection is self.front:
            self._stop_expecting()
            if self.phase is Phase.OUTSIDE:
                self.first = message
            elif type(message) is TlsFlight and self.tls:
                reaction = self.shake(now_ns, connection, message)
                assert reaction is not None  # a client is answered
                self._expect(self.frontend.asking)
                self.process.flows.go(connection.flow, *reaction)
            elif type(message) is Request and message.tls is self.tls:
                self._ask(now_ns, message)
            else:
                self._reject(now_ns)
        elif connection is self.back:
            if type(message) is Response:
                self._answered(now_ns, message)
            elif type(message) in {NotTls, TlsAlert} and self.own is None:
                self._handshake_failed(now_ns)

    def _reject(self, now_ns: int) -> None:
        """What came is no request."""
        self.frontend.ereq += 1
        if not self.tls:
            self.frontend.hrsp[4] += 1
            self.front.send(ACCEPTOR, NotTls(_ERRORS[400]))
        self.over(now_ns)

    def _ask(self, now_ns: int, request: Request) -> None:
        frontend = self.frontend
        self.request = request
        self.number += 1
        self.began_ns = self.active_ns = now_ns
        frontend.req_tot += 1
        frontend.req_rate.add(now_ns)
        self.bin += size_of(request, from_client=True)
        self.served_ns = 0
        self.server = self.backend = None
        spec = frontend.spec
        backend = frontend.backend_for(self._circumstances()) if spec.rules else frontend.default
        if spec.monitor_uri is not None and request.path == spec.monitor_uri:
            self._say(now_ns, Response(200, self._name, size=58))
            return
        page = spec.stats or (backend.spec.stats if backend is not None else None)
        if page is not None and request.path.startswith(page.uri):
            frontend.intercepted += 1
            self._say(now_ns, Response(200, self._name, request.keep_alive, size=4096))
            return
        if backend is not None:
            backend.req_tot += 1
        self.dispatch(now_ns, backend)

    @property
    def _name(self) -> str:
        return self.process.node.name

    def _circumstances(self) -> Circumstances:
        return Circumstances(self.front.addresses[OPENER], self.front.port, self.request, self._host)

    @property
    def _host(self) -> str:
        """What the header Host says, of clients that go by address."""
        return f"{text(self.front.addresses[ACCEPTOR])}:{self.front.port}"

    def asked(self) -> Asked:
        """What balancing may look at."""
        assert self.request is not None  # it is being dispatched
        return Asked(self.front.addresses[OPENER], self.request.path, {"host": self._host})

    def pin(self) -> ServerState | None:
        """The server that `use-server` or the cookie names."""
        backend, request = self.backend, self.request
        assert backend is not None and request is not None  # noqa: PT018  it is being dispatched
        self.pinning = _NOT_PINNED
        forced = backend.forced(self._circumstances()) if backend.spec.use_server else None
        if backend.persistence is None:
            return forced
        cookies = "; ".join(f"{name}={value}" for name, value in request.cookies.items()) or None
        if cookies is not None:
            persist = "persist" in backend.spec.options
            usable = [persist or one.reachable for one in backend.servers]
            self.pinning = backend.persistence.pin(cookies, usable)
        if forced is not None:
            return forced
        return None if self.pinning.server is None else backend.servers[self.pinning.server]

    def connect(self, now_ns: int) -> None:
        """Send the request to the server: on the connection that was kept, if it is its, or a new one."""
        server, request = self.server, self.request
        assert server is not None and request is not None  # noqa: PT018  it has been served
        self.outgoing = self._forwarded(server, request)
        self.first = self.outgoing
        kept = self._take_kept(server)
        self._reuses = kept is not None
        if kept is None:
            super().connect(now_ns)
            return
        server.stot += 1
        server.rate.add(now_ns)
        server.reuse += 1
        server.backend.reuse += 1
        self.back = kept
        self.phase = Phase.RELAYING
        self.sent_ns = now_ns
        kept.flow = self.flow
        kept.send(OPENER, self.outgoing)

    def _take_kept(self, server: ServerState) -> Connection | None:
        """A connection to the server that waits for another request, if this one may have it."""
        policy = server.backend.spec.http_reuse
        if policy != "never":
            return server.idle.take(self, policy, first=self.number == 1)
        kept, self.kept = self.kept, None
        if kept is not None and self._kept_at is not server:
            kept.close(OPENER)
            return None
        return kept

    def _forwarded(self, server: ServerState, request: Request) -> Request:
        """The request as the server gets it."""
        backend = server.backend
        cookies: Mapping[str, str] = request.cookies
        if self.pinning.found is not Found.NONE:
            cookies = _cookies(self.pinning.cookies)
        source, size = request.source, request.size
        if "forwardfor" in self.frontend.spec.options or "forwardfor" in backend.spec.options:
            source = source or self.front.addresses[OPENER]
            size += _FORWARDED_SIZE + len(text(source))
        keeps = self.frontend.spec.http_connection == backend.spec.http_connection == "keep-alive"
        keeps = keeps and request.keep_alive
        method, path = request.method, request.path
        return Request(request.key, server.spec.ssl, keeps, method, path, cookies, size, source)

    # A response -----------------------------------------------------------------------------------------

    def _answered(self, now_ns: int, response: Response) -> None:
        server, backend = self.server, self.backend
        assert server is not None and backend is not None  # noqa: PT018  it was asked
        self._is_up(now_ns)
        server.observe(now_ns, 7, ok=response.status < 500)
        if self.phase is Phase.OVER:
            return
        if str(response.status) in backend.spec.retry_on and self._again_elsewhere(now_ns):
            return
        self.bout += response.size
        server.req_tot += 1
        back = self.back
        self.answer_ns = now_ns - max(self.sent_ns, back.connected_ns if back is not None else 0)
        kind = min(response.status // 100, 6) - 1
        for counted in (server, backend, self.frontend):
            counted.hrsp[kind] += 1
        if backend.persistence is not None:
            response = self._with_cookie(response, server)
        self._transaction_over(now_ns, keep=response.keep_alive)
        self._say(now_ns, response, counted=True)

    def _with_cookie(self, response: Response, server: ServerState) -> Response:
        """The response with what persistence adds and takes away."""
        persistence, request = server.backend.persistence, self.request
        assert persistence is not None and request is not None  # noqa: PT018  it is being answered
        given = [(name, value) for name, value in response.headers.items()]
        if response.set_cookie is not None and "Set-Cookie" not in response.headers:
            given.append(("Set-Cookie", "=".join(response.set_cookie)))
        headers = persistence.answer(self.pinning, server.index, given, method=request.method, status=response.status)
        cookie = next((value for name, value in reversed(headers) if name.lower() == "set-cookie"), None)
        name, _, value = (cookie or "").partition(";")[0].partition("=")
        size = response.size + sum(len(f"{one}: {value}\r\n") for one, value in headers if (one, value) not in given)
        return replace(
            response, headers=dict(headers), set_cookie=(name, value) if cookie is not None else None, size=size
        )

    def _say(self, now_ns: int, response: Response, *, counted: bool = False) -> None:
        """Answer the client, and wait for what it asks next."""
        request = self.request
        assert request is not None  # it is being answered
        if not counted:
            self.bout += response.size
            self.frontend.hrsp[min(response.status // 100, 6) - 1] += 1
        self.settle()
        keeps = request.keep_alive and response.status not in {400, 408} and not self.process.retired
        keeps = keeps and self.frontend.spec.http_connection != "close"
        self.request = None
        if self.own is not None:
            self.over(now_ns)
            return
        response.keep_alive = keeps
        self.phase = Phase.SILENT
        self._expect(self.frontend.keeping if keeps else "client")
        self.front.send(ACCEPTOR, response)

    def _transaction_over(self, now_ns: int, *, keep: bool) -> None:
        """A request has been answered: its server is free, its connection may be kept."""
        back, server = self.back, self.server
        outgoing = self.outgoing
        keep = keep and outgoing is not None and outgoing.keep_alive
        if keep and back is not None and server is not None and back.open[OPENER]:
            if server.backend.spec.http_reuse == "never":
                self.kept, self._kept_at = back, server
            else:
                server.idle.put(back, reused=self._reuses)
            self.back = None
        self._finish(now_ns)

    def _again_elsewhere(self, now_ns: int) -> bool:
        """Whether the request is sent once more (`retry-on`): at once, and elsewhere if that is allowed."""
        server, backend, back = self.server, self.backend, self.back
        assert server is not None and backend is not None  # noqa: PT018  it was asked
        again = retry(
            backend.spec, tried=self.tried, pinned=self.pinned, active=backend.balancer.active, timed_out=True
        )
        if again is None or self.own is not None:
            return False
        self.tried += 1
        self.back = None
        if back is not None:
            back.close(OPENER)
        if again.elsewhere:
            server.wredis += 1
            backend.wredis += 1
            self._release(now_ns)
            self.assign(now_ns, avoid=server)
        else:
            server.wretr += 1
            backend.wretr += 1
            self.connect(now_ns)
        return True

    def refuse(self, now_ns: int, why: str) -> None:
        """No server: 503."""
        self._fail(now_ns, 503)

    def _fail(self, now_ns: int, status: int) -> None:
        """An answer of HAProxy's own, in place of a server's."""
        backend = self.backend
        if backend is not None:
            backend.hrsp[status // 100 - 1] += 1
        self._finish(now_ns)
        self._say(now_ns, Response(status, self._name, headers=_NOT_CACHED, size=_ERRORS[status]))

    def _server_broke(self, now_ns: int) -> None:
        """The server ended the connection, or spoke gibberish, and has not answered."""
        server, backend = self.server, self.backend
        assert server is not None and backend is not None  # noqa: PT018  it was asked
        self._is_up(now_ns)
        server.observe(now_ns, 7, ok=False)
        if self.phase is Phase.OVER or ("empty-response" in backend.spec.retry_on and self._again_elsewhere(now_ns)):
            return
        server.eresp += 1
        backend.eresp += 1
        if self.number > 1:
            # The client is required to try again, and may without being told (measured).
            self.front.close(ACCEPTOR)
            self.over(now_ns)
        else:
            self._fail(now_ns, 502)

    # Timeouts -------------------------------------------------------------------------------------------

    def expired(self, now_ns: int, what: str) -> None:
        """A timeout came true."""
        if what == "connect":
            if self.phase is Phase.CONNECTING and not self.established:
                self.give_up(now_ns)
        elif what == "queue":
            self.refuse(now_ns, what)
        elif what == "server":
            self._look(self.number)
        else:
            self._patience = ""
            if what in {"http-request", "client"} and self.number == 0:
                self.frontend.ereq += 1
                self.frontend.hrsp[3] += 1
                self.front.send(ACCEPTOR, Response(408, self._name, size=_ERRORS[408]))
            self.over(now_ns)

    def _look(self, number: int) -> None:
        """Perhaps the server has not answered for as long as it may; else look again when that may be."""
        backend = self.backend
        if self.phase is not Phase.RELAYING and not self.established:
            return
        if number != self.number or backend is None or self.back is None or not self.process.alive:
            return
        now_ns = self.process.node.kernel.now_ns
        assert backend.answering is not None  # it came true
        due_ns = max(self.back.connected_ns, self.sent_ns) + backend.answering.after_ns
        if due_ns > now_ns:
            self.process.node.kernel.agenda.add(due_ns, LAST, self._look, number)
            return
        server = self.server
        assert server is not None  # it was asked
        server.observe(now_ns, 7, ok=False)
        if self.phase is Phase.OVER or ("response-timeout" in backend.spec.retry_on and self._again_elsewhere(now_ns)):
            return
        server.eresp += 1
        backend.eresp += 1
        self._fail(now_ns, 504)

    # As an endpoint ---------------------------------------------------------------------------------------

    def foresee(self, at_ns: int, connection: Connection, message: Message) -> Reaction | None:
        """Handshakes take their course; requests and responses are looked at."""
        if type(message) is not TlsFlight or (connection is self.front and not self.tls):
            return None
        return self.shake(at_ns, connection, message)

    def passed(self, at_ns: int, connection: Connection, message: Message) -> None:
        """Part of a handshake came."""

    def connected(self, now_ns: int, connection: Connection) -> None:
        """Its connections have a first message."""

    def ended(self, now_ns: int, connection: Connection, ending: Ending) -> None:
        """One side is over."""
        if self.phase is Phase.OUTSIDE:
            self._turn_away(connection)
        elif connection is self.front:
            if ending is Ending.FIN:
                connection.close(ACCEPTOR)
            if self.request is None or ending is not Ending.FIN:
                self.over(now_ns)
            else:
                # HAProxy goes on for it (no `option abortonclose`).
                self.go_alone()
        else:
            self._server_ended(now_ns, connection, ending)

    def _server_ended(self, now_ns: int, connection: Connection, ending: Ending) -> None:
        if connection is self.kept:
            self.kept = None
        elif connection is self.back:
            if self.established:
                self._server_broke(now_ns)
            else:
                self.failed(now_ns, ending)
        if ending is Ending.FIN:
            connection.close(OPENER)

    def over(self, now_ns: int) -> None:
        """The client's connection is over, and all that it still had."""
        if self not in self.process.streams:
            return
        self._stop_expecting()
        if self.backend is not None:
            self._finish(now_ns)
        self.settle()
        self.phase = Phase.OVER
        kept, self.kept = self.kept, None
        if kept is not None:
            kept.close(OPENER)
        self.front.close(ACCEPTOR)
        self._leave(now_ns)

    def retire(self, now_ns: int) -> None:
        """The process listens no more: who waits for nothing is let go."""
        if self.request is None:
            self.over(now_ns)


def _cookies(header: str | None) -> dict[str, str]:
    """A Cookie header taken apart."""
    pairs = [pair.partition("=") for pair in (header or "").split("; ") if pair]
    return {name: value for name, _, value in pairs}
