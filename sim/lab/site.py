"""Where a laboratory stands: its folder, its lock, and the names of its namespaces; and what a killed one left.

A laboratory holds the lock of its folder as long as it lives, however it ends. So whoever gets the lock of another's
folder knows that nobody is there any more, and clears away what is named after it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sim.lab.namespace import NAMED, Namespace

SITES = Path("/run/vrrp-lab")
FRR_FOLDER = Path("/var/run/frr")
"""FRR's daemons keep their sockets below this, in a folder named after their namespace (their option -N)."""


class Site:
    """The place of one laboratory. `folder` is for whatever its programs need; others may read it, not write."""

    def __init__(self, folder: Path, lock: IO[str]) -> None:
        self.folder = folder
        self._lock = lock
        self._names: set[str] = set()

    def namespace(self, label: str) -> Namespace:
        """A namespace of a name that nobody else has, after the label; it is not made yet."""
        plain = re.sub(r"[^A-Za-z0-9_-]", "_", label)[:60]
        name, number = plain, 1
        while name in self._names:
            number += 1
            name = f"{plain}-{number}"
        self._names.add(name)
        return Namespace(f"{_prefix(self.folder)}{name}")

    def clear(self) -> None:
        """Remove everything that is named after this site."""
        _clear(self.folder)
        self._lock.close()


def open_site() -> tuple[Site, list[str]]:
    """A new site, and one line for each that a killed laboratory left and that was cleared away. OSError."""
    SITES.mkdir(parents=True, exist_ok=True)
    with _alone():
        left = [line for folder in sorted(SITES.glob("[0-9]*")) if (line := _sweep(folder)) is not None]
        folder = SITES / str(os.getpid())
        folder.mkdir(mode=0o755)
        folder.chmod(0o755)  # whatever the umask: scripts may run as another user
        lock = (folder / "lock").open("w", encoding="ascii")
        fcntl.flock(lock, fcntl.LOCK_EX)
    return Site(folder, lock), left


@contextmanager
def _alone() -> Iterator[None]:
    """One at a time: a folder without a lock is not taken for one that somebody is about to lock."""
    with (SITES / "lock").open("w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _sweep(folder: Path) -> str | None:
    """Clear a folder whose laboratory is gone."""
    try:
        with (folder / "lock").open("a", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return None
    except FileNotFoundError:
        pass  # killed between the two
    count = _clear(folder)
    return f"removed {count} namespaces that laboratory {folder.name} left when it was killed"


def _clear(folder: Path) -> int:
    """Remove the namespaces of a site with their processes, FRR's folders, and the site's own; how many namespaces."""
    prefix = _prefix(folder)
    names = [path.name for path in NAMED.glob(f"{prefix}*")]
    for name in names:
        Namespace(name).destroy()
    for path in FRR_FOLDER.glob(f"{prefix}*"):
        shutil.rmtree(path, ignore_errors=True)
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(folder)
    return len(names)


def _prefix(folder: Path) -> str:
    return f"vrrplab{folder.name}-"
