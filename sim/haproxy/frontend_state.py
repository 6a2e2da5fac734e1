"""A frontend of a running HAProxy: who comes in, who waits outside, and what is counted."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from sim.haproxy.counters import Rate
from sim.haproxy.patience import Patience
from sim.haproxy.tcp_stream import TcpStream

if TYPE_CHECKING:
    from sim.flow.connection import Connection
    from sim.flow.endpoint import Endpoint
    from sim.flow.message import Message
    from sim.haproxy.backend_state import BackendState
    from sim.haproxy.process import HaproxyProcess
    from sim.haproxy.stream import Stream
    from vrrp.config.haproxy.model import Frontend


class FrontendState:
    """A frontend as it is now: the listener of its ports. Counters have the names of `show stat`'s columns."""

    def __init__(self, process: HaproxyProcess, spec: Frontend, maxconn: int) -> None:
        self.process = process
        self.spec = spec
        self.maxconn = maxconn
        self.scur = self.smax = self.stot = self.bin = self.bout = 0
        self.ereq = self.dreq = self.req_tot = self.intercepted = self.cli_abrt = 0
        self.hrsp = [0] * 6
        self.rate = Rate()
        self.req_rate = Rate()
        self.outside: deque[TcpStream] = deque()
        """Connections that the kernel has accepted and HAProxy has not, being full."""
        timeouts = spec.timeouts
        self.idling = self._patience(timeouts.client_ns, "client")

    def _patience(self, after_ns: int | None, what: str) -> Patience[Stream] | None:
        if after_ns is None:
            return None
        process = self.process

        def expire(now_ns: int, stream: Stream) -> None:
            if process.alive:
                stream.expired(now_ns, what)

        return Patience(process.node.kernel, after_ns, expire)

    @property
    def default(self) -> BackendState | None:
        """The default backend."""
        name = self.spec.default_backend
        return self.process.backends.get(self.spec.name if name is None and self.spec.listen else name or "")

    # As a listener ----------------------------------------------------------------------------------------

    def accepts(self, at_ns: int, connection: Connection, message: Message) -> Endpoint | None:
        """Nobody knows before: it is counted, and a server is picked."""
        return None

    def accept(self, now_ns: int, connection: Connection, message: Message) -> Endpoint | None:
        """A connection is established."""
        stream = TcpStream(self, connection)
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
