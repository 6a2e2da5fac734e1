"""The host: which virtual router a packet is for, what is counted, and what its parts do together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from protocol.packets import Packet, raw_datagram, sums_pseudo_header
from protocol.routers import (
    HIGHER,
    OWN,
    S_NS,
    VIP,
    by_name,
    changes,
    drive_host,
    host,
    kinds,
    packed,
    settings,
    snapshot,
)
from vrrp.protocol.counters import Counters
from vrrp.protocol.effects import ReleaseAddresses, SendAdvertisement, StateChanged
from vrrp.protocol.profile import FRR, KEEPALIVED, PROFILES, RFC3768, RFC5798, RFC9568, Profile
from vrrp.protocol.router import Router
from vrrp.protocol.settings import (
    RouterConfig,
    SyncGroupConfig,
    TrackedInterface,
    TrackedScript,
    VirtualRouterConfig,
)
from vrrp.protocol.state import State
from vrrp.protocol.validation import Discard
from vrrp.wire.frame import Datagram

ALL = list(PROFILES.values())
DOWN_NS = 3_609_375_000
each_profile = pytest.mark.parametrize("profile", ALL, ids=lambda profile: profile.name)


def on(interface: str, profile: Profile = KEEPALIVED, **changed: Any) -> VirtualRouterConfig:
    return settings(profile, interface=interface, **changed)


def packet(profile: Profile, **changed: Any) -> Datagram:
    values: dict[str, Any] = {"version": profile.versions[0], "pseudo_header": sums_pseudo_header(profile)}
    return Packet(**values | changed).datagram()


# Which virtual router


def four(profile: Profile) -> Router:
    return host(
        profile,
        on("eth0", profile, version=3, name="A4"),
        on("eth0", profile, version=3, name="A6", addresses=["fe80::100"]),
        on("eth0", profile, version=3, name="B4", vrid=52),
        on("eth1", profile, version=3, name="C4"),
    )


@pytest.mark.parametrize("profile", [RFC5798, RFC9568, KEEPALIVED, FRR], ids=lambda profile: profile.name)
def test_interface_vrid_and_family_find_the_virtual_router(profile: Profile) -> None:
    router = four(profile)
    router.start(0)
    v6: dict[str, Any] = {"source": "fe80::9", "addresses": ("fe80::100",)}
    for interface, changed, name in (
        ("eth0", {}, "A4"),
        ("eth0", v6, "A6"),
        ("eth0", {"vrid": 52}, "B4"),
        ("eth1", {}, "C4"),
    ):
        before = {n: router.counters(n).accepted for n in ("A4", "A6", "B4", "C4")}
        assert router.receive(S_NS, interface, packet(profile, version=3, **changed)) == ()
        after = {n: router.counters(n).accepted for n in before}
        assert after == before | {name: before[name] + 1}
    assert [vr.config.name for vr in router.virtual_routers] == ["A4", "A6", "B4", "C4"]
    assert {vr.deadline_ns for vr in router.virtual_routers} == {
        S_NS + vr.master_down_interval_ns for vr in router.virtual_routers
    }
    assert router.strangers.total() == 0


@each_profile
def test_strangers_are_counted(profile: Profile) -> None:
    router = host(profile, on("eth0", profile))
    router.start(0)
    router.receive(1, "eth0", packet(profile, vrid=52))
    router.receive(1, "eth1", packet(profile))
    router.receive(1, "eth0", packet(profile, version=3, source="fe80::9", addresses=("fe80::1",)))
    router.receive(1, "eth0", raw_datagram(HIGHER, "224.0.0.18", 255, b"\x21"))
    router.receive(1, "eth0", raw_datagram(HIGHER, "224.0.0.18", 255, b""))
    assert router.strangers == {Discard.UNKNOWN_VRID: 3, Discard.TOO_SHORT: 2}
    assert router.counters("VRID 51") == Counters()


def test_a_witness_sees_each_packet_before_it_is_acted_upon() -> None:
    router = host(KEEPALIVED, on("eth0", KEEPALIVED))
    router.start(0)
    seen: list[tuple[State, bytes, Discard | None]] = []
    router.witness = lambda one, datagram, why: seen.append((one.state, datagram.source, why))
    router.expire(10**11)
    router.receive(10**11, "eth0", packet(KEEPALIVED, priority=250))
    router.receive(10**11, "eth0", packet(KEEPALIVED, vrid=52))
    router.receive(10**11, "eth0", packet(KEEPALIVED, ttl=1))
    assert [(state, why) for state, _, why in seen] == [(State.MASTER, None), (State.BACKUP, Discard.TTL)]


@pytest.mark.parametrize("size", range(2, 8))
def test_packet_that_ends_within_the_header_is_counted_where_its_vrid_points(size: int) -> None:
    router = host(KEEPALIVED, on("eth0"))
    router.start(0)
    router.receive(1, "eth0", raw_datagram(HIGHER, "224.0.0.18", 255, packet(KEEPALIVED).payload[:size]))
    assert router.counters("VRID 51").discarded == {Discard.TOO_SHORT: 1}


@pytest.mark.parametrize("call", ["receive", "set_interface", "counters", "script_finished"])
def test_unknown_names_are_the_callers_mistake(call: str) -> None:
    router = host(KEEPALIVED, on("eth0"))
    arguments: dict[str, tuple[Any, ...]] = {
        "receive": (0, "eth9", packet(KEEPALIVED)),
        "set_interface": (0, "eth9", False),
        "counters": ("VI_9",),
        "script_finished": (0, "chk", True),
    }
    with pytest.raises(KeyError):
        getattr(router, call)(*arguments[call])


def test_a_router_without_virtual_routers_waits_for_nothing() -> None:
    router = Router(RouterConfig(virtual_routers=()), profile=KEEPALIVED, interfaces={"eth0": ()})
    assert router.start(0) == router.expire(5) == router.set_interface(6, "eth0", False) == ()
    assert router.deadline_ns is None
    assert router.reload(7, RouterConfig(virtual_routers=())) == router.stop(8) == ()


# What is refused at the start


@pytest.mark.parametrize(
    ("configs", "parts", "message"),
    [
        ([on("eth9")], {}, "VRID 51: there is no interface 'eth9' (known: eth0, eth1)"),
        ([on("eth0"), on("eth1")], {}, "VRID 51: a second virtual router of this name"),
        ([on("eth0", name="A"), on("eth0", name="B")], {}, "B: VRID 51 is taken on eth0"),
        (
            [on("eth0", track_scripts=(TrackedScript("chk"),))],
            {},
            "VRID 51: there is no track script 'chk'",
        ),
        (
            [on("eth0", track_interfaces=(TrackedInterface("eth9"),))],
            {},
            "VRID 51: there is no interface 'eth9' to track",
        ),
        (
            [on("eth0", name="VI_1")],
            {"sync_groups": (SyncGroupConfig("G1", ("VI_1", "VI_2", "VI_3")),)},
            "sync group G1: there is no virtual router VI_2",
        ),
        (
            [on("eth0", source="fe80::1")],
            {},
            "VRID 51: interface eth0 has no IPv4 address to send from",
        ),
    ],
)
def test_refused(configs: Sequence[VirtualRouterConfig], parts: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011  # the whole message is compared below
        host(KEEPALIVED, *configs, **parts)
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    ("interfaces", "addresses", "message"),
    [
        ({}, [VIP], "VRID 51: there is no interface 'eth0' (known: none)"),
        ({"eth0": ["fe80::1"]}, [VIP], "VRID 51: interface eth0 has no IPv4 address to send from"),
        (
            {"eth0": [OWN, "2001:db8::5"]},
            ["fe80::100"],
            "VRID 51: interface eth0 has no IPv6 link-local address to send from",
        ),
    ],
)
def test_interface_without_what_is_needed(
    interfaces: dict[str, list[str]], addresses: list[str], message: str
) -> None:
    config = RouterConfig(virtual_routers=(on("eth0", RFC9568, addresses=addresses),))
    with pytest.raises(ValueError) as refusal:  # noqa: PT011  # the whole message is compared below
        Router(config, profile=RFC9568, interfaces=interfaces)
    assert str(refusal.value) == message


def test_source_is_the_first_ipv4_or_the_first_link_local_or_the_one_told() -> None:
    addresses = ["2001:db8::5", "10.0.0.5", "10.0.0.6", "fe80::5", "fe80::6"]
    configs = (
        on("eth0", name="v4", version=3),
        on("eth0", name="v6", version=3, addresses=["fe80::100"]),
        on("eth0", name="told", version=3, vrid=52, source="10.0.0.7"),
    )
    router = Router(RouterConfig(virtual_routers=configs), profile=KEEPALIVED, interfaces={"eth0": addresses})
    assert [vr.source for vr in router.virtual_routers] == list(packed("10.0.0.5", "fe80::5", "10.0.0.7"))


# Life


@each_profile
def test_start_advertise_stop_and_what_is_counted(profile: Profile) -> None:
    router = host(profile, on("eth0", profile))
    assert router.deadline_ns is None
    assert kinds(effect for _, effect in router.start(0)) == (StateChanged,)
    down_ns = router.virtual_routers[0].master_down_interval_ns
    assert router.deadline_ns == down_ns
    assert len([e for _, _, e in drive_host(router, down_ns + 2 * S_NS) if isinstance(e, SendAdvertisement)]) == 3
    stopped = router.stop(down_ns + 2 * S_NS, "SIGTERM")
    assert kinds(effect for _, effect in stopped) == (SendAdvertisement, ReleaseAddresses, StateChanged)
    assert changes(effect for _, effect in stopped) == [(State.INITIALIZE, "SIGTERM")]
    assert {owner for owner, _ in stopped} == {router.virtual_routers[0]}
    assert router.deadline_ns is None
    counters = router.counters("VRID 51")
    assert (counters.sent, counters.priority_zero_sent, counters.became_master) == (4, 1, 1)


def test_received_advertisements_are_counted() -> None:
    router = host(KEEPALIVED, on("eth0"))
    router.start(0)
    router.receive(1, "eth0", packet(KEEPALIVED))
    router.receive(2, "eth0", packet(KEEPALIVED, priority=50))
    router.receive(3, "eth0", packet(KEEPALIVED, priority=0))
    drive_host(router, S_NS)
    effects = router.receive(S_NS, "eth0", packet(KEEPALIVED, priority=0))
    assert kinds(effect for _, effect in effects) == (SendAdvertisement,)
    counters = router.counters("VRID 51")
    assert (counters.accepted, counters.priority_zero_received, counters.sent) == (4, 2, 2)


def test_a_witness_is_told_of_each_packet_and_why_it_is_not_taken() -> None:
    router = host(KEEPALIVED, on("eth0"))
    told: list[tuple[str, Datagram, Discard | None]] = []
    router.witness = lambda virtual_router, datagram, verdict: told.append(
        (virtual_router.config.name, datagram, verdict)
    )
    router.start(0)
    good, short = packet(KEEPALIVED), raw_datagram(HIGHER, "224.0.0.18", 255, packet(KEEPALIVED).payload[:7])
    for datagram in (good, short, packet(KEEPALIVED, vrid=52)):
        router.receive(1, "eth0", datagram)
    assert told == [("VRID 51", good, None), ("VRID 51", short, Discard.TOO_SHORT)]


@each_profile
def test_repeated_datagram_counts_each_time_by_identity_or_not(profile: Profile) -> None:
    router = host(profile, on("eth0", profile))
    router.start(0)
    good, bad = packet(profile), packet(profile, sum_error=1)
    for datagram in (good, good, packet(profile), bad, bad, good, packet(profile, sum_error=1)):
        router.receive(1, "eth0", datagram)
    counters = router.counters("VRID 51")
    assert counters.accepted == 4
    assert counters.discarded == {Discard.CHECKSUM: 3}


@each_profile
def test_own_packets_are_dropped_before_they_are_judged(profile: Profile) -> None:
    router = host(profile, on("eth0", profile))
    router.start(0)
    drive_host(router, 4 * S_NS)
    before = snapshot(router.virtual_routers[0])
    for changed in ({}, {"sum_error": 1}, {"priority": 0}):
        assert router.receive(4_100_000_000, "eth0", packet(profile, source=OWN, **changed)) == ()
    assert router.counters("VRID 51").discarded == {Discard.OWN_ADDRESS: 3}
    assert snapshot(router.virtual_routers[0]) == before


def keepalived_master() -> Router:
    """Master since MDI, 300 ms after its second advertisement."""
    router = host(KEEPALIVED, on("eth0"))
    router.start(0)
    drive_host(router, DOWN_NS + S_NS)
    return router


MASTER_NS = DOWN_NS + S_NS
HEARD_NS = MASTER_NS + 300_000_000


@pytest.mark.parametrize(
    "changed",
    [{"sum_error": 1}, {"ttl": 254}, {"version": 3}, {"auth_type": 1}, {"interval": 2}, {"extra": b"\0"}],
)
def test_packet_refused_restarts_the_timer_of_a_keepalived_master(changed: dict[str, Any]) -> None:
    router = keepalived_master()
    assert router.receive(HEARD_NS, "eth0", packet(KEEPALIVED, **changed)) == ()
    assert router.virtual_routers[0].deadline_ns == HEARD_NS + S_NS
    assert drive_host(router, HEARD_NS + S_NS - 1) == []
    assert len(drive_host(router, HEARD_NS + S_NS)) == 1


@pytest.mark.parametrize("changed", [{"vrid": 52}, {"source": OWN}, {"destination": OWN}])
def test_packet_that_never_reaches_keepalived_does_not(changed: dict[str, Any]) -> None:
    # Measured: VRID 52 and our own source; unicast to a multicast instance never reaches it.
    router = keepalived_master()
    assert router.receive(HEARD_NS, "eth0", packet(KEEPALIVED, **changed)) == ()
    assert router.virtual_routers[0].deadline_ns == MASTER_NS + S_NS


@each_profile
def test_startup_delay(profile: Profile) -> None:
    router = host(profile, on("eth0", profile), startup_delay_ns=4 * S_NS)
    router.start(0)
    assert router.deadline_ns == 4 * S_NS + router.virtual_routers[0].master_down_interval_ns


def test_interval_of_0_moves_the_hosts_wake_up_too() -> None:
    router = host(KEEPALIVED, on("eth0", version=3))
    router.start(0)
    router.receive(S_NS, "eth0", packet(KEEPALIVED, version=3, interval=0))
    assert router.deadline_ns == S_NS
    assert [name for _, name, effect in drive_host(router, S_NS) if isinstance(effect, StateChanged)] == ["VRID 51"]


# Interfaces


@pytest.mark.parametrize(
    ("profile", "state", "goodbyes", "back"),
    [
        (RFC3768, State.INITIALIZE, 1, "start"),
        (RFC5798, State.INITIALIZE, 1, "start"),
        (RFC9568, State.INITIALIZE, 1, "start"),
        (KEEPALIVED, State.FAULT, 2, "eth0 is up"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_own_interface_down_and_up(profile: Profile, state: State, goodbyes: int, back: str) -> None:
    router = host(profile, on("eth0", profile), on("eth1", profile, name="other"))
    router.start(0)
    drive_host(router, 9 * S_NS)
    lost = by_name(router.set_interface(9 * S_NS, "eth0", False))
    assert {name for name, _ in lost} == {"VRID 51"}
    assert changes(effect for _, effect in lost) == [(state, "eth0 is down")]
    assert sum(isinstance(effect, SendAdvertisement) for _, effect in lost) == goodbyes
    assert router.set_interface(9 * S_NS, "eth0", False) == ()
    returned = router.set_interface(12 * S_NS, "eth0", True)
    assert changes(effect for _, effect in returned) == [(State.BACKUP, back)]
    assert router.virtual_routers[0].deadline_ns == 12 * S_NS + DOWN_NS
    assert router.virtual_routers[1].state is State.MASTER


def test_frr_does_not_watch_its_interface() -> None:
    router = host(FRR, on("eth0", FRR))
    router.start(0)
    drive_host(router, 9 * S_NS)
    assert router.set_interface(9 * S_NS, "eth0", False) == ()
    assert router.virtual_routers[0].state is State.MASTER


def test_own_interface_need_not_be_tracked() -> None:
    router = host(KEEPALIVED, on("eth0", track_own_interface=False))
    router.start(0)
    assert router.set_interface(S_NS, "eth0", False) == ()
    assert router.virtual_routers[0].state is State.BACKUP


def test_interface_that_is_down_when_the_process_starts() -> None:
    router = host(KEEPALIVED, on("eth0"), startup_delay_ns=S_NS)
    assert router.set_interface(0, "eth0", False) == ()
    assert changes(effect for _, effect in router.start(0)) == [(State.FAULT, "eth0 is down")]
    assert router.deadline_ns is None
    assert changes(effect for _, effect in router.set_interface(S_NS, "eth0", True)) == [(State.BACKUP, "eth0 is up")]
    assert router.deadline_ns == S_NS + DOWN_NS


def test_rfc_router_with_its_interface_down_does_not_start_until_it_is_up() -> None:
    router = host(RFC9568, on("eth0", RFC9568, priority=255))
    router.set_interface(0, "eth0", False)
    assert router.start(0) == ()
    effects = router.set_interface(S_NS, "eth0", True)
    assert changes(effect for _, effect in effects) == [(State.MASTER, "owner of the addresses (priority 255)")]
