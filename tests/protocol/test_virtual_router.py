"""The three RFCs' machines, row by row of their sections 6.4, with timers to the nanosecond."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from protocol.routers import (
    HIGHER,
    LOWER,
    OWN,
    S_NS,
    VIP,
    advert,
    announced,
    backup,
    changes,
    drive,
    hear,
    make,
    master,
    packed,
    sent_ns,
    settings,
)
from vrrp.protocol.effects import (
    AcquireAddresses,
    Announce,
    PriorityChanged,
    ReleaseAddresses,
    SendAdvertisement,
    StateChanged,
)
from vrrp.protocol.profile import PROFILES, RFC3768, RFC5798, RFC9568, Profile
from vrrp.protocol.state import State
from vrrp.protocol.timers import SkewRule, master_down_ns, seconds_text, skew_ns
from vrrp.protocol.virtual_router import VirtualRouter
from vrrp.wire.advertisement import Advertisement
from vrrp.wire.checksum import ChecksumForm, ChecksumPolicy

V3 = [RFC5798, RFC9568]
RFC = [RFC3768, *V3]
DOWN_NS = 3_609_375_000  # 3 s + (256 - 100) / 256 s: priority 100, default interval, either version
each_rfc = pytest.mark.parametrize("profile", RFC, ids=lambda profile: profile.name)
each_v3 = pytest.mark.parametrize("profile", V3, ids=lambda profile: profile.name)
each_profile = pytest.mark.parametrize("profile", list(PROFILES.values()), ids=lambda profile: profile.name)


# Section 6.1: the formulas


@pytest.mark.parametrize(
    ("priority", "interval_cs", "version", "skew", "down"),
    [
        (100, 100, 2, 609_375_000, 3_609_375_000),
        (100, 100, 3, 609_375_000, 3_609_375_000),
        (1, 100, 2, 996_093_750, 3_996_093_750),
        (150, 200, 2, 414_062_500, 6_414_062_500),  # version 2: the skew does not scale
        (150, 200, 3, 828_125_000, 6_828_125_000),
        (254, 100, 3, 7_812_500, 3_007_812_500),
        (255, 100, 2, 3_906_250, 3_003_906_250),
        (100, 10, 3, 60_937_500, 360_937_500),
        (100, 1, 3, 6_093_750, 36_093_750),
        (100, 500, 3, 3_046_875_000, 18_046_875_000),
        (1, 4095, 3, 40_790_039_062, 163_640_039_062),
    ],
)
def test_formulas(priority: int, interval_cs: int, version: int, skew: int, down: int) -> None:
    assert skew_ns(priority, interval_cs, version) == skew
    assert master_down_ns(priority, interval_cs, version) == down


def test_down_interval_of_other_than_three_advertisements() -> None:
    assert master_down_ns(100, 100, 3, SkewRule.EXACT, 5) == 5_609_375_000
    assert backup(RFC9568, down_timer_adverts=1).deadline_ns == 1_609_375_000


def test_durations_for_people() -> None:
    assert [seconds_text(ns) for ns in (0, 999_999, 1_000_000, DOWN_NS)] == [
        "0.000 s",
        "0.000 s",
        "0.001 s",
        "3.609 s",
    ]


# Section 6.4.1: Initialize


@each_rfc
def test_startup_of_the_owner(profile: Profile) -> None:
    router = make(profile, priority=255)
    advertisement = Advertisement(profile.versions[0], 51, 255, 100, [VIP])
    assert router.start(7) == (
        SendAdvertisement(advertisement),
        AcquireAddresses(packed(VIP)),
        Announce(packed(VIP), 1),
        StateChanged(State.INITIALIZE, State.MASTER, "owner of the addresses (priority 255)"),
    )
    assert router.deadline_ns == 7 + S_NS


@each_rfc
def test_startup_of_another(profile: Profile) -> None:
    router = make(profile, priority=100)
    assert (router.state, router.priority, router.master) == (State.INITIALIZE, 100, None)
    assert router.deadline_ns is None
    assert router.start(7) == (StateChanged(State.INITIALIZE, State.BACKUP, "start"),)
    assert router.deadline_ns == 7 + DOWN_NS
    assert router.master_down_interval_ns == DOWN_NS
    assert router.skew_ns == 609_375_000


@each_v3
def test_startup_begins_with_the_own_interval(profile: Profile) -> None:
    router = backup(profile, interval_cs=200)
    assert router.deadline_ns == 7_218_750_000
    hear(router, 1, 200, interval_cs=10)
    router.stop(2)
    router.start(3)
    assert router.deadline_ns == 3 + 7_218_750_000


# Section 6.4.2: Backup


@each_rfc
def test_backup_shutdown(profile: Profile) -> None:
    router = backup(profile)
    assert router.stop(1) == (StateChanged(State.BACKUP, State.INITIALIZE, "stopped"),)
    assert router.deadline_ns is None


@each_rfc
def test_backup_timer(profile: Profile) -> None:
    router = backup(profile)
    assert router.expire(DOWN_NS - 1) == ()
    assert router.expire(DOWN_NS) == (
        SendAdvertisement(Advertisement(profile.versions[0], 51, 100, 100, [VIP])),
        AcquireAddresses(packed(VIP)),
        Announce(packed(VIP), 1),
        StateChanged(State.BACKUP, State.MASTER, "no advertisement yet, for 3.609 s"),
    )
    assert router.deadline_ns == DOWN_NS + S_NS


@each_profile
def test_backup_timer_that_is_served_late_counts_from_then(profile: Profile) -> None:
    router = backup(profile)
    assert changes(router.expire(10 * S_NS)) == [(State.MASTER, "no advertisement yet, for 10.000 s")]
    assert router.deadline_ns == 11 * S_NS
    drive(router, 13 * S_NS)
    assert router.deadline_ns == 14 * S_NS


@each_rfc
def test_backup_hears_priority_0(profile: Profile) -> None:
    router = backup(profile)
    hear(router, S_NS, 200)
    assert hear(router, 2 * S_NS, 0) == ()
    assert router.deadline_ns == 2 * S_NS + 609_375_000
    assert changes(router.expire(2_609_375_000)) == [(State.MASTER, "priority 0 from 10.0.0.9")]


@each_v3
def test_skew_on_priority_0_is_of_the_learned_interval_not_of_the_packets(profile: Profile) -> None:
    router = backup(profile)
    hear(router, S_NS, 200, interval_cs=500)
    hear(router, 2 * S_NS, 0, interval_cs=100)
    assert router.deadline_ns == 2 * S_NS + 3_046_875_000
    assert router.master_interval_cs == 500


@each_rfc
@pytest.mark.parametrize("priority", [100, 101, 255])
def test_backup_hears_equal_or_higher(profile: Profile, priority: int) -> None:
    router = backup(profile)
    for source in (LOWER, HIGHER):
        assert hear(router, S_NS, priority, source) == ()
        assert router.master == packed(source)[0]
    assert router.deadline_ns == S_NS + DOWN_NS
    assert changes(router.expire(S_NS + DOWN_NS)) == [(State.MASTER, "no advertisement for 3.609 s")]


@each_rfc
def test_backup_hears_lower(profile: Profile) -> None:
    router = backup(profile)
    assert hear(router, S_NS, 99) == ()
    assert router.deadline_ns == DOWN_NS
    assert router.master is None


@each_rfc
def test_backup_that_does_not_preempt_hears_lower(profile: Profile) -> None:
    router = backup(profile, preempt=False)
    assert hear(router, S_NS, 1) == ()
    assert router.deadline_ns == S_NS + DOWN_NS
    hear(router, 2 * S_NS, 0)
    assert router.deadline_ns == 2 * S_NS + 609_375_000


@each_v3
def test_backup_learns_the_masters_interval(profile: Profile) -> None:
    router = backup(profile)
    hear(router, S_NS, 200, interval_cs=500)
    assert router.master_interval_cs == 500
    assert router.deadline_ns == S_NS + 18_046_875_000  # measured with keepalived: 18.0474 s
    hear(router, 2 * S_NS, 99, interval_cs=10)  # discarded, not learned
    assert router.master_interval_cs == 500
    assert router.skew_ns == 3_046_875_000


@each_v3
def test_backup_that_becomes_master_sends_at_its_own_interval(profile: Profile) -> None:
    router = backup(profile)
    hear(router, 0, 200, interval_cs=500)
    sent = sent_ns(drive(router, 22 * S_NS))
    assert sent == [18_046_875_000 + n * S_NS for n in range(4)]
    assert router.master_interval_cs == 100


def test_version_2_learns_no_interval() -> None:
    router = backup(RFC3768)
    hear(router, 0, 200, interval_cs=500)
    assert router.deadline_ns == DOWN_NS
    assert router.master_interval_cs == 100


# Section 6.4.3: Master


@each_rfc
def test_master_shutdown(profile: Profile) -> None:
    router = master(profile)
    assert router.stop(1, "told to") == (
        SendAdvertisement(Advertisement(profile.versions[0], 51, 0, 100, [VIP])),
        ReleaseAddresses(packed(VIP)),
        StateChanged(State.MASTER, State.INITIALIZE, "told to"),
    )
    assert router.deadline_ns is None


@each_rfc
def test_master_timer(profile: Profile) -> None:
    router = master(profile)
    timeline = drive(router, 4 * S_NS)
    assert timeline == [(n * S_NS, SendAdvertisement(advert(router, 100))) for n in (1, 2, 3, 4)]


@each_rfc
def test_master_hears_priority_0(profile: Profile) -> None:
    router = master(profile)
    assert hear(router, 300_000_000, 0) == (SendAdvertisement(advert(router, 100)),)
    assert router.deadline_ns == 1_300_000_000


@each_rfc
def test_master_hears_higher(profile: Profile) -> None:
    router = master(profile)
    assert hear(router, 300_000_000, 101, LOWER) == (
        ReleaseAddresses(packed(VIP)),
        StateChanged(State.MASTER, State.BACKUP, "10.0.0.1 has higher priority 101, our priority is 100"),
    )
    assert router.deadline_ns == 300_000_000 + DOWN_NS
    assert router.master == packed(LOWER)[0]


@each_rfc
def test_master_hears_equal_from_a_higher_address(profile: Profile) -> None:
    router = master(profile)
    effects = hear(router, 300_000_000, 100, HIGHER)
    assert changes(effects) == [(State.BACKUP, "10.0.0.9 has a higher address, our priority is 100")]
    assert router.deadline_ns == 300_000_000 + DOWN_NS


@each_v3
def test_master_learns_from_the_one_it_yields_to(profile: Profile) -> None:
    router = master(profile)
    hear(router, 0, 101, interval_cs=500)
    assert router.deadline_ns == 18_046_875_000


@each_profile
def test_equal_from_the_own_address_is_not_higher(profile: Profile) -> None:
    assert changes(hear(master(profile), 1, 100, OWN)) == []


@each_rfc
def test_addresses_are_compared_as_numbers_not_as_text(profile: Profile) -> None:
    router = master(profile)
    assert OWN > "10.0.0.10"  # as text
    assert changes(hear(router, 1, 100, "9.255.255.255")) == []
    assert changes(hear(router, 1, 100, "10.0.0.10")) != []


@pytest.mark.parametrize("profile", [RFC3768, RFC5798], ids=lambda profile: profile.name)
@pytest.mark.parametrize(("priority", "source"), [(99, HIGHER), (100, LOWER)])
def test_master_discards_lower(profile: Profile, priority: int, source: str) -> None:
    router = master(profile)
    assert hear(router, 300_000_000, priority, source) == ()
    assert router.deadline_ns == S_NS


@pytest.mark.parametrize(("priority", "source"), [(99, HIGHER), (100, LOWER)])
def test_rfc9568_master_answers_lower_at_once_and_leaves_its_timer(priority: int, source: str) -> None:
    router = master(RFC9568)
    assert hear(router, 300_000_000, priority, source) == (SendAdvertisement(advert(router, 100)),)
    assert router.deadline_ns == S_NS


@each_rfc
def test_master_does_not_read_its_preempt_mode(profile: Profile) -> None:
    router = master(profile, preempt=False)
    assert changes(hear(router, 1, 101))


def test_rfc9568_of_two_owners_the_lower_address_yields() -> None:
    router = make(RFC9568, priority=255)
    router.start(0)
    assert hear(router, 1, 255, LOWER) == (SendAdvertisement(advert(router, 255)),)
    assert changes(hear(router, 2, 255, HIGHER)) == [
        (State.BACKUP, "10.0.0.9 has a higher address, our priority is 255")
    ]
    assert router.priority == 255


# Beside the tables


@each_rfc
def test_lost_interface_leads_to_initialize_and_back(profile: Profile) -> None:
    router = master(profile)
    effects = router.fail(5, "eth0 is down")
    assert [type(effect) for effect in effects] == [SendAdvertisement, ReleaseAddresses, StateChanged]
    assert changes(effects) == [(State.INITIALIZE, "eth0 is down")]
    assert changes(router.recover(9, "eth0 is up")) == [(State.BACKUP, "start")]
    assert router.deadline_ns == 9 + DOWN_NS


@each_rfc
def test_change_of_priority_counts_from_the_next_time_the_timer_is_set(profile: Profile) -> None:
    router = backup(profile)
    assert router.set_priority(S_NS, 200, "test") == (PriorityChanged(100, 200, "test"),)
    assert router.deadline_ns == DOWN_NS
    hear(router, 2 * S_NS, 201)
    assert router.deadline_ns == 2 * S_NS + 3_218_750_000


@each_profile
def test_changed_priority_is_in_the_next_regular_advertisement(profile: Profile) -> None:
    router = master(profile)
    router.set_priority(S_NS // 2, 90)
    timeline = drive(router, S_NS)
    assert timeline == [(S_NS, SendAdvertisement(advert(router, 90)))]


@each_profile
def test_excluded_addresses_are_held_and_announced_but_not_listed(profile: Profile) -> None:
    router = make(profile, excluded_addresses=["10.0.0.200"])
    assert router.served == packed(VIP, "10.0.0.200")
    router.start(0)
    effects = router.expire(router.deadline_ns or 0)
    sent = [effect.advertisement.addresses for effect in effects if isinstance(effect, SendAdvertisement)]
    assert sent == [packed(VIP)]
    assert AcquireAddresses(packed(VIP, "10.0.0.200")) in effects
    assert [e.addresses for e in effects if isinstance(e, Announce)] == [packed(VIP, "10.0.0.200")]
    assert ReleaseAddresses(packed(VIP, "10.0.0.200")) in router.stop(9 * S_NS)


@each_v3
def test_ipv6(profile: Profile) -> None:
    config = settings(profile, addresses=["fe80::100", "2001:db8::100"])
    router = VirtualRouter(config, source="fe80::5", profile=profile)
    router.start(0)
    effects = router.expire(DOWN_NS)
    assert SendAdvertisement(Advertisement(3, 51, 100, 100, ["fe80::100", "2001:db8::100"])) in effects
    assert changes(router.receive(4 * S_NS, "fe80::9", advert(router, 100)))


def test_a_second_of_rest_before_the_first_wait() -> None:
    router = make(RFC9568)
    router.start(0, S_NS)
    assert router.deadline_ns == S_NS + DOWN_NS


def test_profile_that_does_not_speak_the_version() -> None:
    with pytest.raises(ValueError, match=r"^VRID 51: profile rfc3768 does not speak version 3$"):
        make(RFC3768, version=3)
    with pytest.raises(ValueError, match=r"^web: profile rfc9568 does not speak version 2$"):
        make(RFC9568, version=2, name="web")


@pytest.mark.parametrize(
    ("profile", "version", "configured", "form", "policy"),
    [
        (RFC5798, 3, None, ChecksumForm.PSEUDO_HEADER, ChecksumPolicy.EITHER),
        (RFC9568, 3, None, ChecksumForm.PLAIN, ChecksumPolicy.PLAIN),
        (RFC9568, 3, ChecksumPolicy.PSEUDO_HEADER, ChecksumForm.PSEUDO_HEADER, ChecksumPolicy.PSEUDO_HEADER),
        (RFC9568, 3, ChecksumPolicy.EITHER, ChecksumForm.PLAIN, ChecksumPolicy.EITHER),
        (PROFILES["keepalived"], 3, None, ChecksumForm.PSEUDO_HEADER, ChecksumPolicy.PSEUDO_HEADER),
        (PROFILES["keepalived"], 3, ChecksumPolicy.PLAIN, ChecksumForm.PLAIN, ChecksumPolicy.PLAIN),
        (PROFILES["keepalived"], 2, None, ChecksumForm.PLAIN, ChecksumPolicy.PSEUDO_HEADER),
        (PROFILES["frr"], 3, None, ChecksumForm.PSEUDO_HEADER, ChecksumPolicy.PSEUDO_HEADER),
    ],
)
def test_checksum_sent_and_taken(
    profile: Profile,
    version: int,
    configured: ChecksumPolicy | None,
    form: ChecksumForm,
    policy: ChecksumPolicy,
) -> None:
    router = master(profile, version=version, checksum=configured)
    assert router.checksum_policy is policy
    ((_, effect),) = drive(router, S_NS)
    assert isinstance(effect, SendAdvertisement)
    assert effect.advertisement.checksum_form is form


@each_profile
def test_same_advertisement_from_another_source_is_that_ones(profile: Profile) -> None:
    router = backup(profile)
    advertisement = advert(router, 200)
    for source in packed(LOWER, HIGHER, HIGHER, LOWER):
        router.receive(1, source, advertisement)
        assert router.master == source


@each_profile
def test_sources_in_any_form(profile: Profile) -> None:
    for source in (HIGHER, IPv4Address(HIGHER), packed(HIGHER)[0]):
        router = backup(profile)
        router.receive(1, source, advert(router, 200))
        assert router.master == packed(HIGHER)[0]


@each_rfc
def test_once_announced_is_enough(profile: Profile) -> None:
    router = backup(profile)
    assert announced(drive(router, 20 * S_NS)) == [(DOWN_NS, 1)]
