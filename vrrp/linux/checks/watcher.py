"""Checks that virtual routers follow (`track_check`): what is found is told to the router."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from vrrp.config.model import KeepalivedConfig
from vrrp.config.router_config import check_name
from vrrp.linux.checks.runner import CheckRunner
from vrrp.lvs.checking import Checking
from vrrp.lvs.target import CheckKey, CheckPlan

if TYPE_CHECKING:
    from vrrp.linux.daemon import Daemon

log = logging.getLogger("vrrp.checks")

HEADING = "tracked_checks"
_NO_SERVERS = frozenset({"virtual_server", "index"})


class CheckWatcher:
    """The service that runs the checks of a daemon that virtual routers follow.

    ValueError or OSError for an SSL block that cannot be used.
    """

    async def start(self, daemon: Daemon) -> None:
        """Begin; a check counts as up until it was found to be down, unless it has `alpha`."""
        self._daemon = daemon
        self._runner = CheckRunner(CheckPlan.of_checks(daemon.config.config), self.report)
        self._tell()
        self._runner.start()
        self._show()
        daemon.reloaded.append(self._reload)

    async def stop(self) -> None:
        """End all of them."""
        await self._runner.stop()

    def _reload(self) -> None:
        try:
            self._runner.reload(CheckPlan.of_checks(self._daemon.config.config))
        except (OSError, ValueError) as error:
            log.error("SSL: %s; the checks go on as they were", error)
        self._tell()
        self._show()

    def _show(self) -> None:
        """A table where there is something in it."""
        if self._runner.checkings:
            self._daemon.reports[HEADING] = self._rows
        else:
            self._daemon.reports.pop(HEADING, None)

    def _rows(self) -> list[dict[str, Any]]:
        rows = self._runner.rows()
        return [
            {"name": row.pop("real_server")} | {key: row[key] for key in row if key not in _NO_SERVERS} for row in rows
        ]

    def _tell(self) -> None:
        """Of each how it is now, for the router begins with all up."""
        config: KeepalivedConfig = self._daemon.config.config
        known = {one.target.key.real_server: one.up for one in self._runner.checkings}
        for name, check in config.checks.items():
            self._set(name, known.get(name, not check.checker.alpha))

    @property
    def checkings(self) -> tuple[Checking, ...]:
        """The checks that are run."""
        return self._runner.checkings

    def report(self, now_ns: int, key: CheckKey, up: bool, weight: int | None, reason: str) -> None:
        """A check has another verdict."""
        if key.real_server in self._daemon.config.config.checks:  # the configuration was not changed since
            self._set(key.real_server, up)

    def _set(self, name: str, up: bool) -> None:
        router = self._daemon.router
        self._daemon.learn(lambda now_ns: router.set_process_count(now_ns, check_name(name), int(up)))
