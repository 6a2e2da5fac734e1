"""Many virtual routers: what they cost, and how punctually their advertisements leave.

The two programs run one after the other, a master and a backup each, for as long as each other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.engines import ENGINES, PRIORITY, Engine, Setting
from benchmarks.lan import NODES, Lan, Sent, lan
from vrrp.protocol.timers import master_down_ns

SETTLED_S = 6.0
"""A master's second announcements, five seconds after the first, are over then."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What the processes of a node used: CPU milliseconds for each second, and the peak of their memory."""

    cpu_ms: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Load:
    """How one program did."""

    engine: str
    setting: Setting
    seconds: float
    master: Cost
    backup: Cost
    sent: int
    late_ns: tuple[int, ...]
    """Of each advertisement after the first of its virtual router: by how much its gap was longer than it should."""
    intruders: int
    """Advertisements of the backup, which should have none."""
    last_takeover_ns: int | None
    """The latest of all takeovers when the master crashed at last, less the formula; None when one is missing."""

    @property
    def missed(self) -> int:
        """Advertisements that were not there when the next was due."""
        return sum(one >= self.setting.interval_ns for one in self.late_ns)

    @property
    def median_ms(self) -> float:
        """The median lateness; infinite when nothing was sent."""
        return median(self.late_ns) / 1e6 if self.late_ns else float("inf")

    @property
    def worst_ms(self) -> float:
        """The worst."""
        return max(self.late_ns) / 1e6 if self.late_ns else float("inf")

    @property
    def complaints(self) -> list[str]:
        """What was promised and not held: no deadline is missed, by nobody."""
        what = f"{self.engine}, {self.setting}"
        found = []
        if self.missed:
            found.append(f"{what}: {self.missed} of {self.sent} advertisements missed")
        if self.intruders:
            found.append(f"{what}: the backup took over while its master was there ({self.intruders} advertisements)")
        if self.last_takeover_ns is None:
            found.append(f"{what}: not every virtual router was taken over after the crash")
        return found


def punctuality(sent: Sequence[Sent], node: str, interval_ns: int) -> tuple[int, ...]:
    """By how much each gap between two advertisements of one virtual router of a node was longer than it should."""
    last_ns: dict[int, int] = {}
    late = []
    for one in sent:
        if one.node == node:
            if one.vrid in last_ns:
                late.append(one.at_ns - last_ns[one.vrid] - interval_ns)
            last_ns[one.vrid] = one.at_ns
    return tuple(late)


def latest_takeover(sent: Sequence[Sent], count: int, formula_ns: int) -> int | None:
    """How late the last of so many virtual routers moved from node to node; None unless all did."""
    last_ns = {one.vrid: one.at_ns for one in sent if one.node == NODES[0]}
    late: dict[int, int] = {}
    for one in sent:
        if one.node == NODES[1] and one.at_ns > last_ns.get(one.vrid, 0):
            late.setdefault(one.vrid, one.at_ns - last_ns.get(one.vrid, 0) - formula_ns)
    return max(late.values()) if len(late) == len(last_ns) == count else None


def measure(
    folder: Path,
    setting: Setting,
    seconds: float,
    progress: Callable[[str], None],
    engines: Sequence[Engine] = ENGINES,
) -> list[Load]:
    """Run each program for so long. LanError for what prevents it."""
    found = []
    for engine in engines:
        progress(f"{setting}: {engine.name}")
        with lan(folder / engine.name.replace(" ", "-")) as net:
            found.append(_measure(net, engine, setting, seconds))
    return found


def _measure(net: Lan, engine: Engine, setting: Setting, seconds: float) -> Load:
    formula_ns = master_down_ns(PRIORITY, setting.interval_cs, setting.version)
    engine.start(net, NODES[0], setting)
    time.sleep(formula_ns / 1e9 + SETTLED_S)
    engine.start(net, NODES[1], setting)
    time.sleep(formula_ns / 1e9 + 1)
    begun = {node: _cpu_ns(net.processes(node)) for node in NODES}
    begun_ns = time.time_ns()
    time.sleep(seconds)
    took_s = (time.time_ns() - begun_ns) / 1e9
    costs = {node: _cost(net.processes(node), begun[node], took_s) for node in NODES}
    ended_ns = time.time_ns()
    net.crash(NODES[0])
    time.sleep(formula_ns / 1e9 + 1)
    sent = net.sent()
    during = [one for one in sent if begun_ns <= one.at_ns <= ended_ns]
    return Load(
        engine.name,
        setting,
        took_s,
        costs[NODES[0]],
        costs[NODES[1]],
        sum(one.node == NODES[0] for one in during),
        punctuality(during, NODES[0], setting.interval_ns),
        sum(one.node == NODES[1] for one in during),
        latest_takeover(sent, setting.count, formula_ns),
    )


def _cpu_ns(pids: Sequence[int]) -> int:
    """Nanoseconds that processes have been on a CPU, their threads too."""
    files = [file for pid in pids for file in Path(f"/proc/{pid}/task").glob("*/schedstat")]
    return sum(int(file.read_text(encoding="ascii").split()[0]) for file in files)


def _cost(pids: Sequence[int], begun_ns: int, took_s: float) -> Cost:
    cpu_ms = (_cpu_ns(pids) - begun_ns) / 1e6 / took_s
    peak_kb = 0
    for pid in pids:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
        peak_kb += int(next(line.split()[1] for line in lines if line.startswith("VmHWM:")))
    return Cost(cpu_ms, peak_kb / 1024)
