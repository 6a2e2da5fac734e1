"""Networks made by hand: no configuration files, so that a test sees everything that it asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sim.network import MakeBalancer, Network
from sim.result import Result
from sim.scenario import ScenarioSource, read_scenario
from vrrp.protocol.settings import RouterConfig, VirtualRouterConfig
from vrrp.wire.frame import Frame, parse_frame

MS = 1_000_000
S = 1_000_000_000
VIP = "10.0.0.100"


def router(priority: int = 100, **settings: Any) -> VirtualRouterConfig:
    """VRID 51 on eth0 for 10.0.0.100, version 2, named VI_1, unless told otherwise."""
    given: dict[str, Any] = {
        "vrid": 51,
        "version": 2,
        "name": "VI_1",
        "interface": "eth0",
        "addresses": [VIP],
    } | settings
    return VirtualRouterConfig(priority=priority, **given)


def scenario_data(names: Sequence[str], **top: Any) -> dict[str, Any]:
    """One segment `lan` (50 us); node n has 10.0.0.n/24 and fe80::n/64 on eth0; a minute; `top` replaces keys."""
    nodes = {
        name: {
            "keepalived": "none",
            "interfaces": {"eth0": {"segment": "lan", "addresses": [f"10.0.0.{n}/24", f"fe80::{n}/64"]}},
        }
        for n, name in enumerate(names, 1)
    }
    return {"duration": "60s", "segments": {"lan": {"delay": "50us"}}, "nodes": nodes} | top


def client(**settings: Any) -> dict[str, Any]:
    """10.0.0.200 on `lan`, which connects to 10.0.0.100:80 each 100 ms."""
    interfaces = {"eth0": {"segment": "lan", "addresses": ["10.0.0.200/24"]}}
    return {"interfaces": interfaces, "target": f"{VIP}:80", "every": "100ms"} | settings


def event(at: str, action: str, node: str | None = None, **keys: Any) -> dict[str, Any]:
    """One event of a scenario."""
    return {"at": at, "action": action} | ({"node": node} if node else {}) | keys


def network(
    configs: Mapping[str, VirtualRouterConfig | RouterConfig],
    *,
    seed: int | None = None,
    ideal: bool = True,
    data: dict[str, Any] | None = None,
    balancers: Mapping[str, MakeBalancer] | None = None,
    quick: bool = True,
    **top: Any,
) -> Network:
    """The network of these routers, in their order; `top` goes into the scenario, `data` is all of it."""
    source = ScenarioSource("made by hand", "", Path())
    scenario = read_scenario(data or scenario_data(list(configs), **top), source)
    routers = {
        name: config if isinstance(config, RouterConfig) else RouterConfig(virtual_routers=(config,))
        for name, config in configs.items()
    }
    return Network(scenario, source, routers, seed, ideal=ideal, balancers=balancers, quick=quick)


def changes(result: Result, node: str | None = None) -> list[tuple[int, str, str, str]]:
    """(at_ns, node, new state, reason) of every transition, or those of one node."""
    return [(t.at_ns, t.node, t.new, t.reason) for t in result.transitions if node in {None, t.node}]


def states(result: Result, node: str) -> list[tuple[int, str]]:
    """(at_ns, new state) of a node's transitions."""
    return [(t.at_ns, t.new) for t in result.transitions if t.node == node]


def tap(net: Network, segment: str = "lan") -> list[tuple[int, Frame]]:
    """Every frame that enters the segment from now on, with its time."""
    seen: list[tuple[int, Frame]] = []
    net.segments[segment].taps.append(lambda at_ns, raw: seen.append((at_ns, parse_frame(raw))))
    return seen


class Listener:
    """A station that writes down what it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[int, Frame]] = []

    def hear(self, now_ns: int, frame: Frame) -> None:
        self.heard.append((now_ns, frame))
