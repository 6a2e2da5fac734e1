"""Check scripts that really look, through a relay to servers that may be gone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from networks import S, changes, event, network, router, scenario_data
from relays import Relay

from sim.flow.flows import Flows
from sim.inputs import from_scenario
from sim.network import Network
from sim.node import Node
from sim.scenario_file import ScenarioError
from sim.script import ScriptRun, Step, get_step
from vrrp.protocol.settings import RouterConfig, ScriptConfig, TrackedScript
from vrrp.wire.address import pack

GET = {"get": "https://localhost:8443/", "timeout": "2s"}


def run(*events: dict[str, Any], steps: list[dict[str, Any]] | None = None, until: str = "20s", **api: Any) -> Network:
    """r1 (101) checks each second (fall 2, rise 2, weight -2) and relays to one server; r2 has 100."""
    script = ScriptConfig(name="check", interval_ns=S, fall=2, rise=2)
    settings = {"track_scripts": (TrackedScript("check", -2),)}
    configs = {
        "r1": RouterConfig(virtual_routers=(router(101, **settings),), scripts=(script,)),
        "r2": RouterConfig(virtual_routers=(router(100),)),
    }
    server = {"interfaces": {"eth0": {"segment": "lan", "addresses": ["10.0.0.50/24"]}}, "listen": [6443]}
    data = scenario_data(
        ["r1", "r2"], events=list(events), servers={"api": server | {"tls": True} | api}, duration=until
    )
    data["nodes"]["r1"] |= {"haproxy": "haproxy.cfg", "scripts": {"check": {"steps": steps or [GET]}}}

    def relay(node: Node, flows: Flows) -> Relay:
        return Relay(node, flows, [(pack("10.0.0.50"), 6443)], 5 * S)

    net = network(configs, data=data, balancers={"r1": relay})
    net.run()
    return net


def priorities(net: Network) -> list[tuple[int, int]]:
    """(second, new priority) of each change."""
    return [(p.at_ns // S, p.new) for p in net.recorder.priorities]


def test_a_server_that_answers_is_good_and_one_that_is_gone_bad() -> None:
    assert priorities(run()) == []
    down = event("10.5s", "server-down", server="api")
    # Runs begin at each second: those of 11 s and 12 s are refused at once, those of 16 s and 17 s answered.
    assert priorities(run(down, event("15.5s", "server-up", server="api"))) == [(12, 99), (17, 101)]


def test_a_silent_server_makes_the_script_hang_until_keepalived_kills_it() -> None:
    net = run(event("10.5s", "power-off", "api"), steps=[GET])
    # Begun at 11 s and killed at 12 s, though curl would wait for 2 s; fall is 2.
    assert priorities(net) == [(13, 99)]
    process = net.nodes["r1"].process
    assert process is not None
    assert len(process._looking) == 1


def test_a_run_that_is_killed_before_it_looks_does_nothing() -> None:
    net = run(until="1s")
    told: list[bool] = []
    steps = [get_step("https://localhost:8443/"), Step(process="haproxy")]
    early, late = (ScriptRun(net.nodes["r1"], net.flows, "check", steps, told.append) for _ in range(2))
    early.kill()
    early.begin()
    late.begin()  # its curl is being started
    late.kill()
    net.kernel.run(2 * S)
    assert told == []


def test_its_own_timeout_is_earlier() -> None:
    net = run(event("10.5s", "power-off", "api"), steps=[GET | {"timeout": "300ms"}])
    assert priorities(net) == [(12, 99)]


@pytest.mark.parametrize(("fails_on_status", "expected"), [(False, []), (True, [(12, 99)])])
def test_a_status_counts_only_where_asked(fails_on_status: bool, expected: list[tuple[int, int]]) -> None:
    steps = [GET | {"fails_on_status": fails_on_status}]
    assert priorities(run(event("10.5s", "server-status", server="api", status=503), steps=steps)) == expected


def test_a_local_process_that_is_gone() -> None:
    steps: list[dict[str, Any]] = [{"process": "haproxy"}, {"process": "keepalived"}]
    assert priorities(run(event("10.5s", "haproxy-kill", "r1"), steps=steps)) == [(12, 99)]
    assert priorities(run(event("10.5s", "haproxy-kill", "r1"), steps=[{"connect": "localhost:8443"}])) == [(12, 99)]
    assert priorities(run(steps=[{"connect": "localhost:8443"}])) == []


def test_a_step_for_holders_only() -> None:
    steps: list[dict[str, Any]] = [{"connect": "10.0.0.77:1", "when_holding": "10.0.0.100", "timeout": "100ms"}]
    # It is good until r1 holds the address (3.6 s); bad at 4 s and 5 s, after which r2 has it.
    net = run(steps=steps, until="12s")
    assert priorities(net)[0] == (5, 99)
    assert [(at // S, node, new) for at, node, new, _ in changes(net.run()) if new == "MASTER"][:2] == [
        (3, "r1", "MASTER"),
        (8, "r2", "MASTER"),
    ]


def test_events_say_otherwise() -> None:
    assert priorities(run(event("10.5s", "script-fail", "r1"))) == [(12, 99)]
    assert priorities(run(event("9s", "script-pass", "r1"), event("10.5s", "server-down", server="api"))) == []


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([{"get": "localhost"}], "script check: 'localhost' is no URL"),
        ([{"get": "http://web/"}], "script check: 'web' is no IPv4 address and not localhost"),
        ([{"get": "http://[::1]/"}], "script check: '::1' is no IPv4 address"),
        ([{"connect": "10.0.0.1"}], "script check: '10.0.0.1' is no target"),
        ([{"connect": "10.0.0.1:1", "process": "a"}], "a step has one of get, connect and process"),
        ([{"proces": "a"}], "unknown key 'proces'"),
        ([{"process": "a", "when_holding": 3}], "3 is no IPv4 address"),
    ],
)
def test_steps_that_cannot_be(steps: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(ScenarioError, match=message.replace("[", "\\[")):
        run(steps=steps)


def test_a_script_that_keepalived_does_not_know() -> None:
    data = scenario_data(["r1"])
    data["nodes"]["r1"]["scripts"] = {"chek": {"steps": [{"process": "haproxy"}]}}
    configs = RouterConfig(virtual_routers=(router(),), scripts=(ScriptConfig(name="check"),))
    with pytest.raises(ScenarioError, match="there is no script 'chek'; did you mean 'check'"):
        network({"r1": configs}, data=data)


CONF = """vrrp_script check {
    script "/etc/keepalived/check.sh"
    interval 1
}
vrrp_instance VI_1 {
    state MASTER
    interface eth0
    virtual_router_id 51
    priority 100
    virtual_ipaddress { 10.0.0.100 }
    track_script { check }
}
"""
TOML = """duration = "10s"
[segments.lan]
[nodes.r1]
keepalived = "keepalived.conf"
environment = { PORT = "8443" }
interfaces.eth0 = { segment = "lan", addresses = ["10.0.0.1/24"] }
"""


@pytest.mark.parametrize(
    ("text", "found", "note"),
    [
        ("nc -z localhost $PORT\n", 1, None),
        ("#!/bin/sh\nperl x\n", 0, "check.sh:2: 'perl x' is not understood; script check passes unless"),
        (None, 0, None),
    ],
)
def test_a_script_beside_the_configuration_is_read(
    tmp_path: Path, text: str | None, found: int, note: str | None
) -> None:
    (tmp_path / "keepalived.conf").write_text(CONF)
    (tmp_path / "x.toml").write_text(TOML)
    if text is not None:
        (tmp_path / "check.sh").write_text(text)
    inputs = from_scenario(tmp_path / "x.toml")
    assert len(inputs.scripts["r1"]) == found
    assert any(note in one for one in inputs.notes) if note else not any("check.sh" in one for one in inputs.notes)
