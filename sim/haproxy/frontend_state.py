"""A frontend of a running HAProxy: who comes in, who waits outside, and what is counted."""

from __future__ import annotations

from collections import deque
from functools import cached_property
from typing import TYPE_CHECKING

from sim.haproxy.acls import Circumstances, Rules
from sim.haproxy.counters import Rate
from sim.haproxy.http_stream import HttpStream
from sim.haproxy.patience import Patience
from sim.haproxy.tcp_stream import TcpStream
from vrrp.protocol.timers import NEVER

if TYPE_CHECKING:
    from sim.flow.connection import Connection
    from sim.flow.endpoint import Endpoint
    from sim.flow.message import Message
    from sim.haproxy.backend_state import BackendState
    from sim.haproxy.process import HaproxyProcess
    from sim.haproxy.stream import Stream
    from vrrp.config.haproxy.model import Frontend


class FrontendState:
    """A frontend as it is now. Counters have the names of `show stat`'s columns."""

    def __init__(self, process: HaproxyProcess, spec: Frontend, maxconn: int) -> None:
        self.process = process
        self.spec = spec
        self.maxconn = maxconn
        self.scur = self.smax = self.stot = self.bin = self.bout = 0
        self.ereq = self.dreq = self.req_tot = self.intercepted = self.cli_abrt = 0
        self.hrsp = [0] * 6
        self.rate = Rate()
        self.req_rate = Rate()
        self.outside: deque[Stream] = deque()
        """Connections that the kernel has accepted and HAProxy has not, being full."""
        self._rules = Rules(spec.acls)
        timeouts = spec.timeouts
        lengths = {
            "client": timeouts.client_ns,
            "http-request": timeouts.http_request_ns,
            "http-keep-alive": timeouts.http_keep_alive_ns,
        }
        self.patience = {what: self._patience(after_ns or NEVER, what) for what, after_ns in lengths.items()}
        self.idling = self.patience["client"] if timeouts.client_ns is not None else None
        self.asking = "http-request" if timeouts.http_request_ns is not None else "client"
        self.keeping = "http-keep-alive" if timeouts.http_keep_alive_ns is not None else "client"
        """Which timeout waits for the first request of a connection, and which for those that follow."""

    def _patience(self, after_ns: int, what: str) -> Patience[Stream]:
        process = self.process

        def expire(now_ns: int, stream: Stream) -> None:
            if process.alive:
                stream.expired(now_ns, what)

        return Patience(process.node.kernel, after_ns, expire)

    def backend_for(self, of: Circumstances) -> BackendState | None:
        """The backend of the first rule that holds, else the default one."""
        for rule in self.spec.rules:
            if self._rules.hold(rule.condition, of):
                return self.process.backends.get(rule.name)
        return self.default

    @cached_property
    def default(self) -> BackendState | None:
        """The backend of those for whom no rule holds."""
        name = self.spec.default_backend
        return self.process.backends.get(self.spec.name if name is None and self.spec.listen else name or "")

    def admit(self, now_ns: int, connection: Connection, message: Message, *, tls: bool) -> Endpoint:
        """A connection is established, at a port where TLS is spoken or not."""
        kind: type[Stream] = HttpStream if self.spec.mode == "http" else TcpStream
        stream = kind(self, connection, tls=tls)
        if self.scur >= self.maxconn:
            self.outside.append(stream)
        else:
            self.enter(now_ns)
            stream.begin(now_ns, spoken=message is not None)
        return stream

    def enter(self, now_ns: int) -> None:
        """One more session."""
        self.scur += 1
        self.stot += 1
        self.smax = max(self.smax, self.scur)
        self.rate.add(now_ns)

    def leave(self, now_ns: int) -> None:
        """A session is over: somebody may come in."""
        self.scur -= 1
        while self.outside and self.scur < self.maxconn:
            stream = self.outside.popleft()
            self.enter(now_ns)
            stream.begin(now_ns, spoken=stream.first is not None)


class Door:
    """One address and port of a frontend: the listener there."""

    def __init__(self, frontend: FrontendState, *, tls: bool) -> None:
        self._frontend = frontend
        self._tls = tls

    def accepts(self, at_ns: int, connection: Connection, message: Message) -> Endpoint | None:
        """Nobody knows before: it is counted, and a server is picked."""
        return None

    def accept(self, now_ns: int, connection: Connection, message: Message) -> Endpoint | None:
        """A connection is established."""
        return self._frontend.admit(now_ns, connection, message, tls=self._tls)
