"""What is verified of a received advertisement: every check alone, each pair in the profile's order."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from typing import Any

import pytest

from protocol.packets import Packet, sums_pseudo_header
from protocol.routers import HIGHER, LOWER, OWN, S_NS, VIP, host, settings
from vrrp.protocol.profile import FRR, KEEPALIVED, OURS, PROFILES, RFC3768, RFC5798, RFC9568, Profile, profile_named
from vrrp.protocol.router import Router
from vrrp.protocol.settings import PeerTtl
from vrrp.protocol.validation import Discard, first_failure
from vrrp.wire.address import pack
from vrrp.wire.checksum import ChecksumPolicy

ALL = list(PROFILES.values())
OTHER = "10.0.0.77"
LINK_LOCAL = "fe80::100"
Fault = tuple[dict[str, Any], dict[str, Any]]
"""What is changed of the configuration and of the packet to make a check fail."""

FAULTS: dict[Discard, Fault] = {
    Discard.TTL: ({}, {"ttl": 254}),
    Discard.TYPE: ({}, {"type": 2}),
    Discard.LENGTH: ({}, {"extra": bytes(4)}),
    Discard.CHECKSUM: ({}, {"sum_error": 0x0404}),
    Discard.OWNER: ({"priority": 255}, {}),
    Discard.OWNER_DEAF: ({"priority": 255, "owner_ignore_adverts": True}, {}),
    Discard.AUTH_TYPE: ({}, {"auth_type": 2}),
    Discard.PASSWORD: ({"auth_type": 1, "auth_data": b"secret"}, {"auth_type": 1, "auth_data": b"other"}),
    Discard.INTERVAL: ({}, {"interval": 2}),
    Discard.ZERO_INTERVAL: ({}, {"interval": 0}),
    Discard.NO_ADDRESS: ({}, {"addresses": ()}),
    Discard.ADDRESS_COUNT: ({}, {"addresses": (VIP, OTHER)}),
    Discard.ADDRESS_LIST: ({}, {"addresses": (OTHER,)}),
    Discard.ADDRESS_LIST_UNLESS_OWNER: ({}, {"addresses": (OTHER,)}),
    Discard.FIRST_ADDRESS: ({}, {"addresses": ("2001:db8::1",), "source": "fe80::9"}),
    Discard.DESTINATION: ({}, {"destination": OWN}),
    Discard.UNICAST_SOURCE: (
        {"unicast_peers": ["10.0.0.250"], "check_unicast_source": True},
        {"destination": OWN},
    ),
    Discard.PEER_TTL: (
        {"unicast_peers": ["10.0.0.250"], "peer_ttls": (PeerTtl(pack(HIGHER), 1, 254),)},
        {"destination": OWN},
    ),
}
"""VERSION is made per pair: some checks look at packets of version 2 only."""

AUTHENTICATION = {Discard.AH_PRESENCE, Discard.AH_SPI, Discard.AH_SEQUENCE, Discard.AH_REPLAY, Discard.AH_ICV}
"""What an Authentication Header can fail; tests/protocol/test_authentication.py has those."""

VERSION_2_ONLY = {Discard.AUTH_TYPE, Discard.PASSWORD, Discard.INTERVAL}
LISTS = {Discard.ADDRESS_LIST, Discard.ADDRESS_LIST_UNLESS_OWNER}
IMPOSSIBLE = {
    # Without an address there is no first one.
    (RFC9568.name, Discard.NO_ADDRESS, Discard.FIRST_ADDRESS),
    # These are in version 2 packets only, which this profile's routers are the only ones to speak.
    (RFC3768.name, Discard.VERSION, Discard.AUTH_TYPE),
    (RFC3768.name, Discard.VERSION, Discard.INTERVAL),
    # A unicast instance takes any TTL.
    (KEEPALIVED.name, Discard.TTL, Discard.UNICAST_SOURCE),
    (KEEPALIVED.name, Discard.TTL, Discard.PEER_TTL),
}
"""No packet fails both."""


def craft(profile: Profile, checks: set[Discard]) -> tuple[Router, Packet]:
    """A router and a packet that fails exactly these of its profile's checks, and perhaps others after them."""
    config: dict[str, Any] = {"name": "VI_1", "interface": "eth0"}
    packet: dict[str, Any] = {"pseudo_header": sums_pseudo_header(profile)}
    for check in sorted(checks - {Discard.VERSION}, key=list(FAULTS).index, reverse=True):
        for changed, fault in zip((config, packet), FAULTS[check], strict=True):
            changed.update(fault)
    if checks >= {Discard.AUTH_TYPE, Discard.PASSWORD}:
        packet["auth_type"] = 2
    if Discard.ADDRESS_COUNT in checks and checks & LISTS:
        packet["addresses"] = (OTHER, "10.0.0.78")
    if checks >= {Discard.NO_ADDRESS, Discard.LENGTH}:
        packet["extra"] = bytes(4)
    if Discard.DESTINATION in checks and checks & {Discard.UNICAST_SOURCE, Discard.PEER_TTL}:
        packet["destination"] = "224.0.0.18"
    if Discard.FIRST_ADDRESS in checks:
        config["addresses"] = [LINK_LOCAL]
    version = 2 if checks & VERSION_2_ONLY and 2 in profile.versions else profile.versions[0]
    packet["version"] = version
    if Discard.VERSION in checks:
        if checks & {Discard.AUTH_TYPE, Discard.INTERVAL}:
            version = 3
        else:
            packet["version"] = 5 - version
    return host(profile, settings(profile, version=version, **config)), Packet(**packet)


def verdicts(router: Router) -> dict[Discard, int]:
    return dict(router.counters("VI_1").discarded)


PAIRS = [
    pytest.param(profile, *pair, id=f"{profile.name}-{pair[0].name}-{pair[1].name}")
    for profile in ALL
    for pair in itertools.combinations([c for c in profile.checks if c not in AUTHENTICATION], 2)
    if (profile.name, *pair) not in IMPOSSIBLE
]


@pytest.mark.parametrize(("profile", "earlier", "later"), PAIRS)
def test_of_two_failures_the_earlier_is_counted(profile: Profile, earlier: Discard, later: Discard) -> None:
    router, packet = craft(profile, {earlier, later})
    datagram = packet.datagram()
    for check in (earlier, later):
        assert first_failure(router.virtual_routers[0], datagram, (check,)) is check
    router.start(0)
    assert router.receive(1, "eth0", datagram) == ()
    assert verdicts(router) == {earlier: 1}


@pytest.mark.parametrize(
    ("profile", "check"),
    [
        pytest.param(profile, check, id=f"{profile.name}-{check.name}")
        for profile in ALL
        for check in profile.checks
        if check not in AUTHENTICATION
    ],
)
def test_each_check_alone(profile: Profile, check: Discard) -> None:
    router, packet = craft(profile, {check})
    router.start(0)
    assert router.receive(1, "eth0", packet.datagram()) == ()
    assert verdicts(router) == {check: 1}
    assert router.counters("VI_1").accepted == 0


def test_every_reason_can_be_given() -> None:
    checked = {check for profile in (*ALL, OURS) for check in profile.checks}
    assert checked | {Discard.UNKNOWN_VRID, Discard.TOO_SHORT, Discard.OWN_ADDRESS} == set(Discard)


def judge(profile: Profile, packet: Packet, **config: Any) -> Discard | None:
    """What becomes of one packet."""
    width = {"addresses": [LINK_LOCAL]} if ":" in packet.source else {}
    router = host(profile, settings(profile, **{"name": "VI_1", "interface": "eth0", **width, **config}))
    router.start(0)
    router.receive(1, "eth0", packet.datagram())
    counters = router.counters("VI_1")
    assert counters.accepted + counters.discarded.total() == 1
    return next(iter(counters.discarded), None)


def good(profile: Profile, **changes: Any) -> Packet:
    return replace(Packet(version=profile.versions[0], pseudo_header=sums_pseudo_header(profile)), **changes)


@pytest.mark.parametrize("profile", ALL, ids=lambda profile: profile.name)
def test_good_packet_is_taken(profile: Profile) -> None:
    for version in profile.versions:
        assert judge(profile, good(profile, version=version), version=version) is None
        assert judge(profile, good(profile, version=version, priority=0), version=version) is None
        assert judge(profile, good(profile, version=version, source="192.168.9.9"), version=version) is None
    if 3 in profile.versions:
        ipv6 = good(profile, version=3, source="fe80::9", addresses=(LINK_LOCAL,))
        assert judge(profile, ipv6, version=3) is None


# The RFCs' differences (rfc-notes section 4)


def test_rfc3768_takes_another_address_list_from_the_owner() -> None:
    assert judge(RFC3768, good(RFC3768, priority=255, addresses=(OTHER,))) is None
    assert judge(RFC3768, good(RFC3768, priority=254, addresses=(OTHER,))) is Discard.ADDRESS_LIST_UNLESS_OWNER


def test_rfc3768_compares_the_whole_password_field() -> None:
    config = {"auth_type": 1, "auth_data": b"secret"}
    assert judge(RFC3768, good(RFC3768, auth_type=1, auth_data=b"secret"), **config) is None
    assert judge(RFC3768, good(RFC3768, auth_type=1, auth_data=b"secret\0x"), **config) is Discard.PASSWORD
    assert judge(RFC3768, good(RFC3768), **config) is Discard.AUTH_TYPE
    assert judge(RFC3768, good(RFC3768, auth_data=b"zzz")) is None


@pytest.mark.parametrize("profile", [RFC5798, RFC9568], ids=lambda profile: profile.name)
def test_version_3_takes_any_address_list_and_any_interval(profile: Profile) -> None:
    assert judge(profile, good(profile, addresses=(OTHER,))) is None
    assert judge(profile, good(profile, interval=4095)) is None
    assert judge(profile, good(profile, interval=0xF064)) is None  # the reserved bits


def test_rfc5798_has_no_rule_against_an_interval_of_0_nor_against_no_address() -> None:
    assert judge(RFC5798, good(RFC5798, interval=0)) is None
    assert judge(RFC5798, good(RFC5798, addresses=())) is None
    assert judge(RFC9568, good(RFC9568, interval=0xF000)) is Discard.ZERO_INTERVAL


@pytest.mark.parametrize(
    ("profile", "discards"),
    [(RFC3768, True), (RFC5798, True), (RFC9568, False), (KEEPALIVED, False), (FRR, False)],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_who_as_owner_listens_to_nobody(profile: Profile, discards: bool) -> None:
    for priority in (0, 100, 255):
        verdict = judge(profile, good(profile, priority=priority), priority=255)
        assert verdict is (Discard.OWNER if discards else None)


@pytest.mark.parametrize(
    ("profile", "plain", "pseudo"),
    [
        (RFC5798, None, None),
        (RFC9568, None, Discard.CHECKSUM),
        (KEEPALIVED, Discard.CHECKSUM, None),
        (FRR, Discard.CHECKSUM, None),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_which_sums_are_taken_over_ipv4(profile: Profile, plain: Discard | None, pseudo: Discard | None) -> None:
    assert judge(profile, good(profile, version=3, pseudo_header=False), version=3) is plain
    assert judge(profile, good(profile, version=3, pseudo_header=True), version=3) is pseudo
    told = {"version": 3, "checksum": ChecksumPolicy.PLAIN}
    assert judge(profile, good(profile, version=3, pseudo_header=False), **told) is None
    ipv6 = good(profile, version=3, source="fe80::9", addresses=(LINK_LOCAL,))
    assert judge(profile, replace(ipv6, sum_error=1), version=3) is Discard.CHECKSUM


# keepalived (keepalived.md section 7) and FRR ("What an 8.4.4 Backup accepts")


def test_keepalived_expects_the_length_of_the_packets_own_version() -> None:
    assert judge(KEEPALIVED, good(KEEPALIVED, version=3)) is Discard.VERSION
    too_long = good(KEEPALIVED, version=1, extra=bytes(8), addresses=(VIP,))
    assert judge(KEEPALIVED, too_long) is Discard.LENGTH
    assert judge(KEEPALIVED, good(KEEPALIVED, version=1)) is Discard.VERSION


def test_keepalived_wants_its_own_addresses_among_the_listed() -> None:
    two: dict[str, Any] = {"addresses": [VIP, OTHER]}
    assert judge(KEEPALIVED, good(KEEPALIVED, addresses=(OTHER, VIP)), **two) is None
    three: dict[str, Any] = {"addresses": [VIP, OTHER, "10.0.0.78"]}
    assert judge(KEEPALIVED, good(KEEPALIVED, addresses=("10.0.0.78", VIP, OTHER)), **three) is None
    assert judge(KEEPALIVED, good(KEEPALIVED, addresses=(VIP, VIP)), **two) is Discard.ADDRESS_LIST


def test_keepalived_skips_only_a_second_look_at_its_masters_list() -> None:
    # Measured: with vrrp_skip_check_adv_addr a list that does not fit makes two masters all the same.
    config = settings(KEEPALIVED, name="VI_1", interface="eth0", addresses=[VIP, OTHER], skip_check_adv_addr=True)
    router = host(KEEPALIVED, config)
    router.start(0)
    bad = good(KEEPALIVED, addresses=(VIP, VIP)).datagram()
    router.receive(1, "eth0", bad)
    assert verdicts(router) == {Discard.ADDRESS_LIST: 1}
    router.receive(2, "eth0", good(KEEPALIVED, addresses=(VIP, OTHER)).datagram())
    router.receive(3, "eth0", bad)
    assert verdicts(router) == {Discard.ADDRESS_LIST: 1}
    assert router.counters("VI_1").accepted == 2
    router.receive(4, "eth0", good(KEEPALIVED, addresses=(VIP, VIP), source=LOWER).datagram())
    assert verdicts(router) == {Discard.ADDRESS_LIST: 2}


def test_keepalived_hears_unicast_only_from_peers_and_at_any_ttl() -> None:
    peers = {"unicast_peers": [HIGHER]}
    unicast = good(KEEPALIVED, destination=OWN)
    assert judge(KEEPALIVED, unicast, **peers) is None
    assert judge(KEEPALIVED, replace(unicast, ttl=64), **peers) is None
    assert judge(KEEPALIVED, good(KEEPALIVED), **peers) is Discard.DESTINATION
    assert judge(KEEPALIVED, unicast) is Discard.DESTINATION


@pytest.mark.parametrize("profile", [KEEPALIVED, FRR], ids=lambda profile: profile.name)
def test_multicast_is_heard_from_the_own_group_only(profile: Profile) -> None:
    elsewhere = good(profile, destination="224.0.0.99")
    assert judge(profile, elsewhere) is Discard.DESTINATION
    assert judge(profile, elsewhere, group="224.0.0.99") is None
    assert judge(profile, good(profile), group="224.0.0.99") is Discard.DESTINATION
    ipv6 = good(profile, version=3, source="fe80::9", addresses=(LINK_LOCAL,), destination="ff02::99")
    assert judge(profile, ipv6, version=3) is Discard.DESTINATION


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"addresses": (OTHER,)}, None),
        ({"addresses": (VIP, OTHER)}, None),
        ({"interval": 0}, None),
        ({"interval": 4095}, None),
        ({"version": 2}, Discard.VERSION),
        ({"version": 4}, Discard.VERSION),
        ({"pseudo_header": False}, Discard.CHECKSUM),
        ({"ttl": 254}, Discard.TTL),
        ({"extra": b"\0"}, Discard.LENGTH),
        ({"count": 2}, Discard.LENGTH),
        ({"addresses": ()}, Discard.NO_ADDRESS),
        ({"type": 2}, Discard.TYPE),
        ({"destination": OWN}, Discard.DESTINATION),
        ({"source": OWN}, Discard.OWN_ADDRESS),
    ],
)
def test_frr_version_3(changes: dict[str, Any], verdict: Discard | None) -> None:
    assert judge(FRR, good(FRR, **changes)) is verdict


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, None),
        ({"auth_data": b"zzz"}, None),
        ({"addresses": (OTHER,)}, None),
        ({"auth_type": 1}, Discard.AUTH_TYPE),
        ({"auth_type": 2}, Discard.AUTH_TYPE),
        ({"interval": 2}, Discard.INTERVAL),
        ({"version": 3}, Discard.VERSION),
    ],
)
def test_frr_version_2(changes: dict[str, Any], verdict: Discard | None) -> None:
    assert judge(FRR, replace(good(FRR, version=2), **changes), version=2) is verdict


def test_frr_version_2_below_a_second_expects_one_second() -> None:
    assert judge(FRR, good(FRR, version=2), version=2, interval_cs=10) is None
    assert judge(FRR, good(FRR, version=2, interval=2), version=2, interval_cs=250) is None


def test_refused_packets_leave_the_backups_timer_alone() -> None:
    for profile in ALL:
        router = host(profile, settings(profile, name="VI_1", interface="eth0"))
        router.start(0)
        before_ns = router.deadline_ns
        router.receive(S_NS, "eth0", good(profile, sum_error=1).datagram())
        router.receive(2 * S_NS, "eth0", good(profile, ttl=1, source=LOWER).datagram())
        assert router.deadline_ns == before_ns
        assert router.counters("VI_1").discarded.total() == 2


def test_an_owner_that_is_not_told_to_is_not_deaf() -> None:
    router = host(KEEPALIVED, settings(KEEPALIVED, name="VI_1", interface="eth0", priority=255))
    router.start(0)
    router.receive(1, "eth0", Packet(version=2).datagram())
    assert verdicts(router) == {}


@pytest.mark.parametrize(("release", "refused"), [("2.0", True), ("2.3.0", True), ("2.3.4", False), ("2.10.1", False)])
def test_later_releases_of_keepalived_take_any_list_of_addresses(release: str, refused: bool) -> None:
    profile = profile_named(f"keepalived-{release}")
    assert (profile.name, profile.lower_reply) == (f"keepalived-{release}", KEEPALIVED.lower_reply)
    router = host(profile, settings(profile, name="VI_1", interface="eth0"))
    router.start(0)
    for addresses in ((OTHER,), (VIP, OTHER)):
        router.receive(1, "eth0", Packet(version=2, addresses=addresses).datagram())
    assert bool(verdicts(router)) is refused
    assert router.counters("VI_1").accepted == (0 if refused else 2)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("keepalive", "there is no profile 'keepalive'; did you mean 'keepalived'?"),
        ("keepalived-2", "there is no profile 'keepalived-2'; did you mean 'keepalived'?"),
        ("keepalived-2.x", "there is no profile 'keepalived-2.x'; did you mean 'keepalived'?"),
        ("9", f"there is no profile '9'; known: {', '.join(PROFILES)}, vrrp"),
    ],
)
def test_profiles_that_there_are_not(name: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        profile_named(name)
    assert profile_named("frr") is FRR
    assert profile_named("vrrp") is OURS
