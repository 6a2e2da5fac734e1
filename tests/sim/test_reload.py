"""A configuration that changes while the process runs, and processes that die in part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from networks import MS, S, changes, event, network, router, scenario_data, states, tap

from sim.inputs import from_files, from_scenario
from sim.network import Network
from sim.node import RESPAWN_NS
from sim.process import RELOAD_NS
from sim.result import Result
from sim.scenario import ScenarioSource, read_scenario
from sim.scenario_file import ScenarioError
from vrrp.protocol.settings import (
    FileConfig,
    ProcessConfig,
    RouterConfig,
    ScriptConfig,
    TrackedFile,
    TrackedProcess,
    TrackedScript,
)

MDI_101 = 3_605_468_750
MDI_100 = 3_609_375_000
DELAY = 50_000


def reloading(before: Any, after: Any, *more: dict[str, Any], at: str = "10s", **top: Any) -> Network:
    """r1 runs `before`, and `after` from a reload at 10 s on; r2 has priority 100."""
    data = scenario_data(["r1", "r2"], **{"duration": "20s"} | top)
    data["events"] = [event(at, "reload", "r1", keepalived="after"), *more]
    source = ScenarioSource("made by hand", "", Path())
    configs = {"r1": before, "r2": router(100)}
    made = {
        name: one if isinstance(one, RouterConfig) else RouterConfig(virtual_routers=(one,))
        for name, one in configs.items()
    }
    later = after if isinstance(after, RouterConfig) else RouterConfig(virtual_routers=(after,))
    return Network(read_scenario(data, source), source, made, ideal=True, reloads={("r1", "after", ()): later})


def priorities(result: Result, node: str, from_ns: int) -> list[tuple[int, int]]:
    return [(sent.at_ns, sent.priority) for sent in result.sent if sent.node == node and sent.at_ns >= from_ns]


def ownership(result: Result, address: str) -> list[tuple[str, int, int]]:
    return [(o.node, o.from_ns, o.to_ns) for o in result.ownership if o.address == address]


def test_a_lower_priority_is_said_at_once_and_loses_the_mastership_with_the_next_timeout() -> None:
    net = reloading(router(101), router(99))
    seen = tap(net)
    result = net.run()
    first_ns = 10 * S + RELOAD_NS
    assert priorities(result, "r1", 10 * S)[:3] == [(10 * S, 101), (first_ns, 99), (first_ns + S, 99)]
    assert states(result, "r1")[-1] == (10 * S + DELAY + MDI_100 + DELAY, "BACKUP")
    numbers = [f.raw[18:20] for at_ns, f in seen if at_ns >= 9 * S and f.raw[12:14] == b"\x08\x00"][:4]
    assert [int.from_bytes(number, "big") for number in numbers] == [7, 8, 1, 2]


def test_addresses_change_hands_without_an_election() -> None:
    net = reloading(router(101), router(101, addresses=["10.0.0.101"]), duration="12s")
    result = net.run()
    at_ns = 10 * S + RELOAD_NS
    assert ownership(result, "10.0.0.100")[0] == ("r1", MDI_101, at_ns)
    assert ownership(result, "10.0.0.101") == [("r1", at_ns, 12 * S)]
    # r2 goes on asking for the old address, which makes it one that somebody is to serve.
    assert [o.address for o in result.outages] == ["10.0.0.100"]


def test_an_address_that_nobody_has_any_more_is_missed_by_nobody() -> None:
    before = RouterConfig(virtual_routers=(router(101), router(101, name="VI_2", vrid=52, addresses=["10.0.0.200"])))
    result = reloading(before, router(101), duration="15s").run()
    at_ns = 10 * S + RELOAD_NS
    assert ownership(result, "10.0.0.200") == [("r1", MDI_101, at_ns)]
    assert changes(result, "r1")[-1] == (at_ns, "r1", "INITIALIZE", "no longer configured")
    assert result.outages == ()
    assert result.healthy_at_end


def test_an_instance_that_is_new_starts_with_the_reload() -> None:
    after = RouterConfig(virtual_routers=(router(101), router(101, name="VI_2", vrid=52, addresses=["10.0.0.200"])))
    result = reloading(router(101), after).run()
    assert result.instances == {"VI_1": ("10.0.0.100",), "VI_2": ("10.0.0.200",)}
    assert states(result, "r1")[-2:] == [
        (10 * S + RELOAD_NS, "BACKUP"),
        (10 * S + RELOAD_NS + MDI_101, "MASTER"),
    ]
    assert result.healthy_at_end


def test_the_dead_read_the_new_file_when_they_start() -> None:
    more = (event("9s", "crash", "r1"), event("11s", "start", "r1"))
    result = reloading(router(101), router(99), *more).run()
    assert states(result, "r1")[-1] == (11 * S, "BACKUP")
    assert result.counters["r1"]["VI_1"]["sent"] == 0


def test_the_frozen_read_it_when_they_wake() -> None:
    more = (event("9s", "pause", "r1"), event("10.5s", "resume", "r1"))
    result = reloading(router(101), router(102), *more).run()
    at_ns = 10_500 * MS
    # A timer of 9.6 s has ended meanwhile.
    assert priorities(result, "r1", at_ns)[:3] == [(at_ns, 101), (at_ns, 101), (at_ns + RELOAD_NS, 102)]


def test_frozen_or_dead_between_the_signal_and_the_reading() -> None:
    more = (event("10.0001s", "pause", "r1"), event("10.5s", "resume", "r1"))
    result = reloading(router(101), router(102), *more).run()
    assert priorities(result, "r1", 10 * S)[:2] == [(10 * S, 101), (10_500 * MS, 102)]
    result = reloading(router(101), router(102), event("10.0001s", "crash", "r1")).run()
    assert priorities(result, "r1", 10 * S) == [(10 * S, 101)]


def test_a_reload_of_what_never_started() -> None:
    data = scenario_data(["r1"], events=[event("1s", "reload", "r1")], duration="2s")
    data["nodes"]["r1"]["start"] = "never"
    assert network({"r1": router()}, data=data).run().transitions == ()


def test_a_script_that_ran_when_the_file_was_read_is_not_heard_of() -> None:
    tracked = router(101, track_scripts=(TrackedScript("chk", -5),))
    before = RouterConfig(virtual_routers=(tracked,), scripts=(ScriptConfig(name="chk"),))
    # The run of 10 s ends at 10.004 s, after the reload.
    result = reloading(before, router(101), event("9.9s", "script-fail", "r1"), at="10.001s").run()
    assert result.priorities == ()


def test_files_and_processes_found_by_a_reload() -> None:
    tracked = router(150, track_files=(TrackedFile("load", -1),), track_processes=(TrackedProcess("web", -20),))
    after = RouterConfig(
        virtual_routers=(tracked,), files=(FileConfig("load"),), processes=(ProcessConfig(name="web"),)
    )
    more = (event("9s", "file-set", "r1", file="load", value=3), event("9s", "process-die", "r1"))
    result = reloading(router(101), after, *more).run()
    assert priorities(result, "r1", 10 * S)[1:3] == [(10 * S + RELOAD_NS, 150), (11 * S + RELOAD_NS, 147)]
    assert [(p.old, p.new, p.reason) for p in result.priorities] == [(150, 147, "load says 3: 150 \u2192 147")]


def tracked_by(**parts: Any) -> RouterConfig:
    tracked = router(150, track_files=(TrackedFile("load", -1),), track_processes=(TrackedProcess("web", -20),))
    return RouterConfig(
        virtual_routers=(tracked,), files=(FileConfig("load"),), processes=(ProcessConfig(name="web", **parts),)
    )


def moved(*events: dict[str, Any], **parts: Any) -> list[tuple[int, int]]:
    net = network({"r1": tracked_by(**parts), "r2": router(100)}, events=list(events), duration="20s")
    return [(change.at_ns, change.new) for change in net.run().priorities]


def test_a_file_and_a_process_that_change() -> None:
    assert moved(
        event("5s", "file-set", "r1", file="load", value=60),
        event("6s", "process-die", "r1", process="web"),
        event("7s", "process-start", "r1"),
        event("8s", "file-set", "r1", file="load", value=0),
    ) == [(5 * S, 90), (6 * S, 70), (7 * S, 90), (8 * S, 150)]


def test_a_process_that_is_back_before_its_delay_is_over() -> None:
    events = (event("5s", "process-die", "r1"), event("5.4s", "process-start", "r1"))
    assert moved(*events, terminate_delay_ns=S // 2) == []
    assert moved(*events, terminate_delay_ns=S // 4) == [(5_250 * MS, 130), (5_400 * MS, 150)]


def test_what_changed_while_it_was_frozen_or_dead() -> None:
    changed = (event("6s", "file-set", "r1", file="load", value=60), event("6s", "process-die", "r1"))
    assert moved(event("5s", "pause", "r1"), *changed, event("7s", "resume", "r1")) == [(7 * S, 90), (7 * S, 70)]
    started = network(
        {"r1": tracked_by(), "r2": router(100)},
        events=[event("5s", "crash", "r1"), *changed, event("7s", "start", "r1")],
        duration="20s",
    ).run()
    assert [(t.at_ns, t.new) for t in started.transitions if t.node == "r1"][-1] == (7 * S, "BACKUP")


# Parents and children -------------------------------------------------------------------------------------


def two() -> dict[str, Any]:
    return {"r1": router(101), "r2": router(100)}


def test_a_child_is_followed_by_another_that_clears_the_addresses() -> None:
    """Recorded: two failovers in 3.6 s."""
    result = network(two(), events=[event("10.3s", "crash-child", "r1")], duration="20s").run()
    born_ns = 10_300 * MS + RESPAWN_NS
    assert states(result, "r1")[2:] == [
        (10_300 * MS, "INITIALIZE"),
        (born_ns, "BACKUP"),
        (born_ns + MDI_101, "MASTER"),
    ]
    assert ownership(result, "10.0.0.100")[0] == ("r1", MDI_101, born_ns)
    assert [state for _, state in states(result, "r2")] == ["BACKUP", "MASTER", "BACKUP"]


def test_a_child_that_dies_again_and_again_is_followed_ever_more_slowly() -> None:
    """Killed each 10 s, keepalived said: delayed 0, 1, 2, 4 seconds to limit respawn rate."""
    kills = [4, 14, 24, 34, 99]
    net = network(two(), events=[event(f"{at}s", "crash-child", "r2") for at in kills], duration="110s")
    starts = [at_ns - RESPAWN_NS for at_ns, state in states(net.run(), "r2") if state == "BACKUP"]
    assert starts[1:] == [(at + wait) * S for at, wait in zip(kills, (0, 1, 2, 4, 0), strict=True)]


def test_a_parent_without_a_child_can_be_stopped_killed_and_switched_off() -> None:
    for action in ("stop", "crash", "power-off", "start"):
        net = network(two(), events=[event("10s", "crash-child", "r2"), event("10.01s", action, "r2")])
        result = net.run(15 * S)
        assert [state for _, state in states(result, "r2")][1:] == ["INITIALIZE"] + ["BACKUP"] * (action == "start")


def test_a_child_that_does_not_run_cannot_be_killed() -> None:
    events = [event("10s", "crash", "r2"), event("11s", "crash-child", "r2"), event("12s", "stop", "r2")]
    assert states(network(two(), events=events).run(15 * S), "r2")[-1] == (10 * S, "INITIALIZE")
    data = scenario_data(["r1"], events=[event(f"{at}s", what, "r1") for at, what in enumerate(ENDS)], duration="9s")
    data["nodes"]["r1"]["start"] = "never"
    assert network({"r1": router()}, data=data).run().transitions == ()


ENDS = ("crash-child", "crash-parent", "crash", "stop")


def test_a_parent_alone_that_dies_ends_it_in_good_order() -> None:
    """kill_parent_only: priority 0 1.4 ms later, the other router is master after its skew."""
    result = network(two(), events=[event("10.2s", "crash-parent", "r1")], duration="20s").run()
    assert priorities(result, "r1", 10 * S) == [(10_200 * MS, 0)]
    assert changes(result, "r1")[-1] == (10_200 * MS, "r1", "INITIALIZE", "its parent was killed")
    assert states(result, "r2")[-1] == (10_200 * MS + DELAY + MDI_100 - 3 * S, "MASTER")


# From files -----------------------------------------------------------------------------------------------

CONF = """\
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    priority ${PRIO}
    virtual_ipaddress {
        10.0.0.100/24
    }
}
"""


def scenario(folder: Path, event_lines: str) -> Path:
    (folder / "a.conf").write_text(CONF)
    (folder / "b.conf").write_text(CONF)
    (folder / "new.conf").write_text(CONF.replace("${PRIO}", "${MORE}").replace("100/24", "99/24"))
    file = folder / "x.toml"
    nodes = "".join(
        f'[nodes.{name}]\nkeepalived = "{name}.conf"\nenvironment = {{ PRIO = "{101 - number}" }}\n'
        f'interfaces.eth0 = {{ segment = "lan", addresses = ["10.0.0.{number}/24"] }}\n'
        for number, name in enumerate("ab", 1)
    )
    file.write_text(f'duration = "20s"\n[segments.lan]\n{nodes}[[events]]\nat = "10s"\nnode = "a"\n{event_lines}\n')
    return file


def run(inputs: Any) -> Result:
    return Network(inputs.scenario, inputs.source, dict(inputs.configs), ideal=True, reloads=inputs.reloads).run()


@pytest.mark.parametrize(
    ("lines", "priority", "address"),
    [
        ('action = "reload"', 100, "10.0.0.100"),
        ('action = "reload"\nenvironment = { PRIO = "98" }', 98, "10.0.0.100"),
        ('action = "reload"\nkeepalived = "new.conf"\nenvironment = { MORE = "97" }', 97, "10.0.0.99"),
    ],
)
def test_a_reload_names_a_file_and_an_environment(lines: str, priority: int, address: str, tmp_path: Path) -> None:
    inputs = from_scenario(scenario(tmp_path, lines))
    assert len(inputs.files) == 2 + (priority != 100)
    result = run(inputs)
    assert priorities(result, "a", 11 * S)[0][1] == priority
    assert ownership(result, address) != []


def test_a_reload_from_the_command_line(tmp_path: Path) -> None:
    scenario(tmp_path, 'action = "reload"')
    files = [tmp_path / "a.conf", tmp_path / "b.conf"]
    told = f"10s a reload {tmp_path}/new.conf MORE=97,X=1"
    inputs = from_files(files, environment={"PRIO": "100"}, events=[told])
    # Both nodes have priority 100; the higher address is master.
    assert ownership(run(inputs), "10.0.0.99") != []


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('action = "reload"\nkeepalived = "none.conf"', "{0}/x.toml:15: {0}/none.conf: no such file or directory"),
        ('action = "reload"\nkeepalived = "bad.conf"', "{0}/bad.conf: no vrrp_instance in it; nothing to run"),
        (
            'action = "reload"\nkeepalived = "e7.conf"',
            "{0}/x.toml:3: a: VI_1: there is no interface 'e7' (known: eth0)",
        ),
        ('action = "reload"\nkeepalived = "cut.conf"', "{0}/cut.conf:1: VI_1: a virtual router needs an address"),
        ('action = "crash"\nkeepalived = "new.conf"', "{0}/x.toml:15: action 'crash' takes no 'keepalived'"),
    ],
)
def test_reloads_that_cannot_be(lines: str, message: str, tmp_path: Path) -> None:
    file = scenario(tmp_path, lines)
    (tmp_path / "bad.conf").write_text("")
    (tmp_path / "e7.conf").write_text(CONF.replace("eth0", "e7").replace("${PRIO}", "9"))
    (tmp_path / "cut.conf").write_text("vrrp_instance VI_1 {\ninterface eth0\nvirtual_router_id 51\n}\n")
    with pytest.raises(ScenarioError) as caught:
        run(from_scenario(file))
    assert str(caught.value) == message.format(tmp_path)
