"""The pcap format: 24 bytes about the file, then packets with 16 bytes each (libpcap's savefile format).

The magic number tells the byte order and whether times are in micro- or nanoseconds::

    | magic | version 2.4 | zone, accuracy: unused | snapshot length | link type |
    | seconds | micro- or nanoseconds | bytes here | bytes on the wire | the bytes | ...

What a file says is not believed: a packet that claims more than any link carries ends the reading.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from vrrp.capture.packet import Batch, Ending, Interface
from vrrp.capture.packet_runs import Layout, numbers_at, record_starts
from vrrp.capture.source import Source
from vrrp.whole_file import replacing

MAGICS = {
    b"\xa1\xb2\xc3\xd4": (">", 1_000_000),
    b"\xd4\xc3\xb2\xa1": ("<", 1_000_000),
    b"\xa1\xb2\x3c\x4d": (">", 1_000_000_000),
    b"\x4d\x3c\xb2\xa1": ("<", 1_000_000_000),
}
"""The first four bytes -> byte order and ticks in a second."""
HEADER_SIZE = 24
RECORD_SIZE = 16
ETHERNET = 1
SNAPLEN = 262_144
"""tcpdump's own default, and the most that libpcap believes of a packet."""
_SECOND_NS = 1_000_000_000
_LINK_TYPE = 0x03FF_FFFF
"""The bits above say how long the frame check sequence is."""


def read_pcap(source: Source, interfaces: list[Interface], ending: Ending) -> Iterator[Batch]:
    """The packets of a file whose magic has been recognised; `ending` learns why they end early."""
    head = source.read()
    while len(head) < HEADER_SIZE:
        more = source.read()
        if not more:
            ending.damage = f"ends at byte {len(head)}, within the header of {HEADER_SIZE} bytes"
            return
        head += more
    order, ticks = MAGICS[head[:4]]
    snaplen, link = struct.unpack_from(f"{order}II", head, 16)
    # libpcap believes no other snapshot length, and cuts packets that are longer than the file's own says.
    interface = Interface(link & _LINK_TYPE, snaplen if 0 < snaplen <= SNAPLEN else SNAPLEN, ticks)
    interfaces.append(interface)
    layout = Layout(RECORD_SIZE, 8, RECORD_SIZE, 0, SNAPLEN)
    data, base, number = head[HEADER_SIZE:], HEADER_SIZE, 1
    while True:
        starts, position, bad = record_starts(data, layout, order)
        if len(starts):
            yield _batch(data, starts, number, order, interface)
            number += len(starts)
        if bad is not None:
            ending.damage = f"byte {base + position}: packet {number} claims {bad} bytes, more than {SNAPLEN}"
            return
        data, base = data[position:], base + position
        more = source.read()
        if not more:
            break
        data += more
        # A long packet is put together in few steps.
        while len(data) >= RECORD_SIZE and len(data) < _wanted(data, order):
            more = source.read()
            if not more:
                break
            data += more
    if source.broken is not None:
        ending.damage = f"byte {base + len(data)}: {source.broken}"
    elif data:
        ending.damage = _cut(data, base, number, order)


def _wanted(data: bytes, order: str) -> int:
    size = int(struct.unpack_from(f"{order}I", data, 8)[0])
    return RECORD_SIZE + size if size <= SNAPLEN else 0


def _cut(data: bytes, base: int, number: int, order: str) -> str:
    where = f"ends at byte {base + len(data)} inside packet {number}"
    if len(data) < RECORD_SIZE:
        return f"{where}: {len(data)} of the {RECORD_SIZE} bytes of its header"
    size = struct.unpack_from(f"{order}I", data, 8)[0]
    return f"{where}: {len(data) - RECORD_SIZE} of {size} bytes"


def _batch(data: bytes, starts: NDArray[np.int64], number: int, order: str, interface: Interface) -> Batch:
    # Signed, as libpcap reads them: captures with damaged times exist.
    seconds = numbers_at(data, starts, order).astype(np.int32).astype(np.int64)
    fractions = numbers_at(data, starts + 4, order).astype(np.int32).astype(np.int64)
    count = len(starts)
    return Batch(
        data,
        number,
        starts + RECORD_SIZE,
        np.minimum(numbers_at(data, starts + 8, order), interface.snaplen),
        numbers_at(data, starts + 12, order),
        seconds * _SECOND_NS + fractions * (_SECOND_NS // interface.ticks_per_second),
        np.full(count, interface.link_type, np.int32),
        np.zeros(count, np.int32),
    )


class PcapWriter:
    """Writes packets to an open binary file: nanoseconds and Ethernet unless told otherwise."""

    def __init__(
        self, file: BinaryIO, *, link_type: int = ETHERNET, snaplen: int = SNAPLEN, nanoseconds: bool = True
    ) -> None:
        self._file = file
        self._snaplen = snaplen
        self._tick_ns = 1 if nanoseconds else 1000
        magic = 0xA1B2_3C4D if nanoseconds else 0xA1B2_C3D4
        file.write(struct.pack("<IHHiIII", magic, 2, 4, 0, 0, snaplen, link_type))

    def write(self, time_ns: int, data: bytes, length: int | None = None) -> None:
        """Append one packet with its time in nanoseconds since 1970; `length` on the wire, when not all is here."""
        seconds, fraction_ns = divmod(time_ns, _SECOND_NS)
        captured = data[: self._snaplen]
        header = (seconds & 0xFFFF_FFFF, fraction_ns // self._tick_ns, len(captured), length or len(data))
        self._file.write(struct.pack("<IIII", *header) + captured)


@contextmanager
def open_pcap(
    path: Path, *, link_type: int = ETHERNET, snaplen: int = SNAPLEN, nanoseconds: bool = True
) -> Iterator[PcapWriter]:
    """A writer whose file takes its name when the block ends well. Raises OSError."""
    with replacing(path) as file:
        yield PcapWriter(file, link_type=link_type, snaplen=snaplen, nanoseconds=nanoseconds)
