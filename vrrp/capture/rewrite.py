"""Other addresses in captured frames: MACs and IP addresses replaced wherever VRRP's packets carry them.

In the Ethernet and IP headers, in ARP and neighbor advertisements, in an advertisement's list. Checksums that were
right are made right again, in the form they had; one that was wrong stays as wrong as it was, and a frame in which
nothing is replaced stays as it is. An Authentication Header's check value is not made anew: that takes the key.
"""

from __future__ import annotations

from collections.abc import Mapping

from vrrp.wire.checksum import PROTOCOL
from vrrp.wire.ethernet import ARP, IPV4, IPV6
from vrrp.wire.neighbor import ICMPV6

_TAGS = {0x8100, 0x88A8, 0x9100}
_NEIGHBOR_ADVERTISEMENT = 136


class Rewrite:
    """Replaces addresses: old -> new, packed, each pair of one length (MACs 6 bytes, IPv4 4, IPv6 16)."""

    def __init__(self, pairs: Mapping[bytes, bytes]) -> None:
        for old, new in pairs.items():
            if len(old) != len(new) or len(old) not in {4, 6, 16}:
                raise ValueError("a pair is two MACs, two IPv4 or two IPv6 addresses")
        self._pairs = dict(pairs)

    def frame(self, raw: bytes) -> bytes:
        """An Ethernet frame with its addresses replaced."""
        if not self._pairs:
            return raw
        data = bytearray(raw)
        self._replace(data, 0, 6)
        self._replace(data, 6, 6)
        at = 14
        while int.from_bytes(data[at - 2 : at], "big") in _TAGS:
            at += 4
        ethertype = int.from_bytes(data[at - 2 : at], "big")
        if ethertype == ARP and data[at : at + 6] == b"\x00\x01\x08\x00\x06\x04":
            for offset, size in ((8, 6), (14, 4), (18, 6), (24, 4)):
                self._replace(data, at + offset, size)
        elif ethertype == IPV4 and len(data) >= at + 20:
            self._ip4(data, at)
        elif ethertype == IPV6 and len(data) >= at + 40:
            self._ip6(data, at)
        return bytes(data)

    def _replace(self, data: bytearray, at: int, size: int) -> int:
        """Replace an address; by how much the 16-bit words there grew, all together."""
        old = bytes(data[at : at + size])
        new = self._pairs.get(old)
        if new is None or len(old) < size:
            return 0
        data[at : at + size] = new
        return _sum(new) - _sum(old)

    def _ip4(self, data: bytearray, at: int) -> None:
        grown = self._replace(data, at + 12, 4) + self._replace(data, at + 16, 4)
        _adjust(data, at + 10, grown)
        header = (data[at] & 15) * 4
        if data[at + 9] == PROTOCOL and not int.from_bytes(data[at + 6 : at + 8], "big") & 0x1FFF:
            self._vrrp(data, at + header, 4, grown)

    def _ip6(self, data: bytearray, at: int) -> None:
        grown = self._replace(data, at + 8, 16) + self._replace(data, at + 24, 16)
        following, message = data[at + 6], at + 40
        if following == PROTOCOL:
            self._vrrp(data, message, 16, grown)
        elif following == ICMPV6 and data[message : message + 1] == bytes((_NEIGHBOR_ADVERTISEMENT,)):
            grown += self._replace(data, message + 8, 16)
            if data[message + 24 : message + 26] == b"\x02\x01":
                grown += self._replace(data, message + 26, 6)
            _adjust(data, message + 2, grown)

    def _vrrp(self, data: bytearray, at: int, width: int, header_grown: int) -> None:
        """The list of an advertisement, and its checksum; the header's addresses count where they are summed."""
        if len(data) < at + 8:
            return
        version, count = data[at] >> 4, data[at + 3]
        size = 8 + width * count + (8 if version == 2 else 0)
        # Without the pseudo-header the message alone sums to nothing: version 2 always, version 3 by RFC 9568.
        plain = width == 4 and (version == 2 or _sum(bytes(data[at : at + size])) % 0xFFFF == 0)
        grown = sum(self._replace(data, at + 8 + width * place, width) for place in range(count))
        _adjust(data, at + 6, grown if plain else grown + header_grown)


def _sum(data: bytes) -> int:
    return int.from_bytes(data, "big") % 0xFFFF


def _adjust(data: bytearray, at: int, grown: int) -> None:
    """A checksum field after its words grew by so much; as right or wrong as it was (RFC 1624)."""
    if grown % 0xFFFF and len(data) >= at + 2:
        stored = int.from_bytes(data[at : at + 2], "big")
        data[at : at + 2] = ((stored - grown) % 0xFFFF).to_bytes(2, "big")
