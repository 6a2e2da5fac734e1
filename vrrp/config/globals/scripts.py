"""What global_defs has keepalived run: scripts at its start and end, FIFOs and the scripts that read them."""

from __future__ import annotations

from vrrp.config.diagnostics import Report
from vrrp.config.kinds import IGNORED
from vrrp.config.script_security import Identity, Runnable, ScriptUsers
from vrrp.config.settings import script_words
from vrrp.config.tree import Statement

START_AND_END = frozenset({"startup_script", "shutdown_script"})
FIFOS = frozenset({"notify_fifo", "vrrp_notify_fifo", "lvs_notify_fifo"})
_VRRP_FIFO_SCRIPTS = frozenset({"notify_fifo_script", "vrrp_notify_fifo_script"})


class GlobalScripts:
    """The scripts and FIFOs of global_defs.

    Args:
        users: as whom they run.
        report: takes the diagnostics.

    Attributes:
        found: scripts and FIFOs by keyword; the `command` of a FIFO is its path.
    """

    def __init__(self, users: ScriptUsers, report: Report) -> None:
        self.users = users
        self._report = report
        self.found: dict[str, Runnable] = {}

    def start_and_end(self) -> list[Runnable]:
        """startup_script and shutdown_script, which the parent looks at."""
        return [one for keyword, one in self.found.items() if keyword in START_AND_END]

    def vrrp_fifo_scripts(self) -> list[Runnable]:
        """What reads the FIFOs of the VRRP process, which looks at it."""
        return [one for keyword, one in self.found.items() if keyword in _VRRP_FIFO_SCRIPTS]

    def read(self, statement: Statement) -> None:
        """Take one line in."""
        if statement.keyword == "script_user":
            self._default_user(statement)
        elif statement.keyword in START_AND_END:
            self._script(statement)
        elif statement.keyword in FIFOS:
            self._fifo(statement)
        else:
            self._fifo_script(statement)

    def _default_user(self, statement: Statement) -> None:
        if not statement.arguments:
            self._report.warning(statement.line, "No script username specified", IGNORED)
        elif not self.users.set_default(statement.arguments):
            self._report.warning(statement.line, "Error setting global script uid/gid", IGNORED)

    def _identity(self, statement: Statement, words: tuple[str, ...]) -> Identity | None:
        return self.users.named(words) if words else self.users.default(statement.line, self._report)

    def _script(self, statement: Statement) -> None:
        about = statement.keyword.replace("_", " ")
        if not statement.arguments:
            self._report.warning(statement.line, f"{about} missing", IGNORED)
            return
        if statement.keyword in self.found:
            self._report.warning(statement.line, f"{about} already specified", "keepalived runs the first")
            return
        words = script_words(statement, self._report)
        identity = self._identity(statement, words[1:]) if words and words[0].strip() else None
        if identity is None:
            self._report.warning(statement.line, f"Invalid {about}", IGNORED)
            return
        self.found[statement.keyword] = Runnable(words[0], "", statement.line, identity)

    def _fifo(self, statement: Statement) -> None:
        keyword = statement.keyword
        if not statement.arguments:
            self._report.warning(statement.line, f"No {keyword} name specified", IGNORED)
        elif keyword in self.found:
            self._again(statement, statement.arguments[0])
        else:
            identity = self._identity(statement, statement.arguments[1:])
            if identity is not None:
                self.found[keyword] = Runnable(statement.arguments[0], "", statement.line, identity)

    def _fifo_script(self, statement: Statement) -> None:
        keyword = statement.keyword
        if not statement.arguments:
            self._report.warning(statement.line, f"No {keyword} specified", IGNORED)
            return
        if keyword in self.found:
            self._again(statement, statement.arguments[0])
            return
        words = script_words(statement, self._report)
        identity = self._identity(statement, words[1:]) if words and words[0].strip() else None
        if identity is not None:
            self.found[keyword] = Runnable(words[0], "", statement.line, identity)

    def _again(self, statement: Statement, what: str) -> None:
        message = f"{statement.keyword} already specified - ignoring {what}"
        self._report.warning(statement.line, message, "keepalived uses the first")
