"""Captures byte by byte, independent of the writer under test, and damage done to them."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterable, Sequence

Record = tuple[int, bytes, int]
"""Time in nanoseconds, the bytes, the length on the wire."""


def pcap(
    records: Iterable[Record], *, order: str = "<", nanoseconds: bool = False, link: int = 1, snaplen: int = 262_144
) -> bytes:
    magic = 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
    parts = [struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, snaplen, link)]
    for time_ns, data, length in records:
        seconds, rest = divmod(time_ns, 10**9)
        fraction = rest if nanoseconds else rest // 1000
        parts.append(struct.pack(f"{order}IIII", seconds, fraction, len(data), length) + data)
    return b"".join(parts)


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    padded = body + bytes(-len(body) % 4)
    size = len(padded) + 12
    return struct.pack(f"{order}II", kind, size) + padded + struct.pack(f"{order}I", size)


def section(order: str = "<") -> bytes:
    return block(0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def option(code: int, value: bytes, order: str = "<") -> bytes:
    return struct.pack(f"{order}HH", code, len(value)) + value + bytes(-len(value) % 4)


def interface(link: int = 1, *options: bytes, snaplen: int = 0, order: str = "<") -> bytes:
    return block(1, struct.pack(f"{order}HHI", link, 0, snaplen) + b"".join(options), order)


def enhanced(ticks: int, data: bytes, length: int | None = None, *, index: int = 0, order: str = "<") -> bytes:
    head = struct.pack(f"{order}IIIII", index, ticks >> 32, ticks & 0xFFFFFFFF, len(data), length or len(data))
    return block(6, head + data, order)


def mutate(data: bytes, rng: random.Random, smallest: int = 1) -> bytes:
    """The bytes with one to four pieces of damage: flipped, overwritten, cut out, repeated, inserted, cut off."""
    spoiled = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        if len(spoiled) < smallest + 1:
            spoiled += rng.randbytes(smallest + 8)
        at = rng.randrange(len(spoiled))
        kind = rng.randrange(7)
        if kind == 0:
            spoiled[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            spoiled[at : at + 4] = rng.choice((bytes(4), b"\xff" * 4, b"\x00\x00\x00\x01", rng.randbytes(4)))
        elif kind == 2:
            del spoiled[at : at + rng.randint(1, 40)]
        elif kind == 3:
            piece = spoiled[at : at + rng.randint(1, 64)]
            spoiled[at:at] = piece
        elif kind == 4:
            spoiled[at:at] = rng.randbytes(rng.randint(1, 16))
        elif kind == 5:
            del spoiled[at:]
        else:
            spoiled[at] = rng.choice((0, 1, 2, 4, 0x45, 0x60, 51, 58, 112, 136, 254, 255))
    return bytes(spoiled)


def frames_of(count: int, sizes: Sequence[int] = (54, 62, 46)) -> list[Record]:
    """Records of varying size, a millisecond apart."""
    return [
        (1_700_000_000_000_000_000 + index * 1_000_000, bytes([index % 256]) * sizes[index % len(sizes)], 100)
        for index in range(count)
    ]
