"""A scenario made into a network: what it refuses, and what the recorder makes of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from networks import VIP, S, client, event, network, router, scenario_data

from sim.network import Network
from sim.recorder import Recorder
from sim.result import ClientStory, Result, Span, seconds
from sim.scenario import load_scenario
from sim.scenario_file import ScenarioError
from vrrp.protocol.settings import RouterConfig, SyncGroupConfig, VirtualRouterConfig

TOML = """\
duration = "60s"
[segments.lan]

[nodes.r1]
keepalived = "r1.conf"
interfaces.eth0 = { segment = "lan", addresses = ["10.0.0.1/24"] }

[nodes.r2]
keepalived = "r2.conf"
[nodes.r2.interfaces.eth0]
segment = "lan"
addresses = ["10.0.0.2/24"]

[servers.web]
interfaces.eth0 = { segment = "lan", addresses = ["10.0.0.50/24"] }
listen = [80]

[clients.c]
target = "10.0.0.100:80"
interfaces.eth0 = { segment = "lan", addresses = ["10.0.0.200/24"] }

[[events]]
at = "1s"
node = "r1"
action = "crash"
"""


def build(folder: Path, text: str = TOML, **configs: VirtualRouterConfig) -> Network:
    file = folder / "x.toml"
    file.write_text(text)
    scenario, source = load_scenario(file)
    named = {"r1": router(101), "r2": router(100)} | configs
    return Network(scenario, source, {n: RouterConfig(virtual_routers=(c,)) for n, c in named.items()})


def test_it_is_built_from_a_file(tmp_path: Path) -> None:
    net = build(tmp_path)
    assert (list(net.nodes), list(net.servers), list(net.clients)) == (["r1", "r2"], ["web"], ["c"])
    assert net.instances == {"VI_1": (VIP,)}
    assert net.kernel.seed == 1


IN_R1 = 'interfaces.eth0 = { segment = "lan", addresses = ["10.0.0.1/24"] }'
IN_WEB = 'interfaces.eth0 = { segment = "lan", addresses = ["10.0.0.50/24"] }'
IN_C = 'interfaces.eth0 = { segment = "lan", addresses = ["10.0.0.200/24"] }'


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (IN_R1, IN_R1.replace("lan", "lam"), "6: r1 eth0: there is no segment 'lam'; did you mean 'lan'?"),
        (IN_WEB, IN_WEB.replace("lan", "lam"), "15: web eth0: there is no segment 'lam'; did you mean 'lan'?"),
        (IN_C, IN_C.replace("lan", "x"), "20: c eth0: there is no segment 'x'; known: lan"),
        ('"10.0.0.2/24"', '"10.0.0.1/24"', "10: r2 eth0: 10.0.0.1 is the address of r1 eth0 already"),
        ("10.0.0.50/24", "10.0.0.1/25", "15: web eth0: 10.0.0.1 is the address of r1 eth0 already"),
        ("10.0.0.200/24", "10.0.0.50/24", "20: c eth0: 10.0.0.50 is the address of web eth0 already"),
        (
            '"10.0.0.1/24"',
            '"fe80::1/64"',
            "4: r1: VI_1: interface eth0 has no IPv4 address to send from",
        ),
        (IN_R1, IN_R1.replace("eth0", "eth1"), "4: r1: VI_1: there is no interface 'eth0' (known: eth1)"),
        (IN_R1, "interfaces = {}", "4: r1: VI_1: there is no interface 'eth0' (known: none)"),
        (IN_WEB, "interfaces = {}", "14: web has interfaces of its own or runs on a node: one of them"),
        (IN_C, "interfaces = {}", "18: c has 0 interfaces; a client has one"),
        (
            IN_C,
            IN_C + "\n" + IN_C.replace("eth0", "eth1"),
            "18: c has 2 interfaces; a client has one",
        ),
        ("10.0.0.200/24", "fe80::9/64", "18: c has no IPv4 address to connect from"),
        (IN_C, IN_C + '\nevery = "0s"', "18: c: every and timeout are longer than 0s"),
        (IN_C, IN_C + '\ntimeout = "0s"', "18: c: every and timeout are longer than 0s"),
        ('node = "r1"', 'node = "r9"', "24: there is no node 'r9'; known: r1, r2"),
        ('"crash"', '"crush"', "25: there is no action 'crush'; did you mean 'crash'?"),
        ('"crash"', '"heal"', "22: action 'heal' needs 'segment'"),
    ],
)
def test_networks_that_cannot_be(old: str, new: str, message: str, tmp_path: Path) -> None:
    assert old in TOML
    with pytest.raises(ScenarioError) as caught:
        build(tmp_path, TOML.replace(old, new, 1))
    assert str(caught.value) == f"{tmp_path / 'x.toml'}:{message}"


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (router(interface="eth7"), "4: r1: VI_1: there is no interface 'eth7' (known: eth0)"),
        (
            router(version=3, addresses=["fe80::100"]),
            "4: r1: VI_1: interface eth0 has no IPv6 link-local address to send from",
        ),
    ],
)
def test_routers_that_do_not_fit_their_node(config: VirtualRouterConfig, message: str, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as caught:
        build(tmp_path, r1=config)
    assert str(caught.value) == f"{tmp_path / 'x.toml'}:{message}"


def test_a_profile_that_does_not_speak_the_version() -> None:
    with pytest.raises(ScenarioError, match=r"r1: VI_1: profile rfc9568 does not speak version 2$"):
        network({"r1": router()}, profile="rfc9568")


def test_the_same_address_may_be_on_two_segments() -> None:
    data = scenario_data(["r1", "r2"], segments={"lan": {}, "other": {}})
    data["nodes"]["r2"]["interfaces"]["eth0"] = {"segment": "other", "addresses": ["10.0.0.1/24"]}
    result = network({"r1": router(), "r2": router()}, data=data).run(5 * S)
    # Nobody hears the other: both are master.
    assert [t.node for t in result.transitions if t.new == "MASTER"] == ["r1", "r2"]


def test_a_seed_given_replaces_the_scenarios() -> None:
    assert network({"r1": router()}, seed=5, data=scenario_data(["r1"]) | {"seed": 9}).kernel.seed == 5
    assert network({"r1": router()}, seed=0).kernel.seed == 0
    assert network({"r1": router()}, data=scenario_data(["r1"]) | {"seed": 9}).run(S).seed == 9


def test_progress_is_told_and_changes_nothing() -> None:
    told: list[int] = []
    configs = {"r1": router(101), "r2": router(100)}
    events = [event("10s", "crash", "r1")]
    with_progress = network(configs, events=events).run(20 * S, told.append)
    assert told == [20 * S * n // 100 for n in range(1, 101)]
    assert with_progress == network(configs, events=events).run(20 * S)


def test_events_done_one_by_one_are_the_scenarios() -> None:
    routers = {"r1": router(101), "r2": router(100)}
    whole = network(routers, events=[event("10s", "crash", "r1")]).run()
    stepped = network(routers, events=[event("10s", "crash", "r1")])
    stepped.begin()
    stepped.kernel.run(10 * S)
    stepped.act(stepped.scenario.events[0])
    stepped.kernel.run(60 * S)
    recorder = stepped.recorder
    assert tuple(recorder.transitions) == whole.transitions
    assert tuple(recorder.events) == whole.events
    assert recorder.spells == [
        (whole.transitions[2].at_ns, VIP, "r1", True),
        (10 * S, VIP, "r1", False),
        (whole.transitions[-1].at_ns, VIP, "r2", True),
    ]


def test_notes_and_title_go_through() -> None:
    data = scenario_data(["r1"], title="A title")
    result = network({"r1": router()}, data=data).run(S, notes=("one", "two"))
    assert (result.title, result.notes, result.nodes, result.duration_ns) == ("A title", ("one", "two"), ("r1",), S)


def test_a_run_of_no_time() -> None:
    result = network({"r1": router()}, clients={"c": client()}).run(0)
    assert result.transitions == ()
    assert result.clients["c"] == ClientStory(f"{VIP}:80", 0, 0, 0, ())
    assert not result.healthy_at_end


# The recorder ---------------------------------------------------------------------------------------------


def recorded(calls: list[tuple[int, str, bool]], end_ns: int = 100) -> Result:
    """A result after these calls of `serve`: time, node, serving."""
    recorder = Recorder()
    recorder.expect("v")
    for now_ns, node, serving in calls:
        recorder.serve(now_ns, node, "v", serving)
    return finish(recorder, end_ns)


def finish(recorder: Recorder, end_ns: int) -> Result:
    empty: dict[str, Any] = {"title": "", "seed": 1, "nodes": (), "instances": {}, "clients": {}, "counters": {}}
    return recorder.result(duration_ns=end_ns, notes=(), **empty)


@pytest.mark.parametrize(
    ("calls", "outages", "dual", "healthy"),
    [
        ([], [Span("v", 0, 100)], [], False),
        ([(10, "a", True)], [], [], True),
        ([(10, "a", True), (20, "a", True)], [], [], True),
        ([(10, "b", False), (20, "a", True)], [], [], True),
        ([(10, "a", True), (30, "a", False)], [Span("v", 30, 100, ("a",))], [], False),
        ([(10, "a", True), (30, "a", False), (40, "b", True)], [Span("v", 30, 40, ("a",))], [], True),
        ([(10, "a", True), (30, "a", False), (30, "b", True)], [], [], True),
        ([(10, "a", True), (20, "b", True), (30, "a", False)], [], [Span("v", 20, 30, ("a", "b"))], True),
        ([(10, "a", True), (20, "b", True)], [], [Span("v", 20, 100, ("a", "b"))], False),
        # A third joins and the first leaves: one stretch with all their names.
        (
            [(10, "a", True), (20, "b", True), (30, "c", True), (40, "a", False), (50, "b", False)],
            [],
            [Span("v", 20, 50, ("a", "b", "c"))],
            True,
        ),
        # Two stretches with time between them stay two.
        (
            [(10, "a", True), (20, "b", True), (30, "b", False), (40, "b", True), (50, "a", False)],
            [],
            [Span("v", 20, 30, ("a", "b")), Span("v", 40, 50, ("a", "b"))],
            True,
        ),
        ([(10, "a", True), (100, "a", False)], [], [], True),
    ],
)
def test_outages_and_dual_masters(
    calls: list[tuple[int, str, bool]], outages: list[Span], dual: list[Span], healthy: bool
) -> None:
    result = recorded(calls)
    assert (list(result.outages), list(result.dual_masters), result.healthy_at_end) == (outages, dual, healthy)


def test_two_addresses_do_not_join() -> None:
    recorder = Recorder()
    for address in ("v", "w"):
        recorder.expect(address)
        recorder.expect(address)
        recorder.serve(10, "a", address, True)
    recorder.serve(20, "b", "v", True)
    recorder.serve(30, "b", "w", True)
    recorder.serve(30, "a", "v", False)
    recorder.serve(40, "a", "w", False)
    assert finish(recorder, 100).dual_masters == (Span("v", 20, 30, ("a", "b")), Span("w", 30, 40, ("a", "b")))


def test_who_held_an_address() -> None:
    recorder = Recorder()
    recorder.release(1, "a", "v")
    recorder.hold(10, "b", "v")
    recorder.hold(20, "a", "v")
    recorder.hold(25, "a", "v")
    recorder.release(30, "a", "v")
    held = [(o.node, o.from_ns, o.to_ns) for o in finish(recorder, 100).ownership]
    assert held == [("b", 10, 100), ("a", 20, 30)]


def test_a_result_in_numbers_for_people() -> None:
    assert seconds(3_609_375_000) == 3.609375
    assert Span("v", 1, 4).duration_ns == 3
    assert ClientStory("", 0, 0, 0, ((5, 9), (10, 12))).longest_gap_ns == 4


def test_sync_group_members_go_together() -> None:
    two = (router(101), router(150, vrid=52, name="VI_2", addresses=["10.0.0.101"]))
    grouped = RouterConfig(virtual_routers=two, sync_groups=(SyncGroupConfig("G", ("VI_1", "VI_2")),))
    single = RouterConfig(virtual_routers=(router(120), router(90, vrid=52, name="VI_2", addresses=["10.0.0.101"])))
    result = network({"r1": grouped, "r2": single}).run(20 * S)
    # r1 would win VI_2 with 150, but VI_1 (101) hears 120: it waits, and r2 has both.
    assert {(t.node, t.instance) for t in result.transitions if t.new == "MASTER"} == {("r2", "VI_1"), ("r2", "VI_2")}
    assert result.healthy_at_end


@pytest.mark.parametrize("kind", ["servers", "clients"])
def test_a_name_is_one_stations(kind: str) -> None:
    interfaces = {"eth0": {"segment": "lan", "addresses": ["10.0.0.77/24"]}}
    more: dict[str, Any] = {"listen": [80]} if kind == "servers" else {"target": "10.0.0.100:80"}
    named: dict[str, Any] = {kind: {"r1": {"interfaces": interfaces} | more}}
    with pytest.raises(ScenarioError, match="'r1' is the name of a node already"):
        network({"r1": router()}, **named)
