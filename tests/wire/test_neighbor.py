"""Neighbor advertisements: built by the book, parsed again, refused when damaged, told."""

from __future__ import annotations

import dataclasses
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vrrp.wire.address import ALL_NODES_V6, pack
from vrrp.wire.errors import DecodeError, DecodeReason
from vrrp.wire.ip import IpPacket
from vrrp.wire.neighbor import NeighborAdvertisement, parse_neighbor, unsolicited_advertisement
from wire import plain
from wire.strategies import MACS, PACKED, endpoints, mutilated

VIP = pack("fe80::100")
MAC = bytes.fromhex("00005e000233")
BOOL = st.booleans()


def summed(message: bytes, source: bytes, destination: bytes) -> bytes:
    """The ICMPv6 message with its checksum (bytes 2 and 3) made right."""
    blank = message[:2] + b"\0\0" + message[4:]
    total = plain.ones_sum(plain.pseudo_header(source, destination, len(blank), 58) + blank)
    return blank[:2] + (0xFFFF - total).to_bytes(2, "big") + blank[4:]


def carrying(message: bytes, ttl: int = 255, *, right: bool = True) -> IpPacket:
    """A packet with this message, its checksum made right or left as it is."""
    whole = summed(message, VIP, ALL_NODES_V6) if right else message
    return IpPacket(VIP, ALL_NODES_V6, 58, whole, ttl, 0)


def advertised(flags: int, options: bytes = b"") -> bytes:
    return struct.pack("!BBHI16s", 136, 0, 0, flags, VIP) + options


@given(endpoints(16), PACKED[16], st.one_of(st.none(), MACS), BOOL, BOOL, BOOL)
def test_advertisement_is_built_by_the_book_and_parsed_again(
    ends: tuple[bytes, bytes], target: bytes, mac: bytes | None, router: bool, solicited: bool, override: bool
) -> None:
    na = NeighborAdvertisement(target, mac, router, solicited, override)
    flags = (router << 31) + (solicited << 30) + (override << 29)
    option = b"" if mac is None else b"\2\1" + mac
    book = summed(struct.pack("!BBHI16s", 136, 0, 0, flags, target) + option, *ends)
    assert na.build(*ends) == book
    assert parse_neighbor(IpPacket(*ends, 58, book)) == na


@pytest.mark.parametrize("router", [False, True])
def test_unsolicited_advertisement_goes_to_all_nodes(router: bool) -> None:
    packet = unsolicited_advertisement(VIP, MAC, router=router)
    assert (packet.source, packet.destination, packet.protocol) == (VIP, ALL_NODES_V6, 58)
    assert (packet.ttl, packet.traffic_class) == (255, 0)
    assert parse_neighbor(packet) == NeighborAdvertisement(VIP, MAC, router, False, True)


def test_another_option_first_leaves_the_mac_unknown() -> None:
    nonce = bytes((14, 1)) + bytes(6)
    heard = parse_neighbor(carrying(advertised(0x2000_0000, nonce + b"\2\1" + MAC)))
    assert heard == NeighborAdvertisement(VIP, None, False, False, True)


def test_an_option_cut_short_leaves_the_mac_unknown() -> None:
    heard = parse_neighbor(carrying(advertised(0x2000_0000, b"\2\1" + MAC[:4])))
    assert heard == NeighborAdvertisement(VIP, None, False, False, True)


def test_further_options_do_no_harm() -> None:
    heard = parse_neighbor(carrying(advertised(0x2000_0000, b"\2\1" + MAC + bytes((14, 1)) + bytes(6))))
    assert heard == NeighborAdvertisement(VIP, MAC, False, False, True)


def test_other_packets_are_none() -> None:
    na = advertised(0)
    assert parse_neighbor(dataclasses.replace(carrying(na), protocol=17)) is None
    assert parse_neighbor(carrying(b"\x87" + na[1:])) is None
    assert parse_neighbor(dataclasses.replace(carrying(na), payload=b"")) is None


def test_ipv4_knows_no_neighbor_advertisement() -> None:
    # Protocol 58 may stand in an IPv4 header too; what follows is then not RFC 4861's.
    assert parse_neighbor(IpPacket(pack("10.0.0.1"), pack("10.0.0.2"), 58, b"\x88" + bytes(3))) is None


@pytest.mark.parametrize(
    ("packet", "reason", "text"),
    [
        (
            carrying(advertised(0)[:22]),
            DecodeReason.TRUNCATED,
            "shorter than its own address count says: neighbor advertisement, 22 bytes",
        ),
        (
            carrying(advertised(0, b"\0"), right=False),
            DecodeReason.TRUNCATED,
            "shorter than its own address count says: neighbor advertisement, 25 bytes",
        ),
        (carrying(advertised(0), ttl=254), DecodeReason.TTL, "TTL or hop limit is not 255: 254 instead of 255"),
        (
            carrying(advertised(0)[:2] + b"\x12\x34" + advertised(0)[4:], right=False),
            DecodeReason.CHECKSUM,
            "checksum does not match: 0x1234",
        ),
    ],
)
def test_damaged_advertisement_is_refused(packet: IpPacket, reason: DecodeReason, text: str) -> None:
    with pytest.raises(DecodeError) as caught:
        parse_neighbor(packet)
    assert (caught.value.reason, caught.value.vrid) == (reason, None)
    assert str(caught.value) == text


@given(
    st.one_of(mutilated(unsolicited_advertisement(VIP, MAC, router=True).payload), st.binary(max_size=40)),
    st.sampled_from([58, 112]),
    st.sampled_from([255, 64]),
    BOOL,
)
def test_any_bytes_give_an_advertisement_none_or_a_decode_error(
    message: bytes, protocol: int, ttl: int, right: bool
) -> None:
    packet = dataclasses.replace(carrying(message, ttl, right=right and len(message) > 3), protocol=protocol)
    try:
        heard = parse_neighbor(packet)
    except DecodeError:
        assert (protocol, packet.payload[0]) == (58, 136)  # the other outcome is as good
        return
    if heard is not None:
        assert (protocol, packet.payload[0], ttl) == (58, 136, 255)
        assert packet.payload[8:24] == heard.target


@pytest.mark.parametrize(
    ("na", "told"),
    [
        (
            NeighborAdvertisement(VIP, MAC, True, False, True),
            "neighbor advertisement: fe80::100 is at 00:00:5e:00:02:33 flags RO",
        ),
        (
            NeighborAdvertisement(VIP, None, False, True, False),
            "neighbor advertisement: fe80::100 is at an unknown MAC flags S",
        ),
        (
            NeighborAdvertisement(VIP, MAC, False, False, False),
            "neighbor advertisement: fe80::100 is at 00:00:5e:00:02:33 flags none",
        ),
    ],
)
def test_described(na: NeighborAdvertisement, told: str) -> None:
    assert na.describe() == told
