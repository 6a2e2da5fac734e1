"""Whole stories of three routers, beside the times that the RFCs' formulas give by hand.

Version 2 (RFC 3768 section 6.1), interval 1 s: Skew_Time is (256 - priority) / 256 s, Master_Down_Interval is
3 s + Skew_Time.
r1 200: 0.218750 s and 3.218750 s; r2 150: 0.4140625 s and 3.4140625 s; r3 100: 0.609375 s and 3.609375 s.
A frame takes 50 us; processes are ideal, except that keepalived hears of a link change 4 ms late.
"""

from __future__ import annotations

from typing import Any

import pytest
from networks import MS, VIP, S, changes, event, network, router, states, tap

from sim.result import Result
from vrrp.protocol.settings import RouterConfig, ScriptConfig, TrackedScript, VirtualRouterConfig
from vrrp.wire.frame import Datagram

DELAY = 50_000
FIRST = 3_218_750_000
"""r1 is master: its Master_Down_Interval after the start. Advertisements at this and each second after."""
MDI_R1, MDI_R2, MDI_R3 = 3_218_750_000, 3_414_062_500, 3_609_375_000
SKEW_R2 = 414_062_500
LAST = 9_218_750_000
"""r1's last advertisement before 10 s."""
TAKEN = LAST + DELAY + MDI_R2
"""r2 is master after r1's silence from 10 s on: 12.6328625 s."""


def three(**settings: Any) -> dict[str, VirtualRouterConfig]:
    return {name: router(priority, **settings) for name, priority in (("r1", 200), ("r2", 150), ("r3", 100))}


def spans(result: Result) -> tuple[list[tuple[int, int, tuple[str, ...]]], list[tuple[int, int, tuple[str, ...]]]]:
    """(from, to, nodes) of outages and of dual masters, all of the one address."""
    assert {span.address for span in result.outages + result.dual_masters} <= {VIP}
    outages = [(o.from_ns, o.to_ns, o.nodes) for o in result.outages]
    return outages, [(d.from_ns, d.to_ns, d.nodes) for d in result.dual_masters]


def test_an_election_has_the_best_speak_first_and_the_others_silent() -> None:
    result = network(three(), duration="10s").run()
    assert changes(result) == [
        (0, "r1", "BACKUP", "start"),
        (0, "r2", "BACKUP", "start"),
        (0, "r3", "BACKUP", "start"),
        (FIRST, "r1", "MASTER", "no advertisement yet, for 3.218 s"),
    ]
    assert [(s.at_ns, s.node, s.priority) for s in result.sent] == [(FIRST + n * S, "r1", 200) for n in range(7)]
    # Before the first master there is nothing to be out.
    assert spans(result) == ([], [])
    assert [(o.node, o.from_ns, o.to_ns) for o in result.ownership] == [("r1", FIRST, 10 * S)]
    assert result.counters["r1"]["VI_1"] == {
        "sent": 7,
        "priority_zero_sent": 0,
        "accepted": 0,
        "priority_zero_received": 0,
        "became_master": 1,
        "discarded": {},
    }
    assert result.counters["r2"]["VI_1"] | {"accepted": 7} == result.counters["r3"]["VI_1"]
    assert result.counters["r3"]["VI_1"]["accepted"] == 7
    assert result.healthy_at_end


def test_crash_and_return() -> None:
    events = [event("10s", "crash", "r1"), event("20s", "start", "r1")]
    result = network(three(), events=events, duration="30s").run()
    assert changes(result)[4:] == [
        (10 * S, "r1", "INITIALIZE", "killed (SIGKILL)"),
        (TAKEN, "r2", "MASTER", "no advertisement for 3.414 s"),
        (20 * S, "r1", "BACKUP", "start"),
        (20 * S + MDI_R1, "r1", "MASTER", "preempts 10.0.0.2: its priority 150 is below our 200"),
        (20 * S + MDI_R1 + DELAY, "r2", "BACKUP", "10.0.0.1 has higher priority 200, our priority is 150"),
    ]
    assert TAKEN == 12_632_862_500
    assert spans(result) == (
        [(10 * S, TAKEN, ("r1",))],
        [(20 * S + MDI_R1, 20 * S + MDI_R1 + DELAY, ("r2", "r1"))],
    )
    # r1's address stays until its process comes back and clears it.
    assert [(o.node, o.from_ns, o.to_ns) for o in result.ownership] == [
        ("r1", FIRST, 20 * S),
        ("r2", TAKEN, 20 * S + MDI_R1 + DELAY),
        ("r1", 20 * S + MDI_R1, 30 * S),
    ]
    assert [e.text for e in result.events] == ["crash (SIGKILL, its addresses stay)", "start"]
    # r2: 12.63 s to 22.63 s, 11 advertisements; r1's second life: 23.21875 s to 29.21875 s, 7.
    assert result.counters["r2"]["VI_1"]["sent"] == 11
    assert result.counters["r1"]["VI_1"]["sent"] == 7
    assert result.counters["r2"]["VI_1"]["became_master"] == 1
    # r3 heard 7 of r1, 11 of r2 and 7 of r1.
    assert result.counters["r3"]["VI_1"]["accepted"] == 25
    assert states(result, "r3") == [(0, "BACKUP")]
    assert result.healthy_at_end


def test_stop_leaves_only_the_skew_to_wait() -> None:
    result = network(three(), events=[event("10s", "stop", "r1")], duration="20s").run()
    taken = 10 * S + DELAY + SKEW_R2
    assert changes(result)[4:] == [
        (10 * S, "r1", "INITIALIZE", "stopped (SIGTERM)"),
        (taken, "r2", "MASTER", "priority 0 from 10.0.0.1"),
    ]
    assert spans(result) == ([(10 * S, taken, ("r1",))], [])
    assert [(s.at_ns, s.priority) for s in result.sent if s.node == "r1"][-1] == (10 * S, 0)
    assert result.counters["r1"]["VI_1"]["priority_zero_sent"] == 1
    assert [result.counters[name]["VI_1"]["priority_zero_received"] for name in ("r2", "r3")] == [1, 1]


def test_a_second_failure_falls_to_the_third() -> None:
    events = [event("10s", "stop", "r1"), event("15s", "power-off", "r2")]
    result = network(three(), events=events, duration="30s").run()
    taken = 10 * S + DELAY + SKEW_R2
    # r2's advertisements: at `taken` and each second; the last before 15 s is 4 s later.
    third = taken + 4 * S + DELAY + MDI_R3
    assert changes(result, "r3")[-1] == (third, "r3", "MASTER", "no advertisement for 3.609 s")
    assert spans(result)[0] == [(10 * S, taken, ("r1",)), (15 * S, third, ("r2",))]


def test_link_loss_is_an_outage_at_once_and_a_fault_4_ms_later() -> None:
    events = [event("10s", "link-down", "r1", interface="eth0"), event("20s", "link-up", "r1", interface="eth0")]
    net = network(three(), events=events, duration="30s")
    seen = tap(net)
    result = net.run()
    back = 20_004 * MS + MDI_R1
    assert changes(result)[4:] == [
        (10_004 * MS, "r1", "FAULT", "eth0 is down"),
        (TAKEN, "r2", "MASTER", "no advertisement for 3.414 s"),
        (20_004 * MS, "r1", "BACKUP", "eth0 is up"),
        (back, "r1", "MASTER", "preempts 10.0.0.2: its priority 150 is below our 200"),
        (back + DELAY, "r2", "BACKUP", "10.0.0.1 has higher priority 200, our priority is 150"),
    ]
    assert spans(result) == ([(10 * S, TAKEN, ("r1",))], [(back, back + DELAY, ("r2", "r1"))])
    # Two good-byes are said, and nobody can hear them.
    assert [s.at_ns for s in result.sent if not s.priority] == [10_004 * MS] * 2
    assert not [f for _, f in seen if isinstance(f.content, Datagram) and not f.content.payload[2]]


@pytest.mark.parametrize(
    ("heal", "ended"),
    [
        # r1 speaks at n + 0.21875 s, r2 at n + 0.6328625 s. Here r1 is first: r2 steps down when it hears that.
        ("20s", 20_218_750_000 + DELAY),
        # Here r2 is first: r1 (keepalived) answers at once.
        ("20.5s", TAKEN + 8 * S + 2 * DELAY),
    ],
)
def test_a_partition_makes_two_masters_and_healing_one(heal: str, ended: int) -> None:
    groups = [["r1"], ["r2", "r3"]]
    events = [event("10s", "partition", segment="lan", groups=groups), event(heal, "heal", segment="lan")]
    result = network(three(), events=events, duration="30s").run()
    assert changes(result)[4:] == [
        (TAKEN, "r2", "MASTER", "no advertisement for 3.414 s"),
        (ended, "r2", "BACKUP", "10.0.0.1 has higher priority 200, our priority is 150"),
    ]
    assert spans(result) == ([], [(TAKEN, ended, ("r1", "r2"))])
    assert [e.text for e in result.events] == ["partition lan r1 | r2, r3", "heal lan"]
    assert result.events[0].node is None
    assert result.healthy_at_end


def test_a_partition_that_does_not_heal_is_not_healthy() -> None:
    events = [event("10s", "partition", segment="lan", groups=[["r1"], ["r2"], ["r3"]])]
    result = network(three(), events=events, duration="20s").run()
    third = LAST + DELAY + MDI_R3
    # Three masters are one stretch.
    assert spans(result) == ([], [(TAKEN, 20 * S, ("r1", "r2", "r3"))])
    assert states(result, "r3")[-1] == (third, "MASTER")
    assert not result.healthy_at_end


def test_a_failing_script_moves_the_mastership_without_an_outage() -> None:
    tracked = (TrackedScript("check", -120),)
    configs: dict[str, VirtualRouterConfig | RouterConfig] = dict(three())
    configs["r1"] = RouterConfig(
        virtual_routers=(router(200, track_scripts=tracked),), scripts=(ScriptConfig(name="check"),)
    )
    result = network(configs, events=[event("10.5s", "script-fail", "r1")], duration="20s").run()
    # The run of 11 s ends 4 ms later; r1's advertisement of 11.21875 s says 80, and r2 no longer counts it.
    taken = 10_218_750_000 + DELAY + MDI_R2
    moved = "check failed once: 200 \u2192 80"
    assert [(p.at_ns, p.node, p.old, p.new, p.reason) for p in result.priorities] == [
        (11_004 * MS, "r1", 200, 80, moved)
    ]
    assert changes(result)[4:] == [
        (taken, "r2", "MASTER", "preempts 10.0.0.1: its priority 80 is below our 150"),
        (taken + DELAY, "r1", "BACKUP", f"10.0.0.2 has higher priority 150, our priority is 80 ({moved})"),
    ]
    assert spans(result) == ([], [(taken, taken + DELAY, ("r1", "r2"))])


def test_pause_and_resume() -> None:
    events = [event("10s", "pause", "r1"), event("20s", "resume", "r1")]
    result = network(three(), events=events, duration="30s").run()
    # r1 wakes, finds weaker advertisements, answers each: r2 hears the first answer.
    assert changes(result)[4:] == [
        (TAKEN, "r2", "MASTER", "no advertisement for 3.414 s"),
        (20 * S + DELAY, "r2", "BACKUP", "10.0.0.1 has higher priority 200, our priority is 150"),
    ]
    assert spans(result) == ([], [(TAKEN, 20 * S + DELAY, ("r1", "r2"))])


def test_equal_priorities_all_rise_and_the_highest_address_stays() -> None:
    configs = {name: router(100) for name in ("r1", "r2", "r3")}
    result = network(configs, duration="10s").run()
    at = MDI_R3
    why = "has a higher address, our priority is 100"
    assert changes(result)[3:] == [
        (at, "r1", "MASTER", "no advertisement yet, for 3.609 s"),
        (at, "r2", "MASTER", "no advertisement yet, for 3.609 s"),
        (at, "r3", "MASTER", "no advertisement yet, for 3.609 s"),
        (at + DELAY, "r1", "BACKUP", f"10.0.0.2 {why}"),
        (at + DELAY, "r2", "BACKUP", f"10.0.0.3 {why}"),
    ]
    assert spans(result) == ([], [(at, at + DELAY, ("r1", "r2", "r3"))])


def test_nopreempt_lets_the_weaker_master_be() -> None:
    events = [event("10s", "crash", "r1"), event("20s", "start", "r1")]
    result = network(three(preempt=False), events=events, duration="40s").run()
    assert states(result, "r1")[-1] == (20 * S, "BACKUP")
    assert states(result, "r2")[-1] == (TAKEN, "MASTER")


def test_preempt_delay_begins_with_the_first_weaker_advertisement() -> None:
    events = [event("10s", "crash", "r1"), event("20s", "start", "r1")]
    result = network(three(preempt_delay_ns=10 * S), events=events, duration="60s").run()
    # r2's advertisements after 20 s: 20.6328625 s first. Ten seconds on, the one of 30.6328625 s is refused; the
    # timer was last set by the one of 29.6328625 s.
    heard = TAKEN + 8 * S + DELAY
    assert states(result, "r1")[-1] == (heard + 9 * S + MDI_R1, "MASTER")


def test_ipv6_by_the_formula_of_version_3() -> None:
    # RFC 5798 section 6.1, interval 0.5 s: skew = (256 - priority) / 256 * 0.5 s.
    def skew(priority: int) -> int:
        return (256 - priority) * 500_000_000 // 256

    configs = three(version=3, interval_cs=50, addresses=["fe80::100", "2001:db8::100"])
    result = network(configs, events=[event("10s", "crash", "r1")], duration="20s").run()
    first = 1_500 * MS + skew(200)
    assert first == 1_609_375_000
    last = first + 16 * 500 * MS
    taken = last + DELAY + 1_500 * MS + skew(150)
    assert states(result, "r1")[1] == (first, "MASTER")
    assert states(result, "r2")[1] == (taken, "MASTER")
    assert {(o.address, o.from_ns, o.to_ns) for o in result.outages} == {
        ("fe80::100", 10 * S, taken),
        ("2001:db8::100", 10 * S, taken),
    }


def test_an_interval_is_learned_from_the_master_in_version_3() -> None:
    configs = {"r1": router(200, version=3, interval_cs=25), "r2": router(150, version=3)}
    result = network(configs, events=[event("10s", "crash", "r1")], duration="20s").run()
    # r1 rises after 0.75 s + 56/256 * 0.25 s and advertises each 0.25 s; r2 waits 0.75 s + 106/256 * 0.25 s.
    first = 804_687_500
    last = first + 36 * 250 * MS
    assert states(result, "r2")[-1] == (last + DELAY + 750 * MS + 103_515_625, "MASTER")


def test_a_result_as_promised_to_machines() -> None:
    result = network(three(), events=[event("10s", "crash", "r1")], duration="20s").run(notes=("a note",))
    data = result.to_json()
    assert list(data) == [
        "title",
        "seed",
        "duration_s",
        "transitions",
        "ownership",
        "outages",
        "dual_masters",
        "clients",
        "nodes",
        "priorities",
        "said",
        "events",
        "healthy_at_end",
        "notes",
    ]
    assert (data["duration_s"], data["seed"], data["healthy_at_end"]) == (20.0, 1, True)
    assert data["transitions"][4] == {
        "t": 10.0,
        "node": "r1",
        "instance": "VI_1",
        "from": "MASTER",
        "to": "INITIALIZE",
        "reason": "killed (SIGKILL)",
    }
    assert data["outages"] == [
        {"address": VIP, "from": 10.0, "to": 12.6328625, "duration": 2.6328625, "nodes": ["r1"]}
    ]
    assert data["ownership"][1] == {"address": VIP, "node": "r2", "from": 12.6328625, "to": 20.0}
    assert data["events"] == [{"t": 10.0, "node": "r1", "text": "crash (SIGKILL, its addresses stay)"}]
    assert (data["clients"], data["dual_masters"], data["priorities"], data["notes"]) == ({}, [], [], ["a note"])
    assert list(data["nodes"]) == ["r1", "r2", "r3"]
