"""The RFCs' words done the slow and obvious way, to hold the library's quick way against."""

from __future__ import annotations

import struct
from dataclasses import dataclass


def ones_sum(data: bytes) -> int:
    """RFC 1071: add the 16-bit words, carry around; an odd last byte is followed by a zero."""
    total = 0
    for i in range(0, len(data), 2):
        total += data[i] << 8 | (data[i + 1] if i + 1 < len(data) else 0)
        total = (total & 0xFFFF) + (total >> 16)
    return total


def pseudo_header(source: bytes, destination: bytes, length: int, protocol: int = 112) -> bytes:
    """As RFC 768 lays it out for IPv4 and RFC 8200 section 8.1 for IPv6."""
    if len(source) == 4:
        return struct.pack("!4s4sBBH", source, destination, 0, protocol, length)
    return struct.pack("!16s16sIHBB", source, destination, length, 0, 0, protocol)


def with_checksum(message: bytes, pseudo: bytes = b"") -> bytes:
    """The VRRP message with its checksum field (bytes 6 and 7) made right."""
    blank = message[:6] + b"\0\0" + message[8:]
    return blank[:6] + (0xFFFF - ones_sum(pseudo + blank)).to_bytes(2, "big") + blank[8:]


def verdict(message: bytes, source: bytes, destination: bytes) -> str:
    """The name of the ChecksumForm that verifies, or of the DecodeReason: the first failure, in RFC order."""
    if len(message) < 8:
        return "TOO_SHORT"
    version, kind = message[0] >> 4, message[0] & 15
    width = len(source)
    if version not in (2, 3) or (version == 2 and width == 16):
        return "VERSION"
    if kind != 1:
        return "TYPE"
    expected = 8 + width * message[3] + (8 if version == 2 else 0)
    if len(message) < expected:
        return "TRUNCATED"
    if len(message) > expected:
        return "TOO_LONG"
    plain = ones_sum(message) == 0xFFFF
    pseudo = ones_sum(pseudo_header(source, destination, len(message)) + message) == 0xFFFF
    if version == 2:
        form = "PLAIN" if plain else None
    elif pseudo:
        form = "PSEUDO_HEADER"
    else:
        form = "PLAIN" if plain and width == 4 else None
    if form is None:
        return "CHECKSUM"
    return form if message[1] else "VRID"


@dataclass(frozen=True)
class Fields:
    """What a message says, read by the layout in RFC 3768 and RFC 5798 section 5.1."""

    version: int
    vrid: int
    priority: int
    interval_cs: int
    addresses: tuple[bytes, ...]
    auth_type: int
    auth_data: bytes
    reserved: int


def fields(message: bytes, width: int) -> Fields:
    """Of a message that is as long as it should be."""
    version = message[0] >> 4
    count = message[3]
    addresses = tuple(message[8 + width * i : 8 + width * (i + 1)] for i in range(count))
    if version == 2:
        seconds = message[5]
        end = 8 + 4 * count
        return Fields(2, message[1], message[2], 100 * seconds, addresses, message[4], message[end : end + 8], 0)
    interval = (message[4] & 15) * 256 + message[5]
    return Fields(3, message[1], message[2], interval, addresses, 0, b"", message[4] >> 4)


def message(of: Fields) -> bytes:
    """The message that says so, its checksum field zero."""
    if of.version == 2:
        two = bytes((of.auth_type, of.interval_cs // 100))
    else:
        two = bytes((of.reserved * 16 + of.interval_cs // 256, of.interval_cs % 256))
    head = bytes((of.version * 16 + 1, of.vrid, of.priority, len(of.addresses)))
    return head + two + b"\0\0" + b"".join(of.addresses) + of.auth_data
