"""When a master announces its addresses, by keepalived's clock."""

from __future__ import annotations

import pytest

from protocol.routers import MS_NS, S_NS, Timeline, announced, backup, drive, hear, kinds, master
from vrrp.protocol.announcer import Announcer
from vrrp.protocol.effects import Announce, Effects, SendAdvertisement
from vrrp.protocol.profile import KEEPALIVED, RFC9568
from vrrp.protocol.settings import Announcements
from vrrp.protocol.state import State
from vrrp.protocol.timers import NEVER

DOWN_NS = 3_609_375_000
A, B = b"\x0a\0\0\x64", b"\x0a\0\0\x65"


def run(announcer: Announcer, until_ns: int, *, master: bool = True) -> Timeline:
    timeline: Timeline = []
    while announcer.due_ns <= until_ns:
        now_ns = announcer.due_ns
        timeline += [(now_ns, effect) for effect in announcer.expire(now_ns, master=master)]
    return timeline


def packets(effects: Effects) -> list[bytes]:
    return [address for effect in effects if isinstance(effect, Announce) for address in effect.addresses]


def test_five_rounds_and_five_more_after_5_s() -> None:
    assert announced(drive(backup(KEEPALIVED), 60 * S_NS)) == [(DOWN_NS, 5), (DOWN_NS + 5 * S_NS, 5)]


def test_second_batch_survives_a_loss_of_mastership() -> None:
    # Measured: master at 33.161, backup at 34.045, master at 37.655, announcements at 38.161 (and at 42.655).
    router = master(KEEPALIVED, 33_161 * MS_NS)
    hear(router, 34_045 * MS_NS, 200)
    timeline = drive(router, 60 * S_NS)
    again_ns = 34_045 * MS_NS + DOWN_NS
    assert announced(timeline) == [(again_ns, 5), (38_161 * MS_NS, 5), (again_ns + 5 * S_NS, 5)]


def test_second_batch_is_dropped_when_the_mastership_has_ended_by_then() -> None:
    router = master(KEEPALIVED)
    hear(router, S_NS, 200)
    hear(router, 4 * S_NS, 200)
    assert router.deadline_ns == 5 * S_NS
    assert router.expire(5 * S_NS) == ()
    assert router.deadline_ns == 4 * S_NS + DOWN_NS
    assert announced(drive(router, 10 * S_NS)) == [(4 * S_NS + DOWN_NS, 5)]


def test_delayed_reply_is_dropped_when_the_mastership_has_ended_by_then() -> None:
    router = master(KEEPALIVED, announcements=Announcements(lower_repeat=2, lower_again_after_ns=S_NS))
    assert Announce(router.config.addresses, 2) in hear(router, 100 * MS_NS, 50)
    hear(router, 200 * MS_NS, 200)
    assert router.deadline_ns == 1_100 * MS_NS
    assert router.expire(1_100 * MS_NS) == ()
    assert router.deadline_ns == 200 * MS_NS + DOWN_NS


def test_refresh_comes_with_the_first_advertisement_after_its_time() -> None:
    # Measured with garp_master_refresh 4: 4.00 to 4.12 s, on an advertisement.
    plan = Announcements(refresh_ns=4 * S_NS, refresh_repeat=2)
    router = backup(KEEPALIVED, announcements=plan, interval_cs=150, version=3)
    timeline = drive(router, 18 * S_NS)
    first_ns = announced(timeline)[0][0]
    # Ticks each 1.5 s: 4.5 is the first after 4.
    assert announced(timeline) == [(first_ns, 1), (first_ns + 4_500 * MS_NS, 2), (first_ns + 9_000 * MS_NS, 2)]
    together = [effect for at, effect in timeline if at == first_ns + 4_500 * MS_NS]
    assert kinds(together) == (SendAdvertisement, Announce)


def test_refresh_time_that_is_a_multiple_of_the_interval() -> None:
    # Measured with an interval of 1 s: 4.00 to 4.12 s, not 5.
    router = backup(KEEPALIVED, announcements=Announcements(refresh_ns=4 * S_NS))
    assert announced(drive(router, DOWN_NS + 4 * S_NS)) == [(DOWN_NS, 1), (DOWN_NS + 4 * S_NS, 1)]


def test_refresh_counts_anew_in_the_next_mastership() -> None:
    plan = Announcements(refresh_ns=4_500 * MS_NS)
    router = master(KEEPALIVED, announcements=plan)
    drive(router, 3_500 * MS_NS)
    hear(router, 3_500 * MS_NS, 200)
    again_ns = 3_500 * MS_NS + DOWN_NS
    assert announced(drive(router, 13 * S_NS)) == [(again_ns, 1), (again_ns + 5 * S_NS, 1)]


def test_spacing_collapses_the_rounds_two_addresses_give_three_packets() -> None:
    # Measured with vrrp_garp_interval 0.2 and garp_master_delay 3: packets at 0, 0.2, 0.4, 3.0, 3.2, 3.4 s.
    plan = Announcements(repeat=5, again_after_ns=3 * S_NS, spacing_ns=200 * MS_NS)
    announcer = Announcer((A, B), plan)
    assert announcer.start(0) == (Announce((A,), 1),)
    timeline = run(announcer, 10 * S_NS)
    assert [at for at, _ in timeline] == [200 * MS_NS, 400 * MS_NS, 3_000 * MS_NS, 3_200 * MS_NS, 3_400 * MS_NS]
    assert packets(tuple(effect for _, effect in timeline)) == [A, B, A, A, B]
    assert announcer.due_ns == NEVER


def test_spacing_of_a_single_round() -> None:
    announcer = Announcer((A, B), Announcements(spacing_ns=200 * MS_NS))
    assert packets(announcer.start(0)) == [A]
    assert announcer.due_ns == 200 * MS_NS
    timeline = run(announcer, S_NS)
    assert timeline == [(200 * MS_NS, Announce((B,), 1))]


def test_spacing_holds_between_batches_too() -> None:
    announcer = Announcer((A,), Announcements(lower_repeat=1, spacing_ns=200 * MS_NS))
    assert packets(announcer.start(0)) == [A]
    assert announcer.reply(50 * MS_NS) == ()
    assert announcer.reply(100 * MS_NS) == ()
    assert run(announcer, S_NS) == [(200 * MS_NS, Announce((A,), 1))]


def test_spacing_that_has_just_passed_is_enough() -> None:
    announcer = Announcer((A,), Announcements(lower_repeat=1, spacing_ns=200 * MS_NS))
    announcer.start(0)
    assert packets(announcer.reply(200 * MS_NS)) == [A]
    assert announcer.due_ns == NEVER


def test_what_waits_for_its_turn_is_dropped_without_mastership() -> None:
    announcer = Announcer((A, B), Announcements(spacing_ns=200 * MS_NS))
    announcer.start(0)
    assert run(announcer, S_NS, master=False) == []
    assert announcer.due_ns == NEVER


def test_spacing_reaches_through_a_virtual_router() -> None:
    plan = Announcements(repeat=5, spacing_ns=200 * MS_NS)
    router = backup(KEEPALIVED, announcements=plan, addresses=["10.0.0.100", "10.0.0.101"])
    assert announced(drive(router, 20 * S_NS)) == [
        (DOWN_NS, 1),
        (DOWN_NS + 200 * MS_NS, 1),
        (DOWN_NS + 400 * MS_NS, 1),
    ]


@pytest.mark.parametrize("plan", [Announcements(repeat=0), Announcements(repeat=0, again_after_ns=S_NS)])
def test_no_rounds_no_announcement(plan: Announcements) -> None:
    router = backup(RFC9568, announcements=plan)
    assert announced(drive(router, 20 * S_NS)) == []
    assert router.state is State.MASTER


def test_late_expire_makes_up_for_all_that_was_due() -> None:
    plan = Announcements(repeat=2, again_after_ns=S_NS, lower_repeat=3, lower_again_after_ns=2 * S_NS)
    router = master(KEEPALIVED, announcements=plan)
    hear(router, 10, 50)
    effects = router.expire(9 * S_NS)
    assert [effect.repeat for effect in effects if isinstance(effect, Announce)] == [2, 3]
    assert kinds(effects)[-1] is SendAdvertisement
    assert router.deadline_ns == 10 * S_NS
