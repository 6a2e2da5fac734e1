"""The frame in which a new master announces an address, of either family."""

from __future__ import annotations

from vrrp.wire.arp import gratuitous_arp
from vrrp.wire.ethernet import ARP, BROADCAST, IPV6, EthernetFrame, group_mac
from vrrp.wire.neighbor import unsolicited_advertisement


def announcement(address: bytes, mac: bytes, *, router_flag: bool) -> EthernetFrame:
    """A gratuitous ARP, or an unsolicited neighbor advertisement: the packed address is at this MAC."""
    if len(address) == 4:
        return EthernetFrame(BROADCAST, mac, ARP, gratuitous_arp(address, mac).build())
    packet = unsolicited_advertisement(address, mac, router=router_flag)
    return EthernetFrame(group_mac(packet.destination), mac, IPV6, packet.build())
