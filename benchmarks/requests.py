"""Races of requests: a hundred clients ask a hundred times a second each, ahead of time and step by step.

What is counted is requests from their start to their end, with all that a run keeps of them. In quiet time the
simulator works out at once what comes of a request; going step by step, each packet is an event. Both give the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.measure import Contestant, Race
from sim.haproxy.factory import makers
from sim.network import Network, seldom_collected
from sim.scenario import ScenarioSource, read_scenario
from vrrp.config.haproxy import read_haproxy
from vrrp.protocol.settings import RouterConfig, VirtualRouterConfig

CLIENTS = 100
SERVERS = 3
_EVERY_MS = 10
_SETTLED_NS = 1_000_000_000
_COMPARED_MS = 100


@dataclass(frozen=True, slots=True)
class Manner:
    """How they ask: inside TLS or not, over a connection for each request or one each (kept), `through` HAProxys.

    `through` is the mode of three of them, of which each client uses one; "" is straight to the servers.
    """

    tls: bool = False
    keep_alive: bool = False
    through: str = ""

    @property
    def title(self) -> str:
        """In words."""
        kept = ", kept" if self.keep_alive else ""
        if self.through:
            return f"{CLIENTS} by HAProxy {self.through}{kept}"
        return f"{CLIENTS} clients ask{' inside TLS' if self.tls else ''}{kept}"


MANNERS = (
    Manner(),
    Manner(tls=True),
    Manner(keep_alive=True, through="tcp"),
    Manner(through="tcp"),
    Manner(keep_alive=True, through="http"),
)


class Asking:
    """Clients that ask servers on the same segment in some manner."""

    def __init__(self, manner: Manner, *, quick: bool) -> None:
        source = ScenarioSource("benchmark", "", Path())
        scenario = read_scenario(_scenario(manner), source)
        configs = {name: _config(number) for number, name in enumerate(scenario.nodes)}
        parsed = read_haproxy(_HAPROXY.format(mode=manner.through)) if manner.through else None
        balancers = makers(dict.fromkeys(configs, parsed)) if parsed is not None else {}
        self._network = Network(scenario, source, configs, quick=quick, balancers=balancers)
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
    """One for each manner."""
    for manner in MANNERS:
        ours = _contestant("sim", manner, quick=True)
        step_by_step = _contestant("sim, step by step", manner, quick=False)
        yield Race(manner.title, "requests", ours, (step_by_step,), worth=CLIENTS // _EVERY_MS)


def _contestant(name: str, manner: Manner, *, quick: bool) -> Contestant:
    def begin(milliseconds: int) -> Callable[[], None]:
        return partial(Asking(manner, quick=quick).run, milliseconds)

    def answers() -> object:
        asking = Asking(manner, quick=quick)
        asking.run(_COMPARED_MS)
        return asking.seen()

    return Contestant(name, begin, answers)


def _config(number: int) -> RouterConfig:
    address = f"10.0.3.{100 + number}"
    virtual_router = VirtualRouterConfig(
        name="VI_1", vrid=51 + number, version=2, interface="eth0", priority=100, addresses=[address]
    )
    return RouterConfig(virtual_routers=(virtual_router,))


_HAPROXY = """defaults
  mode {mode}
  timeout connect 5s
  timeout client 20s
  timeout server 20s
frontend web
  bind :443
  default_backend app
backend app
  server s0 10.0.1.0:443 check
  server s1 10.0.1.1:443 check
  server s2 10.0.1.2:443 check
"""


def _scenario(manner: Manner) -> dict[str, Any]:
    def interfaces(address: str) -> dict[str, Any]:
        return {"eth0": {"segment": "lan", "addresses": [f"{address}/16"]}}

    return {
        "duration": "1h",
        "segments": {"lan": {}},
        "nodes": {
            f"lb{n}": {"keepalived": "none", "haproxy": "haproxy.cfg", "interfaces": interfaces(f"10.0.3.{n}")}
            for n in range(3 if manner.through else 0)
        },
        "servers": {
            f"s{n}": {"interfaces": interfaces(f"10.0.1.{n}"), "listen": [443], "latency": "2ms", "tls": manner.tls}
            for n in range(SERVERS)
        },
        "clients": {
            f"c{n}": {
                "interfaces": interfaces(f"10.0.2.{n}"),
                "target": f"10.0.{3 if manner.through else 1}.{n % SERVERS}:443",
                "every": f"{_EVERY_MS}ms",
                "start": f"{n * _EVERY_MS * 1000 // CLIENTS}us",
                "tls": manner.tls,
                "keep_alive": manner.keep_alive,
            }
            for n in range(CLIENTS)
        },
    }
