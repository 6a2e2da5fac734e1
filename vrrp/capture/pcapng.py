"""The pcapng format: blocks that name themselves, several interfaces, times in any resolution.

(The pcapng specification, draft-ietf-opsawg-pcapng.) Every block is

    | type, 4 bytes | total length, 4 bytes | body, padded to 4 bytes | total length again |

A section header tells the byte order and begins anew with the interfaces; an interface description tells link type,
snapshot length and the unit of its times; enhanced, simple and (obsolete) packet blocks carry packets. Other blocks
are passed over.
"""

from __future__ import annotations

import struct
from collections.abc import Generator, Iterator

import numpy as np
from numpy.typing import NDArray

from vrrp.capture.packet import Batch, Ending, Interface
from vrrp.capture.packet_runs import Layout, numbers_at, record_starts
from vrrp.capture.source import Source

SECTION_HEADER = b"\x0a\x0d\x0d\x0a"
_SECTION, _INTERFACE, _PACKET, _SIMPLE, _ENHANCED = 0x0A0D0D0A, 1, 2, 3, 6
_ORDERS = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}
_MOST = 16 << 20
"""Longer blocks are not believed (libpcap's own limit)."""
_LAYOUT = Layout(12, 4, 0, 12, _MOST)
_DEFAULT_SNAPLEN = 262_144
_MOST_INTERFACES = 65_536
_IF_NAME, _IF_TSRESOL, _IF_TSOFFSET = 2, 9, 14
_SECOND_NS = 1_000_000_000
_LARGEST_NS = (1 << 62) - 1


def read_pcapng(source: Source, interfaces: list[Interface], ending: Ending) -> Iterator[Batch]:
    """The packets of a file that begins with a section header; `ending` learns why they end early."""
    reader = _Reader(interfaces)
    data, base = b"", 0
    while more := source.read():
        data += more
        while len(data) < reader.wanted(data):
            more = source.read()
            if not more:
                break
            data += more
        position = yield from reader.blocks(data)
        if reader.complaint:
            ending.damage = f"byte {base + position}: {reader.complaint}"
            return
        data, base = data[position:], base + position
    if source.broken is not None:
        ending.damage = f"byte {base + len(data)}: {source.broken}"
    elif data:
        ending.damage = f"ends at byte {base + len(data)} inside a block that begins at byte {base}"


class _Reader:
    """The state of a section: byte order, interfaces, the number of the next packet."""

    def __init__(self, interfaces: list[Interface]) -> None:
        self.interfaces = interfaces
        self.complaint = ""
        self._order = "<"
        self._first = 0
        """Where this section's interfaces begin among all."""
        self._offsets_ns: list[int] = []
        self._number = 1
        self._good = 0
        """How many enhanced packet blocks of the last run made sense."""

    def wanted(self, data: bytes) -> int:
        """How many bytes the first block needs, as far as it can be told."""
        if len(data) < 12:
            return 12
        order = _ORDERS.get(data[8:12], self._order) if data[:4] == SECTION_HEADER else self._order
        size = int(struct.unpack_from(f"{order}I", data, 4)[0])
        return size if size <= _MOST else 0

    def blocks(self, data: bytes) -> Generator[Batch, None, int]:
        """Read the whole blocks of `data`; the generator's value is where the first one that is not whole begins."""
        position = 0
        while not self.complaint:
            if data[position : position + 4] == SECTION_HEADER and len(data) >= position + 12:
                order = _ORDERS.get(data[position + 8 : position + 12])
                if order is None:
                    self.complaint = "a section header without a byte order"
                    return position
                self._order = order
            view = data[position:] if position else data
            starts, end, bad = record_starts(view, _LAYOUT, self._order)
            kinds = numbers_at(view, starts, self._order)
            # Another section may come in another byte order, which only its header tells.
            sections = np.flatnonzero(kinds == _SECTION)
            later = sections[sections > 0]
            if len(later):
                end, bad = int(starts[later[0]]), None
                starts, kinds = starts[: later[0]], kinds[: later[0]]
            failed = yield from self._read(view, starts, kinds)
            if failed is not None:
                return position + failed
            position += end
            if not len(later):
                another = bad is not None and view[end : end + 4] == SECTION_HEADER and end > 0
                if not another:
                    if bad is not None:
                        self.complaint = f"a block of {bad} bytes, which cannot be"
                    return position
        return position

    def _read(
        self, data: bytes, starts: NDArray[np.int64], kinds: NDArray[np.int64]
    ) -> Generator[Batch, None, int | None]:
        """Work through blocks in order; the generator's value is where one was wrong, or None."""
        special = np.flatnonzero(kinds != _ENHANCED).tolist()
        begin = 0
        for index in [*special, len(starts)]:
            if begin < index:
                yield from self._enhanced(data, starts[begin:index])
                if self.complaint:
                    return int(starts[begin + self._good])
            begin = index + 1
            if index == len(starts):
                break
            start = int(starts[index])
            size = int(numbers_at(data, starts[index : index + 1] + 4, self._order)[0])
            block = data[start : start + size]
            kind = int(kinds[index])
            if kind == _SECTION:
                self._first = len(self.interfaces)
            elif kind == _INTERFACE:
                self._interface(block)
            elif kind in {_SIMPLE, _PACKET}:
                yield from self._older(data, start, block, kind)
            if self.complaint:
                return start
        return None

    def _interface(self, block: bytes) -> None:
        if len(block) < 20 or len(self.interfaces) >= _MOST_INTERFACES:
            self.complaint = "an interface description that is too short" if len(block) < 20 else "too many interfaces"
            return
        link_type, _, snaplen = struct.unpack_from(f"{self._order}HHI", block, 8)
        name, ticks, offset_s = "", 1_000_000, 0
        for code, value in _options(block[16:-4], self._order):
            if code == _IF_NAME:
                name = value.decode("utf-8", "replace")
            elif code == _IF_TSRESOL and value:
                exponent = value[0] & 0x7F
                ticks = 1 << min(exponent, 62) if value[0] & 0x80 else 10 ** min(exponent, 18)
            elif code == _IF_TSOFFSET and len(value) == 8:
                offset_s = struct.unpack(f"{self._order}q", value)[0]
        self.interfaces.append(Interface(link_type, snaplen or _DEFAULT_SNAPLEN, ticks, name))
        self._offsets_ns.append(max(-_LARGEST_NS, min(_LARGEST_NS, offset_s * _SECOND_NS)))

    def _enhanced(self, data: bytes, starts: NDArray[np.int64]) -> Iterator[Batch]:
        sizes = numbers_at(data, starts + 4, self._order)
        whole = sizes >= 32
        interfaces = numbers_at(data, np.where(whole, starts + 8, starts), self._order) + self._first
        captured = numbers_at(data, np.where(whole, starts + 20, starts), self._order)
        good = whole & (interfaces < len(self.interfaces)) & (captured <= sizes - 32)
        count = len(starts) if good.all() else int(np.argmin(good))
        self._good = count
        if count < len(starts):
            number = self._number + count
            self.complaint = f"packet {number} claims what its block does not hold, or an interface that is not there"
        if not count:
            return
        starts = starts[:count]
        high = numbers_at(data, starts + 12, self._order)
        low = numbers_at(data, starts + 16, self._order)
        yield self._batch(
            data,
            interfaces[:count],
            (high & 0x7FFF_FFFF) << 32 | low,
            starts + 28,
            captured[:count],
            numbers_at(data, starts + 24, self._order),
        )

    def _older(self, data: bytes, start: int, block: bytes, kind: int) -> Iterator[Batch]:
        """A simple packet block, which has no time, or an obsolete packet block."""
        if kind == _SIMPLE:
            if len(block) < 16 or len(self.interfaces) <= self._first:
                self.complaint = "a simple packet block that is too short, or without an interface"
                return
            length = struct.unpack_from(f"{self._order}I", block, 8)[0]
            index, ticks, at = self._first, 0, 12
            captured = min(length, self.interfaces[index].snaplen, len(block) - 16)
        else:
            if len(block) < 32:
                self.complaint = "a packet block that is too short"
                return
            index, _, high, low, captured, length = struct.unpack_from(f"{self._order}HHIIII", block, 8)
            index += self._first
            ticks, at = (high & 0x7FFF_FFFF) << 32 | low, 28
            if index >= len(self.interfaces) or captured > len(block) - 32:
                self.complaint = "a packet block that claims what it does not hold, or an interface that is not there"
                return
        columns = (np.array([value], np.int64) for value in (index, ticks, start + at, captured, length))
        yield self._batch(data, *columns)

    def _batch(
        self,
        data: bytes,
        interfaces: NDArray[np.int64],
        ticks: NDArray[np.int64],
        offsets: NDArray[np.int64],
        sizes: NDArray[np.int64],
        lengths: NDArray[np.int64],
    ) -> Batch:
        times_ns = np.empty(len(ticks), np.int64)
        links = np.empty(len(ticks), np.int32)
        for index in np.unique(interfaces).tolist():
            of_it = interfaces == index
            interface = self.interfaces[index]
            times_ns[of_it] = _nanoseconds(ticks[of_it], interface.ticks_per_second) + self._offsets_ns[index]
            links[of_it] = interface.link_type
            sizes[of_it] = np.minimum(sizes[of_it], interface.snaplen)
        batch = Batch(data, self._number, offsets, sizes, lengths, times_ns, links, interfaces.astype(np.int32))
        self._number += len(ticks)
        return batch


def _nanoseconds(ticks: NDArray[np.int64], per_second: int) -> NDArray[np.int64]:
    """Times as nanoseconds, cut down to whole ones; absurd ones are held within half of what an int64 holds."""
    seconds, rest = ticks // per_second, ticks % per_second
    # Above a tick of a nanosecond the product would overflow; dividing first loses less than a nanosecond in 2^30.
    if per_second <= _SECOND_NS:
        fraction = rest * _SECOND_NS // per_second
    else:
        scale = max(1, per_second >> 30)
        fraction = (rest // scale) * _SECOND_NS // (per_second // scale)
    return np.minimum(seconds, _LARGEST_NS // _SECOND_NS - 1) * _SECOND_NS + fraction


def _options(data: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position + 4 <= len(data):
        code, size = struct.unpack_from(f"{order}HH", data, position)
        if not code or position + 4 + size > len(data):
            return
        yield code, data[position + 4 : position + 4 + size]
        position += 4 + (size + 3) // 4 * 4
