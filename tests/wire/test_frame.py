"""From a frame to what it carries: nothing raises, repetition is recognised, padding and tags are no obstacle."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vrrp.wire.address import VRRP_GROUP_V4, VRRP_GROUP_V6, pack
from vrrp.wire.advertisement import Advertisement, encode
from vrrp.wire.arp import ArpPacket, gratuitous_arp, parse_arp
from vrrp.wire.checksum import ChecksumForm, ChecksumPolicy
from vrrp.wire.errors import DecodeError, DecodeReason
from vrrp.wire.ethernet import (
    ARP,
    BROADCAST,
    IPV4,
    IPV6,
    MIN_SIZE,
    EthernetFrame,
    group_mac,
    parse_ethernet,
    virtual_mac,
)
from vrrp.wire.frame import Content, Datagram, Frame, decode_datagram, parse_frame
from vrrp.wire.ip import IpPacket, parse_ipv4, parse_ipv6, renumber
from vrrp.wire.neighbor import NeighborAdvertisement, parse_neighbor, unsolicited_advertisement
from wire.strategies import frames, mutilated

ROUTER, ROUTER6, VIP = pack("10.0.0.2"), pack("fe80::2"), pack("10.0.0.100")
TO, FROM = group_mac(VRRP_GROUP_V4), virtual_mac(51, 4)
ADVERTISEMENT = Advertisement(2, 51, 100, 100, [VIP])
MESSAGE = encode(ADVERTISEMENT)
DATAGRAM = Datagram(ROUTER, VRRP_GROUP_V4, 255, MESSAGE)


def framed(identification: int = 1, payload: bytes = MESSAGE, protocol: int = 112) -> bytes:
    ip = IpPacket(ROUTER, VRRP_GROUP_V4, protocol, payload, identification=identification)
    return EthernetFrame(TO, FROM, IPV4, ip.build()).build()


def reference(raw: bytes) -> Content:
    """The parsers one after the other, nothing remembered."""
    try:
        frame = parse_ethernet(raw)
        if frame.ethertype == ARP:
            return parse_arp(frame.payload)
        if frame.ethertype not in {IPV4, IPV6}:
            return None
        packet = (parse_ipv4 if frame.ethertype == IPV4 else parse_ipv6)(frame.payload)
        if packet.protocol == 112:
            return Datagram(packet.source, packet.destination, packet.ttl, packet.payload)
        return parse_neighbor(packet) or packet
    except DecodeError as error:
        return error


@given(st.data())
def test_no_frame_raises(data: st.DataObject) -> None:
    whole = data.draw(frames())
    for raw in (whole, data.draw(mutilated(whole)), data.draw(st.binary(max_size=80))):
        frame = parse_frame(raw)
        assert frame.raw == raw
        assert (frame.destination, frame.source) == (raw[:6], raw[6:12])


@given(frames(), st.data())
def test_a_frame_carries_what_the_parsers_say(raw: bytes, data: st.DataObject) -> None:
    for candidate in (raw, data.draw(mutilated(raw))):
        content, expected = parse_frame(candidate).content, reference(candidate)
        if isinstance(expected, DecodeError):
            assert isinstance(content, DecodeError)
            assert content.vrid is None
        else:
            assert content == expected


@pytest.mark.parametrize(
    "behind",
    [
        pytest.param("8100 0005 8847 00000100", id="tag, MPLS label at the bottom of its stack, nothing"),
        pytest.param(
            "86dd 60000000 0010 2c ff" + "00" * 32 + "3c00000000000000 3b00010400000000",
            id="IPv6 fragment header, destination options",
        ),
        pytest.param("0026 424203", id="LLC"),
        pytest.param("0800 45", id="IPv4 that ends within its header"),
        pytest.param("08", id="half an EtherType"),
    ],
)
def test_no_strange_frame_raises(behind: str) -> None:
    raw = TO + FROM + bytes.fromhex(behind)
    assert parse_frame(raw).raw == raw


@pytest.mark.parametrize("size", range(len(framed())))
def test_a_frame_cut_anywhere_is_damaged(size: int) -> None:
    content = parse_frame(framed()[:size]).content
    assert isinstance(content, DecodeError)
    assert content.reason is DecodeReason.HEADER


def test_the_number_of_an_ordinary_packet_is_kept() -> None:
    content = parse_frame(framed(4660, b"not ours", protocol=17)).content
    assert content == IpPacket(ROUTER, VRRP_GROUP_V4, 17, b"not ours", identification=4660)


def test_frame_that_repeats_yields_the_same_object() -> None:
    first = parse_frame(framed(1)).content
    assert first == DATAGRAM
    for number in (2, 3, 0x1234, 0xFFFF, 0):
        raw = framed(number)
        assert raw != framed(1)
        assert parse_frame(raw).content is first
        assert parse_frame(raw[:14] + renumber(framed(1)[14:], number)).content is first
        assert parse_frame(raw).raw == raw


def test_frame_that_says_something_else_yields_another_object() -> None:
    first = parse_frame(framed(1)).content
    other = encode(dataclasses.replace(ADVERTISEMENT, priority=99))
    lower = parse_frame(framed(1, other)).content
    assert lower == dataclasses.replace(DATAGRAM, payload=other)
    ip = IpPacket(ROUTER, VRRP_GROUP_V4, 112, MESSAGE)
    for changed in (
        dataclasses.replace(ip, ttl=254),
        dataclasses.replace(ip, source=pack("10.0.0.3")),
        dataclasses.replace(ip, destination=pack("10.0.0.9")),
    ):
        content = parse_frame(EthernetFrame(TO, FROM, IPV4, changed.build()).build()).content
        assert content == Datagram(changed.source, changed.destination, changed.ttl, MESSAGE)
        assert content != first


def test_same_advertisement_of_ipv6_yields_the_same_object() -> None:
    raw = EthernetFrame(TO, FROM, IPV6, IpPacket(ROUTER6, VRRP_GROUP_V6, 112, b"1").build()).build()
    assert parse_frame(raw).content is parse_frame(bytes(bytearray(raw))).content


def test_wrong_header_checksum_is_damage() -> None:
    raw = framed()
    assert parse_frame(raw).content == DATAGRAM
    for position in (24, 25):
        wrong = bytearray(raw)
        wrong[position] ^= 1
        content = parse_frame(bytes(wrong)).content
        assert isinstance(content, DecodeError)
        assert (content.reason, content.vrid) == (DecodeReason.HEADER, None)
        assert str(content) == "the enclosing header is damaged: IPv4 header checksum"
    # Another number without another checksum.
    content = parse_frame(raw[:18] + b"\xaa\xaa" + raw[20:]).content
    assert str(content) == "the enclosing header is damaged: IPv4 header checksum"


def test_fragment_is_damage() -> None:
    raw = framed()
    more_to_come = raw[14:20] + b"\x20" + raw[21:]
    content = parse_frame(raw[:14] + renumber(more_to_come, 1)).content
    assert str(content) == "the enclosing header is damaged: an IPv4 fragment"


@pytest.mark.parametrize("vlans", [(), (30,), (100, 30)])
@pytest.mark.parametrize("padding", [b"", bytes(18), b"\xff" * 4])
def test_tags_and_padding_are_no_obstacle(vlans: tuple[int, ...], padding: bytes) -> None:
    ip = IpPacket(ROUTER, VRRP_GROUP_V4, 112, MESSAGE, identification=5).build()
    raw = EthernetFrame(TO, FROM, IPV4, ip, vlans).build() + padding
    assert parse_frame(raw) == Frame(raw, TO, FROM, DATAGRAM)
    short = EthernetFrame(TO, FROM, IPV4, ip, vlans).build().ljust(MIN_SIZE, b"\0")
    assert len(short) == 60 or vlans == (100, 30)
    assert parse_frame(short).content == DATAGRAM


@pytest.mark.parametrize("vlans", [(), (30,), (100, 30)])
def test_tags_and_padding_of_ipv6(vlans: tuple[int, ...]) -> None:
    message = encode(Advertisement(3, 51, 100, 100, ["fe80::100"]), source=ROUTER6, destination=VRRP_GROUP_V6)
    ip = IpPacket(ROUTER6, VRRP_GROUP_V6, 112, message).build()
    content = parse_frame(EthernetFrame(TO, FROM, IPV6, ip, vlans).build() + bytes(4)).content
    assert content == Datagram(ROUTER6, VRRP_GROUP_V6, 255, message)


def test_announcements() -> None:
    arp = gratuitous_arp(VIP, FROM)
    assert parse_frame(EthernetFrame(BROADCAST, FROM, ARP, arp.build()).build() + bytes(18)).content == arp
    packet = unsolicited_advertisement(ROUTER6, virtual_mac(51, 16), router=True)
    heard = parse_frame(EthernetFrame(TO, FROM, IPV6, packet.build()).build()).content
    assert heard == NeighborAdvertisement(ROUTER6, virtual_mac(51, 16), True, False, True)
    assert isinstance(arp, ArpPacket)


def test_other_things() -> None:
    assert parse_frame(EthernetFrame(TO, FROM, 0x88CC, b"LLDP").build()).content is None
    assert parse_frame(EthernetFrame(TO, FROM, 0x0026, b"\x42\x42\x03").build()).content is None
    other = IpPacket(ROUTER6, VRRP_GROUP_V6, 58, b"\x87" + bytes(23), traffic_class=0)
    assert parse_frame(EthernetFrame(TO, FROM, IPV6, other.build()).build()).content == other
    cut = parse_frame(EthernetFrame(TO, FROM, ARP, b"ARP").build()).content
    assert str(cut) == "the enclosing header is damaged: ARP, 3 bytes"


def test_damaged_neighbor_advertisement_says_so() -> None:
    packet = unsolicited_advertisement(ROUTER6, virtual_mac(51, 16), router=True)
    far = dataclasses.replace(packet, ttl=1)
    content = parse_frame(EthernetFrame(TO, FROM, IPV6, far.build()).build()).content
    assert isinstance(content, DecodeError)
    assert content.reason is DecodeReason.TTL


@pytest.mark.parametrize(
    "value",
    [
        DATAGRAM,
        parse_frame(framed()),
        parse_ethernet(framed()),
        parse_ipv4(framed()[14:]),
        gratuitous_arp(VIP, FROM),
        NeighborAdvertisement(ROUTER6, None, False, False, True),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_are_hashable_and_immutable_and_small(value: Any) -> None:
    assert hash(value) == hash(dataclasses.replace(value))
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, dataclasses.fields(value)[0].name, None)
    assert not hasattr(value, "__dict__")


@pytest.mark.parametrize(
    ("source", "payload", "key"),
    [
        (ROUTER, MESSAGE, 4 << 8 | 51),
        (ROUTER6, MESSAGE, 16 << 8 | 51),
        (ROUTER, b"\x31\xff", 4 << 8 | 255),
        (ROUTER, b"\x31\0", 4 << 8),
        (ROUTER, b"\x31", -1),
        (ROUTER, b"", -1),
    ],
)
def test_key_of_a_datagram(source: bytes, payload: bytes, key: int) -> None:
    assert Datagram(source, VRRP_GROUP_V4, 255, payload).key == key


def test_datagram_is_judged_by_the_given_policy_and_not_by_its_ttl() -> None:
    a = Advertisement(3, 51, 100, 100, [VIP])
    raw = encode(a, source=ROUTER, destination=VRRP_GROUP_V4)
    heard = Datagram(ROUTER, VRRP_GROUP_V4, 1, raw)
    decoded = decode_datagram(heard, ChecksumPolicy.EITHER)
    assert isinstance(decoded, Advertisement)
    assert (decoded, decoded.checksum_form) == (a, ChecksumForm.PSEUDO_HEADER)
    assert decode_datagram(Datagram(ROUTER, VRRP_GROUP_V4, 1, raw), ChecksumPolicy.EITHER) is decoded
    refused = decode_datagram(heard, ChecksumPolicy.PLAIN)
    assert isinstance(refused, DecodeError)
    assert (refused.reason, refused.vrid) == (DecodeReason.CHECKSUM, 51)
    elsewhere = decode_datagram(dataclasses.replace(heard, destination=ROUTER), ChecksumPolicy.EITHER)
    assert isinstance(elsewhere, DecodeError)
