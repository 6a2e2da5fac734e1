"""Quiet time worked out ahead gives what going step by step gives: to the nanosecond, whatever goes wrong."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from networks import event, network, router, scenario_data
from relays import Relay

from sim.flow.flows import Flows
from sim.network import Network
from sim.node import Node
from vrrp.wire.address import pack

SERVERS = [(pack("10.0.0.51"), 6443), (pack("10.0.0.52"), 6443)]
DELAYS: list[Any] = ["50us", {"distribution": "uniform", "low": "20us", "high": "300us"}]
LATENCIES: list[Any] = ["0s", "3ms", "350ms", {"distribution": "lognormal", "median": "2ms", "sigma": 1.5}]
ACTIONS: list[dict[str, Any]] = [
    {"action": "server-down", "server": "s1"},
    {"action": "server-up", "server": "s1"},
    {"action": "server-silent", "server": "s2"},
    {"action": "server-slow", "server": "s2", "delay": "300ms"},
    {"action": "server-status", "server": "s1", "status": 503},
    {"action": "power-off", "node": "s2"},
    {"action": "start", "node": "s2"},
    {"action": "link-down", "node": "s1", "interface": "eth0"},
    {"action": "link-up", "node": "s1", "interface": "eth0"},
    {"action": "crash", "node": "r1"},
    {"action": "stop", "node": "r1"},
    {"action": "start", "node": "r1"},
    {"action": "power-off", "node": "r1"},
    {"action": "link-down", "node": "r1", "interface": "eth0"},
    {"action": "link-up", "node": "r1", "interface": "eth0"},
    {"action": "haproxy-kill", "node": "r1"},
    {"action": "haproxy-start", "node": "r1"},
    {"action": "haproxy-reload", "node": "r1"},
    {"action": "partition", "segment": "lan", "groups": [["r1", "c0", "s1"], ["r2", "c1", "s2"]]},
    {"action": "heal", "segment": "lan"},
    {"action": "loss", "segment": "lan", "rate": 0.2},
    {"action": "loss", "segment": "lan", "rate": 0.0},
    {"action": "delay", "segment": "lan", "delay": "900us"},
]


@st.composite
def servers_and_faults(draw: st.DrawFn, tls: str | None) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Two servers that speak this TLS or none, and up to eight faults."""
    servers = {
        f"s{number}": {
            "interfaces": {"eth0": {"segment": "lan", "addresses": [f"10.0.0.5{number}/24"]}},
            "listen": [6443],
            "latency": draw(st.sampled_from(LATENCIES)),
            "tls": tls or False,
        }
        for number in (1, 2)
    }
    events = [
        event(f"{draw(st.integers(4_000_000, 5_500_000))}us", **draw(st.sampled_from(ACTIONS)))
        for _ in range(draw(st.integers(0, 8)))
    ]
    return servers, events


@st.composite
def scenarios(draw: st.DrawFn) -> dict[str, Any]:
    """Two routers that share an address and relay, two servers, clients of all habits, and up to eight faults."""
    tls = draw(st.sampled_from([None, "1.2", "1.3"]))
    clients = {}
    for number in range(draw(st.integers(2, 3))):
        clients[f"c{number}"] = {
            "interfaces": {"eth0": {"segment": "lan", "addresses": [f"10.0.0.{200 + number}/24"]}},
            "target": draw(st.sampled_from(["10.0.0.100:8443", "10.0.0.51:6443", "10.0.0.100:80"])),
            "every": draw(st.sampled_from(["20ms", "50ms", "130ms"])),
            "timeout": draw(st.sampled_from(["40ms", "500ms", "1.2s"])),
            "start": draw(st.sampled_from(["3.9s", "4s", "4.00005s"])),
            "tls": tls is not None if draw(st.booleans()) or tls is None else False,
            "keep_alive": draw(st.booleans()),
            "retries": draw(st.integers(0, 2)),
        }
    servers, events = draw(servers_and_faults(tls))
    data = scenario_data(
        ["r1", "r2"],
        segments={"lan": {"delay": draw(st.sampled_from(DELAYS))}},
        clients=clients,
        servers=servers,
        events=events,
        duration="6.5s",
    )
    for name in ("r1", "r2"):
        data["nodes"][name] |= {"haproxy": "haproxy.cfg", "forwarding": draw(st.booleans())}
    return data


def relay(node: Node, flows: Flows) -> Relay:
    return Relay(node, flows, SERVERS, 300_000_000)


def run(data: dict[str, Any], *, quick: bool) -> tuple[dict[str, list[Any]], Network]:
    configs = {"r1": router(101), "r2": router(100)}
    net = network(configs, data=data, balancers=dict.fromkeys(configs, relay), quick=quick)
    net.run()
    return {name: list(one.requests.rows("new")) for name, one in net.clients.items()}, net


def test_a_relay_that_comes_back_while_a_syn_is_on_its_way() -> None:
    asking: dict[str, Any] = {"target": "10.0.0.100:8443", "every": "20ms", "timeout": "40ms", "start": "3.9s"}
    asking["interfaces"] = {"eth0": {"segment": "lan", "addresses": ["10.0.0.200/24"]}}
    servers = {
        f"s{n}": {"interfaces": {"eth0": {"segment": "lan", "addresses": [f"10.0.0.5{n}/24"]}}, "listen": [6443]}
        for n in (1, 2)
    }
    events = [event("4000000us", "haproxy-kill", "r1"), event("4000001us", "haproxy-start", "r1")]
    data = scenario_data(["r1", "r2"], clients={"c": asking}, servers=servers, events=events, duration="4.5s")
    for node in data["nodes"].values():
        node["haproxy"] = "haproxy.cfg"
    ahead, _ = run(data, quick=True)
    assert ahead == run(data, quick=False)[0]
    assert {row[5] for row in ahead["c"]} == {"ok"}


@given(scenarios())
def test_ahead_or_step_by_step_is_the_same(data: dict[str, Any]) -> None:
    ahead, net = run(data, quick=True)
    step_by_step, _ = run(data, quick=False)
    for name, rows in ahead.items():
        assert rows == step_by_step[name]
    assert any(len(one.requests) for one in net.clients.values())
