"""The health of one server: what its checks, its agent, its traffic and its operator make of it.

Sans IO, like the protocol: each input takes the time and returns effects, nearly always the empty tuple; `deadline_ns`
says when `expire` is next due.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from sim.haproxy.status import CheckResult
from vrrp.config.haproxy.model import Server


class State(Enum):
    """What a server may be given. The value is what `show stat` writes first in `status`."""

    UP = "UP"
    NOLB = "NOLB"
    DRAIN = "DRAIN"
    DOWN = "DOWN"
    MAINT = "MAINT"


class Admin(Enum):
    """What an operator, or the agent, wants."""

    READY = "ready"
    DRAIN = "drain"
    MAINT = "maint"


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
    """`weight_16ths` is another now: the balancer has to be told."""


@dataclass(frozen=True, slots=True)
class ShutdownSessions:
    """Cut all connections to this server (on-marked-down)."""


@dataclass(frozen=True, slots=True)
class ShutdownBackupSessions:
    """Cut all connections to the backup servers of the backend (on-marked-up)."""


HealthEffect: TypeAlias = BeginCheck | StateChanged | WeightChanged | ShutdownSessions | ShutdownBackupSessions
HealthEffects: TypeAlias = tuple[HealthEffect, ...]


class ServerHealth:
    """One server of a backend.

    Attributes for readers: `state`, `usable` (whether the balancer may give it new clients: up, and its weight is
    not 0), `weight_16ths` (effective weight: the user's, times 16, less while it starts slowly), `deadline_ns`;
    counters as columns of `show stat`: `chkfail`, `chkdown`, `hanafail`, `lastchg_ns` (when it last changed),
    `downtime_ns(now)`, `check_health`, `agent_health`; `last` and `last_agent` (results or None), `status_text`.
    """

    def __init__(self, server: Server, *, dynamic: bool = True) -> None:
        """`dynamic`: whether the balancing algorithm can follow weights (not static-rr and hashes by map)."""
        raise NotImplementedError

    # Inputs ---------------------------------------------------------------------------------------------

    def start(self, now_ns: int, first_check_ns: int = 0, first_agent_ns: int = 0) -> HealthEffects:
        """HAProxy starts: the first checks are due so long after `now_ns` (`spread.first_checks_ns`)."""
        raise NotImplementedError

    def expire(self, now_ns: int) -> HealthEffects:
        """Time has passed: act on every deadline reached. Harmless when early."""
        raise NotImplementedError

    def checked(self, now_ns: int, result: CheckResult) -> HealthEffects:
        """The running check ended so. Ignored when none is running."""
        raise NotImplementedError

    def agent_answered(self, now_ns: int, result: CheckResult, answer: str | None) -> HealthEffects:
        """The agent's check ended; `answer` is its line ("up 50%", "drain", "down # why"), None without one."""
        raise NotImplementedError

    def observed(self, now_ns: int, *, layer: int, ok: bool) -> HealthEffects:
        """Traffic told something: a connection (`layer` 4) or a response (7) was good or bad (`observe`)."""
        raise NotImplementedError

    def administer(self, now_ns: int, admin: Admin) -> HealthEffects:
        """`set server … state`: ready, drain or maint."""
        raise NotImplementedError

    def set_weight(self, now_ns: int, weight: int) -> HealthEffects:
        """`set server … weight`: 0 to 256."""
        raise NotImplementedError

    def follow(self, now_ns: int, tracked: ServerHealth) -> HealthEffects:
        """The server that this one tracks changed: be as it is (`track`)."""
        raise NotImplementedError

    @property
    def deadline_ns(self) -> int | None:
        """When `expire` is next due; None when there is nothing to wait for."""
        raise NotImplementedError
