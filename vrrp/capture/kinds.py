"""Packets that say the same, found a batch at a time: a steady master sends one kind of packet for weeks.

Two packets are of one kind when link type, length on the wire and every captured byte agree; only the IPv4
identification and header checksum of an untagged Ethernet VRRP packet may differ, provided that both checksums are
right. Whatever is worked out of one packet then holds for all of its kind.

Packets of one captured size are rows of a matrix; a row's hash (random odd multipliers, modulo 2**64) finds its kind,
and a comparison with the kind's own row makes sure of it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vrrp.capture.packet import Batch
from vrrp.wire.checksum import PROTOCOL

_LARGEST = 256
"""Longer packets are each their own kind: none of what repeats is as long."""
_REMEMBERED = 65_536
_LATELY = 4
"""So many kinds of each size are looked for by comparison alone, which is quicker than hashing."""
_ROWS = 16_384
"""Rows handled at once, so that their matrix stays in the processor's cache and memory is bounded."""
_IDENTIFICATION = (18, 19)
_CHECKSUM = (24, 25)
_IPV4 = (0x08, 0x00, 0x45)


class Kinds:
    """The kinds of a capture's packets, numbered from 0; a number is never given twice.

    At most 65536 kinds are remembered: past that they are forgotten and met anew under new numbers.
    """

    def __init__(self) -> None:
        self.count = 0
        """One more than the highest number given."""
        self._known: dict[tuple[int, int, int, bytes], int] = {}
        self._lately: dict[int, list[tuple[NDArray[np.uint64], int, int, int]]] = {}
        # A fixed seed: the multipliers need not be secret, since equality is verified.
        self._multipliers = np.random.default_rng(1).integers(0, 1 << 63, _LARGEST // 8, np.uint64) * 2 + 1

    def collapse(self, batch: Batch) -> NDArray[np.int64]:
        """The kind of each packet (N,)."""
        if len(self._known) > _REMEMBERED:
            self._known.clear()
            self._lately.clear()
        kinds = np.empty(len(batch), np.int64)
        sizes = batch.sizes
        for size in np.flatnonzero(np.bincount(np.minimum(sizes, _LARGEST + 1))).tolist():
            indices = np.flatnonzero(sizes == size if size <= _LARGEST else sizes > _LARGEST)
            if size > _LARGEST or not size:
                kinds[indices] = self._new(len(indices))
                continue
            for start in range(0, len(indices), _ROWS):
                part = indices[start : start + _ROWS]
                kinds[part] = self._of_size(batch, part, size)
        return kinds

    def _new(self, count: int) -> NDArray[np.int64]:
        first = self.count
        self.count += count
        return np.arange(first, first + count)

    def _of_size(self, batch: Batch, indices: NDArray[np.int64], size: int) -> NDArray[np.int64]:
        words = (size + 7) // 8
        rows = np.zeros((len(indices), words * 8), np.uint8)
        rows[:, :size] = _rows(batch.buffer, batch.offsets[indices], size)
        links, lengths = batch.link_types[indices], batch.lengths[indices]
        if size >= 34:
            _anonymise(rows, links)
        kinds = np.full(len(indices), -1, np.int64)
        rest = self._met_lately(size, rows, links, lengths, kinds)
        if len(rest):
            kinds[rest] = self._hashed(rows[rest], links[rest], lengths[rest], size)
            self._remember(size, rows, links, lengths, kinds, int(rest[-1]))
        return kinds

    def _met_lately(
        self,
        size: int,
        rows: NDArray[np.uint8],
        links: NDArray[np.int32],
        lengths: NDArray[np.int64],
        kinds: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """Fill in the kinds of packets that equal one met lately; the indices of the others."""
        words = rows.view(np.uint64)
        rest = np.arange(len(rows))
        for row, link, length, kind in self._lately.get(size, ()):
            equal = (words[rest] == row).all(axis=1) & (links[rest] == link) & (lengths[rest] == length)
            kinds[rest[equal]] = kind
            rest = rest[~equal]
            if not len(rest):
                break
        return rest

    def _remember(
        self,
        size: int,
        rows: NDArray[np.uint8],
        links: NDArray[np.int32],
        lengths: NDArray[np.int64],
        kinds: NDArray[np.int64],
        index: int,
    ) -> None:
        lately = self._lately.setdefault(size, [])
        row = rows.view(np.uint64)[index].copy()
        lately.insert(0, (row, int(links[index]), int(lengths[index]), int(kinds[index])))
        del lately[_LATELY:]

    def _hashed(
        self, rows: NDArray[np.uint8], links: NDArray[np.int32], lengths: NDArray[np.int64], size: int
    ) -> NDArray[np.int64]:
        words = rows.shape[1] // 8
        with np.errstate(over="ignore"):
            hashes = (rows.view(np.uint64) * self._multipliers[:words]).sum(axis=1, dtype=np.uint64)
            hashes ^= links.astype(np.uint64) * self._multipliers[0] ^ lengths.astype(np.uint64) * self._multipliers[1]
        _, examples, inverse = np.unique(hashes, return_index=True, return_inverse=True)
        mine = examples[inverse]
        same = (
            (rows.view(np.uint64) == rows.view(np.uint64)[mine]).all(axis=1)
            & (links == links[mine])
            & (lengths == lengths[mine])
        )
        numbers = [
            self._number(size, int(lengths[example]), int(links[example]), rows[example, :size].tobytes())
            for example in examples.tolist()
        ]
        kinds = np.array(numbers, np.int64)[inverse]
        for index in np.flatnonzero(~same).tolist():
            key = (size, int(lengths[index]), int(links[index]), rows[index, :size].tobytes())
            kinds[index] = self._number(*key)
        return kinds

    def _number(self, size: int, length: int, link: int, masked: bytes) -> int:
        key = (size, length, link, masked)
        number = self._known.get(key)
        if number is None:
            number = self._known[key] = self.count
            self.count += 1
        return number


def distinct(kinds: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The different kinds, ascending, the index of the first packet of each, and each packet's place among them."""
    lowest = int(kinds.min())
    reach = int(kinds.max()) - lowest + 1
    if reach > 4 * len(kinds):
        return np.unique(kinds, return_index=True, return_inverse=True)
    relative = kinds - lowest
    first = np.full(reach, -1, np.int64)
    first[relative[::-1]] = np.arange(len(kinds) - 1, -1, -1)
    present = np.flatnonzero(first >= 0)
    places = np.empty(reach, np.int64)
    places[present] = np.arange(len(present))
    return present + lowest, first[present], places[relative]


def _rows(buffer: bytes, offsets: NDArray[np.int64], size: int) -> NDArray[np.uint8]:
    """The bytes of each packet as a row (N, size)."""
    windows = np.ndarray((len(buffer) - size + 1,), dtype=f"V{size}", buffer=buffer, strides=(1,))
    return windows[offsets].view(np.uint8).reshape(len(offsets), size)


def _anonymise(rows: NDArray[np.uint8], links: NDArray[np.int32]) -> None:
    """Blank identification and checksum of VRRP over IPv4 where the checksum is right."""
    plain = (
        (links == 1)
        & (rows[:, 12] == _IPV4[0])
        & (rows[:, 13] == _IPV4[1])
        & (rows[:, 14] == _IPV4[2])
        & (rows[:, 23] == PROTOCOL)
        & (rows[:, 20] & 0x3F == 0)
        & (rows[:, 21] == 0)
    )
    if not plain.any():
        return
    words = np.ndarray((len(rows), 10), ">u2", buffer=rows.data, offset=14, strides=(rows.strides[0], 2))
    plain &= words.sum(axis=1, dtype=np.uint32) % 0xFFFF == 0  # 0x45 is there: the sum is not 0
    everywhere = plain.all()
    for column in (*_IDENTIFICATION, *_CHECKSUM):
        if everywhere:
            rows[:, column] = 0
        else:
            rows[plain, column] = 0
