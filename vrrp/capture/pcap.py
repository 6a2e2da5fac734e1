"""Writing pcap files, with nanoseconds: magic a1b23c4d, Ethernet, the writing machine's byte order fixed to little.

(libpcap's savefile format.) The file appears under its name only when it is whole.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from vrrp.whole_file import replacing

_MAGIC_NANOSECONDS = 0xA1B23C4D
_ETHERNET = 1
SNAPLEN = 262_144
"""tcpdump's own default."""
_SECOND_NS = 1_000_000_000


class PcapWriter:
    """Writes frames to an open binary file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        file.write(struct.pack("<IHHiIII", _MAGIC_NANOSECONDS, 2, 4, 0, 0, SNAPLEN, _ETHERNET))

    def write(self, time_ns: int, frame: bytes) -> None:
        """Append one Ethernet frame with its time in nanoseconds since 1970."""
        seconds, fraction_ns = divmod(time_ns, _SECOND_NS)
        captured = frame[:SNAPLEN]
        self._file.write(struct.pack("<IIII", seconds, fraction_ns, len(captured), len(frame)) + captured)


@contextmanager
def open_pcap(path: Path) -> Iterator[PcapWriter]:
    """A writer whose file takes its name when the block ends well. Raises OSError."""
    with replacing(path) as file:
        yield PcapWriter(file)
