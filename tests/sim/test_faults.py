"""Every action does what it says, and says what it does; every event that cannot be is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from networks import MS, Listener, S, client, event, network, router, scenario_data, states

from sim.delay import Constant, Lognormal
from sim.faults import FAULTS, check_events
from sim.flow.flows import Flows
from sim.network import Network
from sim.node import Node
from sim.process import ScriptOutcome
from sim.scenario import ScenarioSource, read_scenario
from sim.scenario_file import ScenarioError
from vrrp.protocol.settings import (
    FileConfig,
    ProcessConfig,
    RouterConfig,
    ScriptConfig,
    TrackedFile,
    TrackedProcess,
)

SERVER = {"interfaces": {"eth0": {"segment": "lan", "addresses": ["10.0.0.50/24"]}}, "listen": [80]}


def run(*events: dict[str, Any], until: str = "11s") -> Network:
    """r1 (101) and r2 (100), one server, one client; the events; `until` (11 s)."""
    scripts = tuple(ScriptConfig(name=name) for name in ("a", "b", "x"))
    tracked: dict[str, Any] = {
        "track_files": (TrackedFile("load", -2),),
        "track_processes": (TrackedProcess("web", 4), TrackedProcess("db", 1)),
    }
    configs = {
        "r1": RouterConfig(
            virtual_routers=(router(101, **tracked),),
            scripts=scripts,
            files=(FileConfig("load"),),
            processes=(ProcessConfig(name="web", quorum=2), ProcessConfig(name="db")),
        ),
        "r2": RouterConfig(virtual_routers=(router(100),)),
    }
    top = {"events": list(events), "servers": {"web": SERVER}, "clients": {"c": client()}, "duration": until}
    data = scenario_data(list(configs), **top)
    data["nodes"]["r1"]["haproxy"] = "haproxy.cfg"
    net = network(configs, data=data, balancers={"r1": Balancer})
    net.run()
    return net


class Balancer:
    """Notes what is done to it."""

    name = "haproxy"
    running = True

    def __init__(self, node: Node, flows: Flows) -> None:
        self.done: list[str] = []

    def start(self, now_ns: int) -> None:
        self.done.append("start")

    def kill(self, now_ns: int) -> None:
        self.done.append("kill")

    def stop(self, now_ns: int) -> None:
        self.done.append("stop")

    def reload(self, now_ns: int) -> None:
        self.done.append("reload")


def done_to_haproxy(net: Network) -> list[str]:
    balancer = net.nodes["r1"].balancer
    assert isinstance(balancer, Balancer)
    return balancer.done


def serving(net: Network) -> bool:
    process = net.servers["web"].process
    assert process is not None
    return process.alive


def alive(net: Network, name: str) -> tuple[bool, bool]:
    process = net.nodes[name].process
    assert process is not None
    return process.alive, process.paused


def priority(net: Network) -> int:
    process = net.nodes["r1"].process
    assert process is not None
    return process.router.virtual_routers[0].priority


def spoken(net: Network, name: str) -> int:
    return sum(sent.node == name for sent in net.recorder.sent)


def outcome(net: Network) -> ScriptOutcome | None:
    return net.nodes["r1"].script_outcome("x")


def link(net: Network, name: str = "r1") -> bool:
    return net.nodes[name].interfaces["eth0"].port.up


EFFECTS: dict[str, tuple[dict[str, Any], Callable[[Network], object], object, object]] = {
    # action: keys, what to look at, before, after
    "stop": ({"node": "r1"}, lambda n: alive(n, "r1"), (True, False), (False, False)),
    "crash-parent": ({"node": "r1"}, lambda n: alive(n, "r1"), (True, False), (False, False)),
    "crash-child": ({"node": "r1"}, lambda n: spoken(n, "r1"), 8, 7),
    "reload": ({"node": "r1"}, lambda n: spoken(n, "r1"), 8, 9),
    "file-set": ({"node": "r1", "file": "load", "value": 7}, priority, 106, 92),
    "process-die": ({"node": "r1"}, priority, 106, 101),
    "crash": ({"node": "r1"}, lambda n: alive(n, "r1"), (True, False), (False, False)),
    "power-off": ({"node": "r1"}, lambda n: (n.nodes["r1"].powered, link(n)), (True, True), (False, False)),
    "pause": ({"node": "r1"}, lambda n: alive(n, "r1"), (True, False), (True, True)),
    "link-down": ({"node": "r1", "interface": "eth0"}, link, True, False),
    "script-fail": ({"node": "r1"}, lambda n: outcome(n) is ScriptOutcome.FAIL, False, True),
    "script-hang": ({"node": "r1"}, lambda n: outcome(n) is ScriptOutcome.HANG, False, True),
    "loss": ({"segment": "lan", "rate": 0.25}, lambda n: n.segments["lan"].loss, 0.0, 0.25),
    "delay": (
        {"segment": "lan", "delay": {"distribution": "lognormal", "median": "1ms", "sigma": 0.5}},
        lambda n: n.segments["lan"].delay,
        Constant(50_000),
        Lognormal(1_000_000, 0.5),
    ),
    "partition": (
        {"segment": "lan", "groups": [["r1", "c"], ["r2"]]},
        lambda n: [p.group for p in n.segments["lan"]._ports],
        [0, 0, 0, 0],
        [1, 2, 0, 1],
    ),
    "server-down": ({"server": "web"}, serving, True, False),
    "server-slow": (
        {"server": "web", "delay": "30ms"},
        lambda n: n.servers["web"].behavior.latency,
        Constant(0),
        Constant(30_000_000),
    ),
    "server-status": ({"server": "web", "status": 503}, lambda n: n.servers["web"].behavior.status, 200, 503),
    "server-silent": ({"server": "web"}, lambda n: n.servers["web"].behavior.silent, False, True),
    "haproxy-kill": ({"node": "r1"}, done_to_haproxy, ["start"], ["start", "kill"]),
    "haproxy-stop": ({"node": "r1"}, done_to_haproxy, ["start"], ["start", "stop"]),
    "haproxy-reload": ({"node": "r1"}, done_to_haproxy, ["start"], ["start", "reload"]),
    "haproxy-start": ({"node": "r1"}, done_to_haproxy, ["start"], ["start", "start"]),
}
UNDONE: dict[str, tuple[str, dict[str, Any], str]] = {
    # action: what it undoes, its keys
    "start": ("crash", {"node": "r1"}, "10.5s"),
    "resume": ("pause", {"node": "r1"}, "10.5s"),
    "link-up": ("link-down", {"node": "r1", "interface": "eth0"}, "10.5s"),
    "script-pass": ("script-fail", {"node": "r1"}, "10.5s"),
    "process-start": ("process-die", {"node": "r1"}, "10.5s"),
    "heal": ("partition", {"segment": "lan"}, "10.5s"),
    "server-up": ("server-down", {"server": "web"}, "10.5s"),
}


def test_every_action_is_tested() -> None:
    assert EFFECTS.keys() | UNDONE.keys() == FAULTS.keys()


@pytest.mark.parametrize("action", EFFECTS)
def test_what_an_action_does(action: str) -> None:
    keys, look, before, after = EFFECTS[action]
    assert look(run()) == before
    assert look(run(event("10s", action, **keys))) == after


@pytest.mark.parametrize("action", UNDONE)
def test_what_an_action_undoes(action: str) -> None:
    first, keys, at = UNDONE[action]
    first_keys, look, before, _ = EFFECTS[first]
    assert look(run(event("10s", first, **first_keys), event(at, action, **keys))) == before


def test_a_loss_of_0_and_a_new_delay_take_effect_on_the_wire() -> None:
    net = network(
        {"r1": router(101), "r2": router(100)},
        events=[
            event("10s", "loss", segment="lan", rate=1.0),
            event("12s", "loss", segment="lan", rate=0.0),
            event("20s", "delay", segment="lan", delay="5ms"),
        ],
    )
    heard: list[int] = []
    net.segments["lan"].attach("ear", Listener()).listener = lambda now_ns, datagram: heard.append(now_ns)
    net.run(21 * S)
    first_ns = 3_605_468_750
    # Those of 10.605 s and 11.605 s are lost, to r2 and the ear each.
    assert net.segments["lan"].lost == 4
    assert heard == [
        first_ns + n * S + (5 * MS if first_ns + n * S > 20 * S else 50_000) for n in range(18) if n not in {7, 8}
    ]


def test_a_script_of_a_name_has_its_own_outcome_until_all_are_told() -> None:
    net = run(event("1s", "script-fail", "r1", script="a"))
    node = net.nodes["r1"]
    assert [node.script_outcome(name) for name in "ab"] == [ScriptOutcome.FAIL, None]
    node = run(event("1s", "script-fail", "r1", script="a"), event("2s", "script-hang", "r1")).nodes["r1"]
    assert [node.script_outcome(name) for name in "ab"] == [ScriptOutcome.HANG] * 2


def test_a_partition_names_ports_of_its_segment_only() -> None:
    data = scenario_data(
        ["r1", "r2"], segments={"lan": {}, "back": {}}, clients={"c": client()}, servers={"w": SERVER}
    )
    data["nodes"]["r1"]["interfaces"]["eth1"] = {"segment": "back", "addresses": []}
    data["events"] = [event("1s", "partition", segment="back", groups=[["r1", "r2", "c", "w"]])]
    net = network({"r1": router(), "r2": router()}, data=data)
    net.run(2 * S)
    assert [p.group for p in net.segments["lan"]._ports] == [0, 0, 0, 0]
    assert [p.group for p in net.segments["back"]._ports] == [1]


def test_a_server_that_is_down_does_not_answer() -> None:
    target = client(target="10.0.0.50:80", every="500ms")
    net = network(
        {"r1": router()},
        events=[event("5.1s", "server-down", server="web"), event("7.1s", "server-up", server="web")],
        servers={"web": SERVER},
        clients={"c": target},
        duration="10s",
    )
    assert net.run().clients["c"].gaps == ((5_500 * MS, 7_500 * MS),)


def test_events_come_by_their_time_and_at_one_time_in_their_order() -> None:
    events = [event("9s", "start", "r1"), event("5s", "pause", "r1"), event("5s", "crash", "r1")]
    net = network({"r1": router(101), "r2": router(100)}, events=events)
    result = net.run(20 * S)
    assert [(e.at_ns, e.node, e.text) for e in result.events] == [
        (5 * S, "r1", "pause (SIGSTOP)"),
        (5 * S, "r1", "crash (SIGKILL, its addresses stay)"),
        (9 * S, "r1", "start"),
    ]
    assert states(result, "r1")[2:4] == [(5 * S, "INITIALIZE"), (9 * S, "BACKUP")]


def test_events_after_the_end_are_neither_done_nor_told() -> None:
    net = network({"r1": router()}, events=[event("5s", "crash", "r1"), event("6s", "start", "r1")])
    result = net.run(5_500 * MS)
    assert [e.text for e in result.events] == ["crash (SIGKILL, its addresses stay)"]


def test_an_event_at_the_very_end_is_not_told_as_it_does_not_happen() -> None:
    net = network({"r1": router()}, events=[event("5s", "crash", "r1")])
    result = net.run(5 * S)
    assert [t.reason for t in result.transitions if t.at_ns == 5 * S] == []
    assert result.events == ()


@pytest.mark.parametrize(
    ("told", "text"),
    [
        (event("1s", "start", "r1"), "start"),
        (event("1s", "stop", "r1"), "stop (SIGTERM)"),
        (event("1s", "crash", "r1"), "crash (SIGKILL, its addresses stay)"),
        (event("1s", "power-off", "r1"), "power off"),
        (event("1s", "resume", "r1"), "resume (SIGCONT)"),
        (event("1s", "link-down", "r1", interface="eth0"), "link down eth0"),
        (event("1s", "script-fail", "r1", script="a"), "script fails a"),
        (event("1s", "script-hang", "r1"), "script hangs"),
        (event("1s", "reload", "r1", keepalived="x.conf"), "reload (SIGHUP) x.conf"),
        (event("1s", "file-set", "r1", file="load", value=0), "file says load 0"),
        (event("1s", "process-die", "r1", process="web", count=1), "process dies web 1"),
        (event("1s", "partition", segment="lan", groups=[["r1", "c"], ["r2"]]), "partition lan r1, c | r2"),
        (event("1s", "heal", segment="lan"), "heal lan"),
        (event("1s", "loss", segment="lan", rate=0.125), "loss lan 12.5%"),
        (event("1s", "loss", segment="lan", rate=0), "loss lan 0.0%"),
        (event("1s", "server-up", server="web"), "server up web"),
    ],
)
def test_how_an_event_is_told(told: dict[str, Any], text: str) -> None:
    (happened,) = run(told, until="2s").recorder.events
    assert happened.text == text
    assert happened.node == told.get("node", told.get("server"))


BAD: list[tuple[dict[str, Any], str]] = [
    (event("1s", "haproxy-start", "r2"), "r2 runs no haproxy"),
    (event("1s", "server-slow", server="web"), "action 'server-slow' needs 'delay'"),
    (event("1s", "crsh", "r1"), "there is no action 'crsh'; did you mean 'crash'?"),
    (event("1s", "qqqq", "r1"), f"there is no action 'qqqq'; known: {', '.join(FAULTS)}"),
    (event("1s", "crash"), "action 'crash' needs 'node'"),
    (event("1s", "link-down", "r1"), "action 'link-down' needs 'interface'"),
    (event("1s", "partition", segment="lan"), "action 'partition' needs 'groups'"),
    (event("1s", "loss", segment="lan"), "action 'loss' needs 'rate'"),
    (event("1s", "delay", segment="lan"), "action 'delay' needs 'delay'"),
    (event("1s", "heal"), "action 'heal' needs 'segment'"),
    (event("1s", "server-down"), "action 'server-down' needs 'server'"),
    (event("1s", "crash", "r1", interface="eth0"), "action 'crash' takes no 'interface'"),
    (event("1s", "loss", segment="lan", rate=0.1, delay="1s"), "action 'loss' takes no 'delay'"),
    (event("1s", "heal", segment="lan", groups=[["r1"]]), "action 'heal' takes no 'groups'"),
    (event("1s", "crash", "r3"), "there is no node 'r3'; known: r1, r2"),
    (event("1s", "crash", "zzz"), "there is no node 'zzz'; known: r1, r2"),
    (event("1s", "crash", "web"), "there is no node 'web'; known: r1, r2"),
    (event("1s", "heal", segment="lam"), "there is no segment 'lam'; did you mean 'lan'?"),
    (event("1s", "server-up", server="wep"), "there is no server 'wep'; did you mean 'web'?"),
    (event("1s", "link-up", "r1", interface="eth1"), "there is no interface 'eth1'; did you mean 'eth0'?"),
    (event("1s", "partition", segment="lan", groups=[["r1"], ["rr"]]), "there is no node 'rr'; known: r1, r2, web, c"),
]


@pytest.mark.parametrize(("bad", "message"), BAD)
def test_events_that_cannot_be(bad: dict[str, Any], message: str) -> None:
    data = scenario_data(["r1", "r2"], servers={"web": SERVER}, clients={"c": client()})
    data["events"] = [event("1s", "crash", "r1"), bad]
    source = ScenarioSource("x.toml", "", Path())
    with pytest.raises(ScenarioError) as caught:
        check_events(read_scenario(data, source), source)
    assert str(caught.value) == f"x.toml: {message}"


def test_a_script_that_the_node_does_not_have_is_refused() -> None:
    with pytest.raises(ScenarioError, match="there is no script 'c'; known: a, b, x"):
        run(event("1s", "script-fail", "r1", script="c"))
    with pytest.raises(ScenarioError, match="there is no script 'a'; known: none"):
        run(event("1s", "script-fail", "r2", script="a"))


def test_a_node_in_two_groups_of_a_partition_is_refused() -> None:
    with pytest.raises(ScenarioError, match="'r1' stands in two groups"):
        network(
            {"r1": router(), "r2": router()},
            events=[{"at": "1s", "action": "partition", "segment": "lan", "groups": [["r1"], ["r2", "r1"]]}],
        )


@pytest.mark.parametrize(
    ("delay", "told"),
    [("5ms", "delay lan 5ms"), ({"distribution": "uniform", "low": "1ms", "high": "2ms"}, "delay lan varies")],
)
def test_a_new_delay_is_told(delay: object, told: str) -> None:
    net = network({"r1": router()}, events=[{"at": "1s", "action": "delay", "segment": "lan", "delay": delay}])
    assert [event.text for event in net.run(2_000_000_000).events] == [told]
