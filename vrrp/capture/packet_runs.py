"""Finding the records of a capture in a chunk of its bytes, a million of them in a tenth of a second."""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_LOOKED_AT = 96
"""Records whose sizes are looked at for a pattern that repeats."""
_LONGEST_PATTERN = 32
_WORTHWHILE = 256
"""A pattern that holds for fewer records is not looked for again for a while."""


class Layout(NamedTuple):
    """How long a record is: a 32-bit number within its header tells, alone or beside the header."""

    header: int
    """Bytes that must be there before the number can be believed."""
    size_at: int
    """Where the number stands in the header."""
    beside: int
    """What the record has beside the bytes that the number counts."""
    least: int
    most: int
    """The numbers that can be true."""


def record_starts(data: bytes, layout: Layout, order: str) -> tuple[NDArray[np.int64], int, int | None]:
    """Where whole records start in `data`, where the first incomplete one starts, and a bad size if one ended it.

    `order` of the bytes is "<" or ">". Routers repeat themselves, so the sizes mostly repeat in a pattern; it is
    extrapolated over the chunk, and numpy tells how far it holds.
    """
    header, size_at, beside, least, most = layout
    unpack = struct.Struct(f"{order}I").unpack_from
    end = len(data)
    last_header = end - header
    position = 0
    parts: list[NDArray[np.int64]] = []
    starts: list[int] = []
    patience = _LOOKED_AT
    while position <= last_header:
        size = unpack(data, position + size_at)[0]
        if not least <= size <= most:
            return _joined(parts, starts), position, size
        following = position + beside + size
        if following > end:
            break
        starts.append(position)
        position = following
        if len(starts) >= patience:
            run = _extrapolated(data, starts, position, layout, order)
            parts.append(np.array(starts, np.int64))
            starts = []
            patience = _LOOKED_AT
            if len(run):
                parts.append(run)
                last = int(run[-1])
                position = last + beside + unpack(data, last + size_at)[0]
            if len(run) < _WORTHWHILE:
                patience = 32 * _LOOKED_AT
    return _joined(parts, starts), position, None


def _joined(parts: list[NDArray[np.int64]], starts: list[int]) -> NDArray[np.int64]:
    return np.concatenate([*parts, np.array(starts, np.int64)])


def _extrapolated(data: bytes, starts: list[int], position: int, layout: Layout, order: str) -> NDArray[np.int64]:
    """The records from `position` on for as long as their sizes repeat those of the last records."""
    steps = np.diff(np.array([*starts[-2 * _LONGEST_PATTERN :], position]))
    for period in range(1, _LONGEST_PATTERN + 1):
        if np.array_equal(steps[period:], steps[:-period]):
            break
    else:
        return np.empty(0, np.int64)
    pattern = steps[-period:]
    whole = int(pattern.sum())
    repetitions = (len(data) - position) // whole
    within = np.concatenate(([0], np.cumsum(pattern)[:-1]))
    expected = (position + np.arange(repetitions)[:, None] * whole + within).reshape(-1)
    wanted = np.tile(pattern - layout.beside, repetitions)
    wrong = np.flatnonzero(numbers_at(data, expected + layout.size_at, order) != wanted)
    return expected[: wrong[0]] if len(wrong) else expected


def numbers_at(data: bytes, positions: NDArray[np.int64], order: str) -> NDArray[np.int64]:
    """The unsigned 32-bit numbers at these positions, all within `data`."""
    if not len(positions):
        return np.empty(0, np.int64)
    # A window of four bytes at every position; only those asked for are ever touched.
    windows = np.ndarray((len(data) - 3,), dtype=f"{order}u4", buffer=data, strides=(1,))
    return windows[positions].astype(np.int64)
