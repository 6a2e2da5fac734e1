"""Ethernet II frames, with 802.1Q and 802.1ad tags, and the MAC addresses VRRP speaks of."""

from __future__ import annotations

from dataclasses import dataclass

import dpkt

from vrrp.wire.address import is_multicast
from vrrp.wire.errors import DecodeError, DecodeReason

IPV4 = 0x0800
ARP = 0x0806
IPV6 = 0x86DD
DOT1Q = 0x8100
DOT1AD = 0x88A8
BROADCAST = b"\xff" * 6
MIN_SIZE = 60
"""A frame is padded to this on the wire (without its check sequence); IP's own length says where it ends."""

MAX_TAGS = 2
"""802.1ad: a service tag and a customer tag."""

_UNDERSTOOD = {IPV4, ARP, IPV6, DOT1Q, DOT1AD}


class _Header(dpkt.ethernet.Ethernet):  # type: ignore[misc]  # dpkt has no type hints
    """dpkt's Ethernet header alone: its upper layers may raise anything, and it loses tags that are stacked oddly."""

    def _unpack_data(self, buf: bytes) -> None:
        self.data = buf


@dataclass(frozen=True, slots=True)
class EthernetFrame:
    """One frame: MAC addresses of 6 bytes, the innermost EtherType, VLAN identifiers outermost first."""

    destination: bytes
    source: bytes
    ethertype: int
    payload: bytes
    vlans: tuple[int, ...] = ()

    def build(self) -> bytes:
        """The frame as bytes, not padded. ValueError for more than two tags or an identifier over 4095."""
        if len(self.vlans) > MAX_TAGS or any(not 0 <= vlan <= 0xFFF for vlan in self.vlans):
            raise ValueError(f"a frame carries at most two VLAN identifiers of 0 to 4095, not {self.vlans}")
        frame = _Header(dst=self.destination, src=self.source, type=self.ethertype, data=self.payload)
        if self.vlans:
            frame.vlan_tags = [dpkt.ethernet.VLANtag8021Q(id=vlan, type=0) for vlan in self.vlans]
        return bytes(frame)

    def describe(self) -> str:
        """One line for people."""
        tags = "".join(f" vlan {vlan}" for vlan in self.vlans)
        return f"{mac_text(self.source)} > {mac_text(self.destination)}{tags} ethertype 0x{self.ethertype:04x}"


def parse_ethernet(raw: bytes) -> EthernetFrame:
    """The frame in `raw`; the payload keeps any padding. DecodeError where a header or tag is cut short."""
    ethertype = int.from_bytes(raw[12:14], "big")
    if len(raw) >= 14 and ethertype not in _UNDERSTOOD:
        return EthernetFrame(raw[:6], raw[6:12], ethertype, raw[14:])
    vlans: list[int] = []
    try:
        frame = _Header(raw)
        ethertype, payload = frame.type, frame.data
        while ethertype in {DOT1Q, DOT1AD} and len(vlans) < MAX_TAGS:
            tag = dpkt.ethernet.VLANtag8021Q(payload)
            vlans.append(tag.id)
            ethertype, payload = tag.type, payload[tag.__hdr_len__ :]
    except dpkt.UnpackError as error:
        raise DecodeError(DecodeReason.HEADER, None, f"Ethernet, {len(raw)} bytes") from error
    return EthernetFrame(frame.dst, frame.src, ethertype, payload, tuple(vlans))


def mac_text(mac: bytes) -> str:
    """A MAC address as people write it."""
    return mac.hex(":")


def virtual_mac(vrid: int, width: int) -> bytes:
    """The virtual router's MAC: 00-00-5E-00-01-{VRID} for IPv4 (`width` 4), -02- for IPv6 (16).

    RFC 5798 section 7.3.
    """
    return bytes((0, 0, 0x5E, 0, 1 if width == 4 else 2, vrid))


def group_mac(address: bytes) -> bytes:
    """The MAC a multicast group maps to (RFC 1112 section 6.4, RFC 2464 section 7); ValueError for others."""
    if not is_multicast(address):
        raise ValueError(f"{address.hex()} is no multicast group")
    if len(address) == 16:
        return b"\x33\x33" + address[12:]
    return b"\x01\x00\x5e" + bytes((address[1] & 0x7F,)) + address[2:]
