"""Byte for byte what tcpdump 4.99.3 prints: every capture, each set of options; and packets damaged at random."""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from capture.builders import Record, mutate, pcap
from conftest import PROGRAM_PATH
from dump.compare import OPTIONS, WITH_NAMES, captures, compare, stored, tcpdump
from dump.swept import NEIGHBOR, SWEEPS, ethertypes, ip6
from vrrp.capture.packet import Packet
from vrrp.capture.reader import open_capture
from vrrp.capture.text.line import Style
from vrrp.capture.text.names import Names
from vrrp.capture.text.printer import packet_text
from vrrp.capture.text.selection import FILTER, UNTAGGED_FILTER, selected
from vrrp.wire.cooked import CookedHeader

CAPTURES = captures()
STORED = list(stored())


def is_reference() -> bool:
    program = shutil.which("tcpdump", path=PROGRAM_PATH)
    if program is None:
        return False
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    return "tcpdump version 4.99.3" in said.stdout + said.stderr


reference = pytest.mark.skipif(not is_reference(), reason="compares with tcpdump 4.99.3, the one of Debian 12")


def test_there_is_something_to_compare() -> None:
    assert len(CAPTURES) >= 4
    assert len(OPTIONS) >= 16


def test_there_is_much_to_compare(shared: Path) -> None:
    assert sum(shared in path.parents for path in CAPTURES) >= 25


@reference
@pytest.mark.program("tcpdump")
@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_capture(path: Path) -> None:
    for options in OPTIONS:
        assert compare(path, options, tcpdump(path, options)) is None


@reference
@pytest.mark.program("tcpdump")
@pytest.mark.parametrize("options", WITH_NAMES)
def test_with_names(options: str) -> None:
    path = next(path for path in CAPTURES if path.name == "keepalived_ah.pcap")
    assert compare(path, options, tcpdump(path, options)) is None


@pytest.mark.parametrize(("path", "options", "text"), STORED, ids=[f"{p.name}{o}" for p, o, _ in STORED])
def test_stored_outputs(path: Path, options: str, text: str) -> None:
    assert compare(path, options, text) is None


def test_stored_outputs_are_many(shared: Path) -> None:
    assert sum(text.count("\n") for _, _, text in STORED) > 2000


def seeds() -> list[bytes]:
    """A few packets of each capture that we print."""
    found: list[bytes] = []
    for path in CAPTURES:
        with open_capture(path) as capture:
            taken = [p.data for p in capture if p.link_type == 1 and len(p.data) < 200 and selected(1, p.data)]
        found += taken[:: max(1, len(taken) // 12)]
    return found


def spoiled(rng: random.Random, good: list[bytes]) -> bytes:
    """A packet with damage behind the MAC addresses, sometimes tagged."""
    data = rng.choice(good)
    tags = rng.choice((b"", b"", b"", b"", b"\x81\x00" + rng.randbytes(2), b"\x88\xa8\x00\x05\x81\x00\x20\x07"))
    kind = rng.random()
    if kind < 0.75:
        return data[:12] + tags + mutate(data[12:], rng)
    if kind < 0.9:  # a length or a kind somewhere in the headers is another
        at = rng.randrange(14, min(len(data), 64))
        data = data[:at] + bytes((rng.choice((rng.randrange(80), 51, 112, 136, 255)),)) + data[at + 1 :]
    return data[:12] + tags + data[12:]


def below(link: int, data: bytes, rng: random.Random) -> bytes:
    """An Ethernet frame's packet below another link header."""
    if link == 1:
        return data
    if link == 101:
        return data[14:]
    address = rng.randbytes(rng.choice((6, 6, 6, 0, 4, 8)))
    ethertype = int.from_bytes(data[12:14], "big")
    return CookedHeader(1 if link == 113 else 2, rng.randrange(6), 1, address, ethertype, 99).build() + data[14:]


def damaged(rng: random.Random, good: list[bytes], link: int, count: int) -> list[Record]:
    """Records of packets that are damaged, cut, and sometimes longer or shorter than they say."""
    records: list[Record] = []
    while len(records) < count:
        data = below(link, spoiled(rng, good), rng)
        if link != 1 and data[14 if link == 113 else 0 :][:2] in _TAGS:
            continue  # tcpdump's filters know no tags there
        if len(data) > 20:
            length = len(data) + (rng.randrange(-3, 30) if rng.random() < 0.1 else 0)
            cut = rng.randrange(14, len(data) + 1) if rng.random() < 0.3 else len(data)
            records.append((1_700_000_000_000_000_000 + len(records) * 1_000_000, data[:cut], length))
    return records


_TAGS = {b"\x81\x00", b"\x88\xa8", b"\x91\x00"}
DAMAGED = (*((1, seed) for seed in range(1, 9)), (101, 1), (101, 2), (113, 1), (113, 2), (276, 1), (276, 2))
DAMAGED_OPTIONS = ("-nt", "-ntv", "-ntvv", "-ntvvT carp", "-nte", "-ntevX", "-ntxx", "-ntqve", "-nX")
"""The last has a time stamp, which is not printed where a record's lengths cannot be."""


@reference
@pytest.mark.program("tcpdump")
@pytest.mark.parametrize(("link", "seed"), DAMAGED)
def test_damaged_packets(tmp_path: Path, link: int, seed: int) -> None:
    file = tmp_path / "x.pcap"
    file.write_bytes(pcap(damaged(random.Random(seed), seeds(), link, 2000), link=link))
    expression = FILTER if link == 1 else UNTAGGED_FILTER
    for options in DAMAGED_OPTIONS:
        theirs = tcpdump(file, options, expression)
        assert theirs.count("\n") > 500
        assert compare(file, options, theirs) is None


@reference
@pytest.mark.program("tcpdump")
@pytest.mark.parametrize("sweep", SWEEPS, ids=lambda sweep: sweep.__name__)
def test_swept_packets(tmp_path: Path, sweep: Callable[[], Iterator[tuple[bytes, int]]]) -> None:
    start_ns = 1_700_000_000_000_000_000
    file = tmp_path / "x.pcap"
    file.write_bytes(pcap([(start_ns + number, data, length) for number, (data, length) in enumerate(sweep())]))
    for options in ("-nt", "-ntv") if sweep is ethertypes else DAMAGED_OPTIONS:
        theirs = tcpdump(file, options)
        assert theirs.count("\n") > 500
        assert compare(file, options, theirs) is None


@reference
@pytest.mark.program("tcpdump")
@pytest.mark.parametrize("link", [101, 113, 276])
def test_other_link_layers(tmp_path: Path, link: int) -> None:
    records = []
    for number, data in enumerate(seeds()):
        ethertype = int.from_bytes(data[12:14], "big")
        if ethertype == 0x8100:
            continue  # tcpdump's filters know no tags there
        if link == 101:
            if ethertype == 0x0806:
                continue
            raw = data[14:]
        else:
            raw = CookedHeader(1 if link == 113 else 2, number % 5, 1, data[6:12], ethertype, 99).build() + data[14:]
        records.append((1_700_000_000_000_000_000 + number, raw, len(raw)))
    file = tmp_path / "x.pcap"
    file.write_bytes(pcap(records, link=link))
    for options in ("-n", "-nv", "-nev", "-nx", "-nXX", "-ne"):
        assert compare(file, options, tcpdump(file, options, UNTAGGED_FILTER)) is None


@reference
@pytest.mark.program("tcpdump")
@pytest.mark.parametrize("version", [1, 2])
def test_tagged_below_cooked_headers(tmp_path: Path, version: int) -> None:
    # tcpdump's filters know no tags there, its text does.
    records = []
    for number, data in enumerate(seeds()):
        header = CookedHeader(version, 1, 1, data[6:12], 0x8100, 99).build()
        raw = header + (number * 97 & 0xFFFF).to_bytes(2, "big") + data[12:]
        if selected(113 if version == 1 else 276, raw):
            records.append((1_700_000_000_000_000_000 + number, raw, len(raw)))
    assert len(records) > 100
    file = tmp_path / "x.pcap"
    file.write_bytes(pcap(records, link=113 if version == 1 else 276))
    for options in ("-n", "-nv", "-nev", "-nx", "-nXX", "-ne", "-nq", "-nqe"):
        assert compare(file, options, tcpdump(file, options, "")) is None


def test_domain_names_made_to_take_long() -> None:
    # Three thousand names, each a pointer to the same thousand labels: a limit of our own, tcpdump walks them all.
    labels = b"\x1f\xff" + bytes(6) + b"\1a" * 1000 + bytes(32)
    names = b"\x1f\xff" + bytes(6) + b"\xc0\x08" * 1016
    frame = ip6(NEIGHBOR + labels + names * 3, 58)
    text = packet_text(Packet(1, 0, frame, len(frame), 1), Style(Names(numeric=True), verbose=1))
    assert text.endswith(" [|icmp6]")
    assert 60 < text.count("<DOMAIN NAME TOO LONG>") < 70
