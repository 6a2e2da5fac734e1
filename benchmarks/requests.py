"""Races of requests: a hundred clients ask a hundred times a second each, ahead of time and step by step.

What is counted is requests from their start to their end, with all that a run keeps of them. In quiet time the
simulator works out at once what comes of a request; going step by step, each packet is an event. Both give the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.measure import Contestant, Race
from sim.network import Network, seldom_collected
from sim.scenario import ScenarioSource, read_scenario

CLIENTS = 100
SERVERS = 3
_EVERY_MS = 10
_SETTLED_NS = 1_000_000_000
_COMPARED_MS = 100


class Asking:
    """Clients that ask servers on the same segment, each on a connection of its own for every request."""

    def __init__(self, *, quick: bool, tls: bool) -> None:
        source = ScenarioSource("benchmark", "", Path())
        scenario = read_scenario(_scenario(tls=tls), source)
        self._network = Network(scenario, source, {}, quick=quick)
        self._network.run(_SETTLED_NS)

    def run(self, milliseconds: int) -> None:
        """Let simulated time pass."""
        kernel = self._network.kernel
        with seldom_collected():
            kernel.run(kernel.now_ns + milliseconds * 1_000_000)

    def seen(self) -> object:
        """What the clients saw so far, request by request."""
        return [list(client.requests.rows("new")) for client in self._network.clients.values()]


def request_races() -> Iterator[Race]:
    """Plain HTTP, and inside TLS 1.2."""
    for tls in (False, True):
        ours = _contestant("sim", quick=True, tls=tls)
        step_by_step = _contestant("sim, step by step", quick=False, tls=tls)
        title = f"{CLIENTS} clients ask{' inside TLS' if tls else ''}"
        yield Race(title, "requests", ours, (step_by_step,), worth=CLIENTS // _EVERY_MS)


def _contestant(name: str, *, quick: bool, tls: bool) -> Contestant:
    def begin(milliseconds: int) -> Callable[[], None]:
        return partial(Asking(quick=quick, tls=tls).run, milliseconds)

    def answers() -> object:
        asking = Asking(quick=quick, tls=tls)
        asking.run(_COMPARED_MS)
        return asking.seen()

    return Contestant(name, begin, answers)


def _scenario(*, tls: bool) -> dict[str, Any]:
    def interfaces(address: str) -> dict[str, Any]:
        return {"eth0": {"segment": "lan", "addresses": [f"{address}/16"]}}

    return {
        "duration": "1h",
        "segments": {"lan": {}},
        "nodes": {},
        "servers": {
            f"s{n}": {"interfaces": interfaces(f"10.0.1.{n}"), "listen": [443], "latency": "2ms", "tls": tls}
            for n in range(SERVERS)
        },
        "clients": {
            f"c{n}": {
                "interfaces": interfaces(f"10.0.2.{n}"),
                "target": f"10.0.1.{n % SERVERS}:443",
                "every": f"{_EVERY_MS}ms",
                "start": f"{n * _EVERY_MS * 1000 // CLIENTS}us",
                "tls": tls,
            }
            for n in range(CLIENTS)
        },
    }
