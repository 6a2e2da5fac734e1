"""A FIFO that lines are written to for whoever reads them (keepalived's notify_fifo and vrrp_notify_fifo)."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

from vrrp.config.script_security import Identity
from vrrp.linux.made_fifos import MadeFifos

log = logging.getLogger("vrrp.notify")


class Fifo:
    """Made where there is none, readable for `identity` alone, and then removed in the end (keepalived, measured).

    One that `made` says an earlier run left, which was killed, is treated as made here. Lines wait in it until
    somebody reads; when it is full, they are dropped, so that nobody's not reading holds up the daemon. OSError for
    what is no FIFO or cannot be made.
    """

    def __init__(self, path: str, identity: Identity, made: MadeFifos) -> None:
        self.path = Path(path)
        self._made = made
        self._ours = self._make(identity)
        # Opened for reading too: then it needs no reader to be opened, and keeps its lines between two of them.
        self._descriptor = os.open(self.path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
        if not stat.S_ISFIFO(os.fstat(self._descriptor).st_mode):
            os.close(self._descriptor)
            if self._ours:
                made.forget(self.path)
            raise FileExistsError(0, "this is no FIFO", path)
        self._full = False

    def _make(self, identity: Identity) -> bool:
        new = self._made.add(self.path)
        try:
            os.mkfifo(self.path, 0o600)
        except OSError as error:
            if new:
                self._made.forget(self.path)
            if not isinstance(error, FileExistsError):
                raise
            return self._made.take_over(self.path)
        if os.geteuid() == 0 and not identity.is_root:
            os.chown(self.path, identity.user, identity.group, follow_symlinks=False)
        return True

    def write(self, line: str) -> None:
        """Add a line, or drop it where there is no room."""
        try:
            os.write(self._descriptor, f"{line}\n".encode())
            self._full = False
        except BlockingIOError:
            if not self._full:
                log.warning("%s: nobody reads it, lines are dropped", self.path)
            self._full = True

    def close(self) -> None:
        """Write no more."""
        os.close(self._descriptor)
        if self._ours:
            self.path.unlink(missing_ok=True)
            self._made.forget(self.path)
