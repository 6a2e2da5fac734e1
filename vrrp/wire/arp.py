"""ARP for IPv4 over Ethernet (RFC 826), above all the gratuitous kind a new master sends."""

from __future__ import annotations

from dataclasses import dataclass

import dpkt

from vrrp.wire.address import text
from vrrp.wire.errors import DecodeError, DecodeReason
from vrrp.wire.ethernet import BROADCAST, mac_text

REQUEST = 1
REPLY = 2
_SIZE = 28
_ETHERNET_IPV4 = b"\x00\x01\x08\x00\x06\x04"


@dataclass(frozen=True, slots=True)
class ArpPacket:
    """One ARP packet: `operation` 1 request or 2 reply, MACs of 6 bytes, packed IPv4 addresses."""

    operation: int
    sender_mac: bytes
    sender: bytes
    target_mac: bytes
    target: bytes

    @property
    def gratuitous(self) -> bool:
        """Whether it announces its sender instead of asking (RFC 5227 section 3)."""
        return self.sender == self.target

    def build(self) -> bytes:
        """The 28 bytes of the packet."""
        return bytes(
            dpkt.arp.ARP(op=self.operation, sha=self.sender_mac, spa=self.sender, tha=self.target_mac, tpa=self.target)
        )

    def describe(self) -> str:
        """One line for people."""
        if self.gratuitous:
            return f"gratuitous ARP: {text(self.sender)} is at {mac_text(self.sender_mac)}"
        if self.operation == REQUEST:
            return f"ARP: who has {text(self.target)}? tell {text(self.sender)}"
        return f"ARP: {text(self.sender)} is at {mac_text(self.sender_mac)}"


def gratuitous_arp(address: bytes, mac: bytes) -> ArpPacket:
    """The announcement of a packed IPv4 address at a MAC, for the broadcast address.

    A request with sender and target address alike (RFC 5798 section 6.4.1); target MAC ff:ff:ff:ff:ff:ff as
    keepalived and FRR send it (measured; Linux ignores it).
    """
    return ArpPacket(REQUEST, mac, address, BROADCAST, address)


def parse_arp(data: bytes) -> ArpPacket:
    """The ARP packet at the start of `data`; DecodeError unless it is whole and IPv4 over Ethernet."""
    if len(data) < _SIZE or data[:6] != _ETHERNET_IPV4:
        raise DecodeError(DecodeReason.HEADER, None, f"ARP, {len(data)} bytes")
    arp = dpkt.arp.ARP(data[:_SIZE])
    return ArpPacket(arp.op, arp.sha, arp.spa, arp.tha, arp.tpa)
