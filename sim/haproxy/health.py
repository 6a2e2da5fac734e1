"""The health of one server: what its checks, its agent, its traffic and its operator make of it.

Sans IO, like the protocol: each input takes the time and returns effects, nearly always the empty tuple; `deadline_ns`
says when `expire` is next due. HAProxy 2.6.12, measured: tests/haproxy/data/check_timing.json, health.json.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from sim.haproxy.agent import Admin, read_agent
from sim.haproxy.status import CheckResult, Status, Verdict
from sim.haproxy.watch import Watch
from vrrp.config.haproxy.model import Server
from vrrp.protocol.timers import NEVER, SECOND_NS

__all__ = [
    "Admin",
    "BeginCheck",
    "HealthEffects",
    "ServerHealth",
    "ShutdownBackupSessions",
    "ShutdownSessions",
    "State",
    "StateChanged",
    "WeightChanged",
]

_FULL_16THS = 16


class State(Enum):
    """What a server may be given; the value is what `show stat` writes first in `status`."""

    UP = "UP"
    NOLB = "NOLB"
    DRAIN = "DRAIN"
    DOWN = "DOWN"
    MAINT = "MAINT"


@dataclass(frozen=True, slots=True)
class BeginCheck:
    """Begin a check (the agent's, if `agent`), and report its end to `checked` or `agent_answered`."""

    agent: bool


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The server went from `old` to `new`; `reason` is as HAProxy's log gives it."""

    old: State
    new: State
    reason: str


@dataclass(frozen=True, slots=True)
class WeightChanged:
    """`weight_16ths` or `usable` is another now: the balancer has to be told."""


@dataclass(frozen=True, slots=True)
class ShutdownSessions:
    """Cut all connections to this server (on-marked-down)."""


@dataclass(frozen=True, slots=True)
class ShutdownBackupSessions:
    """Cut all connections to the backup servers of the backend (on-marked-up)."""


HealthEffect: TypeAlias = BeginCheck | StateChanged | WeightChanged | ShutdownSessions | ShutdownBackupSessions
HealthEffects: TypeAlias = tuple[HealthEffect, ...]

_WEIGHT_CHANGED = (WeightChanged(),)
_BEGIN_CHECK = BeginCheck(agent=False)
_BEGIN_AGENT = BeginCheck(agent=True)


class Phase(Enum):
    """How a server works, whatever its operator wants."""

    STOPPED = 0
    STARTING = 1
    RUNNING = 2
    STOPPING = 3


class ServerHealth:
    """One server of a backend.

    Attributes for readers: `state`, `usable` (whether the balancer may give it new clients), `weight_16ths` (the
    user's weight times 16, less while it starts slowly), `phase`, `deadline_ns`; `check` and `agent` (`Watch` or
    None), with their `health` and `last` result; and as columns of `show stat` `chkfail`, `chkdown`, `hanafail`,
    `lastchg_ns` (when it last changed), `downtime_ns(now_ns)`, `status_text`, `throttle`.
    """

    def __init__(self, server: Server, *, follows_weights: bool = True) -> None:
        """`follows_weights`: whether balancing can make use of a slow start (`balance.follows_weights`)."""
        self.server = server
        self.check: Watch | None = None
        if server.check is not None:
            check = server.check
            self.check = Watch(check.rise, check.fall, check.inter_ns, check.fastinter_ns, check.downinter_ns)
        self.agent: Watch | None = None
        if server.agent is not None:
            inter_ns = server.agent.inter_ns
            self.agent = Watch(1, 1, inter_ns, inter_ns, inter_ns)
        self.weight = server.weight
        self.maxconn = server.maxconn
        self.chkfail = self.chkdown = self.hanafail = 0
        self.lastchg_ns = 0
        self._downtime_ns = 0
        self._errors = 0
        self._admin = Admin.MAINT if server.disabled else Admin.READY
        self._inherited = Admin.READY
        self.phase = Phase.RUNNING
        self._ramp = _FULL_16THS
        self._tracked_via = f"{server.track[0]}/{server.track[1]}" if server.track is not None else ""
        self._tracked: ServerHealth | None = None
        self._slowstart_s = -(-server.slowstart_ns // SECOND_NS) if follows_weights else 0
        self._warm_ns = NEVER
        if server.disabled:
            self.phase = Phase.STOPPED
            self._pause(True)

    # What it is -----------------------------------------------------------------------------------------

    @property
    def admin(self) -> Admin:
        """What is wanted of it, by its operator or by that of the server which it tracks."""
        wanted = {self._admin, self._inherited}
        return next((one for one in (Admin.MAINT, Admin.DRAIN) if one in wanted), Admin.READY)

    @property
    def state(self) -> State:
        """What it is in effect."""
        admin = self.admin
        if admin is Admin.MAINT:
            return State.MAINT
        if self.phase is Phase.STOPPED:
            return State.DOWN
        if self.phase is Phase.STOPPING:
            return State.NOLB
        return State.DRAIN if admin is Admin.DRAIN else State.UP

    @property
    def usable(self) -> bool:
        """Whether the balancer may give it new clients."""
        return self.state is State.UP and self.weight > 0

    @property
    def weight_16ths(self) -> int:
        """The effective weight, in sixteenths: while it starts slowly it grows each second."""
        return self.weight * self._ramp

    @property
    def throttle(self) -> int | None:
        """Percent of its weight while it starts slowly (column `throttle`), else None."""
        return max(1, 100 * self._ramp // _FULL_16THS) if self.phase is Phase.STARTING else None

    @property
    def deadline_ns(self) -> int | None:
        """When `expire` is next due; None when there is nothing to wait for."""
        due_ns = min((self._warm_ns, *(watch.due_ns for watch in self._watches)))
        return None if due_ns >= NEVER else due_ns

    @property
    def status_text(self) -> str:
        """The column `status`, such as `UP 1/3`, `DOWN (agent)`, `MAINT (via b/s)`, `no check`."""
        state = self.state
        check, agent = self._watched()
        if state is State.MAINT:
            return f"MAINT (via {self._tracked_via})" if self._admin is not Admin.MAINT else "MAINT"
        if state is State.DOWN:
            if agent is not None and not agent.health:
                return "DOWN (agent)"
            return f"DOWN {check.health}/{check.rise}" if check is not None and check.health else "DOWN"
        if check is None and agent is None:
            return "no check" if state is State.UP else f"{state.value}"
        if state is State.DRAIN and agent is not None:
            return "DRAIN (agent)"
        if check is not None and check.health < check.full:
            return f"{state.value} {check.health - check.rise + 1}/{check.fall}"
        return f"{state.value}"

    def downtime_ns(self, now_ns: int) -> int:
        """How long it has been down in all."""
        return self._downtime_ns + (now_ns - self.lastchg_ns if self.phase is Phase.STOPPED else 0)

    # Inputs ---------------------------------------------------------------------------------------------

    def start(self, now_ns: int, first_check_ns: int = 0, first_agent_ns: int = 0) -> HealthEffects:
        """HAProxy starts: the first checks are due so long after `now_ns` (`spread.first_checks_ns`)."""
        self.lastchg_ns = now_ns
        if self.check is not None:
            self.check.due_ns = now_ns + first_check_ns
        if self.agent is not None:
            self.agent.due_ns = now_ns + first_agent_ns
        return self.expire(now_ns)

    def expire(self, now_ns: int) -> HealthEffects:
        """Time has passed: act on every deadline reached. Harmless when early."""
        effects: HealthEffects = ()
        if now_ns >= self._warm_ns:
            self._warm(now_ns)
            effects += _WEIGHT_CHANGED
        if self.check is not None and self.check.begin(now_ns):
            effects += (_BEGIN_CHECK,)
        if self.agent is not None and self.agent.begin(now_ns):
            effects += (_BEGIN_AGENT,)
        return effects

    def checked(self, now_ns: int, result: CheckResult) -> HealthEffects:
        """The running check ended so. Ignored when none is running."""
        check = self.check
        if check is None or not check.running:
            return ()
        effects = self._judge(now_ns, check, result)
        check.end(now_ns, down=self.phase is Phase.STOPPED)
        return effects

    def agent_answered(self, now_ns: int, result: CheckResult, answer: str | None) -> HealthEffects:
        """The agent's check ended; `answer` is its line ("up 50%", "drain", "down # why").

        None when there was none, and `result` says why: that an agent cannot be reached says nothing of its server.
        """
        agent = self.agent
        if agent is None or not agent.running:
            return ()
        effects: HealthEffects = ()
        if answer is None:
            agent.last = result
        else:
            said = read_agent(answer)
            if said.maxconn is not None:
                self.maxconn = said.maxconn
            if said.percent is not None:
                effects += self.set_weight(min(256, self.server.weight * said.percent // 100))
            if said.admin is not None:
                effects += self.administer(now_ns, said.admin)
            code = None if said.status is Status.CHECKED else 0
            result = CheckResult(said.status, code, said.text, result.duration_ns)
            effects += self._judge(now_ns, agent, result)
        agent.end(now_ns, down=self.phase is Phase.STOPPED)
        return effects

    def observed(self, now_ns: int, *, layer: int, ok: bool) -> HealthEffects:
        """Traffic told something: a connection (`layer` 4) or a response (7) was good or bad (`observe`)."""
        check, server = self.check, self.server
        if check is None or server.observe is None or (layer == 7 and server.observe == "layer4"):
            return ()
        if ok:
            # That a connection came about does not make up for a bad response.
            if layer == 7 or server.observe == "layer4":
                self._errors = 0
            return ()
        self._errors += 1
        if self._errors < server.error_limit:
            return ()
        self._errors = 0
        self.hanafail += 1
        effects: HealthEffects = ()
        if server.on_error != "fastinter":
            if server.on_error == "sudden-death":
                check.health = min(check.health, check.rise + 1)
            elif server.on_error == "mark-down":
                check.health = min(check.health, check.rise)
            cause = "Wrong http response" if layer == 7 else "L4 unsuccessful connection"
            text = f"Detected {server.error_limit} consecutive errors, last one was: {cause}"
            effects = self._judge(now_ns, check, CheckResult(Status.HANA, None, text))
        check.hurry(now_ns)
        return effects

    def administer(self, now_ns: int, admin: Admin) -> HealthEffects:
        """`set server … state`: ready, drain or maint."""
        return self._want(now_ns, admin, self._inherited, "by operator")

    def set_weight(self, weight: int) -> HealthEffects:
        """`set server … weight`: 0 to 256."""
        if weight == self.weight:
            return ()
        self.weight = weight
        return _WEIGHT_CHANGED

    def follow(self, now_ns: int, tracked: ServerHealth) -> HealthEffects:
        """The server that this one tracks is another than before: be as it is (`track`)."""
        self._tracked = tracked
        reason = f"via {self._tracked_via}"
        return self._want(now_ns, self._admin, tracked.admin, reason) + self._become(now_ns, tracked.phase, reason)

    # What follows ---------------------------------------------------------------------------------------

    def _watched(self) -> tuple[Watch | None, Watch | None]:
        """The checks that its state comes from, which may be those of another."""
        return (self.check, self.agent) if self._tracked is None else self._tracked._watched()

    @property
    def _watches(self) -> tuple[Watch, ...]:
        return tuple(watch for watch in (self.check, self.agent) if watch is not None)

    def _judge(self, now_ns: int, watch: Watch, result: CheckResult) -> HealthEffects:
        watch.last = result
        verdict = result.status.verdict
        self.chkfail += watch.count(verdict) and watch is self.check
        if verdict is Verdict.NEUTRAL:
            return ()
        reason = _reason(result, agent=watch is self.agent)
        if verdict is Verdict.FAILED:
            return self._become(now_ns, Phase.STOPPED, reason) if not watch.health else ()
        self._errors = 0
        if not all(one.well for one in self._watches):
            return ()
        return self._become(now_ns, Phase.STOPPING if verdict is Verdict.CONDITIONAL else Phase.RUNNING, reason)

    def _become(self, now_ns: int, phase: Phase, reason: str) -> HealthEffects:
        """Work so from now on, unless it does, or is in maintenance."""
        if phase is Phase.STARTING:
            phase = Phase.RUNNING
        present = Phase.RUNNING if self.phase is Phase.STARTING else self.phase
        if phase is present or self.admin is Admin.MAINT:
            return ()
        before = self.state
        self._turn(now_ns, phase)
        return self._told(before, reason)

    def _want(self, now_ns: int, own: Admin, inherited: Admin, reason: str) -> HealthEffects:
        before, was = self.state, self.admin
        self._admin, self._inherited = own, inherited
        if self.admin is was:
            return ()
        if self.admin is Admin.MAINT:
            self._pause(True)
            self._turn(now_ns, Phase.STOPPED)
        elif was is Admin.MAINT:
            # Time in maintenance is no downtime once it is over (measured).
            self.lastchg_ns = now_ns
            self._pause(False)
            self._turn(now_ns, Phase.RUNNING)
        else:
            if was is Admin.DRAIN:
                self._downtime_ns += now_ns - self.lastchg_ns
            self.lastchg_ns = now_ns
        return self._told(before, reason)

    def _turn(self, now_ns: int, phase: Phase) -> None:
        if self.phase is Phase.STOPPED:
            self._downtime_ns += now_ns - self.lastchg_ns
        elif phase is Phase.STOPPED:
            self.chkdown += 1
        self.phase = phase
        self.lastchg_ns = now_ns
        self._warm_ns, self._ramp = NEVER, _FULL_16THS
        if phase is Phase.RUNNING and self._slowstart_s:
            self.phase = Phase.STARTING
            self._warm(now_ns)

    def _told(self, before: State, reason: str) -> HealthEffects:
        after = self.state
        if after is before:
            return ()
        effects: HealthEffects = (StateChanged(before, after, reason),)
        if after in {State.DOWN, State.MAINT} and self.server.on_marked_down == "shutdown-sessions":
            effects += (ShutdownSessions(),)
        if self.usable and not self.server.backup and self.server.on_marked_up == "shutdown-backup-sessions":
            effects += (ShutdownBackupSessions(),)
        return effects

    def _pause(self, paused: bool) -> None:
        """Checks rest in maintenance; the agent does not, for it may end it."""
        if self.check is not None:
            self.check.paused = paused
            self.check.health = 0 if paused else self.check.rise

    def _warm(self, now_ns: int) -> None:
        """A step of the slow start: HAProxy counts whole seconds of the clock."""
        gone_s = now_ns // SECOND_NS - self.lastchg_ns // SECOND_NS
        if gone_s >= self._slowstart_s:
            self.phase, self._ramp, self._warm_ns = Phase.RUNNING, _FULL_16THS, NEVER
        else:
            self._ramp = (_FULL_16THS * gone_s + self._slowstart_s) // self._slowstart_s
            self._warm_ns = now_ns + SECOND_NS


def _reason(result: CheckResult, *, agent: bool) -> str:
    """As the log has it: `Layer7 wrong status, code: 503, info: "Service Unavailable", check duration: 2ms`."""
    parts = [f"Agent check: {result.status.value}" if agent else result.status.value]
    parts += [f"code: {result.code}"] if result.code is not None else []
    parts += [f'info: "{result.text}"'] if result.text else []
    parts += [f"check duration: {result.duration_ns // 1_000_000}ms"] if result.status is not Status.HANA else []
    return ", ".join(parts)
