"""Which FIFOs this run made, or one before it that was killed: they are removed in the end, others' are not."""

from __future__ import annotations

import logging
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from vrrp.linux.journal_file import JournalFile

if TYPE_CHECKING:
    from vrrp.linux.daemon import Daemon

log = logging.getLogger("vrrp.notify")

KEYWORDS = ("notify_fifo", "vrrp_notify_fifo", "lvs_notify_fifo")
"""What names a FIFO in global_defs."""
_PLACE = "vrrp fifos"
"""A file outlives the boot, and is the same in every network namespace."""


class MadeFifos:
    """The service that knows them. It starts before those that write to FIFOs, and stops after them.

    What an earlier run made and the configuration still names is ours again and stays where it is, so that whoever
    waits for its next line waits on; the others are removed at the start.

    Args:
        folder: the state directory, in which it is written down, in case of a crash.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "fifos"
        self._ours: set[Path] = set()
        self._left_over: set[Path] = set()
        """Those of an earlier run that nobody has taken over yet."""

    async def start(self, daemon: Daemon) -> None:
        """Look at what was left. OSError where nothing can be written down."""
        self._journal = JournalFile(self._file, place=_PLACE)
        self._ours = {_path(entry) for entry in self._journal.left_over}
        self._left_over = set(self._ours)
        runnables = daemon.config.config.globals.runnables
        named = {Path(runnables[one].command).absolute() for one in KEYWORDS if one in runnables}
        self._remove(self._left_over - named)

    async def stop(self) -> None:
        """Remove what an earlier run made and nobody took over."""
        self._remove(self._left_over)
        self._journal.close()

    def add(self, path: Path) -> bool:
        """This one is about to be made; False where it is ours already."""
        whole = path.absolute()
        if whole in self._ours:
            return False
        self._ours.add(whole)
        self._journal.add(_entry(whole))
        return True

    def take_over(self, path: Path) -> bool:
        """Whether an earlier run made it, and nobody in this one has asked before."""
        found = path.absolute() in self._left_over
        self._left_over.discard(path.absolute())
        return found

    def forget(self, path: Path) -> None:
        """This one is gone, or another's."""
        whole = path.absolute()
        self._left_over.discard(whole)
        self._ours.discard(whole)
        self._journal.strike(_entry(whole))

    def _remove(self, paths: Iterable[Path]) -> None:
        for path in sorted(paths):
            try:
                if stat.S_ISFIFO(path.lstat().st_mode):
                    path.unlink()
                    log.warning("removing the FIFO %s, which an earlier run left", path)
            except FileNotFoundError:
                pass  # somebody was faster
            except (OSError, ValueError) as error:
                log.error("cannot remove the FIFO %s: %s", path, error)
            self.forget(path)


def _entry(path: Path) -> str:
    """One word, whatever the path has in it."""
    return quote(str(path), errors="surrogateescape")


def _path(entry: str) -> Path:
    return Path(unquote(entry, errors="surrogateescape"))
