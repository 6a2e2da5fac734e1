"""Captures in every form, whole and damaged, against what was put into them and what tcpdump reads."""

from __future__ import annotations

import gzip
import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.builders import Record, block, enhanced, frames_of, interface, mutate, option, pcap, section
from conftest import SHARED
from vrrp.capture.packet import Packet
from vrrp.capture.packet_runs import Layout, record_starts
from vrrp.capture.pcap import open_pcap
from vrrp.capture.reader import Capture, CaptureError, open_capture

CAPTURES = sorted(p for p in SHARED.glob("**/*.pcap*") if p.suffix in {".pcap", ".pcapng"})
RECORDS = frames_of(5)


def read(path: Path) -> tuple[list[Packet], Capture]:
    with open_capture(path) as capture:
        return list(capture), capture


def told(packets: list[Packet]) -> list[Record]:
    return [(packet.time_ns, packet.data, packet.length) for packet in packets]


def whole(tmp_path: Path, data: bytes) -> list[Packet]:
    file = tmp_path / "x.cap"
    file.write_bytes(data)
    packets, capture = read(file)
    assert capture.damage is None
    assert [packet.number for packet in packets] == list(range(1, len(packets) + 1))
    return packets


def damaged(tmp_path: Path, data: bytes) -> tuple[list[Packet], str]:
    file = tmp_path / "x.cap"
    file.write_bytes(data)
    packets, capture = read(file)
    assert capture.damage is not None
    assert capture.damage.isprintable()
    return packets, capture.damage


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("nanoseconds", [False, True])
@pytest.mark.parametrize("link", [1, 101, 113, 276])
def test_the_four_magics(tmp_path: Path, order: str, nanoseconds: bool, link: int) -> None:
    packets = whole(tmp_path, pcap(RECORDS, order=order, nanoseconds=nanoseconds, link=link))
    assert told(packets) == RECORDS
    assert {packet.link_type for packet in packets} == {link}


def test_nanoseconds_are_kept_and_a_frame_check_sequence_in_the_link_type_is_not(tmp_path: Path) -> None:
    packets = whole(tmp_path, pcap([(1_000_000_001, b"x", 1)], nanoseconds=True, link=1 | 0x2400_0000))
    assert [(packet.time_ns, packet.link_type) for packet in packets] == [(1_000_000_001, 1)]


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcapng(tmp_path: Path, order: str) -> None:
    data = section(order) + interface(1, order=order)
    data += b"".join(enhanced(time_ns // 1000, raw, length, order=order) for time_ns, raw, length in RECORDS)
    assert told(whole(tmp_path, data)) == RECORDS


def test_pcapng_interfaces_have_their_own_links_clocks_and_names(tmp_path: Path) -> None:
    data = section()
    data += interface(1, option(9, b"\x09"), option(2, b"eth0"), option(0, b""))
    data += interface(113, option(9, bytes((0x80 | 10,))), option(14, (100).to_bytes(8, "little")))
    data += interface(101, option(9, b"\x0c"), snaplen=2)
    data += enhanced(5_000_000_123, b"one")
    data += enhanced(3 << 10 | 512, b"two", index=1)
    data += enhanced(7_000_000_000_999, b"three", 9, index=2)
    file = tmp_path / "x.cap"
    file.write_bytes(data)
    packets, capture = read(file)
    assert [(p.time_ns, p.data, p.length, p.link_type, p.interface) for p in packets] == [
        (5_000_000_123, b"one", 3, 1, 0),
        (103_500_000_000, b"two", 3, 113, 1),
        (7_000_000_000, b"th", 9, 101, 2),
    ]
    assert [(i.link_type, i.name) for i in capture.interfaces] == [(1, "eth0"), (113, ""), (101, "")]


def test_pcapng_sections_begin_anew_even_in_another_byte_order(tmp_path: Path) -> None:
    data = b""
    for order, link in (("<", 1), (">", 113), (">", 101)):
        data += section(order) + interface(link, order=order) + enhanced(1_000_000, b"ab", order=order)
    packets = whole(tmp_path, data)
    assert [(p.time_ns, p.link_type, p.interface) for p in packets] == [
        (1_000_000_000, 1, 0),
        (1_000_000_000, 113, 1),
        (1_000_000_000, 101, 2),
    ]


def test_pcapng_simple_obsolete_and_foreign_blocks(tmp_path: Path) -> None:
    data = section() + interface(1, snaplen=4) + block(5, bytes(20)) + block(0x80000001, b"private")
    data += block(3, (6).to_bytes(4, "little") + b"simple")
    data += block(2, bytes.fromhex("0000 0000 00000000 40420f00 03000000 09000000") + b"old")
    data += enhanced(1, b"new")
    assert [(p.time_ns, p.data, p.length) for p in whole(tmp_path, data)] == [
        (0, b"simp", 6),
        (1_000_000_000, b"old", 9),
        (1_000, b"new", 3),
    ]


@pytest.mark.parametrize(
    ("tail", "complaint"),
    [
        (block(6, bytes(8)), "packet 2 claims what its block does not hold"),
        (enhanced(1, b"abcd", index=3), "packet 2 claims what its block does not hold, or an interface that is not"),
        (block(6, bytes(12) + b"\xff\xff\x00\x00" + bytes(8)), "packet 2 claims"),
        (block(1, b"\1\0"), "an interface description that is too short"),
        (block(3, b""), "a simple packet block that is too short"),
        (block(2, b""), "a packet block that is too short"),
        (block(2, b"\x09" + bytes(23)), "an interface that is not there"),
        (block(0x0A0D0D0A, bytes(16)), "a section header without a byte order"),
        (b"\6\0\0\0\4\0\0\0" + bytes(8), "a block of 4 bytes, which cannot be"),
        (b"\6\0\0\0\0\0\0\x7f" + bytes(8), "a block of 2130706432 bytes, which cannot be"),
        (enhanced(1, b"abcd")[:-5], "ends at byte 115 inside a block that begins at byte 84"),
    ],
)
def test_damaged_pcapng(tmp_path: Path, tail: bytes, complaint: str) -> None:
    good = section() + interface() + enhanced(1, b"abcd")
    packets, damage = damaged(tmp_path, good + tail)
    assert len(packets) == 1
    assert complaint in damage
    assert "byte 84" in damage


def test_a_simple_packet_needs_an_interface(tmp_path: Path) -> None:
    packets, damage = damaged(tmp_path, section() + block(3, bytes(8)))
    assert (packets, damage) == ([], "byte 28: a simple packet block that is too short, or without an interface")


def test_too_many_interfaces(tmp_path: Path) -> None:
    _, damage = damaged(tmp_path, section() + interface() * 65_537)
    assert damage.endswith("too many interfaces")


@pytest.mark.parametrize(
    ("data", "count", "damage"),
    [
        (pcap([])[:10], 0, "ends at byte 10, within the header of 24 bytes"),
        (pcap(RECORDS)[:-3], 4, "ends at byte 379 inside packet 5: 59 of 62 bytes"),
        (pcap(RECORDS)[: 24 + 70 + 5], 1, "ends at byte 99 inside packet 2: 5 of the 16 bytes of its header"),
        (
            pcap(RECORDS[:1]) + b"\0" * 8 + b"\1\0\4\0" + bytes(40),
            1,
            "byte 94: packet 2 claims 262145 bytes, more than 262144",
        ),
    ],
)
def test_damaged_pcap(tmp_path: Path, data: bytes, count: int, damage: str) -> None:
    packets, said = damaged(tmp_path, data)
    assert (len(packets), said) == (count, damage)
    assert told(packets) == RECORDS[:count]


def test_a_packet_longer_than_the_files_snapshot_length_is_cut(tmp_path: Path) -> None:
    assert [packet.data for packet in whole(tmp_path, pcap([(0, b"abcdef", 6)], snaplen=4))] == [b"abcd"]
    assert [packet.data for packet in whole(tmp_path, pcap([(0, b"abcdef", 6)], snaplen=0))] == [b"abcdef"]
    assert [len(packet.data) for packet in whole(tmp_path, pcap([(0, bytes(262_144), 1)], snaplen=1 << 31))] == [
        262_144
    ]


def test_gzip(tmp_path: Path) -> None:
    data = gzip.compress(pcap(RECORDS))
    assert told(whole(tmp_path, data)) == RECORDS
    packets, damage = damaged(tmp_path, data[:-12])
    assert told(packets) == RECORDS[: len(packets)]
    assert damage.startswith("byte ")
    assert "compressed data" in damage
    spoiled = bytearray(gzip.compress(section() + interface() + enhanced(1, b"abcd") * 50))
    spoiled[-6] ^= 1
    packets, damage = damaged(tmp_path, bytes(spoiled))
    assert len(packets) <= 50
    assert "compressed data" in damage


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "empty; a capture begins with a header"),
        (b"hello", "not a capture: begins with 68 65 6c 6c (pcap and pcapng are read, gzip too)"),
        (b"\xfd7zXZ", "compressed with xz; decompress it first (pcap and pcapng are read, gzip too)"),
        (gzip.compress(b"", mtime=0), "empty; a capture begins with a header"),
        (b"\x1f\x8b", "empty; a capture begins with a header"),
    ],
)
def test_what_is_no_capture(tmp_path: Path, data: bytes, complaint: str) -> None:
    file = tmp_path / "x"
    file.write_bytes(data)
    with pytest.raises(CaptureError) as caught, open_capture(file):
        pass
    assert str(caught.value) == complaint


def test_a_pipe_gives_what_it_holds_and_goes_on(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    data = pcap(RECORDS)
    step = threading.Semaphore(0)

    def feed() -> None:
        with fifo.open("wb", buffering=0) as out:
            out.write(data[:100])
            step.acquire(timeout=60)
            out.write(data[100:])

    writer = threading.Thread(target=feed)
    writer.start()
    with open_capture(fifo) as capture:
        first = next(iter(capture))
        assert (first.time_ns, first.data) == RECORDS[0][:2]
        step.release()
        rest = list(capture)
    writer.join()
    assert told([first, *rest]) == RECORDS
    assert capture.damage is None


def test_standard_input() -> None:
    code = (
        "from pathlib import Path\nfrom vrrp.capture.reader import open_capture\n"
        "with open_capture(Path('-')) as c: print(sum(1 for _ in c), c.damage)"
    )
    done = subprocess.run([sys.executable, "-c", code], input=pcap(RECORDS), capture_output=True, check=True)
    assert done.stdout == b"5 None\n"


def test_a_long_packet_is_put_together_from_many_pieces(tmp_path: Path) -> None:
    records = [(0, bytes(200_000), 200_000), *RECORDS] * 20
    assert told(whole(tmp_path, pcap(records))) == records


@given(st.lists(st.sampled_from([40, 54, 54, 54, 60, 62, 90]), max_size=900), st.integers(0, 3), st.integers(0, 20))
def test_records_are_found_as_one_after_the_other(sizes: list[int], period: int, cut: int) -> None:
    if period:
        sizes = sizes[:period] * 400 + sizes
    data = b"".join(bytes(8) + size.to_bytes(4, "little") + bytes(4) + bytes([size]) * size for size in sizes)
    data = data[: len(data) - cut]
    expected, position = [], 0
    while position + 16 <= len(data):
        following = position + 16 + int.from_bytes(data[position + 8 : position + 12], "little")
        if following > len(data):
            break
        expected.append(position)
        position = following
    starts, end, bad = record_starts(data, Layout(16, 8, 16, 0, 262_144), "<")
    assert (starts.tolist(), end, bad) == (expected, position, None)


def test_a_pattern_of_sizes_that_breaks_is_followed(tmp_path: Path) -> None:
    records = [
        *frames_of(1000),
        *frames_of(70, (33,)),
        *frames_of(3000, (99, 98)),
        *frames_of(50, tuple(range(40, 90))),
    ]
    assert told(whole(tmp_path, pcap(records))) == records


@pytest.mark.program("tcpdump")
@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: str(path.relative_to(SHARED)))
def test_tcpdump_reads_the_same_packets(path: Path) -> None:
    packets, _ = read(path)
    done = subprocess.run(["tcpdump", "-n", "-tt", "-#", "-q", "-r", str(path)], capture_output=True, check=False)
    lines = [
        line.split() for line in done.stdout.decode("latin-1").splitlines() if line[:1] == " " and line[:1] != "\t"
    ]
    stamps = [line[1] for line in lines if len(line) > 1 and line[0].isdecimal()]
    ours = [f"{p.time_ns // 10**9}.{p.time_ns // 1000 % 10**6:06d}" for p in packets]
    assert ours == stamps


@pytest.mark.program("tcpdump")
@pytest.mark.parametrize("nanoseconds", [False, True])
def test_tcpdump_reads_what_is_written(tmp_path: Path, nanoseconds: bool) -> None:
    file = tmp_path / "x.pcap"
    with open_pcap(file, link_type=113, snaplen=50, nanoseconds=nanoseconds) as writer:
        for record in RECORDS:
            writer.write(*record)
        writer.write(5, b"last")
    copy = tmp_path / "copy.pcap"
    precision = ["--time-stamp-precision=nano"] if nanoseconds else []
    subprocess.run(["tcpdump", "-r", file, "-w", copy, *precision], check=True, capture_output=True)
    assert copy.read_bytes() == file.read_bytes()
    assert told(read(file)[0])[:-1] == [(time_ns, data[:50], length) for time_ns, data, length in RECORDS]


def test_whatever_the_damage_only_a_capture_error(tmp_path: Path) -> None:
    rng = random.Random(1)
    seeds = [
        pcap(RECORDS),
        pcap(RECORDS, order=">", nanoseconds=True),
        section()
        + interface()
        + interface(113, option(9, b"\x09"))
        + enhanced(1, b"abcd")
        + enhanced(2, b"x", index=1),
        gzip.compress(pcap(RECORDS)),
    ]
    file = tmp_path / "x"
    outcomes = set()
    for _ in range(1500):
        file.write_bytes(mutate(rng.choice(seeds), rng))
        try:
            packets, capture = read(file)
        except CaptureError:
            outcomes.add("none")
            continue
        outcomes.add("damaged" if capture.damage else "whole")
        assert all(len(packet.data) <= 262_144 for packet in packets)
    assert outcomes == {"none", "damaged", "whole"}
