"""IPv4 and IPv6 packets: built as struct would, parsed again, refused when damaged."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vrrp.wire.address import VRRP_GROUP_V4, VRRP_GROUP_V6, pack
from vrrp.wire.errors import DecodeError, DecodeReason
from vrrp.wire.ip import TRAFFIC_CLASS, IpPacket, parse_ipv4, parse_ipv6, renumber
from wire import plain
from wire.strategies import PACKED, extension_headers, ip_packets, mutilated

BYTE, WORD = st.integers(0, 0xFF), st.integers(0, 0xFFFF)
FOUR = IpPacket(pack("10.0.0.2"), VRRP_GROUP_V4, 112, b"abc", identification=7)
SIX = IpPacket(pack("fe80::2"), VRRP_GROUP_V6, 112, b"abc")


def summed(header: bytes) -> bytes:
    """The IPv4 header with its checksum (bytes 10 and 11) made right."""
    blank = header[:10] + b"\0\0" + header[12:]
    return blank[:10] + (0xFFFF - plain.ones_sum(blank)).to_bytes(2, "big") + blank[12:]


@given(PACKED[4], PACKED[4], BYTE, st.binary(max_size=60), BYTE, BYTE, WORD, st.booleans())
def test_ipv4_is_built_by_the_book_and_parsed_again(
    source: bytes, destination: bytes, protocol: int, payload: bytes, ttl: int, tos: int, number: int, df: bool
) -> None:
    packet = IpPacket(source, destination, protocol, payload, ttl, tos, number, df)
    flags = 0x4000 if df else 0
    size = 20 + len(payload)
    head = struct.pack("!BBHHHBBH4s4s", 0x45, tos, size, number, flags, ttl, protocol, 0, source, destination)
    assert packet.build() == summed(head) + payload
    assert parse_ipv4(packet.build()) == packet
    assert parse_ipv4(packet.build() + b"padding") == packet


@given(PACKED[16], PACKED[16], BYTE.filter(lambda p: p not in {0, 43, 44, 50, 51, 60}), st.binary(), BYTE, BYTE)
def test_ipv6_is_built_by_the_book_and_parsed_again(
    source: bytes, destination: bytes, protocol: int, payload: bytes, ttl: int, upper: int
) -> None:
    packet = IpPacket(source, destination, protocol, payload, ttl, upper)
    word = 6 << 28 | upper << 20
    head = struct.pack("!IHBB16s16s", word, len(payload), protocol, ttl, source, destination)
    assert packet.build() == head + payload
    assert parse_ipv6(packet.build()) == packet
    assert parse_ipv6(packet.build() + b"padding") == packet
    labelled = (word | 0xABCDE).to_bytes(4, "big") + packet.build()[4:]
    assert parse_ipv6(labelled) == packet


def test_as_keepalived_marks_its_packets() -> None:
    assert (FOUR.ttl, FOUR.traffic_class, FOUR.dont_fragment) == (255, 0xC0, False)
    assert TRAFFIC_CLASS == 0xC0


def test_options_are_skipped() -> None:
    router_alert = b"\x46" + FOUR.build()[1:20] + bytes.fromhex("94040000")
    header = summed(router_alert[:2] + struct.pack("!H", 27) + router_alert[4:])
    assert parse_ipv4(header + b"abc") == FOUR


@given(extension_headers(), st.data())
def test_extension_headers_leave_the_first_one_named(chain: list[tuple[int, bytes]], data: st.DataObject) -> None:
    payload, protocol = b"abc", 112
    for number, body in reversed(chain):
        payload, protocol = bytes((protocol,)) + body + payload, number
    raw = IpPacket(pack("fe80::2"), VRRP_GROUP_V6, protocol, payload).build()
    for candidate in (raw, data.draw(mutilated(raw))):
        try:
            packet = parse_ipv6(candidate)
        except DecodeError as error:
            assert error.reason is DecodeReason.HEADER  # noqa: PT017  # a damaged extension header may be refused
            continue
        assert packet.protocol == candidate[6]
        assert packet.payload == candidate[40 : 40 + int.from_bytes(candidate[4:6], "big")]


def test_a_fragment_header_before_another_extension_header() -> None:
    fragment, options = bytes((60, 0, 0, 0, 0, 0, 0, 0)), bytes((59, 0, 1, 4, 0, 0, 0, 0))
    packet = IpPacket(pack("fe80::2"), VRRP_GROUP_V6, 44, fragment + options)
    assert parse_ipv6(packet.build()) == packet


@pytest.mark.parametrize(
    ("raw", "detail"),
    [
        (b"", "IPv4, 0 bytes"),
        (FOUR.build()[:19], "IPv4, 19 bytes"),
        (b"\x44" + FOUR.build()[1:], "IPv4, 23 bytes"),
        (b"\x65" + FOUR.build()[1:], "IPv4 lengths 20, 23 of 23 bytes"),
        (b"\x46" + FOUR.build()[1:20], "IPv4 lengths 24, 23 of 20 bytes"),
        (b"\x46" + FOUR.build()[1:], "IPv4 lengths 24, 23 of 23 bytes"),
        (b"\x46" + FOUR.build()[1:] + bytes(9), "IPv4 lengths 24, 23 of 32 bytes"),
        (FOUR.build()[:-1], "IPv4 lengths 20, 23 of 22 bytes"),
        (FOUR.build()[:2] + b"\0\x13" + FOUR.build()[4:], "IPv4 lengths 20, 19 of 23 bytes"),
        (FOUR.build()[:8] + b"\xfe" + FOUR.build()[9:], "IPv4 header checksum"),
        (summed(FOUR.build()[:6] + b"\x20\0" + FOUR.build()[8:20]) + b"abc", "an IPv4 fragment"),
        (summed(FOUR.build()[:6] + b"\0\x01" + FOUR.build()[8:20]) + b"abc", "an IPv4 fragment"),
        (summed(FOUR.build()[:6] + b"\x10\0" + FOUR.build()[8:20]) + b"abc", "an IPv4 fragment"),
    ],
)
def test_damaged_ipv4_is_refused(raw: bytes, detail: str) -> None:
    with pytest.raises(DecodeError) as caught:
        parse_ipv4(raw)
    assert (caught.value.reason, caught.value.vrid, caught.value.detail) == (DecodeReason.HEADER, None, detail)


def test_reserved_flag_and_shortest_packet_are_taken() -> None:
    reserved = summed(FOUR.build()[:6] + b"\x80\0" + FOUR.build()[8:20]) + b"abc"
    assert parse_ipv4(reserved) == FOUR
    empty = IpPacket(FOUR.source, FOUR.destination, 112, b"")
    assert parse_ipv4(empty.build()) == empty
    six = IpPacket(SIX.source, SIX.destination, 59, b"")
    assert parse_ipv6(six.build()) == six


@pytest.mark.parametrize(
    ("raw", "detail"),
    [
        (b"", "IPv6, 0 bytes"),
        (SIX.build()[:39], "IPv6, 39 bytes"),
        (SIX.build()[:-1], "IPv6 length 3 of 42 bytes"),
        (b"\x40" + SIX.build()[1:], "IPv6 length 3 of 43 bytes"),
    ],
)
def test_damaged_ipv6_is_refused(raw: bytes, detail: str) -> None:
    with pytest.raises(DecodeError) as caught:
        parse_ipv6(raw)
    assert (caught.value.reason, caught.value.vrid, caught.value.detail) == (DecodeReason.HEADER, None, detail)


@given(ip_packets(), st.data())
def test_any_bytes_give_a_packet_or_a_decode_error(drawn: tuple[int, bytes], data: st.DataObject) -> None:
    raw = data.draw(st.one_of(mutilated(drawn[1]), st.binary(max_size=60)))
    for parse, width in ((parse_ipv4, 4), (parse_ipv6, 16)):
        try:
            packet = parse(raw)
        except DecodeError as error:
            assert error.reason is DecodeReason.HEADER  # noqa: PT017  # the other outcome is as good
            continue
        assert (len(packet.source), len(packet.destination)) == (width, width)


@given(PACKED[4], PACKED[4], st.binary(max_size=30), WORD, WORD, st.booleans())
def test_renumbered_packet_is_the_one_built_with_that_number(
    source: bytes, destination: bytes, payload: bytes, first: int, second: int, df: bool
) -> None:
    built = [
        IpPacket(source, destination, 112, payload, identification=number, dont_fragment=df).build()
        for number in (first, second)
    ]
    assert renumber(built[0], second) == built[1]
    assert parse_ipv4(renumber(built[0], second)).identification == second


def test_described() -> None:
    assert FOUR.describe() == "10.0.0.2 > 224.0.0.18 protocol 112 ttl 255"
    assert IpPacket(SIX.source, SIX.destination, 58, b"", ttl=64).describe() == "fe80::2 > ff02::12 protocol 58 ttl 64"
