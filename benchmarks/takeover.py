"""Crashes (kill -9 of the master): how long after the formula the other one speaks, and whether both ever did.

The two programs have a LAN each and are crashed in turn, so that both meet the same machine.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

from benchmarks.engines import ENGINES, PRIORITY, Engine, Setting
from benchmarks.lan import NODES, Lan, Sent, lan
from vrrp.protocol.timers import master_down_ns

MOST_MEDIAN_MS, MOST_WORST_MS, MOST_DUAL_MS = 1.0, 15.0, 5.0
"""What is promised of ours on a quiet machine."""
_MARGIN_S = 0.2


@dataclass(frozen=True, slots=True)
class Takeovers:
    """What became of the crashes of one program, from the wire."""

    engine: str
    setting: Setting
    crashes: int
    late_ns: tuple[int, ...]
    """Of each takeover: last advertisement of the crashed to first of the other, less the formula."""
    dual_ns: int
    """The longest time for which both nodes spoke as masters."""

    @property
    def median_ms(self) -> float:
        """The median of the lateness; infinite without a takeover."""
        return median(self.late_ns) / 1e6 if self.late_ns else float("inf")

    @property
    def worst_ms(self) -> float:
        """The worst of it."""
        return max(self.late_ns) / 1e6 if self.late_ns else float("inf")

    @property
    def complaints(self) -> list[str]:
        """What was promised and not held."""
        what = f"{self.engine}, {self.setting}"
        found = []
        if len(self.late_ns) != self.crashes:
            found.append(f"{what}: {len(self.late_ns)} takeovers after {self.crashes} crashes")
        for name, value, most in (
            ("median", self.median_ms, MOST_MEDIAN_MS),
            ("worst", self.worst_ms, MOST_WORST_MS),
            ("dual master", self.dual_ns / 1e6, MOST_DUAL_MS),
        ):
            if value > most:
                found.append(f"{what}: {name} {value:.3f} ms, {most:g} ms promised")
        return found


def takeovers(sent: Sequence[Sent], formula_ns: int) -> tuple[tuple[int, ...], int]:
    """How late each change of the sender was, and for how long at most two of them spoke.

    A sender speaks from its first advertisement to its last before it is silent for longer than the formula.
    """
    spans: list[tuple[str, int, int]] = []
    current: dict[str, tuple[int, int]] = {}
    for one in sent:
        first_ns, last_ns = current.get(one.node, (one.at_ns, one.at_ns))
        if one.at_ns - last_ns > formula_ns:
            spans.append((one.node, first_ns, last_ns))
            first_ns = one.at_ns
        current[one.node] = first_ns, one.at_ns
    spans += [(node, *span) for node, span in current.items()]
    spans.sort(key=lambda span: span[1])
    late = []
    dual_ns = 0
    for (earlier, _, last_ns), (later, first_ns, end_ns) in pairwise(spans):
        dual_ns = max(dual_ns, min(last_ns, end_ns) - first_ns)
        if earlier != later:
            late.append(first_ns - last_ns - formula_ns)
    return tuple(late), dual_ns


def measure(
    folder: Path, setting: Setting, crashes: int, progress: Callable[[str], None], engines: Sequence[Engine] = ENGINES
) -> list[Takeovers]:
    """Crash the master so many times, of each program in turn. LanError for what prevents it."""
    formula_ns = master_down_ns(PRIORITY, setting.interval_cs, setting.version)
    chance = random.Random(crashes)
    with ExitStack() as stack:
        pairs: list[tuple[Engine, Lan]] = []
        for engine in engines:
            net = stack.enter_context(lan(folder / engine.name.replace(" ", "-")))
            pairs.append((engine, net))
            engine.start(net, NODES[0], setting)
            time.sleep(formula_ns / 1e9 + _MARGIN_S)
            engine.start(net, NODES[1], setting)
        time.sleep(setting.interval_ns / 1e9 + _MARGIN_S)
        for number in range(crashes):
            for engine, net in pairs if number % 2 == 0 else reversed(pairs):
                progress(f"{setting}: crash {number + 1} of {engine.name}")
                time.sleep(chance.random() * setting.interval_ns / 1e9)
                node = NODES[number % 2]
                net.crash(node)
                time.sleep(formula_ns / 1e9 + _MARGIN_S)
                engine.start(net, node, setting)
                time.sleep(setting.interval_ns / 1e9 + _MARGIN_S)
        found = []
        for engine, net in pairs:
            late_ns, dual_ns = takeovers(net.sent(), formula_ns)
            found.append(Takeovers(engine.name, setting, crashes, late_ns, dual_ns))
        return found
