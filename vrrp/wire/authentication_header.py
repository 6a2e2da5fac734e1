"""The IP Authentication Header around a version 2 advertisement (RFC 2402; RFC 2338 section 5.3.6, type 2).

Between IP header and message, 24 bytes::

    | next header 112 | length 4 | reserved, 2 bytes | SPI, 4 bytes | sequence number, 4 bytes |
    |           integrity check value: HMAC-MD5-96 (RFC 2403), 12 bytes                        |

As keepalived 2.2.7 does it (measured): the SPI is the sender's address; the key is the password; of the IP header
only the TOS, flags, offset and checksum count as zero, so that the TTL is covered, unlike RFC 2402 section 3.3.3.1
says. One counter for each virtual router: receiving sets it to what was heard, sending counts on from there.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field, replace

from vrrp.wire.checksum import PROTOCOL
from vrrp.wire.errors import DecodeError, DecodeReason
from vrrp.wire.ip import IpPacket

PROTOCOL_AH = 51
"""The IP protocol number of the header (RFC 2402)."""
SIZE = 24
_ICV_SIZE = 12
_LENGTH = SIZE // 4 - 2
"""What the length field says: 32-bit words without the first two."""
MAX_SEQUENCE = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class AuthenticationHeader:
    """One header: SPI and sequence number of 32 bits, integrity check value of 12 bytes.

    ValueError for a number out of range or another length.
    """

    spi: int
    """Security parameter index; keepalived puts the sender's IPv4 address here."""
    sequence: int
    icv: bytes
    covered: bytes = field(default=b"", compare=False, repr=False)
    """What a received integrity check value was computed over; empty for one that was not received."""

    def __post_init__(self) -> None:
        if not (0 <= self.spi <= MAX_SEQUENCE and 0 <= self.sequence <= MAX_SEQUENCE):
            raise ValueError("SPI and sequence number have 32 bits")
        if len(self.icv) != _ICV_SIZE:
            raise ValueError(f"an HMAC-MD5-96 has {_ICV_SIZE} bytes, not {len(self.icv)}")

    def build(self) -> bytes:
        """The 24 bytes of the header."""
        numbers = self.spi.to_bytes(4, "big") + self.sequence.to_bytes(4, "big")
        return bytes((PROTOCOL, _LENGTH, 0, 0)) + numbers + self.icv

    def verify(self, key: bytes) -> bool:
        """Whether a received header was made with this key (the password; zeros at its end mean nothing)."""
        return hmac.compare_digest(_hmac_md5_96(key, self.covered), self.icv)

    def describe(self) -> str:
        """One line for people."""
        return f"AH spi 0x{self.spi:08x} sequence {self.sequence} icv {self.icv.hex()}"


def parse_authentication_header(packet: IpPacket) -> tuple[AuthenticationHeader, bytes] | None:
    """The header at the start of an IPv4 packet's payload, and the VRRP message behind it.

    None when the packet is no AH, or protects something else than VRRP. DecodeError when it is cut short, or its
    length is not that of HMAC-MD5-96.
    """
    data = packet.payload
    if packet.protocol != PROTOCOL_AH or len(packet.source) != 4 or data[:1] != bytes((PROTOCOL,)):
        return None
    if len(data) < SIZE or data[1] != _LENGTH:
        vrid = data[SIZE + 1] if len(data) > SIZE + 1 else None
        raise DecodeError(DecodeReason.HEADER, vrid, f"authentication header, {len(data)} bytes")
    header = AuthenticationHeader(
        int.from_bytes(data[4:8], "big"), int.from_bytes(data[8:12], "big"), data[12:SIZE], _covered(packet)
    )
    return header, data[SIZE:]


def authenticate(packet: IpPacket, sequence: int, key: bytes) -> IpPacket:
    """The same IPv4 packet with its message behind a header of this sequence number, made with the key.

    The identification must be the final one: it is covered. ValueError for IPv6 or a sequence number out of range.
    """
    if len(packet.source) != 4:
        raise ValueError("keepalived knows the authentication header for IPv4 only")
    empty = AuthenticationHeader(int.from_bytes(packet.source, "big"), sequence, bytes(_ICV_SIZE))
    draft = replace(packet, protocol=PROTOCOL_AH, payload=empty.build() + packet.payload)
    header = replace(empty, icv=_hmac_md5_96(key, _covered(draft)))
    return replace(draft, payload=header.build() + packet.payload)


def _covered(packet: IpPacket) -> bytes:
    """The bytes of a packet that count: mutable fields and the check value itself as zeros."""
    header = replace(packet, traffic_class=0, dont_fragment=False, payload=packet.payload).build()[:20]
    data = packet.payload
    return header[:10] + bytes(2) + header[12:] + data[:12] + bytes(_ICV_SIZE) + data[SIZE:]


def _hmac_md5_96(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "md5")[:_ICV_SIZE]
