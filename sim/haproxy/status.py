"""What a check found: HAProxy's check statuses (`check_status` of `show stat`), and one result as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """What a status means for the health of a server."""

    PASSED = "passed"
    CONDITIONAL = "passed, but no new clients"
    FAILED = "failed"
    NEUTRAL = "says nothing"


class Status(Enum):
    """`check_status`; the value is `check_desc`, `name` the column's text."""

    INI = "Initializing"
    CHECKED = "No status change"
    SOCKERR = "Socket error"
    L4OK = "Layer4 check passed"
    L4TOUT = "Layer4 timeout"
    L4CON = "Layer4 connection problem"
    L6OK = "Layer6 check passed"
    L6TOUT = "Layer6 timeout"
    L6RSP = "Layer6 invalid response"
    L7OK = "Layer7 check passed"
    L7OKC = "Layer7 check conditionally passed"
    L7TOUT = "Layer7 timeout"
    L7RSP = "Layer7 invalid response"
    L7STS = "Layer7 wrong status"
    HANA = "Health analyze"

    @property
    def verdict(self) -> Verdict:
        """What it means for the server's health."""
        return _VERDICTS.get(self, Verdict.FAILED)


_VERDICTS = {
    Status.INI: Verdict.NEUTRAL,
    Status.CHECKED: Verdict.NEUTRAL,
    Status.L4OK: Verdict.PASSED,
    Status.L6OK: Verdict.PASSED,
    Status.L7OK: Verdict.PASSED,
    Status.L7OKC: Verdict.CONDITIONAL,
}


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How one check ended, `duration_ns` after it began.

    `code` is that of HTTP (or SMTP …), or None; `text` is `last_chk`.
    """

    status: Status
    code: int | None = None
    text: str = ""
    duration_ns: int = 0
