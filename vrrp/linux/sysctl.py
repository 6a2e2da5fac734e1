"""Settings of the kernel's (sysctl(8)) that are changed while a daemon runs, and put back when it ends."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from vrrp.linux.journal_file import JournalFile

log = logging.getLogger("vrrp.sysctl")

_ROOT = Path("/proc/sys/net")
_KIND = "sysctl"


class Sysctl:
    """What was changed. Settings are named by their path below /proc/sys/net, their values are text.

    Args:
        journal: where the earlier value of what is changed stands, in case of a crash.
        root: /proc/sys/net.
    """

    def __init__(self, journal: JournalFile, root: Path = _ROOT) -> None:
        self._journal = journal
        self._root = root
        self._changed: dict[str, tuple[str, str]] = {}
        """Setting -> what it was, and what it is to be."""
        for entry in journal.left_over:
            kind, *words = entry.split(" ")
            if kind == _KIND and len(words) == 3:
                setting, before, wanted = words
                self._changed[setting] = before, wanted

    def settle(self, wanted: Mapping[str, str]) -> None:
        """Have these settings, and all others as they were. OSError for one that cannot be made."""
        for setting in [one for one in self._changed if one not in wanted]:
            self._restore(setting)
        for setting, value in wanted.items():
            before = self.read(setting)
            if before is not None and before != value:
                known = self._changed.get(setting)
                was = known[0] if known is not None else before
                self._journal.add(_entry(setting, was, value))
                if known is not None and known != (was, value):
                    self._journal.strike(_entry(setting, *known))
                self._changed[setting] = was, value
                self.write(setting, value)

    def close(self) -> None:
        """Put everything back."""
        for setting in list(self._changed):
            self._restore(setting)

    def before(self, setting: str) -> str | None:
        """What a setting was before anything was changed; None where the kernel has none of this name."""
        changed = self._changed.get(setting)
        return changed[0] if changed is not None else self.read(setting)

    def names(self, pattern: str) -> list[str]:
        """The settings of a pattern (glob)."""
        return [str(path.relative_to(self._root)) for path in self._root.glob(pattern)]

    def read(self, setting: str) -> str | None:
        """What a setting is; None where the kernel has none of this name."""
        try:
            return (self._root / setting).read_text(encoding="ascii").strip()
        except OSError:
            return None

    def write(self, setting: str, value: str) -> None:
        """Change a setting for good: of an interface that is taken away again."""
        try:
            (self._root / setting).write_text(f"{value}\n", encoding="ascii")
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise OSError(error.errno, f"cannot set {self._root / setting} to {value}: {reason}") from error

    def _restore(self, setting: str) -> None:
        """What somebody else has changed since is left as it is; an interface that is gone took its settings along."""
        before, value = self._changed.pop(setting)
        if self.read(setting) == value:
            try:
                self.write(setting, before)
            except OSError as error:
                log.error("%s", error.strerror)
        self._journal.strike(_entry(setting, before, value))


def _entry(setting: str, before: str, value: str) -> str:
    return f"{_KIND} {setting} {before} {value}"
