"""HAProxy on a node: what a scenario's events do to it, and one life of its process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.flow.program import Program
from sim.haproxy.backend_state import BackendState
from sim.haproxy.frontend_state import Door, FrontendState
from sim.haproxy.spread import first_checks_ns
from sim.haproxy.statistics import Row, rows
from sim.result import Said
from vrrp.config.haproxy.model import Backend, Bind, Frontend, HaproxyModel

if TYPE_CHECKING:
    from sim.flow.flows import Flows
    from sim.haproxy.stream import Stream
    from sim.node import Node

START_NS = (40_000_000, 60_000_000)
"""From the start of the program to its sockets, at least and at most: it reads its file (2.6.12, measured)."""
MAXCONN = 262_126
"""`maxconn` of the process where the file has none: by the limit of open files of Debian's service (524288)."""


class Haproxy:
    """HAProxy on a node: a `Balancer`. `said` is what it had to say of its servers and itself."""

    name = "haproxy"

    def __init__(self, node: Node, flows: Flows, model: HaproxyModel, file: str = "haproxy.cfg") -> None:
        self.node = node
        self.flows = flows
        self.model = model
        """What stands in its file now."""
        self.file = file
        self.said: list[Said] = []
        self.process: HaproxyProcess | None = None
        self._older: list[HaproxyProcess] = []
        self._starts = 0

    @property
    def running(self) -> bool:
        """Whether it has a process now."""
        return any(one.alive for one in self._processes)

    def statistics(self, now_ns: int) -> list[Row]:
        """What `show stat` says now; nothing where nobody runs who could."""
        process = self.process
        return rows(process, now_ns) if process is not None and process.alive else []

    @property
    def _processes(self) -> list[HaproxyProcess]:
        self._older = [one for one in self._older if one.alive]
        return [*self._older, *([self.process] if self.process is not None and self.process.alive else [])]

    def start(self, now_ns: int) -> None:
        """Start it; nothing where it runs."""
        if not self.running:
            self._later(now_ns)

    def kill(self, now_ns: int) -> None:
        """SIGKILL: nobody says goodbye but the kernel, which closes its sockets."""
        self._starts += 1
        for process in self._processes:
            process.end(now_ns)

    def stop(self, now_ns: int) -> None:
        """SIGTERM: the same to all who are connected (2.6.12, measured: FIN on all connections at once)."""
        self.kill(now_ns)

    def reload(self, now_ns: int) -> None:
        """A new process reads the file; once it has, the old one listens no more, and ends with its last stream."""
        if self.running:
            self._later(now_ns)
        else:
            self.start(now_ns)

    def _later(self, now_ns: int) -> None:
        self._starts += 1
        start = self._starts
        after_ns = self.node.kernel.stream(f"haproxy/{self.node.name}/start").randint(*START_NS)
        self.node.kernel.at(now_ns + after_ns, lambda: self._come_up(start))

    def _come_up(self, start: int) -> None:
        if start != self._starts or not self.node.powered:
            return
        now_ns = self.node.kernel.now_ns
        for process in self._processes:
            process.retire(now_ns)
            self._older.append(process)
        self.process = HaproxyProcess(self)
        self.process.begin(now_ns)


class HaproxyProcess(Program):
    """One life of HAProxy: what it listens on, its frontends, backends and streams."""

    def __init__(self, haproxy: Haproxy) -> None:
        super().__init__(haproxy.node, haproxy.name)
        self.haproxy = haproxy
        self.flows = haproxy.flows
        self.model = model = haproxy.model
        self.born_ns = haproxy.node.kernel.now_ns
        self.retired = False
        self.streams: dict[Stream, None] = {}
        """Those that go on, the first begun first."""
        maxconn = model.global_.maxconn or MAXCONN
        self.frontends = {
            one.name: FrontendState(self, one, one.maxconn or maxconn) for one in model.frontends if not one.disabled
        }
        self.backends = {
            one.name: BackendState(self, one, _fullconn(model, one, maxconn))
            for one in model.backends
            if not one.disabled
        }

    def begin(self, now_ns: int) -> None:
        """Bind, and begin to check; where it cannot bind it does not start at all."""
        for frontend in self.frontends.values():
            for bind in frontend.spec.binds:
                try:
                    self._bind(frontend, bind)
                except OSError as error:
                    where = f"{bind.address or '*'}:{bind.port}"
                    why = f"{self.haproxy.file}:{bind.line}: cannot bind socket ({error.strerror}) for [{where}]"
                    self.log(now_ns, "haproxy does not start", why)
                    self.end(now_ns)
                    return
        self._track(now_ns)
        first_ns = first_checks_ns(self.model)
        for backend in self.backends.values():
            name = backend.spec.name
            for server in backend.servers:
                check_ns = first_ns.get((name, server.spec.name, False), 0)
                agent_ns = first_ns.get((name, server.spec.name, True), 0)
                server.begin(now_ns, check_ns, agent_ns)

    def _bind(self, frontend: FrontendState, bind: Bind) -> None:
        if bind.family not in {"ipv4", "ipv6"} or (bind.family == "ipv6" and bind.address is None and not bind.v4v6):
            return
        address = bind.address.packed if bind.address is not None else None
        if any((one.address, one.port) == (address, bind.port) for one in self.sockets):
            # Its sockets share a port (SO_REUSEPORT), and the kernel gives each a part of what comes.
            return
        self.listen(address, bind.port, Door(frontend, tls=bind.ssl), transparent=bind.transparent)

    def _track(self, now_ns: int) -> None:
        for backend in self.backends.values():
            for server in backend.servers:
                if server.spec.track is not None:
                    name, tracked = server.spec.track
                    there = self.backends.get(name)
                    for one in there.servers if there is not None else ():
                        if one.spec.name == tracked:
                            one.followers.append(server)

    def retire(self, now_ns: int) -> None:
        """Another has taken over: listen no more, and end with the last stream."""
        self.node.kernel.changed()
        self.retired = True
        for socket in self.sockets:
            self.node.sockets.unbind(socket)
        self.sockets.clear()
        for stream in tuple(self.streams):
            stream.retire(now_ns)
        self.leave(now_ns)

    def leave(self, now_ns: int) -> None:
        """A stream is over: perhaps it was what kept an old process."""
        if self.retired and self.alive and not self.streams:
            self.end(now_ns)

    def catch_up(self) -> None:
        """Count all that went through by now."""
        for stream in tuple(self.streams):
            self.flows.catch_up(stream.flow)
            stream.settle()

    def log(self, now_ns: int, what: str, why: str) -> None:
        """Something that its log would tell."""
        self.haproxy.said.append(Said(now_ns, self.node.name, what, why))


def _fullconn(model: HaproxyModel, backend: Backend, maxconn: int) -> int:
    """At how many sessions its servers may have all that they may: a tenth of what its frontends let in."""
    if backend.fullconn is not None:
        return backend.fullconn
    total = sum(one.maxconn or maxconn for one in model.frontends if _uses(one, backend.name))
    return max(1, -(-total // 10))


def _uses(frontend: Frontend, backend: str) -> bool:
    names = {rule.name for rule in frontend.rules} | {frontend.default_backend}
    return backend in names or (frontend.listen and frontend.name == backend)
