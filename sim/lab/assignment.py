"""Which engine runs on which node: what `--engine` says."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sim.lab.engine import Engine
from sim.lab.frr import Frr
from sim.lab.keepalived import Keepalived, Ours
from vrrp.words import nearest

SIMULATOR = "sim"
ENGINES: Mapping[str, type[Engine]] = {one.name: one for one in (Keepalived, Ours, Frr)}


@dataclass(frozen=True, slots=True)
class Assignment:
    """One run for real: its name, and the engine of each node."""

    name: str
    engines: Mapping[str, type[Engine]]

    @property
    def profile(self) -> Mapping[str, str]:
        """By node, whose behaviour is predicted for it; nodes that follow the scenario are left out."""
        return {node: one.profile for node, one in self.engines.items() if one.profile is not None}


def read_engines(texts: Sequence[str], nodes: Collection[str]) -> tuple[bool, tuple[Assignment, ...]]:
    """Whether the simulator is asked for, and the runs for real, in the order given.

    Args:
        texts: names of engines and NODE=ENGINE, between commas. A name is a run with that engine on every node; all
            NODE=ENGINE together are one run, and name each node once.
        nodes: the scenario's.

    Raises:
        ValueError: one line: an engine or node that does not exist, a node without an engine or with two.
    """
    simulated = False
    runs: dict[str, Assignment] = {}
    mixed: dict[str, str] = {}
    place = 0
    for word in [word.strip() for text in texts for word in text.split(",")]:
        node, equals, name = word.rpartition("=")
        if not equals and name == SIMULATOR:
            simulated = True
        elif not equals:
            runs[name] = Assignment(name, dict.fromkeys(nodes, _engine(name)))
        elif node not in nodes:
            raise ValueError(f"{word!r}: there is no node {node!r}; {nearest(node, nodes)}")
        elif node in mixed:
            raise ValueError(f"{word!r}: {node} runs {mixed[node]} already")
        elif name == SIMULATOR:
            raise ValueError(f"{word!r}: the simulator runs all nodes; write {SIMULATOR} alone")
        else:
            _engine(name)
            place = place if mixed else len(runs)
            mixed[node] = name
    ordered = list(runs.values())
    if mixed:
        without = next((node for node in nodes if node not in mixed), None)
        if without is not None:
            raise ValueError(f"{without} has no engine; add {without}=keepalived, say")
        label = ",".join(f"{node}={mixed[node]}" for node in nodes)
        ordered.insert(place, Assignment(label, {node: ENGINES[mixed[node]] for node in nodes}))
    return simulated, tuple(ordered)


def _engine(name: str) -> type[Engine]:
    if name not in ENGINES:
        raise ValueError(f"there is no engine {name!r}; {nearest(name, [*ENGINES, SIMULATOR])}")
    return ENGINES[name]
