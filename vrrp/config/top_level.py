"""The words that stand outside of all blocks: what the parent process is to do."""

from __future__ import annotations

from vrrp.config.diagnostics import Report
from vrrp.config.host import Host
from vrrp.config.kinds import Flag, Kind, Value, Whole, Word, take
from vrrp.config.tree import Statement

TOP_LEVEL: dict[str, Kind] = {
    "child_wait_time": Whole(complaint="Invalid child_wait_time {value}"),
    "instance": Word("instance name missing - ignoring", again="Duplicate instance definition {value} - ignoring"),
    "linkbeat_use_polling": Flag(),
    "namespace_with_ipsets": Flag(),
    "net_namespace": Word(
        "net_namespace name missing - ignoring", again="Duplicate net_namespace definition {value} - ignoring"
    ),
    "net_namespace_ipvs": Word(
        "net_namespace_ipvs name missing - ignoring",
        again="Duplicate net_namespace_ipvs definition {value} - ignoring",
    ),
    "use_pid_dir": Flag(),
}


class TopLevel:
    """Reads them.

    Args:
        host: the machine.
        report: takes the diagnostics.
    """

    def __init__(self, host: Host, report: Report) -> None:
        self._host = host
        self._report = report
        self._values: dict[str, Value] = {}
        self._lines: dict[str, int] = {}

    def read(self, statement: Statement) -> None:
        """Take one line in."""
        take(statement, TOP_LEVEL[statement.keyword], self._values, self._report)
        if statement.keyword in self._values:
            self._lines.setdefault(statement.keyword, statement.line)

    def enter_namespace(self) -> None:
        """Before anything is run keepalived goes into its network namespace, or ends when there is none."""
        name = self._values.get("net_namespace")
        if isinstance(name, str) and not self._host.has_network_namespace(name):
            line, message = self._lines["net_namespace"], f"there is no network namespace {name}"
            self._report.leave(line, message, "keepalived does not start, and says nothing more")
