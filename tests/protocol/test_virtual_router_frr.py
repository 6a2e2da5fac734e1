"""FRR 8.4.4's vrrpd as it was measured."""

from __future__ import annotations

import pytest

from protocol.routers import (
    HIGHER,
    LOWER,
    MS_NS,
    S_NS,
    advert,
    announced,
    backup,
    changes,
    drive,
    hear,
    make,
    master,
    sent_ns,
)
from vrrp.protocol.effects import SendAdvertisement
from vrrp.protocol.profile import FRR
from vrrp.protocol.state import State


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize(("priority", "skew_ms"), [(200, 210), (100, 600), (50, 800), (150, 410)])
def test_skew_in_whole_centiseconds(version: int, priority: int, skew_ms: int) -> None:
    router = backup(FRR, version=version, priority=priority)
    assert router.skew_ns == skew_ms * MS_NS
    assert router.deadline_ns == 3 * S_NS + skew_ms * MS_NS


def test_version_2_below_a_second() -> None:
    # 100 ms: the skew stays that of a second, the packet says 1 s, the pace is the configured one.
    router = backup(FRR, version=2, interval_cs=10)
    assert router.skew_ns == 600 * MS_NS
    assert router.deadline_ns == 900 * MS_NS
    timeline = drive(router, 1100 * MS_NS)
    assert sent_ns(timeline) == [900 * MS_NS, 1000 * MS_NS, 1100 * MS_NS]
    sent = [effect.advertisement for _, effect in timeline if isinstance(effect, SendAdvertisement)]
    assert {advertisement.interval_cs for advertisement in sent} == {100}
    assert router.wire_interval_cs == 100


def test_priority_0_and_the_skew() -> None:
    router = backup(FRR)
    hear(router, S_NS, 200, LOWER)
    hear(router, 2 * S_NS, 0, LOWER)
    assert router.deadline_ns == 2_600 * MS_NS  # measured: 0.6014, 0.6012
    fast = backup(FRR, interval_cs=10)
    hear(fast, S_NS, 0, LOWER)
    assert fast.deadline_ns == 1_060 * MS_NS  # measured: 0.0624, 0.0608


def test_reserved_bits_stall_it() -> None:
    # Measured: rsvd 0xF and 100 cs give masterAdverInterval 615400 ms, masterDownInterval 255120 ms.
    router = backup(FRR)
    hear(router, S_NS, 200, reserved=15)
    assert router.master_interval_cs == 61_540
    assert router.master_down_interval_ns == 255_120 * MS_NS
    assert router.deadline_ns == S_NS + 255_120 * MS_NS
    hear(router, 2 * S_NS, 200)
    assert router.deadline_ns == 2 * S_NS + 3_600 * MS_NS


def test_reserved_bits_stall_a_master_that_yields() -> None:
    router = master(FRR)
    hear(router, S_NS, 200, reserved=15)
    assert router.deadline_ns == S_NS + 255_120 * MS_NS


def test_interval_of_0_makes_master_at_once() -> None:
    router = backup(FRR)
    hear(router, S_NS, 200, interval_cs=0)
    assert router.deadline_ns == S_NS
    assert [state for state, _ in changes(router.expire(S_NS))] == [State.MASTER]


def test_tie() -> None:
    router = master(FRR)
    assert hear(router, S_NS // 2, 100, LOWER) == ()
    assert router.deadline_ns == S_NS
    assert changes(hear(router, S_NS // 2, 100, HIGHER)) == [
        (State.BACKUP, "10.0.0.9 has a higher address, our priority is 100")
    ]


def test_lower_is_not_answered() -> None:
    router = master(FRR)
    assert hear(router, S_NS // 2, 50) == ()
    assert router.deadline_ns == S_NS


def test_learns_the_interval_in_version_3_only() -> None:
    router = backup(FRR, interval_cs=200)
    hear(router, S_NS, 200, interval_cs=50)
    assert router.master_down_interval_ns == 1_800 * MS_NS  # measured: masterAdverInterval 500, MDI 1800
    older = backup(FRR, version=2, interval_cs=200)
    hear(older, S_NS, 200, interval_cs=100)
    assert older.deadline_ns == S_NS + 6_600 * MS_NS


def test_always_starts_as_backup() -> None:
    for changed in ({}, {"priority": 255}, {"priority": 255, "state_master": True}):
        assert changes(make(FRR, **changed).start(0)) == [(State.BACKUP, "start")]
    assert backup(FRR, priority=200).deadline_ns == 3_210 * MS_NS


def test_announces_once() -> None:
    assert announced(drive(backup(FRR), 30 * S_NS)) == [(3_600 * MS_NS, 1)]


def test_priority_lowered_in_backup_counts_from_the_next_advertisement() -> None:
    router = backup(FRR)
    router.set_priority(S_NS, 50)
    assert router.deadline_ns == 3_600 * MS_NS
    hear(router, S_NS, 200)
    assert router.deadline_ns == 4_800 * MS_NS


def test_refused_packets_change_nothing() -> None:
    router = master(FRR)
    assert router.refuse(S_NS // 2) == ()
    assert router.deadline_ns == S_NS


def test_stop_says_goodbye_once() -> None:
    router = master(FRR)
    effects = router.stop(S_NS)
    assert [effect for effect in effects if isinstance(effect, SendAdvertisement)] == [
        SendAdvertisement(advert(router, 0))
    ]
