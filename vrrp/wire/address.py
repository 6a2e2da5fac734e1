"""IP addresses: packed bytes inside the library, `ipaddress` objects and text at its edges.

Packed bytes compare in network byte order, which is the order the RFCs mean when two routers of
equal priority compare addresses (RFC 5798 section 6.4.3).
"""

from __future__ import annotations

import ipaddress
from typing import TypeAlias

IpAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
AnyAddress: TypeAlias = str | bytes | IpAddress
"""What callers may hand in: text, packed bytes (4 or 16), or an `ipaddress` object."""

VRRP_GROUP_V4 = bytes((224, 0, 0, 18))
"""224.0.0.18 (RFC 5798 section 5.1.1.2)."""
VRRP_GROUP_V6 = bytes.fromhex("ff020000000000000000000000000012")
"""ff02::12 (RFC 5798 section 5.1.2.2)."""
ALL_NODES_V6 = bytes.fromhex("ff020000000000000000000000000001")
"""ff02::1, where unsolicited neighbor advertisements go."""

_PACKED_SIZES = (4, 16)


def pack(address: AnyAddress) -> bytes:
    """The packed form (4 or 16 bytes) of an address given as text, bytes or `ipaddress` object.

    Raises ValueError for text that is no address and for bytes of another length.
    """
    if isinstance(address, bytes):
        if len(address) not in _PACKED_SIZES:
            raise ValueError(f"a packed address has 4 or 16 bytes, not {len(address)}")
        return address
    if isinstance(address, str):
        return ipaddress.ip_address(address).packed
    return address.packed


def unpack(packed: bytes) -> IpAddress:
    """The `ipaddress` object of a packed address; ValueError unless it has 4 or 16 bytes."""
    return ipaddress.ip_address(packed)


def text(packed: bytes) -> str:
    """The address as people write it: dotted IPv4, compressed IPv6."""
    return str(ipaddress.ip_address(packed))


def is_link_local(packed: bytes) -> bool:
    """Whether a packed IPv6 address lies in fe80::/10 (RFC 4291 section 2.5.6); False for IPv4."""
    return len(packed) == 16 and packed[0] == 0xFE and packed[1] & 0xC0 == 0x80


def is_multicast(packed: bytes) -> bool:
    """Whether a packed address is a multicast group (224.0.0.0/4 or ff00::/8)."""
    return packed[0] == 0xFF if len(packed) == 16 else packed[0] & 0xF0 == 0xE0
