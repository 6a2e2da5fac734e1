"""Which packets are printed: VRRP, with or without AH, and what belongs to it; `FILTER` says it to tcpdump.

UDP is taken for HSRP where both of its ports are HSRP's: tcpdump has other printers for many a port, and the other one
would choose. ARP of Frame Relay and of ATM has hardware addresses of its own kind, and is left out.
"""

from __future__ import annotations

from vrrp.capture.frames import COOKED, COOKED_2, ETHERNET, RAW_TYPES, read_frame
from vrrp.capture.packet import Packet
from vrrp.wire.arp import ArpPacket
from vrrp.wire.errors import DecodeError
from vrrp.wire.ethernet import ARP, IPV4, IPV6
from vrrp.wire.frame import Datagram
from vrrp.wire.neighbor import NeighborAdvertisement

UNTAGGED_FILTER = (
    "ip proto 112 or ip6[6] = 112 or (ip proto 51 and ip[((ip[0] & 15) << 2)] = 112) "
    "or (arp and arp[0:2] != 15 and arp[0:2] != 19) or (ip6[6] = 58 and ip6[40] = 136) "
    "or (udp src port 1985 and udp dst port 1985) or (udp src port 2029 and udp dst port 2029)"
)
FILTER = f"({UNTAGGED_FILTER}) or (vlan and (({UNTAGGED_FILTER}) or (vlan and ({UNTAGGED_FILTER}))))"
"""The selection as a filter of tcpdump's, without tags, with one or two; below other links than Ethernet tcpdump
knows no tags, and `UNTAGGED_FILTER` says it."""


class Selection:
    """Takes a packet or not: all that are printed, or those of one virtual router (`Follow`)."""

    follows = False
    """Whether what it takes depends on the packets before."""

    def takes(self, packet: Packet) -> bool:
        """Whether to print it."""
        return selected(packet.link_type, packet.data)


class Follow(Selection):
    """One virtual router: its advertisements, and ARP and neighbor advertisements for the addresses they listed.

    `width` 4 takes IPv4 only, 16 IPv6 only, None both.
    """

    follows = True

    def __init__(self, vrid: int, width: int | None) -> None:
        self._vrid = vrid
        self._width = width
        self._addresses: set[bytes] = set()

    def takes(self, packet: Packet) -> bool:
        """Whether to print it."""
        if not selected(packet.link_type, packet.data):
            return False
        content = read_frame(packet.link_type, packet.data).content
        if isinstance(content, Datagram):
            width, message = len(content.source), content.payload
            if message[1:2] != bytes((self._vrid,)) or self._width not in {None, width}:
                return False
            listed = message[8 : 8 + width * message[3]] if len(message) > 3 else b""
            if len(self._addresses) < _MOST_ADDRESSES:
                self._addresses.update(listed[at : at + width] for at in range(0, len(listed), width))
            return True
        if isinstance(content, ArpPacket):
            return content.sender in self._addresses or content.target in self._addresses
        if isinstance(content, NeighborAdvertisement):
            return content.target in self._addresses
        return isinstance(content, DecodeError) and content.vrid == self._vrid


_MOST_ADDRESSES = 65_536
_TAGS = {0x8100, 0x88A8, 0x9100}
FRAME_RELAY, ATM = 15, 19
"""The hardware types of ARP that are not printed."""
HSRP_PORTS = (1985, 2029)
"""Over IPv4, over IPv6; packets of HSRP go from a port to the same."""
_MOST_TAGS = 2
_BY_VERSION = {4: IPV4, 6: IPV6}


def selected(link_type: int, data: bytes) -> bool:
    """Whether a packet is printed. Like a filter in the kernel it says no where it would have to read past the end."""
    if link_type == ETHERNET:
        ethertype, at = _word(data, 12), 14
    elif link_type == COOKED:
        ethertype, at = _word(data, 14), 16
    elif link_type == COOKED_2:
        ethertype, at = _word(data, 0), 20
    elif link_type in RAW_TYPES:
        ethertype, at = _BY_VERSION.get(data[0] >> 4 if data else 0, 0), 0
    else:
        return False
    for _ in range(_MOST_TAGS):
        if ethertype in _TAGS:
            ethertype, at = _word(data, at + 2), at + 4
    if ethertype == ARP:
        return _word(data, at) not in {-1, FRAME_RELAY, ATM}
    if ethertype == IPV4:
        return _ip4(data, at)
    return ethertype == IPV6 and _ip6(data, at)


def _word(data: bytes, at: int) -> int:
    word = data[at : at + 2]
    return int.from_bytes(word, "big") if len(word) == 2 else -1


def _ip4(data: bytes, at: int) -> bool:
    if len(data) < at + 10:
        return False
    protocol = data[at + 9]
    above = at + (data[at] & 15) * 4
    if protocol == 112:
        return True
    if protocol == 51:
        return data[above : above + 1] == b"\x70"
    if protocol == 17 and not _word(data, at + 6) & 0x1FFF:
        return _hsrp(data, above)
    return False


def _ip6(data: bytes, at: int) -> bool:
    following = data[at + 6 : at + 7]
    if following == b"\x70":
        return True
    if following == b"\x3a":
        return data[at + 40 : at + 41] == b"\x88"
    return following == b"\x11" and _hsrp(data, at + 40)


def _hsrp(data: bytes, at: int) -> bool:
    return _word(data, at) in HSRP_PORTS and _word(data, at) == _word(data, at + 2)
