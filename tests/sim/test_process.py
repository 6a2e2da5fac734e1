"""The VRRP process: killed, frozen, late, and its check scripts."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import pytest
from networks import MS, VIP, S, changes, client, event, network, router, scenario_data, states, tap

from sim.process import SOCKET_QUEUE
from sim.result import Result
from vrrp.protocol.lateness import FRR_LATENESS, KEEPALIVED_LATENESS, PUNCTUAL, WHOLE, Lateness
from vrrp.protocol.settings import (
    RouterConfig,
    ScriptConfig,
    TrackedInterface,
    TrackedScript,
    VirtualRouterConfig,
)
from vrrp.protocol.tracking import OVERDUE_NS, SCRIPT_RUN_NS
from vrrp.wire.frame import Datagram

MDI_101 = 3_605_468_750
"""3 s + 155/256 s."""
MDI_100 = 3_609_375_000
"""3 s + 156/256 s."""
SKEW_100 = 609_375_000
DELAY = 50_000


def two() -> dict[str, VirtualRouterConfig]:
    return {"r1": router(101), "r2": router(100)}


def ownership(result: Result) -> list[tuple[str, int, int]]:
    return [(o.node, o.from_ns, o.to_ns) for o in result.ownership]


# Ends and beginnings --------------------------------------------------------------------------------------


def test_a_crash_leaves_the_addresses_and_somebody_who_answers_for_them() -> None:
    net = network(
        two(),
        events=[event("10s", "crash", "r1"), event("10.5s", "loss", segment="lan", rate=0.0)],
        clients={"c": client(every="200ms", timeout="150ms")},
        duration="13s",
    )
    result = net.run()
    assert changes(result, "r1")[-1] == (10 * S, "r1", "INITIALIZE", "killed (SIGKILL)")
    # Nobody says good-bye, nobody takes the address: the dead router's kernel goes on answering.
    assert ownership(result) == [("r1", MDI_101, 13 * S)]
    assert result.counters["r1"]["VI_1"]["priority_zero_sent"] == 0
    assert [gap for gap in result.clients["c"].gaps if gap[0] > 5 * S] == []
    assert [(o.from_ns, o.to_ns) for o in result.outages] == [(10 * S, 13 * S)]
    assert not result.healthy_at_end


def test_power_off_takes_the_addresses_and_the_answers() -> None:
    net = network(
        two(),
        events=[event("10s", "power-off", "r1")],
        clients={"c": client(every="200ms", timeout="150ms")},
        duration="13s",
    )
    result = net.run()
    assert changes(result, "r1")[-1] == (10 * S, "r1", "INITIALIZE", "power lost")
    assert ownership(result) == [("r1", MDI_101, 10 * S)]
    assert [gap for gap in result.clients["c"].gaps if gap[0] > 5 * S] == [(10 * S, 13 * S)]


def test_power_off_after_a_crash_takes_what_the_crash_left() -> None:
    events = [event("10s", "crash", "r1"), event("11s", "power-off", "r1"), event("12s", "power-off", "r1")]
    result = network(two(), events=events, duration="13s").run()
    assert ownership(result) == [("r1", MDI_101, 11 * S)]
    assert [change[3] for change in changes(result, "r1")][-1] == "killed (SIGKILL)"


def test_power_off_of_a_node_that_never_started_is_no_story() -> None:
    data = scenario_data(["r1"], events=[event("1s", "power-off", "r1")])
    data["nodes"]["r1"]["start"] = "never"
    assert network({"r1": router()}, data=data).run(5 * S).transitions == ()


def test_stop_says_good_bye_and_takes_the_address_off() -> None:
    net = network(two(), events=[event("10s", "stop", "r1")])
    seen = tap(net)
    result = net.run(12 * S)
    assert ownership(result)[0] == ("r1", MDI_101, 10 * S)
    assert [at for at, f in seen if isinstance(f.content, Datagram) and f.content.payload[2] == 0] == [10 * S]
    # The backup hears it after the delay and waits for its skew: 156/256 s.
    assert changes(result, "r2")[-1] == (10 * S + DELAY + SKEW_100, "r2", "MASTER", "priority 0 from 10.0.0.1")


def test_a_restart_clears_what_the_crash_left() -> None:
    result = network(two(), events=[event("10s", "crash", "r1"), event("12s", "start", "r1")], duration="13s").run()
    assert ownership(result) == [("r1", MDI_101, 12 * S)]
    assert changes(result, "r1")[-1] == (12 * S, "r1", "BACKUP", "start")


def test_a_second_start_changes_nothing() -> None:
    plain = network(two(), duration="20s").run()
    started = network(two(), events=[event("10s", "start", "r1")], duration="20s").run()
    assert (started.transitions, started.sent, started.ownership) == (
        plain.transitions,
        plain.sent,
        plain.ownership,
    )


@pytest.mark.parametrize("action", ["stop", "crash", "pause", "resume"])
def test_what_is_dead_cannot_be_stopped_killed_or_frozen(action: str) -> None:
    data = scenario_data(["r1"], events=[event("5s", action, "r1"), event("6s", "start", "r1")], duration="20s")
    data["nodes"]["r1"]["start"] = "never"
    result = network({"r1": router()}, data=data).run()
    assert states(result, "r1") == [(6 * S, "BACKUP"), (6 * S + MDI_100, "MASTER")]


def test_a_node_may_start_later() -> None:
    data = scenario_data(["r1"], duration="20s")
    data["nodes"]["r1"]["start"] = "2.5s"
    result = network({"r1": router()}, data=data).run()
    assert states(result, "r1") == [(2_500 * MS, "BACKUP"), (2_500 * MS + MDI_100, "MASTER")]


def test_power_on_brings_the_links_back() -> None:
    events = [event("10s", "power-off", "r1"), event("20s", "start", "r1")]
    result = network(two(), events=events, duration="30s").run()
    assert states(result, "r1")[2:] == [(10 * S, "INITIALIZE"), (20 * S, "BACKUP"), (20 * S + MDI_101, "MASTER")]


def test_timers_of_an_earlier_life_are_dead() -> None:
    events = [event("3.6s", "crash", "r1"), event("3.601s", "start", "r1")]
    result = network({"r1": router(101)}, events=events, duration="10s").run()
    assert states(result, "r1") == [
        (0, "BACKUP"),
        (3_600 * MS, "INITIALIZE"),
        (3_601 * MS, "BACKUP"),
        (3_601 * MS + MDI_101, "MASTER"),
    ]


# Frozen ---------------------------------------------------------------------------------------------------


def test_a_frozen_master_is_replaced_and_steps_down_when_it_wakes() -> None:
    net = network(two(), events=[event("10s", "pause", "r1"), event("20s", "resume", "r1")], duration="30s")
    result = net.run()
    # Last advertisement at 3.605 + 6 = 9.605 s; r2 hears it 50 us later and waits 3.609375 s.
    taken_ns = MDI_101 + 6 * S + DELAY + MDI_100
    assert states(result, "r2")[1] == (taken_ns, "MASTER")
    # Its queue holds weaker advertisements only; it answers them and stays, r2 hears that after the delay.
    assert states(result, "r1") == [(0, "BACKUP"), (MDI_101, "MASTER")]
    assert states(result, "r2")[2] == (20 * S + DELAY, "BACKUP")
    assert [(d.from_ns, d.to_ns) for d in result.dual_masters] == [(taken_ns, 20 * S + DELAY)]
    assert [s.at_ns for s in result.sent if s.node == "r1" and 10 * S < s.at_ns < 20 * S] == []


def test_a_frozen_backup_hears_its_queue_first_and_stays_backup() -> None:
    result = network(two(), events=[event("10s", "pause", "r2"), event("30s", "resume", "r2")], duration="40s").run()
    assert states(result, "r2") == [(0, "BACKUP")]
    # r1 advertised 37 times from 3.605 s to 39.605 s; all were heard, 20 of them at once.
    assert result.counters["r2"]["VI_1"]["accepted"] == 37


def test_the_queue_of_a_frozen_process_has_an_end() -> None:
    configs = {name: router(p, version=3, interval_cs=1) for name, p in (("r1", 200), ("r2", 100))}
    net = network(configs, events=[event("1s", "pause", "r2")])
    result = net.run(11 * S)
    accepted = result.counters["r2"]["VI_1"]["accepted"]
    process = net.nodes["r2"].process
    assert process is not None
    process.resume(net.kernel.now_ns)
    assert result.counters["r1"]["VI_1"]["sent"] > accepted + SOCKET_QUEUE
    assert net.nodes["r2"].counters()["VI_1"]["accepted"] == accepted + SOCKET_QUEUE


def test_a_frozen_process_learns_of_its_link_when_it_wakes() -> None:
    events = [
        event("10s", "pause", "r1"),
        event("11s", "link-down", "r1", interface="eth0"),
        event("15s", "resume", "r1"),
    ]
    result = network(two(), events=events, duration="20s").run()
    assert changes(result, "r1")[-1] == (15 * S, "r1", "FAULT", "eth0 is down")


def test_sigterm_waits_for_a_frozen_process_to_wake() -> None:
    events = [event("10s", "pause", "r1"), event("11s", "stop", "r1"), event("12s", "resume", "r1")]
    result = network(two(), events=events, duration="20s").run()
    assert states(result, "r1")[-1] == (12 * S, "INITIALIZE")


def test_sigkill_does_not_wait() -> None:
    events = [event("10s", "pause", "r1"), event("11s", "crash", "r1"), event("12s", "resume", "r1")]
    result = network(two(), events=events, duration="20s").run()
    assert states(result, "r1")[-1] == (11 * S, "INITIALIZE")


def test_a_frozen_process_that_was_killed_starts_awake() -> None:
    events = [event("10s", "pause", "r1"), event("11s", "crash", "r1"), event("12s", "start", "r1")]
    result = network(two(), events=events, duration="20s").run()
    assert states(result, "r1")[-1] == (12 * S + MDI_101, "MASTER")


# Late -----------------------------------------------------------------------------------------------------


LATE = [
    ("keepalived", 2, MDI_100, KEEPALIVED_LATENESS),
    ("frr", 3, 3_600 * MS, FRR_LATENESS),
    ("rfc9568", 3, MDI_100, PUNCTUAL),
    ("rfc3768", 2, MDI_100, PUNCTUAL),
]


@pytest.mark.parametrize(("profile", "version", "down_ns", "lateness"), LATE)
def test_timers_come_late_as_the_profile_says_and_drift(
    profile: str, version: int, down_ns: int, lateness: Lateness
) -> None:
    configs = {"r1": router(version=version)}
    net = network(configs, ideal=False, profile=profile, duration="8s")
    draws = random.Random("1/r1/lateness")
    late_ns = 0
    for number, sent in enumerate(net.run().sent):
        late_ns += lateness.at(int(draws.random() * WHOLE)) if lateness is not PUNCTUAL else 0
        assert sent.at_ns == down_ns + number * S + late_ns
    assert number == 4
    ideal = network(configs, profile=profile).run(8 * S)
    assert [s.at_ns for s in ideal.sent] == [down_ns + n * S for n in range(5)]


@pytest.mark.parametrize(
    ("profile", "version", "least_us", "middle_us", "tail_us", "most_us"),
    [("keepalived", 2, 72, 273, 3048, 8371), ("frr", 3, 0, 312, 2391, 10345)],
)
def test_periods_are_as_long_as_in_the_recordings(
    profile: str, version: int, least_us: int, middle_us: int, tail_us: int, most_us: int
) -> None:
    """Least, median, 95 % and most of what a master's gaps between advertisements exceed the interval by."""
    result = network({"r1": router(version=version)}, ideal=False, profile=profile, duration="3000s").run()
    late_us = sorted((b.at_ns - a.at_ns - S) / 1000 for a, b in pairwise(result.sent))
    assert least_us <= late_us[0]
    assert late_us[len(late_us) // 2] == pytest.approx(middle_us, rel=0.1)
    assert late_us[len(late_us) * 95 // 100] == pytest.approx(tail_us, rel=0.2)
    assert most_us * 0.6 < late_us[-1] < most_us * 1.2


def test_a_link_change_is_noticed_4_ms_later() -> None:
    events = [event("10s", "link-down", "r1", interface="eth0"), event("20s", "link-up", "r1", interface="eth0")]
    result = network(two(), events=events, duration="30s").run()
    assert states(result, "r1")[2:] == [
        (10_004 * MS, "FAULT"),
        (20_004 * MS, "BACKUP"),
        (20_004 * MS + MDI_101, "MASTER"),
    ]
    assert [(o.from_ns, o.nodes) for o in result.outages] == [(10 * S, ("r1",))]


def test_a_link_that_flaps_faster_than_it_is_noticed_is_not_noticed() -> None:
    events = [event("10s", "link-down", "r1", interface="eth0"), event("10.003s", "link-up", "r1", interface="eth0")]
    result = network(two(), events=events, duration="20s").run()
    assert states(result, "r1") == [(0, "BACKUP"), (MDI_101, "MASTER")]
    assert [(o.from_ns, o.to_ns) for o in result.outages] == [(10 * S, 10_003 * MS)]


@pytest.mark.parametrize("death", ["crash", "pause"])
def test_a_link_change_is_not_noticed_by_the_dead_or_frozen(death: str) -> None:
    events = [event("10s", "link-down", "r1", interface="eth0"), event("10.002s", death, "r1")]
    result = network(two(), events=events, duration="12s").run()
    assert "FAULT" not in [state for _, state in states(result, "r1")]


def test_a_link_change_after_death_and_while_off_is_silent() -> None:
    events = [
        event("9s", "crash", "r1"),
        event("10s", "link-down", "r1", interface="eth0"),
        event("11s", "power-off", "r1"),
        event("12s", "link-up", "r1", interface="eth0"),
    ]
    net = network(two(), events=events, duration="13s")
    result = net.run()
    assert states(result, "r1")[-1] == (9 * S, "INITIALIZE")
    assert not net.nodes["r1"].interfaces["eth0"].port.up


def test_a_process_that_starts_without_a_link_starts_in_fault() -> None:
    data = scenario_data(["r1"], events=[event("1s", "link-down", "r1", interface="eth0")], duration="10s")
    data["nodes"]["r1"]["start"] = "2s"
    result = network({"r1": router()}, data=data).run()
    assert changes(result) == [(2 * S, "r1", "FAULT", "eth0 is down")]


def test_a_pulled_cable_stays_pulled_when_the_node_is_switched_off_and_on() -> None:
    events = [
        event("10s", "link-down", "r1", interface="eth0"),
        event("11s", "power-off", "r1"),
        event("12s", "start", "r1"),
    ]
    result = network(two(), events=events, duration="20s").run()
    assert states(result, "r1")[-1] == (12 * S, "FAULT")


def test_a_cable_plugged_in_while_the_node_is_off_is_there_when_it_comes_back() -> None:
    events = [
        event("10s", "link-down", "r1", interface="eth0"),
        event("11s", "power-off", "r1"),
        event("12s", "link-up", "r1", interface="eth0"),
        event("13s", "start", "r1"),
    ]
    result = network(two(), events=events, duration="20s").run()
    assert states(result, "r1")[-1] == (13 * S + MDI_101, "MASTER")


def test_a_crash_of_a_router_that_is_nothing_yet_is_no_transition() -> None:
    # RFC profiles go to INITIALIZE without a link.
    events = [event("10s", "link-down", "r1", interface="eth0"), event("11s", "crash", "r1")]
    result = network(two(), profile="rfc3768", events=events, duration="12s").run()
    assert states(result, "r1")[-1] == (10 * S, "INITIALIZE")


# Check scripts --------------------------------------------------------------------------------------------


def scripted(weight: int, **script: Any) -> dict[str, RouterConfig]:
    """r1 (101) tracks `check`, run each second; r2 (100) tracks nothing."""
    checked = router(101, track_scripts=(TrackedScript("check", weight),))
    return {
        "r1": RouterConfig(virtual_routers=(checked,), scripts=(ScriptConfig(name="check", **script),)),
        "r2": RouterConfig(virtual_routers=(router(100),)),
    }


def test_a_failing_script_lowers_the_priority_until_it_passes() -> None:
    events = [event("10.5s", "script-fail", "r1"), event("20.5s", "script-pass", "r1")]
    result = network(scripted(-10, fall=2, rise=3), events=events, duration="30s").run()
    # Runs at 11 s and 12 s fail, 4 ms each; those of 21, 22 and 23 s pass.
    assert [(p.at_ns, p.old, p.new, p.reason) for p in result.priorities] == [
        (12 * S + SCRIPT_RUN_NS, 101, 91, "check failed 2 times: 101 \u2192 91"),
        (23 * S + SCRIPT_RUN_NS, 91, 101, "check succeeded 3 times: 91 \u2192 101"),
    ]
    assert SCRIPT_RUN_NS == 4 * MS
    # r1's next advertisement (12.605 s) is the first that says 91; r2 has 100 and waits for its timer, set by
    # the one of 11.605 s.
    assert states(result, "r2")[1] == (11 * S + 605_468_750 + DELAY + MDI_100, "MASTER")
    assert changes(result, "r1")[2][3] == (
        "10.0.0.2 has higher priority 100, our priority is 91 (check failed 2 times: 101 \u2192 91)"
    )


def test_a_script_of_weight_0_is_a_fault() -> None:
    events = [event("10.5s", "script-fail", "r1", script="check"), event("20.5s", "script-pass", "r1", script="check")]
    result = network(scripted(0), events=events, duration="30s").run()
    preempts = "preempts 10.0.0.2: its priority 100 is below our 101"
    assert changes(result, "r1") == [
        (0, "r1", "FAULT", "no result yet"),
        (SCRIPT_RUN_NS, "r1", "BACKUP", "check succeeded once"),
        # 4 ms late, so that r2 (3.609375 s) has spoken before.
        (SCRIPT_RUN_NS + MDI_101, "r1", "MASTER", preempts),
        (11 * S + SCRIPT_RUN_NS, "r1", "FAULT", "check failed once"),
        (21 * S + SCRIPT_RUN_NS, "r1", "BACKUP", "check succeeded once"),
        (21 * S + SCRIPT_RUN_NS + MDI_101, "r1", "MASTER", preempts),
    ]
    # Two good-byes (keepalived); the backup takes over a skew after the second.
    assert states(result, "r2")[3] == (11 * S + SCRIPT_RUN_NS + DELAY + SKEW_100, "MASTER")
    assert result.counters["r1"]["VI_1"]["priority_zero_sent"] == 2


def test_a_hanging_script_is_killed_at_its_timeout_and_has_failed() -> None:
    events = [event("10.5s", "script-hang", "r1")]
    result = network(scripted(0, timeout_ns=3 * S), events=events, duration="20s").run()
    assert changes(result, "r1")[3] == (14 * S + OVERDUE_NS, "r1", "FAULT", "check timed out once")


def test_the_end_of_a_killed_run_is_not_reported() -> None:
    # A run ends after 4 ms and with a timeout of 2 ms is killed after 3: each is, though the script passes.
    result = network(scripted(0, timeout_ns=2 * MS), duration="5s").run()
    assert changes(result, "r1")[0] == (0, "r1", "FAULT", "no result yet")
    assert "BACKUP" not in [state for _, state in states(result, "r1")]


def test_one_scripts_outcome_does_not_touch_the_other() -> None:
    tracked = (TrackedScript("check", -10), TrackedScript("other", -20))
    config = RouterConfig(
        virtual_routers=(router(101, track_scripts=tracked),),
        scripts=(ScriptConfig(name="check"), ScriptConfig(name="other")),
    )
    events = [event("5.5s", "script-fail", "r1", script="other"), event("8.5s", "script-fail", "r1")]
    events += [event("10.5s", "script-pass", "r1")]
    result = network({"r1": config}, events=events, duration="15s").run()
    assert [(p.at_ns // S, p.new) for p in result.priorities] == [(6, 81), (9, 71), (11, 81), (11, 101)]


def test_a_result_that_comes_while_frozen_waits() -> None:
    events = [
        event("10.5s", "script-fail", "r1"),
        event("11.002s", "pause", "r1"),
        event("11.5s", "resume", "r1"),
    ]
    result = network(scripted(-10), events=events, duration="15s").run()
    (changed,) = result.priorities
    assert 11_500 * MS <= changed.at_ns <= 11_500 * MS + SCRIPT_RUN_NS
    assert changed.reason == "check failed once: 101 \u2192 91"


def test_a_script_that_ends_after_its_process_is_nobodys() -> None:
    events = [event("10.5s", "script-fail", "r1"), event("11.002s", "crash", "r1")]
    result = network(scripted(-10), events=events, duration="15s").run()
    assert result.priorities == ()


def test_an_interface_with_a_weight_moves_the_priority() -> None:
    watched = router(101, track_interfaces=(TrackedInterface("eth1", -10),))
    data = scenario_data(["r1", "r2"], duration="20s", events=[event("10s", "link-down", "r1", interface="eth1")])
    data["nodes"]["r1"]["interfaces"]["eth1"] = {"segment": "lan", "addresses": []}
    result = network({"r1": watched, "r2": router(100)}, data=data).run()
    assert [(p.at_ns, p.new, p.reason) for p in result.priorities] == [
        (10_004 * MS, 91, "eth1 is down: 101 \u2192 91")
    ]
    assert result.ownership[-1].address == VIP
    assert result.ownership[-1].node == "r2"
