"""Linux "cooked" link headers: what a capture on the device `any` has instead of Ethernet's (SLL and SLL2).

Version 1, 16 bytes, and version 2, 20 bytes::

    | packet type 2 | ARPHRD type 2 | address length 2 | address 8 | protocol 2 |
    | protocol 2 | reserved 2 | interface index 4 | ARPHRD type 2 | packet type 1 | address length 1 | address 8 |

(LINKTYPE_LINUX_SLL and LINKTYPE_LINUX_SLL2 of the pcap savefile format.) The address is the sender's.
"""

from __future__ import annotations

import enum
import struct
from dataclasses import dataclass

from vrrp.wire.errors import DecodeError, DecodeReason
from vrrp.wire.ethernet import mac_text

_V1 = struct.Struct("!HHH8sH")
_V2 = struct.Struct("!HHIHBB8s")
_MOST_ADDRESS = 8


class Direction(enum.IntEnum):
    """Which way a packet went, the header's packet type."""

    TO_US = 0
    BROADCAST = 1
    MULTICAST = 2
    TO_OTHERS = 3
    FROM_US = 4


@dataclass(frozen=True, slots=True)
class CookedHeader:
    """One header of version 1 or 2; `address` holds as many bytes as the header says, at most 8."""

    version: int
    direction: int
    """A `Direction`, or a number that Linux does not know."""
    arphrd: int
    """ARPHRD_* of the interface: 1 Ethernet, 772 loopback."""
    address: bytes
    protocol: int
    """EtherType."""
    interface: int = 0
    """Version 2 only: the interface's index."""
    address_length: int | None = None
    """What the header says, where that is more than 8; None for the length of `address`."""

    def build(self) -> bytes:
        """The 16 or 20 bytes of the header. ValueError for a field out of its range."""
        length = len(self.address) if self.address_length is None else self.address_length
        padded = self.address.ljust(_MOST_ADDRESS, b"\0")
        try:
            if self.version == 1:
                return _V1.pack(self.direction, self.arphrd, length, padded, self.protocol)
            return _V2.pack(self.protocol, 0, self.interface, self.arphrd, self.direction, length, padded)
        except struct.error as error:
            raise ValueError(f"a field of the cooked header is out of its range: {error}") from None

    def describe(self) -> str:
        """One line for people."""
        try:
            way = Direction(self.direction).name.lower().replace("_", " ")
        except ValueError:
            way = f"packet type {self.direction}"
        return f"{way} {mac_text(self.address) or 'no address'} ethertype 0x{self.protocol:04x}"


def parse_cooked(data: bytes, version: int) -> tuple[CookedHeader, bytes]:
    """The header of this version at the start of `data`, and what follows it. DecodeError where it is cut short."""
    layout = _V1 if version == 1 else _V2
    if len(data) < layout.size:
        raise DecodeError(DecodeReason.HEADER, None, f"Linux cooked header, {len(data)} bytes")
    interface = 0
    if version == 1:
        direction, arphrd, length, address, protocol = layout.unpack_from(data)
    else:
        protocol, _, interface, arphrd, direction, length, address = layout.unpack_from(data)
    stated = length if length > _MOST_ADDRESS else None
    header = CookedHeader(version, direction, arphrd, address[:length], protocol, interface, stated)
    return header, data[layout.size :]
