"""What a capture is made of: packets one by one, and batches of them as numpy columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Interface:
    """Where packets were captured: a pcap file has one, a pcapng file any number."""

    link_type: int
    """LINKTYPE_* of the pcap savefile format: 1 Ethernet, 113 and 276 Linux cooked, 101 raw IP."""
    snaplen: int = 262_144
    ticks_per_second: int = 1_000_000
    name: str = ""


@dataclass(slots=True)
class Ending:
    """How the reading of a capture ended."""

    damage: str | None = None
    """One line: at which byte the file stops making sense, and why; None when it is whole."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet as it stands in the capture."""

    number: int
    """Its place in the file, the first is 1; what tshark calls frame.number."""
    time_ns: int
    """Nanoseconds since 1970; negative before."""
    data: bytes
    """The bytes captured, from the link header on."""
    length: int
    """Bytes on the wire; more than `data` has where the snapshot length cut it."""
    link_type: int
    """See `Interface`."""
    interface: int = 0
    """Index among the capture's interfaces."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive packets as columns, for work on a million at once. N packets, their bytes within `buffer`."""

    buffer: bytes
    first_number: int
    offsets: NDArray[np.int64]
    """(N,) where each packet's bytes start in `buffer`."""
    sizes: NDArray[np.int64]
    """(N,) captured bytes."""
    lengths: NDArray[np.int64]
    """(N,) bytes on the wire."""
    times_ns: NDArray[np.int64]
    """(N,) nanoseconds since 1970."""
    link_types: NDArray[np.int32]
    """(N,) see `Interface`."""
    interfaces: NDArray[np.int32]
    """(N,) indices among the capture's interfaces."""

    def __len__(self) -> int:
        return len(self.offsets)

    def packet(self, index: int) -> Packet:
        """The packet of this index within the batch."""
        start = int(self.offsets[index])
        return Packet(
            self.first_number + index,
            int(self.times_ns[index]),
            self.buffer[start : start + int(self.sizes[index])],
            int(self.lengths[index]),
            int(self.link_types[index]),
            int(self.interfaces[index]),
        )

    def __iter__(self) -> Iterator[Packet]:
        buffer = self.buffer
        columns = (self.offsets, self.sizes, self.times_ns, self.lengths, self.link_types, self.interfaces)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        for number, (start, size, time_ns, length, link_type, interface) in enumerate(rows, self.first_number):
            yield Packet(number, time_ns, buffer[start : start + size], length, link_type, interface)
