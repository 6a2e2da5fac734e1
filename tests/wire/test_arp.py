"""ARP packets: built by the book, parsed again, told."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vrrp.wire.address import pack
from vrrp.wire.arp import REPLY, REQUEST, ArpPacket, gratuitous_arp, parse_arp
from vrrp.wire.errors import DecodeError, DecodeReason
from wire.strategies import MACS, PACKED, mutilated

VIP, HOST = pack("10.0.0.100"), pack("10.0.0.2")
MAC = bytes.fromhex("00005e000133")


@given(st.integers(0, 0xFFFF), MACS, PACKED[4], MACS, PACKED[4])
def test_arp_is_built_by_the_book_and_parsed_again(
    operation: int, sender_mac: bytes, sender: bytes, target_mac: bytes, target: bytes
) -> None:
    packet = ArpPacket(operation, sender_mac, sender, target_mac, target)
    book = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, operation, sender_mac, sender, target_mac, target)
    assert packet.build() == book
    assert parse_arp(book) == packet
    assert parse_arp(book + bytes(18)) == packet


def test_gratuitous_arp_as_keepalived_and_frr_send_it() -> None:
    packet = gratuitous_arp(VIP, MAC)
    assert packet.build().hex() == "0001080006040001" + "00005e000133" + "0a000064" + "ff" * 6 + "0a000064"
    assert packet.gratuitous
    assert packet.operation == REQUEST


def test_operations_are_numbered_as_in_rfc_826() -> None:
    assert (REQUEST, REPLY) == (1, 2)


def test_a_reply_may_be_gratuitous_and_a_question_is_not() -> None:
    assert ArpPacket(REPLY, MAC, VIP, MAC, VIP).gratuitous
    assert not ArpPacket(REQUEST, MAC, HOST, bytes(6), VIP).gratuitous


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        gratuitous_arp(VIP, MAC).build()[:27],
        b"\0\6" + gratuitous_arp(VIP, MAC).build()[2:],
        gratuitous_arp(VIP, MAC).build()[:2] + b"\x86\xdd" + gratuitous_arp(VIP, MAC).build()[4:],
        gratuitous_arp(VIP, MAC).build()[:4] + b"\x08\x04" + gratuitous_arp(VIP, MAC).build()[6:],
        gratuitous_arp(VIP, MAC).build()[:5] + b"\x06" + gratuitous_arp(VIP, MAC).build()[6:],
    ],
)
def test_cut_or_other_arp_is_refused(raw: bytes) -> None:
    with pytest.raises(DecodeError) as caught:
        parse_arp(raw)
    assert caught.value.reason is DecodeReason.HEADER
    assert str(caught.value) == f"the enclosing header is damaged: ARP, {len(raw)} bytes"


@given(st.one_of(mutilated(gratuitous_arp(VIP, MAC).build()), st.binary(max_size=40)))
def test_any_bytes_give_a_packet_or_a_decode_error(raw: bytes) -> None:
    try:
        packet = parse_arp(raw)
    except DecodeError:
        assert len(raw) < 28 or raw[:6] != bytes.fromhex("000108000604")  # the other outcome is as good
        return
    assert packet.build() == raw[:28]


@pytest.mark.parametrize(
    ("packet", "told"),
    [
        (gratuitous_arp(VIP, MAC), "gratuitous ARP: 10.0.0.100 is at 00:00:5e:00:01:33"),
        (ArpPacket(REPLY, MAC, VIP, MAC, VIP), "gratuitous ARP: 10.0.0.100 is at 00:00:5e:00:01:33"),
        (ArpPacket(REQUEST, MAC, HOST, bytes(6), VIP), "ARP: who has 10.0.0.100? tell 10.0.0.2"),
        (ArpPacket(REPLY, MAC, VIP, bytes(6), HOST), "ARP: 10.0.0.100 is at 00:00:5e:00:01:33"),
    ],
)
def test_described(packet: ArpPacket, told: str) -> None:
    assert packet.describe() == told
