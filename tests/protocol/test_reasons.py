"""Why a virtual router changed, in words that a person at a pager can use."""

from __future__ import annotations

import pytest

from protocol.routers import HIGHER, LOWER, S_NS, backup, changes, hear, make, master
from vrrp.protocol.profile import KEEPALIVED, PROFILES, RFC5798, Profile
from vrrp.protocol.state import State

each_profile = pytest.mark.parametrize("profile", list(PROFILES.values()), ids=lambda profile: profile.name)


@each_profile
def test_reason_of_a_preemption_names_both_priorities(profile: Profile) -> None:
    router = backup(profile)
    hear(router, S_NS, 90, LOWER)
    hear(router, 2 * S_NS, 91, HIGHER)
    assert changes(router.expire(4 * S_NS)) == [(State.MASTER, "preempts 10.0.0.9: its priority 91 is below our 100")]


@each_profile
def test_reason_of_a_goodbye_is_not_hidden_by_a_weaker_one(profile: Profile) -> None:
    router = backup(profile)
    hear(router, S_NS, 0, HIGHER)
    hear(router, S_NS + 1, 90, LOWER)
    assert changes(router.expire(4 * S_NS)) == [(State.MASTER, "priority 0 from 10.0.0.9")]


@each_profile
def test_reason_forgets_what_an_accepted_advertisement_settled(profile: Profile) -> None:
    router = backup(profile)
    hear(router, S_NS, 90, LOWER)
    hear(router, 2 * S_NS, 200, HIGHER)
    assert changes(router.expire(7 * S_NS)) == [(State.MASTER, "no advertisement for 5.000 s")]


@each_profile
def test_reason_tells_why_the_own_priority_is_what_it_is(profile: Profile) -> None:
    router = master(profile)
    router.set_priority(1, 80, "chk failed 2 times: 100 → 80")
    assert changes(hear(router, 2, 90)) == [
        (State.BACKUP, "10.0.0.9 has higher priority 90, our priority is 80 (chk failed 2 times: 100 → 80)")
    ]
    router.set_priority(3, 100, "chk succeeded once: 80 → 100")
    hear(router, 4, 90)
    assert changes(router.expire(9 * S_NS)) == [(State.MASTER, "preempts 10.0.0.9: its priority 90 is below our 100")]


@each_profile
def test_reason_of_silence_since_the_start(profile: Profile) -> None:
    assert changes(backup(profile, S_NS).expire(5 * S_NS)) == [(State.MASTER, "no advertisement yet, for 4.000 s")]


@each_profile
def test_reasons_given_from_outside_are_kept(profile: Profile) -> None:
    router = backup(profile)
    assert changes(router.lead(1, "sync group G1: VI_2 is MASTER")) == [
        (State.MASTER, "sync group G1: VI_2 is MASTER")
    ]
    assert changes(router.follow(2, "sync group G1: VI_2 is BACKUP")) == [
        (State.BACKUP, "sync group G1: VI_2 is BACKUP")
    ]
    assert changes(router.stop(3, "SIGTERM")) == [(State.INITIALIZE, "SIGTERM")]


def test_reason_of_an_owner_that_starts() -> None:
    assert changes(make(RFC5798, priority=255).start(0)) == [(State.MASTER, "owner of the addresses (priority 255)")]


def test_reason_of_an_owner_that_meets_another() -> None:
    router = make(KEEPALIVED, priority=255, state_master=True)
    router.start(0)
    assert changes(hear(router, 1, 255, LOWER)) == [(State.BACKUP, "10.0.0.1 has priority 255 too: reduced to 254")]


def test_silence_after_another_owner_is_counted_from_its_advertisement() -> None:
    router = make(KEEPALIVED, priority=255, state_master=True)
    router.start(0)
    hear(router, S_NS, 255, LOWER)
    assert changes(router.expire(5 * S_NS)) == [(State.MASTER, "no advertisement for 4.000 s")]
