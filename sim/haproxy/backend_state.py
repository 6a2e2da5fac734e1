"""A backend of a running HAProxy: its servers, who waits for one of them, and what is counted."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

from sim.haproxy.acls import Circumstances, Rules
from sim.haproxy.balance import Asked, Balancer, follows_weights
from sim.haproxy.cookies import Persistence
from sim.haproxy.counters import Rate, Times
from sim.haproxy.health import ServerHealth, State, StateChanged
from sim.haproxy.patience import Patience
from sim.haproxy.server_state import ServerState

_MS = 1_000_000

if TYPE_CHECKING:
    from sim.flow.connection import Connection
    from sim.haproxy.process import HaproxyProcess
    from sim.haproxy.stream import Stream
    from vrrp.config.haproxy.model import Backend


class BackendState:
    """A backend as it is now. Counters have the names of `show stat`'s columns."""

    def __init__(self, process: HaproxyProcess, spec: Backend, fullconn: int) -> None:
        self.process = process
        self.spec = spec
        self.fullconn = fullconn
        follows = follows_weights(spec.balance)
        self.servers = [
            ServerState(self, server, index, ServerHealth(server, follows_weights=follows))
            for index, server in enumerate(spec.servers)
        ]
        stream = process.node.kernel.stream(f"haproxy/{process.node.name}/{spec.name}")
        self.balancer: Balancer[ServerState] = Balancer(spec, self.servers, stream)
        self.persistence = Persistence(spec.cookie, spec.servers) if spec.cookie is not None else None
        self._rules = Rules(spec.acls)
        self.queue: deque[Stream] = deque()
        self.scur = self.smax = self.stot = self.qmax = self.bin = self.bout = 0
        self.econ = self.eresp = self.wretr = self.wredis = self.cli_abrt = self.srv_abrt = 0
        self.connect = self.reuse = self.req_tot = self.lbtot = self.dresp = self.chkdown = 0
        self.hrsp = [0] * 6
        self.last_session_ns = -1
        self.lastchg_ns = process.born_ns
        self.downtime_ns = 0
        self.rate = Rate()
        self.times = Times()
        self._dynamic = any(server.minconn or server.slowstart_ns for server in spec.servers)
        timeouts = spec.timeouts
        self.connecting = self._patience(timeouts.connect_ns, "connect")
        self.queueing = self._patience(timeouts.queue_ns, "queue")
        self.answering = self._patience(timeouts.server_ns, "server")

    def _patience(self, after_ns: int | None, what: str) -> Patience[Stream] | None:
        if after_ns is None:
            return None
        alive = self.process

        def expire(now_ns: int, stream: Stream) -> None:
            if alive.alive:
                stream.expired(now_ns, what)

        return Patience(self.process.node.kernel, after_ns, expire)

    @property
    def up(self) -> bool:
        """Whether any server may be given something; a backend without servers is up as well."""
        return self.balancer.alive > 0 or not self.servers

    # Sessions -------------------------------------------------------------------------------------------

    def enter(self, now_ns: int) -> None:
        """One more session is here."""
        self.scur += 1
        self.stot += 1
        self.smax = max(self.smax, self.scur)
        self.rate.add(now_ns)
        if self._dynamic:
            self._set_limits(now_ns)

    def leave(self, now_ns: int) -> None:
        """A session is over."""
        self.scur -= 1
        if self._dynamic:
            self._set_limits(now_ns)

    def _set_limits(self, now_ns: int) -> None:
        """What each server may have now: between minconn and maxconn by the load, less while it starts slowly."""
        for server in self.servers:
            spec = server.spec
            most = server.health.maxconn
            if most and spec.minconn and self.scur < self.fullconn:
                most = max(spec.minconn, self.scur * most // self.fullconn)
            throttle = server.health.throttle
            if most and throttle is not None:
                gone = 100 * (now_ns - server.health.lastchg_ns) // spec.slowstart_ns
                most = max(1, most * min(gone, 100) // 100)
            server.limit = most

    def choose(self, now_ns: int, asked: Asked, avoid: ServerState | None) -> ServerState | None:
        """The server that the algorithm gives; None when there is none or all are full."""
        chosen = self.balancer.choose(asked, avoid)
        if chosen is not None:
            self.lbtot += 1
            chosen.lbtot += 1
            self.last_session_ns = now_ns
        return chosen

    def wait(self, stream: Stream, server: ServerState | None) -> None:
        """Put a stream in the queue of a server, or where all are full in the backend's own."""
        if server is None:
            self.queue.append(stream)
            self.qmax = max(self.qmax, len(self.queue))
        else:
            server.queue.append(stream)
            server.queued = len(server.queue)
            server.qmax = max(server.qmax, server.queued)
            self.balancer.loaded(server)
        if self.queueing is not None:
            self.queueing.begin(stream)

    def forget(self, stream: Stream) -> None:
        """A stream waits no more."""
        if self.queueing is not None:
            self.queueing.end(stream)
        server = stream.server
        if server is not None and stream in server.queue:
            server.queue.remove(stream)
            server.queued = len(server.queue)
            self.balancer.loaded(server)
        elif stream in self.queue:
            self.queue.remove(stream)

    def serve(self, now_ns: int, server: ServerState) -> None:
        """A server may have room: give it those who wait, those who came first first."""
        while server.usable and (server.queue or self.queue) and (not server.limit or server.served < server.limit):
            stream = min([*(queue[0] for queue in (server.queue, self.queue) if queue)], key=lambda one: one.queued_ns)
            self.forget(stream)
            stream.serve(now_ns, server)

    def forced(self, of: Circumstances) -> ServerState | None:
        """The server of the first `use-server` that holds, if it is to be had."""
        for rule in self.spec.use_server:
            if self._rules.hold(rule.condition, of):
                for server in self.servers:
                    if server.spec.name == rule.name and server.reachable:
                        return server
        return None

    def count(self, stream: Stream, back: Connection | None, now_ns: int) -> None:
        """A stream is over: how long it took goes into the averages."""
        served_ns = stream.served_ns
        queue_ns = served_ns - stream.queued_ns if served_ns > stream.queued_ns else 0
        connect_ns = back.connected_ns - served_ns if back is not None and back.connected_ns > served_ns else 0
        times_ms = (
            queue_ns // _MS,
            connect_ns // _MS,
            stream.answer_ns // _MS,
            (now_ns - stream.began_ns) // _MS,
        )
        self.times.add(times_ms, self.stot)
        server = stream.server
        if server is not None:
            server.times.add(times_ms, server.stot)

    # Servers --------------------------------------------------------------------------------------------

    def changed(self, now_ns: int, server: ServerState, what: StateChanged) -> None:
        """A server went up or down."""
        was_up = self.up
        server.usable, server.weight_16ths = server.health.usable, server.health.weight_16ths
        self.balancer.changed(server)
        if was_up and not self.up:
            self.lastchg_ns = now_ns
            self.chkdown += 1
        elif not was_up and self.up:
            self.downtime_ns += now_ns - self.lastchg_ns
            self.lastchg_ns = now_ns
        if what.new in {State.DOWN, State.MAINT}:
            for stream in tuple(server.queue):
                self.forget(stream)
                stream.assign(now_ns, avoid=server)
        self.process.log(now_ns, f"server {self.spec.name}/{server.spec.name} is {what.new.value}", what.reason)

    def shut(self, now_ns: int, servers: Iterable[ServerState]) -> None:
        """Cut the sessions on these."""
        for server in servers:
            for stream in tuple(server.streams):
                stream.cut(now_ns)
