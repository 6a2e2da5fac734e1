"""Packets collapsed into kinds, against a plain dictionary of their bytes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vrrp.capture.kinds import Kinds, distinct
from vrrp.capture.packet import Batch
from vrrp.wire.advertisement import Advertisement, encode
from vrrp.wire.ethernet import IPV4, EthernetFrame
from vrrp.wire.ip import IpPacket, renumber

HEAD = EthernetFrame(bytes.fromhex("01005e000012"), bytes.fromhex("020000000001"), IPV4, b"").build()
MESSAGE = encode(Advertisement(2, 51, 100, 100, ["10.0.0.100"]))
PACKET = IpPacket(bytes((10, 0, 0, 1)), bytes((224, 0, 0, 18)), 112, MESSAGE).build()

Row = tuple[bytes, int, int]
"""Bytes, length on the wire, link type."""


def batch(rows: list[Row], first: int = 1) -> Batch:
    sizes = [len(data) for data, _, _ in rows]
    offsets = np.cumsum([3, *sizes])[:-1]
    return Batch(
        b"???" + b"".join(data for data, _, _ in rows) + b"!",
        first,
        np.array(offsets, np.int64),
        np.array(sizes, np.int64),
        np.array([length for _, length, _ in rows], np.int64),
        np.arange(len(rows), dtype=np.int64),
        np.array([link for _, _, link in rows], np.int32),
        np.zeros(len(rows), np.int32),
    )


def same(one: Row, other: Row) -> bool:
    """The rule, packet by packet."""
    return (plain(one[0], one[2]), *one[1:]) == (plain(other[0], other[2]), *other[1:])


def plain(data: bytes, link: int) -> bytes:
    if link == 1 and data[12:15] == b"\x08\x00\x45" and data[23:24] == b"\x70" and len(data) >= 34:
        words = [int.from_bytes(data[at : at + 2], "big") for at in range(14, 34, 2)]
        if sum(words) % 0xFFFF == 0 and not (data[20] & 0x3F or data[21]):
            return data[:18] + bytes(2) + data[20:24] + bytes(2) + data[26:]
    return data


ROWS = st.one_of(
    st.builds(lambda n: (HEAD + renumber(PACKET, n), 54, 1), st.integers(0, 5)),
    st.builds(lambda n, at: (flipped(HEAD + renumber(PACKET, n), at), 54, 1), st.integers(0, 2), st.integers(0, 53)),
    st.builds(lambda n: (HEAD + renumber(PACKET, n), 54, 113), st.integers(0, 2)),
    st.builds(lambda n: (HEAD + renumber(PACKET, n), 60, 1), st.integers(0, 2)),
    st.builds(lambda n: (HEAD + PACKET[:20] + bytes(n), 60, 1), st.integers(0, 9)),
    st.tuples(st.binary(max_size=40), st.integers(0, 3), st.sampled_from([1, 101])),
    st.sampled_from([(bytes(300), 300, 1), (b"", 0, 1)]),
)


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]


@given(st.lists(st.lists(ROWS, min_size=1, max_size=30), min_size=1, max_size=3))
def test_a_kind_is_what_is_the_same(batches: list[list[Row]]) -> None:
    kinds = Kinds()
    known: list[tuple[Row, int]] = []
    for rows in batches:
        found = kinds.collapse(batch(rows))
        for row, kind in zip(rows, found.tolist(), strict=True):
            assert 0 <= kind < kinds.count
            repeats = 0 < len(row[0]) <= 256
            for other, number in known:
                assert (kind == number) == (repeats and same(row, other)), (row, other)
            known.append((row, kind))


@given(st.lists(st.integers(0, 8), min_size=1, max_size=50), st.sampled_from([1, 10, 1000]))
def test_distinct_is_unique(values: list[int], scale: int) -> None:
    kinds = np.array(values, np.int64) * scale + 7
    for ours, theirs in zip(distinct(kinds), np.unique(kinds, return_index=True, return_inverse=True), strict=True):
        assert ours.tolist() == theirs.tolist()


def test_a_hundred_thousand_kinds_do_not_stay() -> None:
    kinds = Kinds()
    for first in range(0, 100_000, 20_000):
        rows = [((first + n).to_bytes(4, "big"), 4, 1) for n in range(20_000)]
        assert len(set(kinds.collapse(batch(rows)).tolist())) == 20_000
    assert kinds.count == 100_000
    # They have been forgotten in between, so these are new kinds, under new numbers.
    again = kinds.collapse(batch([(bytes(4), 4, 1)] * 2))
    assert again.tolist() == [100_000] * 2
