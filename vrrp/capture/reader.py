"""Reading captures: which format it is, and a stream of batches out of it."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from vrrp.capture.packet import Batch, Interface, Packet


class Capture:
    """An open capture: iterate it once, by `batches` or packet by packet.

    `interfaces` grows while a pcapng file is read. `damage` is None, or, once iteration came to its end, one
    line saying at which byte the file stops making sense; what stood before it was read.
    """

    def __init__(self, name: str, batches: Iterator[Batch], interfaces: list[Interface]) -> None:
        self.name = name
        self.interfaces = interfaces
        self.damage: str | None = None
        self._batches = batches

    def batches(self) -> Iterator[Batch]:
        """The packets in their order, many at a time."""
        return self._batches

    def __iter__(self) -> Iterator[Packet]:
        for batch in self._batches:
            yield from batch


class CaptureError(ValueError):
    """A file that is no capture at all; the message is one line for people, without the file's name."""


@contextmanager
def open_capture(path: Path) -> Iterator[Capture]:
    """The capture in a file, gzip or not; "-" is standard input. Raises OSError and CaptureError."""
    data = path.read_bytes()  # TODO: streaming; this is the interface only
    if data[:4] not in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1"):
        raise CaptureError("not a capture")
    nano = data[0] == 0x4D
    snaplen, link = struct.unpack_from("<II", data, 16)
    rows = []
    at = 24
    while at + 16 <= len(data):
        seconds, fraction, size, length = struct.unpack_from("<IIII", data, at)
        rows.append((at + 16, size, length, seconds * 10**9 + fraction * (1 if nano else 1000)))
        at += 16 + size
    columns = np.array(rows, np.int64).reshape(-1, 4).T
    n = len(rows)
    batch = Batch(data, 1, columns[0], columns[1], columns[2], columns[3], np.full(n, link, np.int32), np.zeros(n, np.int32))
    yield Capture(str(path), iter([batch]), [Interface(link, snaplen, 10**9 if nano else 10**6)])
