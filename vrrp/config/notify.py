"""The notify_* lines of instances and groups: what to run when the state changes, and as whom."""

from __future__ import annotations

from dataclasses import dataclass, field

from vrrp.config.diagnostics import Report, Voice, missing_parameter
from vrrp.config.language.words import unclosed
from vrrp.config.script_security import Identity, Runnable, ScriptUsers
from vrrp.config.settings import script_words
from vrrp.config.tree import Statement

NOTIFY_KEYWORDS = frozenset(
    {
        "notify",
        "notify_backup",
        "notify_deleted",
        "notify_fault",
        "notify_master",
        "notify_master_rx_lower_pri",
        "notify_stop",
    }
)


@dataclass(slots=True)
class Notifications:
    """What an instance or group has run: the first command of each keyword.

    Attributes:
        owner: what keepalived puts before a complaint: "(VI_1) " or "vrrp group G1: ".
        users: as whom scripts run that name nobody.
        report: takes the diagnostics.
        commands: keyword to command.
        named: keyword to "USER" or "USER GROUP", where the line names one.
        runs_as: keyword to who runs it.
        runnables: the same, with who runs them.
    """

    owner: str
    users: ScriptUsers
    report: Report
    commands: dict[str, str] = field(default_factory=dict)
    named: dict[str, str] = field(default_factory=dict)
    runs_as: dict[str, Identity] = field(default_factory=dict)
    runnables: list[Runnable] = field(default_factory=list)

    def read(self, statement: Statement) -> None:
        """Take a line in."""
        keyword = statement.keyword
        if not statement.arguments:
            # What stands behind an open quote is no argument, and yet not missing, unless it is to be named.
            if keyword != "notify_deleted" and (keyword in self.commands or self._says_nothing(statement)):
                self.report.stop(statement.line, missing_parameter(keyword))
            return
        if keyword in self.commands:
            what = keyword if keyword == "notify_deleted" else f"{keyword} script"
            self.report.warning(
                statement.line,
                f"{self.owner}{what} already specified - ignoring {statement.arguments[0]}",
                f"keepalived runs the first, {self.commands[keyword]}",
            )
            return
        words = script_words(statement, self.report)
        if not words or not words[0].strip():
            return
        named = words[1:]
        identity = self.users.named(named) if named else self.users.default(statement.line, self.report)
        if identity is None:
            if named:
                message = f"{self.owner}there is no user {' '.join(named)} to run {words[0]}"
                self.report.warning(statement.line, message, "keepalived does not run it", Voice.OURS)
            return
        self.commands[keyword] = words[0]
        if named:
            # What stands behind the group is not looked at.
            self.named[keyword] = " ".join(named[:2])
        self.runs_as[keyword] = identity
        self.runnables.append(Runnable(words[0], "", statement.line, identity))

    def _says_nothing(self, statement: Statement) -> bool:
        """Whether no command stands behind the keyword, be it one that is not ended."""
        return not script_words(statement, self.report) and not unclosed(statement.text)
