"""The frame of an announcement."""

from __future__ import annotations

from vrrp.wire.address import pack
from vrrp.wire.announcement import announcement
from vrrp.wire.arp import ArpPacket
from vrrp.wire.frame import parse_frame
from vrrp.wire.neighbor import NeighborAdvertisement

MAC = bytes.fromhex("02000000aa01")


def test_ipv4_is_a_gratuitous_arp_to_all() -> None:
    frame = parse_frame(announcement(pack("10.0.0.100"), MAC, router_flag=True).build())
    assert (frame.destination, frame.source) == (b"\xff" * 6, MAC)
    assert isinstance(frame.content, ArpPacket)
    assert frame.content.gratuitous
    assert (frame.content.sender, frame.content.sender_mac) == (pack("10.0.0.100"), MAC)


def test_ipv6_is_an_unsolicited_neighbor_advertisement_to_all_nodes() -> None:
    for router_flag in (False, True):
        frame = parse_frame(announcement(pack("fe80::100"), MAC, router_flag=router_flag).build())
        assert (frame.destination.hex(":"), frame.source) == ("33:33:00:00:00:01", MAC)
        assert frame.content == NeighborAdvertisement(
            pack("fe80::100"), MAC, router=router_flag, solicited=False, override=True
        )
