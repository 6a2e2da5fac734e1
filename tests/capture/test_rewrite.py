"""Addresses replaced, checksums as right or wrong as they were."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostile.mutations import seeds
from vrrp.capture.rewrite import Rewrite
from vrrp.wire.address import pack
from vrrp.wire.advertisement import Advertisement, encode
from vrrp.wire.arp import ArpPacket
from vrrp.wire.checksum import ChecksumForm, ChecksumPolicy
from vrrp.wire.ethernet import ARP, IPV4, IPV6, EthernetFrame
from vrrp.wire.frame import Datagram, decode_datagram, parse_frame
from vrrp.wire.ip import IpPacket
from vrrp.wire.neighbor import NeighborAdvertisement, unsolicited_advertisement

OLD_MAC, NEW_MAC = bytes.fromhex("020000000001"), bytes.fromhex("02000000fffe")
V4 = {pack("10.0.0.1"): pack("192.0.2.1"), pack("10.0.0.100"): pack("192.0.2.200"), OLD_MAC: NEW_MAC}
V6 = {pack("fe80::1"): pack("fe80::abcd:1"), pack("fe80::100"): pack("2001:db8::ffff"), OLD_MAC: NEW_MAC}
EITHER = ChecksumPolicy.EITHER
TO = bytes.fromhex("01005e000012")


def rewritten(pairs: dict[bytes, bytes], kind: int, payload: bytes, vlans: tuple[int, ...] = ()) -> bytes:
    frame = EthernetFrame(TO, OLD_MAC, kind, payload, vlans).build()
    changed = Rewrite(pairs).frame(frame)
    assert changed[6:12] == NEW_MAC
    assert len(changed) == len(frame)
    return changed


@pytest.mark.parametrize("form", [ChecksumForm.PLAIN, ChecksumForm.PSEUDO_HEADER])
@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("vlans", [(), (5, 6)])
def test_an_advertisement(version: int, form: ChecksumForm, vlans: tuple[int, ...]) -> None:
    a = Advertisement(version, 51, 100, 100, ["10.0.0.100", "10.0.0.101"])
    message = encode(a, source="10.0.0.1", destination="224.0.0.18", checksum=form)
    packet = IpPacket(pack("10.0.0.1"), pack("224.0.0.18"), 112, message, identification=7)
    content = parse_frame(rewritten(V4, IPV4, packet.build(), vlans)).content
    assert isinstance(content, Datagram)
    assert content.source == pack("192.0.2.1")
    expected = Advertisement(version, 51, 100, 100, ["192.0.2.200", "10.0.0.101"])
    assert content.payload == encode(expected, source=content.source, destination="224.0.0.18", checksum=form)


def test_an_advertisement_over_ipv6() -> None:
    a = Advertisement(3, 51, 100, 100, ["fe80::100"])
    message = encode(a, source="fe80::1", destination="ff02::12")
    packet = IpPacket(pack("fe80::1"), pack("ff02::12"), 112, message)
    content = parse_frame(rewritten(V6, IPV6, packet.build())).content
    assert isinstance(content, Datagram)
    expected = Advertisement(3, 51, 100, 100, ["2001:db8::ffff"])
    assert content.payload == encode(expected, source="fe80::abcd:1", destination="ff02::12")


def test_a_neighbor_advertisement() -> None:
    packet = unsolicited_advertisement(pack("fe80::100"), OLD_MAC, router=True)
    content = parse_frame(rewritten(V6, IPV6, packet.build())).content
    assert isinstance(content, NeighborAdvertisement)
    assert (content.target, content.mac) == (pack("2001:db8::ffff"), NEW_MAC)


def test_arp() -> None:
    arp = ArpPacket(1, OLD_MAC, pack("10.0.0.100"), bytes(6), pack("10.0.0.1"))
    content = parse_frame(rewritten(V4, ARP, arp.build())).content
    assert content == ArpPacket(1, NEW_MAC, pack("192.0.2.200"), bytes(6), pack("192.0.2.1"))


def test_a_wrong_checksum_stays_as_wrong() -> None:
    good = encode(Advertisement(2, 51, 100, 100, ["10.0.0.100"]))
    wrong = good[:6] + (int.from_bytes(good[6:8], "big") ^ 0x0100).to_bytes(2, "big") + good[8:]
    packet = IpPacket(pack("10.0.0.9"), pack("224.0.0.18"), 112, wrong)
    content = parse_frame(rewritten(V4, IPV4, packet.build())).content
    assert isinstance(content, Datagram)
    right = encode(Advertisement(2, 51, 100, 100, ["192.0.2.200"]))
    assert (int.from_bytes(content.payload[6:8], "big") - int.from_bytes(right[6:8], "big")) % 0xFFFF == (
        int.from_bytes(wrong[6:8], "big") - int.from_bytes(good[6:8], "big")
    ) % 0xFFFF


@given(st.sampled_from(seeds()))
def test_there_and_back_is_the_same(frame: bytes) -> None:
    pairs = {frame[6:12]: NEW_MAC, frame[26:30]: pack("192.0.2.77")}
    back = {new: old for old, new in pairs.items()}
    changed = Rewrite(pairs).frame(frame)
    assert Rewrite(back).frame(changed) == frame
    before, after = parse_frame(frame).content, parse_frame(changed).content
    if isinstance(before, Datagram) and isinstance(after, Datagram):
        assert type(decode_datagram(before, EITHER)) is type(decode_datagram(after, EITHER))


@given(st.binary(max_size=80))
def test_any_bytes(frame: bytes) -> None:
    pairs = {bytes(4): b"abcd", bytes(6): b"abcdef", bytes(16): b"0123456789abcdef"}
    assert len(Rewrite(pairs).frame(frame)) == len(frame)
    assert Rewrite({}).frame(frame) == frame


def test_pairs_are_of_one_kind() -> None:
    for pair in ({bytes(4): bytes(6)}, {bytes(5): bytes(5)}):
        with pytest.raises(ValueError, match="two MACs, two IPv4 or two IPv6"):
            Rewrite(pair)
