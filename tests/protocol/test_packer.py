"""The packets of advertisements."""

from __future__ import annotations

from protocol.routers import advert, make, settings
from vrrp.protocol.packer import Packer
from vrrp.protocol.profile import FRR, KEEPALIVED
from vrrp.protocol.virtual_router import VirtualRouter
from vrrp.wire.address import pack, text
from vrrp.wire.authentication_header import MAX_SEQUENCE, parse_authentication_header
from vrrp.wire.ip import parse_ipv4, parse_ipv6


def test_they_count_from_1_each_virtual_router_by_itself_and_wrap_to_1() -> None:
    packer = Packer()
    one, other = make(KEEPALIVED), make(KEEPALIVED, vrid=52)
    for virtual_router in (one, other):
        for number in range(1, 4):
            ((destination, packet),) = packer.packets(virtual_router, advert(virtual_router, 100))
            assert text(destination) == "224.0.0.18"
            assert parse_ipv4(packet).identification == number
    packer._numbers[one] = 0xFFFE
    seen = [parse_ipv4(raw).identification for _ in range(2) for _, raw in packer.packets(one, advert(one, 100))]
    assert seen == [0xFFFF, 1]
    packer.forget()
    ((_, packet),) = packer.packets(one, advert(one, 100))
    assert parse_ipv4(packet).identification == 1


def test_one_for_each_unicast_peer_with_its_ttl() -> None:
    router = make(KEEPALIVED, unicast_peers=["10.0.0.6", "10.0.0.7"], ttl=3)
    packets = [parse_ipv4(packet) for _, packet in Packer().packets(router, advert(router, 100))]
    assert [(text(one.destination), one.ttl, one.identification) for one in packets] == [
        ("10.0.0.6", 3, 1),
        ("10.0.0.7", 3, 2),
    ]


def test_frr_forbids_fragments_and_the_group_gets_ttl_255() -> None:
    router = make(FRR, ttl=3)
    ((_, packet),) = Packer().packets(router, advert(router, 100))
    assert parse_ipv4(packet).dont_fragment
    assert parse_ipv4(packet).ttl == 255


def test_ipv6_has_no_number() -> None:
    config = settings(KEEPALIVED, version=3, addresses=["fe80::100"])
    router = VirtualRouter(config, source="fe80::1", profile=KEEPALIVED)
    packer = Packer()
    first, second = (list(packer.packets(router, advert(router, 100))) for _ in range(2))
    assert first == second
    packet = parse_ipv6(first[0][1])
    assert (text(packet.source), text(packet.destination), packet.ttl) == ("fe80::1", "ff02::12", 255)


def test_an_address_to_send_from_that_changes() -> None:
    router = make(KEEPALIVED)
    packer = Packer()
    list(packer.packets(router, advert(router, 100)))
    router.source = pack("10.0.0.77")
    ((_, packet),) = packer.packets(router, advert(router, 100))
    assert text(parse_ipv4(packet).source) == "10.0.0.77"
    assert parse_ipv4(packet).identification == 2


def test_an_authentication_header_counts_on_and_stops_at_its_end() -> None:
    router = make(KEEPALIVED, auth_type=2, ah_key=b"secret")
    packer = Packer()
    for wanted in (42, 43, MAX_SEQUENCE, MAX_SEQUENCE):
        router.ah_sequence.last = min(wanted - 1, MAX_SEQUENCE) if wanted < MAX_SEQUENCE else MAX_SEQUENCE
        ((_, packet),) = packer.packets(router, advert(router, 100))
        found = parse_authentication_header(parse_ipv4(packet))
        assert found is not None
        assert found[0].sequence == wanted
        assert found[0].verify(b"secret")


def test_what_is_prepared_is_what_is_sent_and_has_no_number_yet() -> None:
    router = make(KEEPALIVED)
    prepared, other = Packer(), Packer()
    said = router.advertiser.say(router.priority)
    prepared.prepare(router, said)
    assert list(prepared.packets(router, said)) == list(other.packets(router, advert(router, 100)))
