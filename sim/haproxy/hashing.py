"""The hash functions of `hash-type`.

All are public: sdbm, Bernstein's djb2, zlib's crc32, and Bob Jenkins' full avalanche of integers.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping

_MASK = 0xFFFF_FFFF


def sdbm(data: bytes) -> int:
    """Of the sdbm database library."""
    value = 0
    for octet in data:
        value = (octet + (value << 6) + (value << 16) - value) & _MASK
    return value


def djb2(data: bytes) -> int:
    """Daniel Bernstein's, with +."""
    value = 5381
    for octet in data:
        value = ((value << 5) + value + octet) & _MASK
    return value


def crc32(data: bytes) -> int:
    """Ethernet's and zlib's."""
    return zlib.crc32(data)


FUNCTIONS: Mapping[str, Callable[[bytes], int]] = {"sdbm": sdbm, "djb2": djb2, "crc32": crc32}
"""By the word of `hash-type`; wt6 is not modelled."""


def avalanche(value: int) -> int:
    """Bob Jenkins' full avalanche of 32 bits, then spread by a large prime (3 * 2^30 + 1)."""
    value = (value + 0x7ED5_5D16 + (value << 12)) & _MASK
    value = value ^ 0xC761_C23C ^ (value >> 19)
    value = (value + 0x1656_67B1 + (value << 5)) & _MASK
    value = ((value + 0xD3A2_646C) ^ (value << 9)) & _MASK
    value = (value + 0xFD70_46C5 + (value << 3)) & _MASK
    value = value ^ 0xB55A_4F09 ^ (value >> 16)
    return value * 3_221_225_473 & _MASK


def hash_address(packed: bytes) -> int:
    """Of `balance source`: the words of the client's address, exclusively or'ed."""
    value = 0
    for at in range(0, len(packed), 4):
        value ^= int.from_bytes(packed[at : at + 4], "big")
    return value
