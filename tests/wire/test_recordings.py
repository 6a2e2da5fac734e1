"""What keepalived and FRR really sent: read with struct and plain loops it must agree, rebuilt be the same."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from vrrp.wire.address import ALL_NODES_V6
from vrrp.wire.advertisement import Advertisement, encode
from vrrp.wire.arp import ArpPacket, gratuitous_arp
from vrrp.wire.checksum import ChecksumPolicy
from vrrp.wire.errors import DecodeError
from vrrp.wire.ethernet import BROADCAST, EthernetFrame
from vrrp.wire.frame import Datagram, decode_datagram, parse_frame
from vrrp.wire.ip import IpPacket, renumber
from vrrp.wire.neighbor import NeighborAdvertisement, unsolicited_advertisement
from wire import plain
from wire.captures import DATA, frames, paths


@dataclass(frozen=True)
class Packet:
    """An IP packet in an untagged frame, by the layouts of RFC 791 and RFC 8200; IPv4 without options."""

    raw: bytes
    width: int
    protocol: int
    ttl: int
    traffic_class: int
    identification: int
    flags: int
    flow: int
    source: bytes
    destination: bytes
    payload: bytes


def packets(path: Path) -> Iterator[Packet]:
    for raw in frames(path):
        ethertype = struct.unpack_from("!H", raw, 12)[0]
        if ethertype == 0x0800 and raw[14] == 0x45:
            _, tos, length, number, flags, ttl, protocol, _ = struct.unpack_from("!BBHHHBBH", raw, 14)
            assert plain.ones_sum(raw[14:34]) == 0xFFFF
            ends = raw[26:30], raw[30:34]
            yield Packet(raw, 4, protocol, ttl, tos, number, flags, 0, *ends, raw[34 : 14 + length])
        elif ethertype == 0x86DD:
            word, length, protocol, ttl = struct.unpack_from("!IHBB", raw, 14)
            ends = raw[22:38], raw[38:54]
            upper = word >> 20 & 0xFF
            yield Packet(raw, 16, protocol, ttl, upper, 0, 0, word & 0xFFFFF, *ends, raw[54 : 54 + length])


def rebuilt(packet: Packet, payload: bytes) -> bytes:
    """The whole frame, from its fields, by the library."""
    ip = IpPacket(
        packet.source,
        packet.destination,
        packet.protocol,
        payload,
        packet.ttl,
        packet.traffic_class,
        packet.identification,
        packet.flags == 0x4000,
    )
    ethertype = 0x0800 if packet.width == 4 else 0x86DD
    return EthernetFrame(packet.raw[:6], packet.raw[6:12], ethertype, ip.build()).build()


def without_flow_label(raw: bytes) -> bytes:
    """Linux picks the IPv6 flow label of an advertisement; who builds packets leaves it zero."""
    if raw[12:14] != b"\x86\xdd":
        return raw
    return raw[:15] + bytes((raw[15] & 0xF0, 0, 0)) + raw[18:]


@pytest.mark.parametrize("path", paths())
def test_recorded_advertisement_means_what_its_bytes_say(path: Path) -> None:
    heard = 0
    for packet in packets(path):
        if packet.protocol != 112:
            continue
        heard += 1
        content = parse_frame(packet.raw).content
        assert content == Datagram(packet.source, packet.destination, packet.ttl, packet.payload)
        assert isinstance(content, Datagram)
        verdict = plain.verdict(packet.payload, packet.source, packet.destination)
        decoded = decode_datagram(content, ChecksumPolicy.EITHER)
        if isinstance(decoded, DecodeError):
            assert decoded.reason.name == verdict
            continue
        assert decoded.checksum_form is not None
        assert decoded.checksum_form.name == verdict
        told = plain.Fields(
            decoded.version,
            decoded.vrid,
            decoded.priority,
            decoded.interval_cs,
            decoded.addresses,
            decoded.auth_type,
            decoded.auth_data,
            decoded.reserved,
        )
        assert told == plain.fields(packet.payload, packet.width)
    # In these the virtual router under test never spoke on that segment, or spoke protocol 51.
    assert heard or path.parts[-2:] in {
        ("track_interface", "lan1.pcap"),
        ("_captured", "v2_ah.pcap"),
        ("data", "keepalived_ah.pcap"),
    }


@pytest.mark.parametrize("path", paths())
def test_recorded_advertisement_is_built_again_to_the_byte(path: Path) -> None:
    for packet in packets(path):
        if packet.protocol != 112:
            continue
        content = Datagram(packet.source, packet.destination, packet.ttl, packet.payload)
        decoded = decode_datagram(content, ChecksumPolicy.EITHER)
        if isinstance(decoded, Advertisement):
            payload = encode(decoded, source=packet.source, destination=packet.destination)
            frame = rebuilt(packet, payload)
            assert frame == without_flow_label(packet.raw)[: len(frame)]
            assert not any(packet.raw[len(frame) :])


@pytest.mark.parametrize("path", paths())
def test_recorded_announcement_is_built_again_to_the_byte(path: Path) -> None:
    for raw in frames(path):
        content = parse_frame(raw).content
        if isinstance(content, ArpPacket):
            assert raw[14:42] == content.build()
            if content.gratuitous and content.operation == 1:
                assert content == gratuitous_arp(content.sender, content.sender_mac)
                arp = gratuitous_arp(content.sender, content.sender_mac).build()
                frame = EthernetFrame(BROADCAST, raw[6:12], 0x0806, arp).build()
                assert raw == frame + bytes(len(raw) - 42)
        elif isinstance(content, NeighborAdvertisement):
            assert content.mac is not None
            # keepalived leaves the router flag out, FRR sets it and is known by its virtual MAC.
            router = content.mac[:5] == bytes.fromhex("00005e0002")
            announcement = unsolicited_advertisement(content.target, content.mac, router=router)
            frame = EthernetFrame(b"\x33\x33" + ALL_NODES_V6[12:], raw[6:12], 0x86DD, announcement.build()).build()
            assert raw == frame


@pytest.mark.parametrize("path", paths())
def test_recorded_packet_renumbered_as_its_sender_did(path: Path) -> None:
    first: dict[bytes, bytes] = {}
    for packet in packets(path):
        if packet.width == 4:
            whole = packet.raw[14:34] + packet.payload
            anonymous = whole[:4] + whole[6:10] + whole[12:]
            assert renumber(first.setdefault(anonymous, whole), packet.identification) == whole


def kinds(path: Path) -> set[str]:
    """What a capture has to show, in the words of the tests above."""
    shown = set()
    for raw in frames(path):
        content = parse_frame(raw).content
        shown.add(type(content).__name__)
        if isinstance(content, Datagram):
            decoded = decode_datagram(content, ChecksumPolicy.EITHER)
            if isinstance(decoded, Advertisement):
                assert decoded.checksum_form is not None
                shown.add(f"v{decoded.version}/{len(content.source)} {decoded.checksum_form.name}")
            else:
                shown.add(decoded.reason.name)
    return shown


def test_own_captures_show_enough() -> None:
    shown = set().union(*map(kinds, DATA.glob("*.pcap")))
    assert shown >= {
        *("v2/4 PLAIN", "v3/4 PLAIN", "v3/4 PSEUDO_HEADER", "v3/16 PSEUDO_HEADER"),
        *("CHECKSUM", "TYPE", "VERSION", "TRUNCATED", "TOO_LONG", "TOO_SHORT"),
        *("ArpPacket", "NeighborAdvertisement", "IpPacket"),
    }
