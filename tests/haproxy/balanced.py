"""Networks with HAProxy in them: a node `lb` with 10.0.0.1, servers 10.0.0.11 and so on, and clients of the node."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sim.haproxy.factory import makers
from sim.haproxy.process import Haproxy, HaproxyProcess
from sim.network import Network
from sim.scenario import ScenarioSource, read_scenario
from vrrp.config.haproxy import read_haproxy
from vrrp.protocol.settings import RouterConfig, VirtualRouterConfig

S = 1_000_000_000
MS = 1_000_000
HEAD = """defaults
  timeout connect 5s
  timeout client 20s
  timeout server 20s
  mode {mode}
  {options}
frontend web
  bind :80
  default_backend app
backend app
  balance roundrobin
  {backend}
{servers}
"""
VIP = "10.0.0.100"


def config(mode: str = "tcp", *, options: str = "", backend: str = "", check: str = "", count: int = 3) -> str:
    """A haproxy.cfg with servers s1 to `count`; `check` is added to their lines."""
    servers = "\n".join(f"  server s{n} 10.0.0.{10 + n}:80 cookie c{n} {check}" for n in range(1, count + 1))
    return HEAD.format(mode=mode, options=options, backend=backend, servers=servers)


def client(number: int = 0, **keys: Any) -> dict[str, Any]:
    """10.0.0.200 and so on, which asks 10.0.0.1:80 each 20 ms from the first second on."""
    interfaces = {"eth0": {"segment": "lan", "addresses": [f"10.0.0.{200 + number}/24"]}}
    given = {"target": "10.0.0.1:80", "every": "20ms", "timeout": "500ms", "start": "1s"}
    return {"interfaces": interfaces, **given, **keys}


def event(at: str, action: str, **keys: Any) -> dict[str, Any]:
    """One event of a scenario."""
    return {"at": at, "action": action, **keys}


def balanced(
    text: str,
    *events: dict[str, Any],
    clients: dict[str, dict[str, Any]] | None = None,
    servers: dict[str, dict[str, Any]] | None = None,
    node: dict[str, Any] | None = None,
    count: int = 3,
    duration: str = "10s",
    seed: int = 1,
    quick: bool = True,
) -> Network:
    """Such a network; `servers` gives keys of some servers, `node` those of the node."""
    data: dict[str, Any] = {
        "duration": duration,
        "seed": seed,
        "segments": {"lan": {"delay": "50us"}},
        "nodes": {
            "lb": {
                "keepalived": "none",
                "haproxy": "haproxy.cfg",
                "interfaces": {"eth0": {"segment": "lan", "addresses": ["10.0.0.1/24"]}},
                **(node or {}),
            }
        },
        "servers": {
            f"s{n}": {
                "interfaces": {"eth0": {"segment": "lan", "addresses": [f"10.0.0.{10 + n}/24"]}},
                "listen": [80],
                **(servers or {}).get(f"s{n}", {}),
            }
            for n in range(1, count + 1)
        },
        "clients": {"c": client()} if clients is None else clients,
        "events": list(events),
    }
    source = ScenarioSource("made by hand", "", Path())
    virtual_router = VirtualRouterConfig(
        vrid=51, version=2, name="VI_1", interface="eth0", addresses=[VIP], priority=100
    )
    configs = {"lb": RouterConfig(virtual_routers=(virtual_router,))}
    parsed = {"lb": read_haproxy(text, filename="haproxy.cfg")}
    assert parsed["lb"].valid, [str(one) for one in parsed["lb"].diagnostics]
    scenario = read_scenario(data, source)
    return Network(scenario, source, configs, ideal=True, balancers=makers(parsed), quick=quick)


def haproxy(network: Network) -> Haproxy:
    """The node's HAProxy."""
    balancer = network.nodes["lb"].balancer
    assert isinstance(balancer, Haproxy)
    return balancer


def process(network: Network) -> HaproxyProcess:
    """Its process."""
    found = haproxy(network).process
    assert found is not None
    return found
