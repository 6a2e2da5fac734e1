"""`show stat` of all HAProxys of a run at chosen times, written as files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sim.haproxy.process import Haproxy
from sim.haproxy.statistics import Row, csv
from sim.kernel import LAST
from vrrp.durations import duration_text
from vrrp.whole_file import write_text

if TYPE_CHECKING:
    from sim.network import Network


class Snapshots:
    """Takes them while a network runs, at these times; at the end of the run whatever is taken last."""

    def __init__(self, network: Network, times_ns: Iterable[int]) -> None:
        self._network = network
        self._taken: dict[tuple[str, int], Iterable[Row]] = {}
        for at_ns in times_ns:
            network.kernel.agenda.add(at_ns, LAST, self.take, at_ns)

    def take(self, at_ns: int) -> None:
        """Take one of each now."""
        for name, balancer in haproxies(self._network).items():
            self._taken[name, at_ns] = balancer.statistics(at_ns)

    def write(self, folder: Path) -> None:
        """Write NODE.TIME.csv for each, into a folder that is made if it is not there. Raises OSError."""
        folder.mkdir(parents=True, exist_ok=True)
        for (name, at_ns), table in self._taken.items():
            write_text(folder / f"{name}.{duration_text(at_ns)}.csv", csv(table))


def haproxies(network: Network) -> Mapping[str, Haproxy]:
    """The HAProxys of a network, by node."""
    found = {name: node.balancer for name, node in network.nodes.items()}
    return {name: one for name, one in found.items() if isinstance(one, Haproxy)}
