"""Reading captures: which format it is, and a stream of batches out of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vrrp.capture.packet import Batch, Ending, Interface, Packet
from vrrp.capture.pcap import MAGICS, read_pcap
from vrrp.capture.pcapng import SECTION_HEADER, read_pcapng
from vrrp.capture.source import open_source

_OTHERS = {
    b"\xa1\xb2\xcd\x34": "a pcap file of Linux's old patched libpcap; `editcap -F pcap` converts it",
    b"\x34\xcd\xb2\xa1": "a pcap file of Linux's old patched libpcap; `editcap -F pcap` converts it",
    b"snoo": "a snoop file; `editcap -F pcap` converts it",
    b"\x28\xb5\x2f\xfd": "compressed with zstd; decompress it first",
    b"\xfd7zX": "compressed with xz; decompress it first",
    b"BZh9": "compressed with bzip2; decompress it first",
    b"PK\x03\x04": "a zip file; unpack it first",
}


class Capture:
    """An open capture: iterate it once, by `batches` or packet by packet.

    `interfaces` grows while it is read: a pcap file has one, a pcapng file any number. Once the iteration came to
    its end, `damage` is None or one line saying at which byte the file stops making sense; what stood before it was
    read.
    """

    def __init__(
        self, name: str, batches: Iterator[Batch], interfaces: list[Interface], ending: Ending | None = None
    ) -> None:
        self.name = name
        self.interfaces = interfaces
        self._ending = ending or Ending()
        self._batches = batches

    @property
    def damage(self) -> str | None:
        """Why and where the reading ended early."""
        return self._ending.damage

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
    with open_source(path) as source:
        magic = source.peek(4)
        interfaces: list[Interface] = []
        ending = Ending()
        if magic in MAGICS:
            batches = read_pcap(source, interfaces, ending)
        elif magic == SECTION_HEADER:
            batches = read_pcapng(source, interfaces, ending)
        elif not magic:
            raise CaptureError("empty; a capture begins with a header")
        else:
            what = _OTHERS.get(magic, f"not a capture: begins with {magic.hex(' ')}")
            raise CaptureError(f"{what} (pcap and pcapng are read, gzip too)")
        yield Capture(str(path), batches, interfaces, ending)
