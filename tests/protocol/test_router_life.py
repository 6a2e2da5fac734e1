"""A host that is stopped, started again, listened through, and sent whatever bytes there are."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.packets import Packet, raw_datagram, sums_pseudo_header
from protocol.routers import HIGHER, OWN, S_NS, changes, drive_host, host, kinds, settings, snapshot
from vrrp.protocol.effects import ReleaseAddresses, RunScript, SendAdvertisement, StateChanged
from vrrp.protocol.profile import KEEPALIVED, PROFILES, RFC9568, Profile
from vrrp.protocol.router import KeyedEffects, Router
from vrrp.protocol.settings import ScriptConfig, TrackedScript, VirtualRouterConfig
from vrrp.protocol.state import State
from vrrp.protocol.validation import Discard
from vrrp.wire.frame import Datagram

ALL = list(PROFILES.values())
DOWN_NS = 3_609_375_000
MASTER_NS = DOWN_NS + S_NS
HEARD_NS = MASTER_NS + 300_000_000
each_profile = pytest.mark.parametrize("profile", ALL, ids=lambda profile: profile.name)


def on(interface: str, profile: Profile = KEEPALIVED, **changed: Any) -> VirtualRouterConfig:
    return settings(profile, interface=interface, **changed)


def packet(profile: Profile, **changed: Any) -> Datagram:
    values: dict[str, Any] = {"version": profile.versions[0], "pseudo_header": sums_pseudo_header(profile)}
    return Packet(**values | changed).datagram()


def keepalived_master() -> Router:
    """Master since MDI, and it sent its second advertisement at MASTER_NS."""
    router = host(KEEPALIVED, on("eth0"))
    router.start(0)
    drive_host(router, MASTER_NS)
    return router


# Stopped, and started again


def test_interface_that_returned_while_stopped_can_be_lost_again() -> None:
    router = host(KEEPALIVED, on("eth0"))
    router.start(0)
    router.set_interface(S_NS, "eth0", False)
    router.stop(2 * S_NS)
    assert router.set_interface(3 * S_NS, "eth0", True) == ()
    assert changes(effect for _, effect in router.start(4 * S_NS)) == [(State.BACKUP, "start")]
    assert changes(effect for _, effect in router.set_interface(5 * S_NS, "eth0", False)) == [
        (State.FAULT, "eth0 is down")
    ]


def test_stopped_host_waits_for_nothing_whatever_it_hears() -> None:
    router = keepalived_master()
    router.stop(MASTER_NS)
    assert router.receive(HEARD_NS, "eth0", packet(KEEPALIVED)) == ()
    assert router.receive(HEARD_NS, "eth0", packet(KEEPALIVED, sum_error=1)) == ()
    for now_ns in (HEARD_NS, 60 * S_NS):
        assert router.expire(now_ns) == ()
        assert router.deadline_ns is None


def test_stopped_host_waits_for_nothing_when_asked_exactly() -> None:
    # An announcement was due 5 s after it became master; nothing will be done about it any more.
    router = keepalived_master()
    router.stop(MASTER_NS)
    router.settle()
    assert router.deadline_ns is None


def test_stopped_host_runs_no_scripts() -> None:
    tracked = (TrackedScript("chk", -2),)
    router = host(KEEPALIVED, on("eth0", track_scripts=tracked), scripts=(ScriptConfig(name="chk"),))
    assert (None, RunScript("chk")) in router.start(0)
    router.stop(S_NS // 2)
    assert router.script_finished(S_NS // 2, "chk", False) == ()
    assert router.expire(9 * S_NS) == ()
    assert router.deadline_ns is None


# Through a listener, as drivers hear


class Ear:
    """A listener and all that it told its driver."""

    def __init__(self, router: Router, interface: str = "eth0") -> None:
        self.told: list[tuple[int, KeyedEffects]] = []
        self.hear = router.listener(interface, lambda now_ns, effects: self.told.append((now_ns, effects)))


def test_listener_of_an_unknown_interface() -> None:
    with pytest.raises(KeyError):
        Ear(host(KEEPALIVED, on("eth0")), "eth9")


@each_profile
def test_listener_counts_each_repetition_and_tells_only_of_news(profile: Profile) -> None:
    router = host(profile, on("eth0", profile))
    router.start(0)
    ear = Ear(router)
    good = packet(profile)
    down_ns = router.virtual_routers[0].master_down_interval_ns
    for number in range(5):
        ear.hear(number, good)
    assert ear.told == [(0, ())]
    assert router.counters("VRID 51").accepted == 5
    assert router.virtual_routers[0].deadline_ns == 4 + down_ns
    assert router.settle() == router.deadline_ns == 4 + down_ns


@each_profile
def test_listener_judges_what_it_did_not_take_each_time(profile: Profile) -> None:
    router = host(profile, on("eth0", profile))
    router.start(0)
    ear = Ear(router)
    bad, stranger, goodbye = packet(profile, sum_error=1), packet(profile, vrid=52), packet(profile, priority=0)
    for datagram in (bad, bad, stranger, stranger, goodbye, goodbye):
        ear.hear(1, datagram)
    counters = router.counters("VRID 51")
    assert counters.discarded == {Discard.CHECKSUM: 2}
    assert (counters.accepted, counters.priority_zero_received) == (2, 2)
    assert router.strangers == {Discard.UNKNOWN_VRID: 2}
    assert len(ear.told) == 6


def test_listener_tells_of_every_answer_to_a_weaker_master() -> None:
    router = keepalived_master()
    ear = Ear(router)
    weak = packet(KEEPALIVED, priority=50)
    for number in range(3):
        ear.hear(HEARD_NS + number, weak)
    assert [at for at, _ in ear.told] == [HEARD_NS, HEARD_NS + 1, HEARD_NS + 2]
    assert all(isinstance(effects[0][1], SendAdvertisement) for _, effects in ear.told)
    assert router.counters("VRID 51").sent == 5
    assert router.deadline_ns == HEARD_NS + 2 + S_NS


def test_listener_knows_the_masters_of_two_virtual_routers() -> None:
    both = (on("eth0", version=2), on("eth0", version=2, vrid=52, addresses=["10.0.0.200"], name="VI_2"))
    router = host(KEEPALIVED, *both)
    router.start(0)
    ear = Ear(router)
    first, second = packet(KEEPALIVED), packet(KEEPALIVED, vrid=52, addresses=("10.0.0.200",))
    for now_ns in range(6):
        ear.hear(now_ns, second if now_ns % 2 else first)
    assert [at_ns for at_ns, _ in ear.told] == [0, 1]
    assert [router.counters(name).accepted for name in ("VRID 51", "VI_2")] == [3, 3]


def test_listener_tells_when_the_wake_up_comes_nearer() -> None:
    router = host(KEEPALIVED, on("eth0", version=3))
    router.start(0)
    ear = Ear(router)
    ear.hear(1, packet(KEEPALIVED, version=3, interval=0))
    assert ear.told == [(1, ())]
    assert router.deadline_ns == 1


def test_repeated_datagram_means_what_the_state_makes_of_it() -> None:
    router = host(RFC9568, on("eth0", RFC9568))
    router.start(0)
    ear = Ear(router)
    good = packet(RFC9568)
    for now_ns in (S_NS, 2 * S_NS):
        ear.hear(now_ns, good)
    router.settle()
    drive_host(router, 9 * S_NS)
    assert router.virtual_routers[0].state is State.MASTER
    ear.hear(9 * S_NS, good)
    assert kinds(effect for _, effect in ear.told[-1][1]) == (ReleaseAddresses, StateChanged)


HEARD = st.tuples(st.integers(0, 3 * S_NS), st.integers(0, 5), st.booleans())


@given(
    profile=st.sampled_from(ALL),
    config=st.fixed_dictionaries(
        {
            "preempt": st.booleans(),
            "preempt_delay_ns": st.sampled_from([0, 2 * S_NS]),
            "lower_prio_no_advert": st.booleans(),
            "track_scripts": st.just((TrackedScript("chk", -60),)),
        }
    ),
    steps=st.lists(HEARD, max_size=60),
)
def test_listener_does_what_receive_does(
    profile: Profile, config: dict[str, Any], steps: list[tuple[int, int, bool]]
) -> None:
    """The short cuts for repetitions change nothing: one router sees the same objects again, one only copies."""
    version = profile.versions[0]
    scripts = (ScriptConfig(name="chk"),)
    routers = [host(profile, on("eth0", profile, version=version, **config), scripts=scripts) for _ in range(2)]
    kept = [packet(profile, **changed) for changed in CHOICES]
    for router in routers:
        router.start(0)
    ear = Ear(routers[0])
    now_ns = 0
    for gap_ns, number, ok in steps:
        now_ns += gap_ns
        if number < len(kept):
            told = len(ear.told)
            ear.hear(now_ns, kept[number])
            heard = [effect for _, effects in ear.told[told:] for _, effect in effects]
            copied = routers[1].receive(now_ns, "eth0", packet(profile, **CHOICES[number]))
            assert heard == [effect for _, effect in copied]
        else:
            both = [router.script_finished(now_ns, "chk", ok) for router in routers]
            assert [e for _, e in both[0]] == [e for _, e in both[1]]
        both = [router.expire(now_ns) for router in routers]
        assert [e for _, e in both[0]] == [e for _, e in both[1]]
        assert essence(routers[0]) == essence(routers[1])
        assert min(router.settle() for router in routers) >= now_ns


CHOICES: list[dict[str, Any]] = [{}, {"priority": 50}, {"priority": 100}, {"priority": 0}, {"sum_error": 1}]


def essence(router: Router) -> tuple[dict[str, Any], object]:
    slots = snapshot(router.virtual_routers[0])
    del slots["_steady"], slots["config"], slots["profile"]
    return slots, router.counters("VRID 51")


# Bad packets never raise

ANY = st.one_of(
    st.binary(max_size=64),
    st.builds(
        lambda head, rest: bytes(head) + rest,
        st.tuples(
            st.sampled_from([0x21, 0x31, 0x11, 0x41, 0x22, 0x32, 0xFF]),
            st.just(51),
            st.integers(0, 255),
            st.integers(0, 3),
        ),
        st.binary(max_size=40),
    ),
)


@given(
    profile=st.sampled_from(ALL),
    version=st.sampled_from([2, 3]),
    config=st.fixed_dictionaries(
        {"auth_type": st.sampled_from([0, 1]), "unicast_peers": st.sampled_from([(), (HIGHER,)])}
    ),
    packets=st.lists(
        st.tuples(ANY, st.sampled_from([HIGHER, OWN, "fe80::9"]), st.sampled_from([OWN, "224.0.0.18"]), st.booleans()),
        max_size=20,
    ),
)
def test_no_packet_raises_and_each_is_counted_once(
    profile: Profile, version: int, config: dict[str, Any], packets: list[tuple[bytes, str, str, bool]]
) -> None:
    version = version if version in profile.versions else profile.versions[0]
    config = config if version == 2 else {**config, "auth_type": 0}
    configs = [on("eth0", profile, version=version, **config)]
    if version == 3:
        configs.append(on("eth0", profile, version=3, name="v6", addresses=["fe80::100"]))
    router = host(profile, *configs)
    router.start(0)
    now_ns = 0
    for payload, source, destination, ttl in packets:
        now_ns += S_NS
        to = destination if ":" not in source else {OWN: "fe80::5"}.get(destination, "ff02::12")
        router.receive(now_ns, "eth0", raw_datagram(source, to, 255 if ttl else 1, payload))
        router.expire(now_ns)
    judged = [router.counters(c.name) for c in configs]
    counted = sum(counters.accepted + counters.discarded.total() for counters in judged)
    assert counted + router.strangers.total() == len(packets)
