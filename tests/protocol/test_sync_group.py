"""Virtual routers that are master together or not at all: the story of the recording sync_group, and more."""

from __future__ import annotations

from typing import Any

import pytest

from protocol.packets import Packet
from protocol.routers import HIGHER, MS_NS, S_NS, by_name, changes, drive_host, host, kinds, settings
from vrrp.protocol.effects import Announce, Effect, ReleaseAddresses, SendAdvertisement, StateChanged
from vrrp.protocol.profile import KEEPALIVED
from vrrp.protocol.router import Router
from vrrp.protocol.settings import ScriptConfig, SyncGroupConfig, TrackedScript
from vrrp.protocol.state import State

GROUP = (SyncGroupConfig("G1", ("VI_1", "VI_2")),)
DOWN_NS = 3_609_375_000
SKEW_NS = 609_375_000
VIPS = {51: "10.0.0.100", 52: "10.1.0.100"}


def pair(priority: int = 100, **second: Any) -> Router:
    """VI_1 on eth0 and VI_2 on eth1, as r1.conf and r2.conf of the recording have them."""
    first = settings(KEEPALIVED, name="VI_1", interface="eth0", priority=priority)
    values = {"vrid": 52, "addresses": [VIPS[52]], "priority": priority} | second
    return host(KEEPALIVED, first, settings(KEEPALIVED, name="VI_2", interface="eth1", **values), sync_groups=GROUP)


def hear(router: Router, now_ns: int, vrid: int, priority: int) -> list[tuple[str, Effect]]:
    interface = {51: "eth0", 52: "eth1"}[vrid]
    packet = Packet(version=2, vrid=vrid, priority=priority, addresses=(VIPS[vrid],))
    return by_name(router.receive(now_ns, interface, packet.datagram()))


def moves(timeline: list[tuple[int, str, Effect]]) -> list[tuple[int, str, State]]:
    return [(at, name, effect.new) for at, name, effect in timeline if isinstance(effect, StateChanged)]


def states(router: Router) -> list[State]:
    return [virtual_router.state for virtual_router in router.virtual_routers]


def both_masters(priority: int = 100) -> Router:
    router = pair(priority)
    router.start(0)
    drive_host(router, 6 * S_NS)
    assert states(router) == [State.MASTER, State.MASTER]
    return router


def test_both_move_at_once() -> None:
    router = pair(101)
    router.start(0)
    timeline = drive_host(router, 4 * S_NS)
    down_ns = 3_605_468_750
    assert moves(timeline) == [(down_ns, "VI_2", State.MASTER), (down_ns, "VI_1", State.MASTER)]
    assert sum(isinstance(effect, SendAdvertisement) for _, _, effect in timeline) == 2


def test_link_of_one_takes_both_to_fault_with_two_goodbyes_of_its_own_and_one_of_the_other() -> None:
    router = both_masters()
    effects = by_name(router.set_interface(6 * S_NS, "eth1", False))
    for name, goodbyes in (("VI_1", 1), ("VI_2", 2)):
        own = [effect for owner, effect in effects if owner == name]
        assert kinds(own) == (*(SendAdvertisement,) * goodbyes, ReleaseAddresses, StateChanged)
        assert changes(own) == [(State.FAULT, "eth1 is down")]


def test_other_link_back_is_not_enough_and_recovery_takes_both_to_backup() -> None:
    router = both_masters()
    drive_host(router, 20 * S_NS)
    router.set_interface(20 * S_NS, "eth1", False)
    assert router.set_interface(21 * S_NS, "eth0", False) == ()
    assert router.set_interface(22 * S_NS, "eth0", True) == ()
    effects = by_name(router.set_interface(23 * S_NS, "eth1", True))
    assert effects == [
        ("VI_1", StateChanged(State.FAULT, State.BACKUP, "eth1 is up")),
        ("VI_2", StateChanged(State.FAULT, State.BACKUP, "eth1 is up")),
    ]
    assert {vr.deadline_ns for vr in router.virtual_routers} == {23 * S_NS + DOWN_NS}


def test_peer_waits_in_backup_for_the_slower_member() -> None:
    # The recording: last advertisements of r1 at 5.6424 (VI_1) and 5.6438 (VI_2), priority 0 on VI_1 only at
    # 6.0165; r2 moves both at 9.256, VI_2's MDI, where alone VI_1 would have gone at 6.626.
    router = pair()
    router.start(0)
    for second in (3, 4, 5):
        hear(router, second * S_NS + 642_400_000, 51, 101)
        hear(router, second * S_NS + 643_815_000, 52, 101)
    hear(router, 6_016_501_000, 51, 0)
    timeline = drive_host(router, 9_253_000_000)
    assert timeline == []
    assert states(router) == [State.BACKUP, State.BACKUP]
    timeline = drive_host(router, 9_300_000_000)
    both_ns = 5_643_815_000 + DOWN_NS
    assert moves(timeline) == [(both_ns, "VI_2", State.MASTER), (both_ns, "VI_1", State.MASTER)]
    reasons = [effect.reason for _, _, effect in timeline if isinstance(effect, StateChanged)]
    assert reasons == ["no advertisement for 3.609 s", "sync group G1: VI_2 is MASTER"]
    assert abs(both_ns - 9_256_145_000) < 30 * MS_NS


def test_waiting_member_tries_again_after_its_down_interval() -> None:
    router = pair()
    router.start(0)
    for second in range(1, 12):
        drive_host(router, second * S_NS)
        hear(router, second * S_NS, 52, 101)
    first, second_ = router.virtual_routers
    assert states(router) == [State.BACKUP, State.BACKUP]
    assert first.wants_master
    assert not second_.wants_master
    assert first.deadline_ns == 4 * DOWN_NS
    both_ns = 11 * S_NS + DOWN_NS
    assert moves(drive_host(router, 20 * S_NS)) == [
        (both_ns, "VI_2", State.MASTER),
        (both_ns, "VI_1", State.MASTER),
    ]


def test_waiting_member_that_hears_its_master_again_wants_no_more() -> None:
    # Only VI_1 was cut for a while; when later VI_2 alone times out, it has to wait for VI_1.
    router = pair()
    router.start(0)
    for tenth in range(10, 100, 10):
        drive_host(router, tenth * S_NS // 10)
        hear(router, tenth * S_NS // 10, 52, 101)
        if tenth > 60:
            hear(router, tenth * S_NS // 10, 51, 101)
    for second in range(10, 16):
        drive_host(router, second * S_NS)
        hear(router, second * S_NS, 51, 101)
    assert states(router) == [State.BACKUP, State.BACKUP]


def test_higher_advertisement_to_one_takes_both_to_backup() -> None:
    # The recording at 16.2328: r2's VI_1 hears r1, VI_2 follows.
    router = both_masters()
    effects = hear(router, 6 * S_NS, 51, 101)
    assert [(name, type(effect)) for name, effect in effects] == [
        ("VI_1", ReleaseAddresses),
        ("VI_1", StateChanged),
        ("VI_2", ReleaseAddresses),
        ("VI_2", StateChanged),
    ]
    assert changes(effect for _, effect in effects) == [
        (State.BACKUP, "10.0.0.9 has higher priority 101, our priority is 100"),
        (State.BACKUP, "sync group G1: VI_1 is BACKUP"),
    ]
    assert HIGHER == "10.0.0.9"
    counters = [router.counters(name) for name in ("VI_1", "VI_2")]
    assert [counter.became_master for counter in counters] == [1, 1]
    assert [counter.priority_zero_sent for counter in counters] == [0, 0]


def test_a_weaker_advertisement_to_one_makes_all_announce_their_addresses() -> None:
    router = both_masters()
    effects = hear(router, 6 * S_NS, 52, 50)
    assert [(name, type(effect)) for name, effect in effects] == [
        ("VI_2", SendAdvertisement),
        ("VI_2", Announce),
        ("VI_1", Announce),
    ]
    again = [
        (at, name)
        for at, name, effect in drive_host(router, 12 * S_NS)
        if isinstance(effect, Announce) and at > 9 * S_NS
    ]
    assert sorted(again) == [(11 * S_NS, "VI_1"), (11 * S_NS, "VI_2")]


def test_a_weaker_advertisement_while_the_other_is_a_backup_makes_that_one_announce_nothing() -> None:
    router = both_masters()
    router.virtual_routers[0].follow(6 * S_NS, "test")
    assert [name for name, _ in hear(router, 6 * S_NS, 52, 50)] == ["VI_2", "VI_2"]


def test_goodbye_of_a_stopped_pair_moves_the_peer_after_the_skew() -> None:
    # The recording: stop at 20.2327 and 20.2330, both masters at 20.8429.
    router = pair()
    router.start(0)
    for vrid in (51, 52):
        hear(router, S_NS, vrid, 101)
    hear(router, 2 * S_NS, 51, 0)
    hear(router, 2 * S_NS + 300_000, 52, 0)
    both_ns = 2 * S_NS + 300_000 + SKEW_NS
    assert moves(drive_host(router, 3 * S_NS)) == [(both_ns, "VI_2", State.MASTER), (both_ns, "VI_1", State.MASTER)]


def test_stop_says_goodbye_for_each() -> None:
    router = both_masters()
    effects = by_name(router.stop(6 * S_NS))
    for name in ("VI_1", "VI_2"):
        own = [effect for owner, effect in effects if owner == name]
        assert kinds(own) == (SendAdvertisement, ReleaseAddresses, StateChanged)


def test_script_of_one_member_holds_both_in_fault() -> None:
    first = settings(KEEPALIVED, name="VI_1", interface="eth0", track_scripts=(TrackedScript("chk"),))
    second = settings(KEEPALIVED, name="VI_2", interface="eth1", vrid=52, addresses=[VIPS[52]])
    router = host(KEEPALIVED, first, second, sync_groups=GROUP, scripts=(ScriptConfig(name="chk"),))
    effects = by_name(router.start(0))
    assert changes(effect for name, effect in effects if name) == [(State.FAULT, "no result yet")] * 2
    effects = by_name(router.script_finished(1, "chk", True))
    assert changes(effect for _, effect in effects) == [(State.BACKUP, "chk succeeded once")] * 2


def test_member_in_fault_keeps_the_others_from_leading() -> None:
    router = pair()
    router.set_interface(0, "eth1", False)
    effects = by_name(router.start(0))
    assert changes(effect for _, effect in effects) == [(State.FAULT, "eth1 is down")] * 2
    assert router.deadline_ns is None


@pytest.mark.parametrize("started", ["VI_1", "VI_2"])
def test_three_members_wait_for_the_last(started: str) -> None:
    configs = [
        settings(KEEPALIVED, name=f"VI_{n}", interface="eth0", vrid=50 + n, addresses=[VIPS[51]]) for n in (1, 2, 3)
    ]
    group = (SyncGroupConfig("G", ("VI_1", "VI_2", "VI_3")),)
    router = host(KEEPALIVED, *configs, sync_groups=group)
    router.start(0)
    vrid = {"VI_1": 51, "VI_2": 52}[started]
    packet = Packet(version=2, vrid=vrid, priority=0).datagram()
    router.receive(S_NS, "eth0", packet)
    assert drive_host(router, DOWN_NS - 1) == []
    assert {state for _, _, state in moves(drive_host(router, DOWN_NS))} == {State.MASTER}
    assert states(router) == [State.MASTER] * 3
