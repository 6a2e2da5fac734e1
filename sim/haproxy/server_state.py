"""A server of a running HAProxy: its health and checks, its load and queue, and what is counted of it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from sim.haproxy.contender import Contender
from sim.haproxy.counters import Rate, Times
from sim.haproxy.health import (
    BeginCheck,
    HealthEffects,
    ServerHealth,
    ShutdownBackupSessions,
    ShutdownSessions,
    State,
    StateChanged,
)
from sim.haproxy.idle import IdleConnections
from sim.haproxy.probe import AgentProbe, CheckProbe
from sim.kernel import LAST

if TYPE_CHECKING:
    from sim.haproxy.backend_state import BackendState
    from sim.haproxy.stream import Stream
    from vrrp.config.haproxy.model import Server


class ServerState(Contender):
    """A server as it is now. Counters have the names of `show stat`'s columns."""

    __slots__ = (
        "_armed_ns",
        "address",
        "backend",
        "bin",
        "bout",
        "cli_abrt",
        "connect",
        "econ",
        "eresp",
        "followers",
        "health",
        "hrsp",
        "idle",
        "index",
        "last_session_ns",
        "lbtot",
        "qmax",
        "queue",
        "rate",
        "req_tot",
        "reuse",
        "smax",
        "spec",
        "srv_abrt",
        "stot",
        "streams",
        "times",
        "wredis",
        "wretr",
    )

    def __init__(self, backend: BackendState, spec: Server, index: int, health: ServerHealth) -> None:
        super().__init__(spec.id or index + 1, backup=spec.backup, limit=spec.maxconn, maxqueue=spec.maxqueue)
        self.backend = backend
        self.spec = spec
        self.index = index
        self.health = health
        self.address = spec.address.packed if spec.address is not None else None
        self.usable = health.usable
        self.weight_16ths = health.weight_16ths
        self.followers: list[ServerState] = []
        """Those that track it."""
        self.streams: dict[Stream, None] = {}
        self.queue: deque[Stream] = deque()
        self.idle = IdleConnections()
        self.bin = self.bout = self.stot = self.smax = self.qmax = 0
        self.econ = self.eresp = self.wretr = self.wredis = self.cli_abrt = self.srv_abrt = 0
        self.connect = self.reuse = self.req_tot = self.lbtot = 0
        self.hrsp = [0] * 6
        self.last_session_ns = -1
        self.rate = Rate()
        self.times = Times()
        self._armed_ns = -1

    # Health ---------------------------------------------------------------------------------------------

    def begin(self, now_ns: int, first_check_ns: int, first_agent_ns: int) -> None:
        """HAProxy starts: the first checks begin so long from now."""
        self.apply(now_ns, self.health.start(now_ns, first_check_ns, first_agent_ns))

    def checked(self, now_ns: int, probe: CheckProbe) -> None:
        """A check ended."""
        if self.backend.process.alive and probe.run.result is not None:
            self.apply(now_ns, self.health.checked(now_ns, probe.run.result))

    def agent_failed(self, now_ns: int, probe: AgentProbe) -> None:
        """The agent could not be asked."""
        if self.backend.process.alive:
            self.apply(now_ns, self.health.agent_answered(now_ns, probe.result, None))

    def observe(self, now_ns: int, layer: int, *, ok: bool) -> None:
        """Traffic told how it is (`observe`)."""
        if self.spec.observe is not None:
            self.apply(now_ns, self.health.observed(now_ns, layer=layer, ok=ok))

    def apply(self, now_ns: int, effects: HealthEffects) -> None:
        """Do what its health asks for, and wait for what is next due."""
        health = self.health
        for effect in effects:
            if isinstance(effect, BeginCheck):
                if effect.agent:
                    AgentProbe(self).begin(now_ns)
                else:
                    CheckProbe(self).begin(now_ns)
            elif isinstance(effect, StateChanged):
                self.backend.changed(now_ns, self, effect)
            elif isinstance(effect, ShutdownSessions):
                self.backend.shut(now_ns, [self])
            elif isinstance(effect, ShutdownBackupSessions):
                self.backend.shut(now_ns, [one for one in self.backend.servers if one.backup])
        if effects and (self.usable, self.weight_16ths) != (health.usable, health.weight_16ths):
            self.usable, self.weight_16ths = health.usable, health.weight_16ths
            self.backend.balancer.changed(self)
        if effects:
            for one in self.followers:
                one.apply(now_ns, one.health.follow(now_ns, health))
            if self.usable:
                self.backend.serve(now_ns, self)
        self._arm()

    def _arm(self) -> None:
        due_ns = self.health.deadline_ns
        if due_ns is not None and due_ns != self._armed_ns:
            self._armed_ns = due_ns
            self.backend.process.node.kernel.agenda.add(due_ns, LAST, self._due, due_ns)

    def _due(self, due_ns: int) -> None:
        if due_ns == self._armed_ns and self.backend.process.alive:
            self._armed_ns = -1
            self.apply(due_ns, self.health.expire(due_ns))

    @property
    def reachable(self) -> bool:
        """Whether those may still have it who belong to it by a cookie."""
        return self.health.state not in {State.DOWN, State.MAINT}

    # Load -----------------------------------------------------------------------------------------------

    def take(self, now_ns: int) -> None:
        """One more session is its."""
        self.served += 1
        self.last_session_ns = now_ns
        self.smax = max(self.smax, self.served)
        self.backend.balancer.loaded(self)

    def let_go(self) -> None:
        """A session is its no more."""
        self.served -= 1
        self.backend.balancer.loaded(self)
