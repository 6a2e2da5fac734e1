"""What virtual routers follow, sans IO: scripts, links, files and processes, and what each does to a priority.

Of scripts: when to run one, when to kill it, and what its results mean. keepalived's rules (2.2.7, measured): a
script starts at once and then every `interval`; the phase drifts 0.1 to 1.3 ms a run. A run still going when the next
is due does not hold that one up, though the log says "skipping run" (measured: they overlap, and each ends or times
out for itself); a run past its `timeout` is killed and counts as a failure, unless another ended since the last one
was begun: with that it takes the script to be at rest (measured). `fall` failures in a row bring it down, `rise`
successes in a row bring it up, except that the first result of all counts at once.
"""

from __future__ import annotations

from typing import TypeAlias

from vrrp.protocol.effects import Effects, KillScript, RunScript
from vrrp.protocol.settings import FileConfig, ProcessConfig, ScriptConfig
from vrrp.protocol.timers import NEVER

LOWEST_PRIORITY = 1
HIGHEST_PRIORITY = 254
SCRIPT_RUN_NS = 4_000_000
"""From starting a check script to its result: fork, shell and a test of one file (measured: 3 to 15 ms)."""
OVERDUE_NS = 1_000_000
"""A run is killed this much after its timeout (keepalived, measured: 0.7 to 1.5 ms), so that one that is begun at the
same moment is found running."""
RUN_DRIFT_NS = 600_000
"""A run that is late puts off the next by at most this (keepalived, measured: 0.1 ms a run on an idle machine, though
some were 3 to 6 ms late, 1.3 ms on a busy one); one late by a whole interval, after SIGSTOP, begins a new row."""
FAULT_WEIGHT = 254
"""A file that would take away this much holds its followers in FAULT instead; it adds at most one less."""


class ScriptTracker:
    """One track script. `up` is None before the first result; `wake_ns` says when to call `expire`.

    `results` counts the runs that ended. Of several runs that overlap, the one that ends is the last begun:
    those before it hang.
    """

    __slots__ = ("_at_rest", "_kills_ns", "_next_ns", "_streak", "config", "reason", "results", "up")

    def __init__(self, config: ScriptConfig) -> None:
        self.config = config
        self.up: bool | None = False if config.init_fail else None
        self.reason = "init_fail" if config.init_fail else "no result yet"
        self.results = 0
        self._at_rest = True
        self._streak = 0
        self._next_ns = NEVER
        self._kills_ns: list[int] = []
        """When each run still going is to be killed, the first begun first."""

    def remember(self, before: ScriptTracker) -> None:
        """Take over the verdict of an earlier configuration's script; rise and fall count anew (measured)."""
        if before.up is not None:
            self.up, self.reason, self.results = before.up, before.reason, before.results

    @property
    def wake_ns(self) -> int:
        """The earlier of the next run and the running one's timeout."""
        return min(self._next_ns, self._kills_ns[0]) if self._kills_ns else self._next_ns

    @property
    def running(self) -> bool:
        """Whether a run was asked for and has neither ended nor been killed."""
        return bool(self._kills_ns)

    def start(self, now_ns: int) -> Effects:
        """Begin: the first run is due at once."""
        self._next_ns = now_ns
        return self.expire(now_ns)[0]

    def expire(self, now_ns: int) -> tuple[Effects, bool]:
        """Time has passed: the effects, and whether the script's verdict changed."""
        if self.wake_ns < self._next_ns:
            effects, changed = self._kill(now_ns)
            return effects + self._run(now_ns), changed
        begun = self._run(now_ns)
        effects, changed = self._kill(now_ns)
        return begun + effects, changed

    def _run(self, now_ns: int) -> Effects:
        if now_ns < self._next_ns:
            return ()
        late_ns = now_ns - self._next_ns
        if late_ns < self.config.interval_ns:
            late_ns = min(late_ns, RUN_DRIFT_NS)
        self._next_ns += late_ns + self.config.interval_ns
        self._kills_ns.append(now_ns + self.config.timeout_ns + OVERDUE_NS)
        self._at_rest = False
        return (RunScript(self.config.name),)

    def _kill(self, now_ns: int) -> tuple[Effects, bool]:
        if not self._kills_ns or now_ns < self._kills_ns[0]:
            return (), False
        del self._kills_ns[0]
        return (KillScript(self.config.name),), not self._at_rest and self._result(False, "timed out")

    def finished(self, ok: bool) -> bool:
        """The running script ended; True when that was its first verdict or another. Ignored when none is running."""
        if not self._kills_ns:
            return False
        del self._kills_ns[-1]
        return self._result(ok, "succeeded" if ok else "failed")

    def influence(self, weight: int, reverse: bool) -> int | None:
        """What it adds to a priority; None: it holds the virtual router in FAULT."""
        return _influence(self.up, weight, reverse)

    def _result(self, ok: bool, verb: str) -> bool:
        self._at_rest = True
        first, self.results = not self.results, self.results + 1
        if ok is self.up and not first:
            self._streak = 0
            return False
        self._streak += 1
        if not first and self._streak < (self.config.rise if ok else self.config.fall):
            return False
        times = "once" if self._streak == 1 else f"{self._streak} times"
        self.up, self.reason, self._streak = ok, f"{self.config.name} {verb} {times}", 0
        return True


class Delayed:
    """A verdict that turns after a while, unless it has turned back by then. `wake_ns`: when to call `expire`."""

    __slots__ = ("_down_delay_ns", "_up_delay_ns", "_wanted", "up", "wake_ns")

    def __init__(self, up_delay_ns: int, down_delay_ns: int) -> None:
        self.up = self._wanted = True
        self.wake_ns = NEVER
        self._up_delay_ns = up_delay_ns
        self._down_delay_ns = down_delay_ns

    def settle(self, up: bool) -> None:
        """So it is, without delay: what is found at the start."""
        self.up = self._wanted = up
        self.wake_ns = NEVER

    def turn(self, now_ns: int, up: bool) -> bool:
        """So it is from now on; True when that changed the verdict at once."""
        self._wanted = up
        if up is self.up:
            self.wake_ns = NEVER
        elif self.wake_ns == NEVER:
            self.wake_ns = now_ns + (self._up_delay_ns if up else self._down_delay_ns)
        return self.expire(now_ns)[1]

    def expire(self, now_ns: int) -> tuple[Effects, bool]:
        """Time has passed: no effects, and whether the verdict changed."""
        if now_ns < self.wake_ns:
            return (), False
        self.settle(self._wanted)
        return (), True

    def influence(self, weight: int, reverse: bool) -> int | None:
        """What it adds to a priority; None: it holds the virtual router in FAULT."""
        return _influence(self.up, weight, reverse)


class Link(Delayed):
    """An interface's carrier."""

    __slots__ = ("name",)

    def __init__(self, name: str, up_delay_ns: int = 0, down_delay_ns: int = 0) -> None:
        super().__init__(up_delay_ns, down_delay_ns)
        self.name = name

    @property
    def reason(self) -> str:
        """What became of it, in words."""
        return f"{self.name} is {'up' if self.up else 'down'}"


class ProcessTracker(Delayed):
    """Processes of one kind, counted by whoever drives this; `up` while there are enough and not too many."""

    __slots__ = ("config", "count")

    def __init__(self, config: ProcessConfig) -> None:
        super().__init__(config.fork_delay_ns, config.terminate_delay_ns)
        self.config = config
        self.found(config.quorum)

    @property
    def _quorum(self) -> bool:
        most = self.count if self.config.quorum_max is None else self.config.quorum_max
        return self.config.quorum <= self.count <= most

    @property
    def reason(self) -> str:
        """What became of it, in words."""
        if self.config.judged:
            return f"{self.config.name} is {'up' if self.count else 'down'}"
        return f"{self.config.name} runs {'once' if self.count == 1 else f'{self.count} times'}"

    def found(self, count: int) -> None:
        """So many run before the router starts: counted without delay."""
        self.count = count
        self.settle(self._quorum)

    def set_count(self, now_ns: int, count: int) -> bool:
        """So many run now; True when that changed the verdict at once."""
        self.count = count
        return self.turn(now_ns, self._quorum)


class FileTracker:
    """A file with a number in it, read by whoever drives this."""

    __slots__ = ("config", "value")

    def __init__(self, config: FileConfig) -> None:
        self.config = config
        self.value = config.initial

    @property
    def reason(self) -> str:
        """What became of it, in words."""
        return f"{self.config.name} says {self.value}"

    def influence(self, weight: int, reverse: bool) -> int | None:
        """What it adds to a priority; None: it holds the virtual router in FAULT (keepalived 2.2.7, measured)."""
        if not weight:
            return 0 if bool(self.value) is reverse else None
        added = self.value * weight * (-1 if reverse else 1)
        return None if added <= -FAULT_WEIGHT else min(added, FAULT_WEIGHT - 1)


Subject: TypeAlias = ScriptTracker | Link | FileTracker | ProcessTracker
"""Whatever a virtual router can follow."""


def _influence(up: bool | None, weight: int, reverse: bool) -> int | None:
    """A verdict's: a positive weight counts while it is up, a negative one while it is not (None: not known)."""
    if not weight:
        return None if up is None or up is reverse else 0
    return (-weight if reverse else weight) if up is (weight > 0) else 0


def effective_priority(base: int, adjustments: int) -> int:
    """The base priority moved by the sum of the weights, kept within 1 to 254 (keepalived, measured).

    Priority 255 is the owner's and never moves (keepalived ignores weights there).
    """
    if base > HIGHEST_PRIORITY:
        return base
    return max(LOWEST_PRIORITY, min(HIGHEST_PRIORITY, base + adjustments))
