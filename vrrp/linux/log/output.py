"""Where a daemon's log goes, and how a line looks: as keepalived's -l, one JSON object a line, or to syslog."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from logging.handlers import SysLogHandler
from pathlib import Path

from vrrp.words import printable

FORMATS = ("text", "json", "syslog")
_SYSLOG = Path("/dev/log")
_IDENT = "vrrp"


def set_up(form: str) -> None:
    """Send everything that is logged there, from now on; `form` is one of FORMATS. OSError: there is no syslog."""
    if form == "syslog":
        if not _SYSLOG.exists():
            raise FileNotFoundError(2, "there is no syslog to log to", str(_SYSLOG))
        handler: logging.Handler = SysLogHandler(str(_SYSLOG), SysLogHandler.LOG_DAEMON)
        handler.setFormatter(_Plain(f"{_IDENT}[{os.getpid()}]: "))
    else:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_Json() if form == "json" else _Plain(dated=not _in_journal()))
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.INFO)


def _in_journal() -> bool:
    """Whether standard error goes to systemd's journal, which dates lines itself (systemd.exec(5))."""
    try:
        found = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


class _Plain(logging.Formatter):
    """A phrase; before it what keepalived puts there when it logs to its standard error, unless a journal does."""

    def __init__(self, before: str = "", dated: bool = False) -> None:
        super().__init__()
        self._before = before
        self._dated = dated

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        date = f"{time.asctime(time.localtime(record.created))}: " if self._dated else ""
        return f"{date}{self._before}{printable(record.getMessage())}"


class _Json(logging.Formatter):
    """An object a line: `time` (UTC), `level`, `event`, `instance`, `message`, and what belongs to the event."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line = getattr(record, "event", None)
        said = {
            "time": f"{moment}.{int(record.created % 1 * 1_000_000):06d}Z",
            "level": record.levelname.lower(),
            "event": "message" if line is None else line.event,
            "instance": None if line is None else line.instance,
            "message": record.getMessage() if line is None else line.message,
        }
        return json.dumps(said | ({} if line is None else line.fields))
