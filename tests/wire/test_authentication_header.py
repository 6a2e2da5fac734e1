from __future__ import annotations

import hashlib
import hmac as plain_hmac
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vrrp.wire.advertisement import Advertisement, decode, encode
from vrrp.wire.authentication_header import (
    PROTOCOL_AH,
    SIZE,
    AuthenticationHeader,
    authenticate,
    parse_authentication_header,
)
from vrrp.wire.errors import DecodeError, DecodeReason
from vrrp.wire.ethernet import IPV4, EthernetFrame
from vrrp.wire.frame import Datagram, parse_frame
from vrrp.wire.ip import IpPacket, parse_ipv4
from wire.captures import frames

KEEPALIVED = Path(__file__).parent / "data" / "keepalived_ah.pcap"
PASSWORD = b"s3cret"

A = Advertisement(2, 51, 150, 100, ["10.99.0.100"], auth_type=2)
PACKET = IpPacket(bytes((10, 99, 0, 11)), bytes((224, 0, 0, 18)), 112, encode(A), traffic_class=0xC0, identification=7)


def recorded() -> list[bytes]:
    """keepalived's own frames: ten advertisements of two routers, one counter after the other."""
    return [raw for raw in frames(KEEPALIVED) if raw[12:14] == b"\x08\x00" and raw[23] == PROTOCOL_AH]


def test_keepalived_signs_what_we_verify() -> None:
    seen = []
    for raw in recorded():
        datagram = parse_frame(raw).content
        assert isinstance(datagram, Datagram)
        header = datagram.authentication
        assert header is not None
        assert header.verify(PASSWORD)
        assert header.verify(PASSWORD.ljust(8, b"\0"))
        assert not header.verify(b"s3creT")
        assert header.spi.to_bytes(4, "big") == datagram.source
        assert decode(datagram.payload, source=datagram.source).auth_type == 2
        seen.append((datagram.source[3], header.sequence))
    assert seen == [(11, n) for n in range(1, 6)] + [(12, n) for n in range(6, 11)]


def test_we_sign_what_keepalived_signed() -> None:
    for raw in recorded():
        packet = parse_ipv4(raw[14:])
        parsed = parse_authentication_header(packet)
        assert parsed is not None
        header, message = parsed
        bare = replace(packet, protocol=112, payload=message)
        assert authenticate(bare, header.sequence, PASSWORD) == packet


def test_the_ttl_and_the_identification_are_covered_but_not_the_tos() -> None:
    signed = authenticate(PACKET, 1, PASSWORD)
    for changed, good in ((replace(signed, ttl=254), False), (replace(signed, identification=8), False)):
        assert _verified(changed) is good
    assert _verified(replace(signed, traffic_class=0, dont_fragment=True))


def _verified(packet: IpPacket) -> bool:
    parsed = parse_authentication_header(packet)
    assert parsed is not None
    return parsed[0].verify(PASSWORD)


def test_the_value_is_hmac_md5_cut_to_96_bits() -> None:
    signed = authenticate(PACKET, 0x01020304, b"key")
    parsed = parse_authentication_header(signed)
    assert parsed is not None
    header, message = parsed
    assert message == PACKET.payload
    assert header.icv == plain_hmac.new(b"key", header.covered, hashlib.md5).digest()[:12]
    assert len(header.covered) == 20 + SIZE + len(message)
    assert header.covered[-len(message) - 12 : -len(message)] == bytes(12)


@given(st.binary(min_size=8, max_size=64), st.integers(0, 0xFFFF_FFFF), st.binary(max_size=8), st.integers(0, 0xFFFF))
def test_what_is_signed_verifies_and_a_changed_byte_does_not(
    message: bytes, sequence: int, key: bytes, position: int
) -> None:
    signed = authenticate(replace(PACKET, payload=message), sequence, key)
    parsed = parse_authentication_header(signed)
    assert parsed is not None
    header, carried = parsed
    assert (header.sequence, carried) == (sequence, message)
    assert header.verify(key)
    assert header.build() == signed.payload[:SIZE]
    at = SIZE + position % len(message)
    data = bytearray(signed.payload)
    data[at] ^= 1
    spoiled = parse_authentication_header(replace(signed, payload=bytes(data)))
    assert spoiled is not None
    assert not spoiled[0].verify(key)


@pytest.mark.parametrize(
    "packet",
    [
        PACKET,
        replace(PACKET, protocol=PROTOCOL_AH, payload=bytes((50,)) + bytes(40)),
        replace(PACKET, protocol=PROTOCOL_AH, payload=b""),
        IpPacket(bytes(16), bytes(16), PROTOCOL_AH, bytes((112,)) + bytes(40)),
    ],
    ids=["no AH", "around ESP", "empty", "IPv6"],
)
def test_other_packets_are_none(packet: IpPacket) -> None:
    assert parse_authentication_header(packet) is None


@pytest.mark.parametrize("payload", [bytes((112, 4)), bytes((112, 4)) + bytes(21), bytes((112, 5)) + bytes(60)])
def test_a_damaged_header_is_refused(payload: bytes) -> None:
    with pytest.raises(DecodeError) as caught:
        parse_authentication_header(replace(PACKET, protocol=PROTOCOL_AH, payload=payload))
    assert caught.value.reason is DecodeReason.HEADER
    assert caught.value.vrid == (payload[25] if len(payload) > 25 else None)
    frame = EthernetFrame(
        bytes(6), bytes(6), IPV4, replace(PACKET, protocol=PROTOCOL_AH, payload=payload).build()
    ).build()
    assert isinstance(parse_frame(frame).content, DecodeError)


def test_fields_out_of_range() -> None:
    with pytest.raises(ValueError, match="32 bits"):
        AuthenticationHeader(1 << 32, 0, bytes(12))
    with pytest.raises(ValueError, match="32 bits"):
        authenticate(PACKET, -1, b"")
    with pytest.raises(ValueError, match="12 bytes, not 3"):
        AuthenticationHeader(0, 0, bytes(3))
    with pytest.raises(ValueError, match="IPv4 only"):
        authenticate(IpPacket(bytes(16), bytes(16), 112, b""), 1, b"")


def test_describe() -> None:
    assert AuthenticationHeader(0x0A63000B, 5, bytes(12)).describe() == (
        "AH spi 0x0a63000b sequence 5 icv 000000000000000000000000"
    )
