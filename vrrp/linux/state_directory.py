"""The directory in which a running daemon keeps what others, or its successor, must know."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

USUAL = Path("/run/vrrp")


class InUseError(OSError):
    """Another daemon runs with this directory; the message says which process."""


@contextmanager
def state_directory(path: Path) -> Iterator[Path]:
    """Make the directory, for its owner alone, and hold it; `vrrp.pid` in it has this process' number.

    InUseError while another process holds it, OSError when it cannot be made.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    pid = path / "vrrp.pid"
    descriptor = os.open(pid, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    with os.fdopen(descriptor, "r+", encoding="ascii", errors="replace") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            who = file.read(20).strip() or "unknown"
            raise InUseError(f"{pid}: vrrp runs already, as process {who}") from error
        try:
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()}\n".encode())
        except OSError as error:
            pid.unlink(missing_ok=True)
            raise OSError(error.errno, error.strerror, str(pid)) from error
        try:
            yield path
        finally:
            pid.unlink(missing_ok=True)
