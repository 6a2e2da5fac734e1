"""The Authentication Header around what a router hears: presence, SPI, sequence, password, in keepalived's order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from protocol.packets import Packet
from protocol.routers import HIGHER, LOWER, VIP, host, settings
from vrrp.protocol.profile import KEEPALIVED, OURS, Profile
from vrrp.protocol.router import Router
from vrrp.protocol.validation import Discard
from vrrp.wire.address import pack
from vrrp.wire.authentication_header import authenticate, parse_authentication_header
from vrrp.wire.frame import Datagram
from vrrp.wire.ip import IpPacket

KEY = b"s3cret"
GOOD = Packet(version=2, auth_type=2)


def router(profile: Profile = KEEPALIVED, **changes: object) -> Router:
    values: dict[str, object] = {"version": 2, "auth_type": 2, "ah_key": KEY, **changes}
    made = host(profile, settings(profile, name="VI_1", interface="eth0", **values))
    made.start(0)
    return made


def signed(packet: Packet = GOOD, *, sequence: int = 1, key: bytes = KEY, spi: str | None = None) -> Datagram:
    bare = packet.datagram()
    around = IpPacket(bare.source, bare.destination, 112, bare.payload, bare.ttl)
    parsed = parse_authentication_header(authenticate(around, sequence, key))
    assert parsed is not None
    header = parsed[0]
    if spi is not None:
        header = replace(header, spi=int.from_bytes(pack(spi), "big"))
    return replace(bare, authentication=header)


def verdict(made: Router, datagram: Datagram) -> Discard | None:
    before = made.counters("VI_1").discarded.copy()
    made.receive(1, "eth0", datagram)
    new = made.counters("VI_1").discarded - before
    assert new.total() <= 1
    return next(iter(new), None)


def test_a_good_one_is_taken() -> None:
    made = router()
    assert verdict(made, signed()) is None
    assert made.counters("VI_1").accepted == 1
    assert made.virtual_routers[0].master == pack(HIGHER)


@pytest.mark.parametrize("configured", [True, False])
def test_there_must_be_one_where_it_is_configured_and_only_there(configured: bool) -> None:
    made = router() if configured else router(auth_type=0)
    assert verdict(made, GOOD.datagram() if configured else signed()) is Discard.AH_PRESENCE


def test_the_password_counts_up_to_its_zeros() -> None:
    made = router()
    assert verdict(made, signed(key=b"other")) is Discard.AH_ICV
    assert verdict(made, signed(key=KEY + b"\0\0")) is None


def test_the_spi_is_the_senders_address() -> None:
    assert verdict(router(), signed(spi=LOWER)) is Discard.AH_SPI


def test_a_sequence_number_is_taken_once() -> None:
    made = router()
    for sequence, expected in ((5, None), (5, Discard.AH_SEQUENCE), (4, Discard.AH_SEQUENCE), (6, None)):
        assert verdict(made, signed(sequence=sequence)) is expected
    assert made.virtual_routers[0].ah_sequence.last == 6


def test_all_routers_of_a_vrid_count_together() -> None:
    # keepalived 2.2.7: the new master's first packet had the old one's last number plus one.
    made = router()
    assert verdict(made, signed(sequence=5)) is None
    assert verdict(made, signed(Packet(version=2, auth_type=2, source=LOWER), sequence=5)) is Discard.AH_SEQUENCE


def test_two_masters_in_step_hear_each_other_in_our_daemon() -> None:
    # Of keepalived's each takes the other's number, which is its own, for one that it has heard.
    for profile, expected in ((KEEPALIVED, Discard.AH_SEQUENCE), (OURS, None)):
        made = router(profile)
        made.virtual_routers[0].ah_sequence.last = 99
        assert verdict(made, signed(sequence=99)) is expected
        assert made.virtual_routers[0].ah_sequence.last == 99


def test_what_one_sender_said_is_not_heard_twice_from_it() -> None:
    made = router(OURS)
    other = Packet(version=2, auth_type=2, source=LOWER)
    for packet, sequence, expected in (
        (GOOD, 5, None),
        (other, 4, None),
        (GOOD, 5, Discard.AH_REPLAY),
        (other, 4, Discard.AH_REPLAY),
        (other, 5, None),
    ):
        assert verdict(made, signed(packet, sequence=sequence)) is expected
    assert made.virtual_routers[0].ah_sequence.last == 5


def test_a_refused_packet_does_not_move_the_number() -> None:
    made = router()
    assert verdict(made, signed(sequence=9, key=b"other")) is Discard.AH_ICV
    assert made.virtual_routers[0].ah_sequence.last == 0


def test_the_order_of_the_reasons() -> None:
    made = router(auth_type=0)
    assert verdict(made, signed(Packet(version=2, auth_type=2, extra=bytes(4)))) is Discard.AH_PRESENCE
    made = router()
    assert verdict(made, signed(Packet(version=2, auth_type=1), sequence=0, key=b"x", spi=LOWER)) is Discard.AUTH_TYPE
    assert verdict(made, signed(sequence=0, key=b"x", spi=LOWER)) is Discard.AH_SPI
    assert verdict(made, signed(sequence=0, key=b"x")) is Discard.AH_SEQUENCE
    assert verdict(made, signed(Packet(version=2, auth_type=2, interval=2), key=b"x")) is Discard.AH_ICV


def test_version_3_has_none() -> None:
    plain = settings(KEEPALIVED, name="VI_1", interface="eth0", version=3, auth_type=2, ah_key=KEY, addresses=[VIP])
    assert (plain.auth_type, plain.ah_key) == (0, b"")
