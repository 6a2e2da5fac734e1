"""What a run has put into the kernel, kept in a file, so that the next one can clean up after a crash.

One line for each thing put there or taken away, written before it is done: of a run that was killed, everything that
may still be there stands in the file. The first line says for which boot and network namespace it holds.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

log = logging.getLogger("vrrp.journal")

_LARGEST = 1 << 24
_SPARE = 256
"""So many lines that say nothing any more are left in the file before it is written anew."""


class JournalFile:
    """Entries (single words or more, no line ends) that hold until they are struck out.

    A file that cannot be read or is of another boot is taken for an empty one. OSError, which names the file, when it
    cannot be written at first; later, that is told once: what runs goes on, and only a crash leaves more behind.
    """

    def __init__(self, path: Path, *, place: str) -> None:
        self._path = path
        self._place = place
        self.left_over: tuple[str, ...] = tuple(self._read())
        """What the last run left, as far as is known."""
        self._entries = dict.fromkeys(self.left_over)
        self._lines = 0
        self._file: FileIO | None = None
        self._whole = True
        """Whether everything stands in the file."""
        try:
            self._write_anew()
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(path)) from error

    def add(self, entry: str) -> None:
        """This is about to be put there."""
        self._entries[entry] = None
        self._append(f"+ {entry}")

    def strike(self, entry: str) -> None:
        """This is there no longer."""
        if entry in self._entries:
            del self._entries[entry]
            self._append(f"- {entry}")

    def close(self) -> None:
        """Let go of the file; with nothing in it, it is removed."""
        if self._file is not None:
            self._file.close()
        if not self._entries:
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)

    def _append(self, line: str) -> None:
        try:
            if self._whole and self._file is not None:
                raw = f"{line}\n".encode()
                if self._file.write(raw) != len(raw):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                self._lines += 1
            if not self._whole or self._lines > _SPARE + 2 * len(self._entries):
                self._write_anew()
        except OSError as error:
            if self._whole:
                log.error("%s: %s; a crash now would leave more behind", self._path, (error.strerror or "").lower())
            self._whole = False

    def _write_anew(self) -> None:
        """Leaves the file as it is when that cannot be done."""
        draft = self._path.with_suffix(".new")
        try:
            draft.write_text("".join(f"{line}\n" for line in (self._place, *(f"+ {one}" for one in self._entries))))
            draft.replace(self._path)
        except OSError:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
            raise
        if self._file is not None:
            self._file.close()
        self._file = self._path.open("ab", buffering=0)
        self._lines = len(self._entries)
        self._whole = True

    def _read(self) -> Iterator[str]:
        entries: dict[str, None] = {}
        with contextlib.suppress(OSError, UnicodeDecodeError):
            if self._path.stat().st_size <= _LARGEST:
                place, *lines = self._path.read_text(encoding="utf-8").splitlines() or [""]
                for line in lines if place == self._place else ():
                    if line.startswith("+ "):
                        entries[line[2:]] = None
                    else:
                        entries.pop(line[2:], None)
        yield from entries


def here() -> str:
    """This boot and this network namespace; what is in the kernel of another is nothing to us."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"vrrp {boot} {Path('/proc/self/ns/net').stat().st_ino}"
