"""Packets made by rule, to be compared with what tcpdump prints: every cut, every length, every kind of option."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator

from vrrp.wire.checksum import complement, residue

MAC = bytes.fromhex("01005e000012 020000000002")
V6_SOURCE, V6_GROUP = bytes.fromhex("fe80" + "00" * 13 + "02"), bytes.fromhex("ff02" + "00" * 13 + "12")
ADVERTISEMENT = bytes.fromhex("2133640200010000 0a000064 0a000065".replace(" ", ""))
PASSWORD = bytes.fromhex("2133640101010000 0a000064".replace(" ", "")) + b"secr\x7f\xe9t\0"
V3 = bytes.fromhex("3133640200640000 0a000064 0a000065".replace(" ", ""))
CARP = bytes.fromhex("2101 0007 0001 0000".replace(" ", "")) + bytes(range(28))
HSRP = bytes.fromhex("0000 1003 0a6e 0100 636973636f000000 0a000001".replace(" ", ""))
AH = bytes.fromhex("7004 0000 0a000002 00000007".replace(" ", "")) + bytes(range(12))
ARP = bytes.fromhex("0001 0800 06 04 0001 020000000002 0a000064 ffffffffffff 0a000064".replace(" ", ""))
NEIGHBOR = bytes.fromhex("8800 0000 a0000000".replace(" ", "")) + V6_SOURCE


def ip4(payload: bytes, protocol: int = 112, options: bytes = b"", total: int | None = None, flags: int = 0) -> bytes:
    """An Ethernet frame; `options` are padded with zeros, `total` is the length it states."""
    options += bytes(-len(options) % 4)
    size = 20 + len(options)
    stated = size + len(payload) if total is None else total
    addresses = bytes((10, 0, 0, 2, 224, 0, 0, 18))
    head = struct.pack(">BBHHHBBH", 0x40 | size // 4, 0xC0, stated, 7, flags, 255, protocol, 0) + addresses + options
    return MAC + b"\x08\x00" + head[:10] + complement(residue(head)).to_bytes(2, "big") + head[12:] + payload


def ip6(payload: bytes, protocol: int = 112, total: int | None = None, flow: int = 0x6C000000) -> bytes:
    """An Ethernet frame; `total` is the payload length it states."""
    stated = len(payload) if total is None else total
    return MAC + b"\x86\xdd" + struct.pack(">IHBB", flow, stated, protocol, 255) + V6_SOURCE + V6_GROUP + payload


def udp(payload: bytes, port: int = 1985, stated: int | None = None, checked: int = 0x1234) -> bytes:
    """A datagram from a port to the same."""
    return struct.pack(">HHHH", port, port, 8 + len(payload) if stated is None else stated, checked) + payload


def whole() -> list[bytes]:
    """One of each kind that is printed."""
    return [
        *(ip4(message) for message in (ADVERTISEMENT, PASSWORD, V3, CARP)),
        *(ip6(message) for message in (ADVERTISEMENT, V3, CARP)),
        ip4(V3, options=b"\x94\4\0\0"),
        ip4(V3, options=b"\1\x83\x0b\4\xc0\0\2\1\xc0\0\2\2"),
        ip4(AH + ADVERTISEMENT, 51),
        *(ip4(udp(HSRP, checked=sum_), 17) for sum_ in (0, 0x1234)),
        ip4(udp(HSRP), 17, options=b"\x89\7\4\xc0\0\2\1\0"),
        *(frame(udp(HSRP, 2029), 17) for frame in (ip4, ip6)),
        ip6(udp(HSRP), 17),
        ip6(NEIGHBOR + b"\2\1\2\0\0\0\0\2", 58),
        MAC + b"\x08\x06" + ARP,
    ]


def cuts() -> Iterator[tuple[bytes, int]]:
    """Each, captured up to every byte: what was captured, and the length on the wire."""
    for frame in whole():
        for data in (frame, frame[:12] + b"\x81\x00\x20\x07" + frame[12:]):
            for size in range(14, len(data) + 1):
                yield data[:size], len(data)
                yield data[:size], size


def lengths() -> Iterator[tuple[bytes, int]]:
    """Every length that a header may state, and every flag of fragments."""
    bodies = ((ADVERTISEMENT, 112), (V3, 112), (AH + ADVERTISEMENT, 51), (udp(HSRP), 17))
    frames = [ip4(body, protocol, total=total) for body, protocol in bodies for total in (*range(70), 65535)]
    frames += [ip4(V3, options=b"\x94\4\0\0", total=total) for total in range(50)]
    frames += [
        ip4(body, protocol, flags=flags << 13 | 5 * (flags & 1)) for body, protocol in bodies for flags in range(8)
    ]
    frames += [ip4(body, protocol, flags=0x2000) for body, protocol in bodies]
    neighbor = NEIGHBOR + b"\2\1\2\0\0\0\0\2"
    for body, protocol in ((ADVERTISEMENT, 112), (V3, 112), (udp(HSRP), 17), (neighbor, 58)):
        frames += [ip6(body, protocol, total) for total in (*range(60), 65535)]
        frames += [ip6(body, protocol, flow=flow) for flow in (0x60000000, 0x6FFFFFFF, 0x50000000)]
    frames += [
        make(udp(HSRP, port, stated), 17) for make in (ip4, ip6) for port in (1985, 2029) for stated in range(50)
    ]
    frames += [ip4(bytes((0x70, size)) + AH[2:] + ADVERTISEMENT, 51) for size in range(12)]
    frames += [ip4(AH[:2] + b"\0\1" + AH[4:] + ADVERTISEMENT, 51)]
    frames += [ip4(ADVERTISEMENT[:3] + bytes((count,)) + ADVERTISEMENT[4:]) for count in range(6)]
    frames += [make(bytes((first,)) + V3[1:]) for make in (ip4, ip6) for first in range(0, 0x60)]
    frames += [ip4(ADVERTISEMENT[:4] + bytes((kind,)) + ADVERTISEMENT[5:]) for kind in range(4)]
    frames += [
        ip4(udp(HSRP[:at] + bytes((value,)) + HSRP[at + 1 :]), 17) for at in range(8) for value in (0, 3, 60, 255)
    ]
    frames += [frame[:14] + bytes((first,)) + frame[15:] for frame in whole() for first in range(0, 256, 5)]
    for data in frames:
        yield data, len(data)


def ip4_options() -> Iterator[tuple[bytes, int]]:
    """Every kind of IPv4 option by size and pointer, whole and cut."""
    rng = random.Random(1)
    for kind in (0, 1, 7, 68, 82, 130, 131, 136, 137, 148, 255):
        for size in range(16):
            for pointer in (0, 1, 4, 5, 8, 9, 12, 13, 200):
                before = rng.choice((b"", b"\1", b"\x94\4\0\0"))
                rest = bytes((pointer, rng.choice((0, 1, 2, 3, 0x11, 0x50)))) + rng.randbytes(9)
                body, protocol = rng.choice(((ADVERTISEMENT, 112), (V3, 112), (b"", 112), (udp(HSRP), 17)))
                data = ip4(body, protocol, (before + bytes((kind, size)) + rest)[: rng.randint(1, 20)])
                yield data, len(data)
                yield data[: rng.randint(24, len(data))], len(data)
        data = ip4(V3, options=bytes((kind, 4, 4, 0)) * 10)
        for size in range(34, len(data), 3):
            yield data[:size], len(data)


def neighbor_options() -> Iterator[tuple[bytes, int]]:
    """Every kind of option of a neighbor advertisement by size, whole and cut."""
    rng = random.Random(1)
    labels: list[bytes] = [
        b"\3lan",
        b"\7example",
        b"\5a\x80\x07\xff ",
        b"\x3f",
        b"\xc0\x08",
        b"\xc0\x10",
        b"\0",
        b"\0",
    ]
    labels += [b"\x42", b"\x80", *(b"\x41" + bytes((bits,)) + b"\xab\xcd" for bits in range(1, 17)), b"\x41\0"]
    for kind in (*range(10), 24, 25, 31, 31, 31, 31, 200):
        for units in range(7):
            for _ in range(6):
                data = rng.randbytes(max(0, units * 8 - 2))
                if kind == 31:
                    data = data[:6] + b"".join(rng.choice(labels) for _ in range(units * 8))
                if rng.random() < 0.2:
                    data = b"\xff" * len(data)
                option = bytes((kind, units)) + data[: max(0, units * 8 - 2)]
                before = rng.choice((b"", b"\2\1\2\0\0\0\0\2"))
                frame = ip6(NEIGHBOR + before + option + rng.choice((b"", option, b"\5\1abcdef", b"\1")), 58)
                yield frame, len(frame)
                yield frame[: rng.randint(70, len(frame))], len(frame)
    for repeated in (b"\3lan", b"\x3f" + b"x" * 63, b"\x41\x20abcd"):
        names = (repeated * 100)[:246]
        for size in range(len(names) - 6, len(names)):
            frame = ip6(NEIGHBOR + b"\x1f\x20" + bytes(6) + names[:size].ljust(248, b"\0"), 58)
            yield frame, len(frame)
    # Pointers, each to the one before, and the last to the first; then cut.
    chain = b"\1a\0\0" + b"".join(b"\1b" + (0xC000 | 8 + max(0, at * 4 - 4)).to_bytes(2, "big") for at in range(1, 5))
    for end in (b"\xc0\x14", b"\xc0\x08", b"\xc0\xff", b"\xc0"):
        frame = ip6(NEIGHBOR + b"\x1f\4" + bytes(6) + (chain + end).ljust(24, b"\1")[:24], 58)
        yield frame, len(frame)


def arp() -> Iterator[tuple[bytes, int]]:
    """Every field of ARP that changes its text."""
    head = struct.Struct(">HHBBH")
    packets = [head.pack(hardware, 0x0800, 6, 4, 1) for hardware in range(40) if hardware not in {15, 19}]
    packets += [
        head.pack(1, 0x0800, *sizes, kind) for sizes in ((0, 4), (6, 0), (6, 4), (8, 4), (6, 6)) for kind in range(12)
    ]
    packets += [head.pack(1, 0x1000, 6, 4, kind) for kind in range(3)]
    packets += [head.pack(1, 0x86DD, 6, 16, kind) for kind in range(5)]
    for packet in packets:
        for behind in (ARP[8:] + bytes(30), bytes(60)):
            frame = MAC + b"\x08\x06" + packet + behind
            yield frame, len(frame)
            yield frame[:40], len(frame)


def ethertypes() -> Iterator[tuple[bytes, int]]:
    """ARP for every protocol there may be."""
    for number in range(0x10000):
        frame = MAC + b"\x08\x06" + ARP[:2] + number.to_bytes(2, "big") + ARP[4:]
        yield frame, len(frame)


def untruths() -> Iterator[tuple[bytes, int]]:
    """Every kind of packet with lengths on the wire that cannot be."""
    for frame in whole():
        for length in (0, 1, len(frame) - 1, *range(len(frame), len(frame) + 40), 262_144, 262_145, 1 << 31):
            yield frame, length


SWEEPS = (cuts, lengths, ip4_options, neighbor_options, arp, ethertypes, untruths)
