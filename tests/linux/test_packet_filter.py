"""The kernel's filter lets pass exactly what is printed, and IGMP."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from capture.builders import mutate
from hostile.mutations import seeds
from vrrp.capture.text.selection import selected
from vrrp.linux.packet_filter import assemble, instructions, passes

PROGRAM = assemble(instructions())
SEEDS = seeds()


def wanted(frame: bytes) -> bool:
    """The rule, with Python's own slices."""
    at = 14
    for _ in range(2):
        if frame[at - 2 : at] in {b"\x81\x00", b"\x88\xa8", b"\x91\x00"}:
            at += 4
    if frame[at - 2 : at] == b"\x08\x00" and len(frame) > at + 9 and frame[at + 9] in {2, 51}:
        return True
    return selected(1, frame)


def test_the_program_is_short_enough_for_its_jumps() -> None:
    assert len(PROGRAM) % 8 == 0
    assert len(PROGRAM) // 8 < 256


def test_whole_packets() -> None:
    for frame in SEEDS:
        for tags in (b"", b"\x81\x00\x00\x05", b"\x88\xa8\x00\x05\x81\x00\x00\x06"):
            tagged = frame[:12] + tags + frame[12:]
            assert passes(PROGRAM, tagged) is wanted(tagged)
    assert sum(passes(PROGRAM, frame) for frame in SEEDS) > len(SEEDS) // 2


@given(st.integers(0, 1 << 40), st.sampled_from(SEEDS), st.sampled_from([b"", b"\x81\x00\x00\x05", b"\x91\x00ab"]))
def test_damaged_packets(seed: int, frame: bytes, tags: bytes) -> None:
    spoiled = frame[:12] + tags + mutate(frame[12:], random.Random(seed))
    assert passes(PROGRAM, spoiled) is wanted(spoiled)


@given(st.binary(max_size=80))
def test_any_bytes(frame: bytes) -> None:
    assert passes(PROGRAM, frame) is wanted(frame)
