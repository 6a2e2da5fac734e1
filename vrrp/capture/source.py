"""Where the bytes of a capture come from: a file, a pipe, standard input; compressed or not; never all at once."""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

CHUNK = 1 << 20
_GZIP = b"\x1f\x8b"


class Source:
    """A stream that hands out what is there, remembers where it is, and survives a damaged compression."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._pending = b""
        self.broken: str | None = None
        """Why the stream ended early: what the decompressor said."""

    def peek(self, size: int) -> bytes:
        """The first bytes, fewer at the end of the stream; they stay to be read."""
        while len(self._pending) < size:
            more = self._more(size)
            if not more:
                break
            self._pending += more
        return self._pending[:size]

    def read(self) -> bytes:
        """The next bytes: at least one, at most about `CHUNK`; empty at the end. Does not wait to fill a chunk."""
        if self._pending:
            chunk, self._pending = self._pending, b""
            return chunk
        return self._more(CHUNK)

    def _more(self, size: int) -> bytes:
        if self.broken is not None:
            return b""
        try:
            # read1 returns what a pipe holds now; raw reads of files and sockets do the same.
            read1 = getattr(self._file, "read1", self._file.read)
            return cast(bytes, read1(max(size, CHUNK)))
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            self.broken = f"the compressed data ends or is damaged here ({_lower(str(error))})"
            return b""


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """The bytes of a file, decompressed when it is gzip; "-" is standard input. Raises OSError."""
    if str(path) == "-":
        yield _decompressed(Source(sys.stdin.buffer))
        return
    with path.open("rb") as file:
        yield _decompressed(Source(file))


def _decompressed(source: Source) -> Source:
    if source.peek(2) != _GZIP:
        return source
    return Source(cast(BinaryIO, gzip.GzipFile(fileobj=cast(BinaryIO, _Reader(source)), mode="rb")))


class _Reader:
    """A source as the file object that gzip reads from."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        if not self._rest:
            self._rest = self._source.read()
        if size < 0:
            size = len(self._rest)
        data, self._rest = self._rest[:size], self._rest[size:]
        return data


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]
