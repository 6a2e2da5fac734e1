"""What runs beside the virtual routers in a daemon: script runners, checkers, the control socket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from vrrp.linux.daemon import Daemon


class Service(Protocol):
    """Something that a daemon starts with itself and stops before it ends.

    It hooks itself into the daemon when it is started (`Daemon.listeners`, `Daemon.handlers`, `Daemon.reloaded`,
    `Daemon.learn`). The services start, in their order, before the router does, and stop in the reverse order.
    """

    async def start(self, daemon: Daemon) -> None:
        """Begin. ValueError or OSError for what keeps the daemon from starting, told in one line."""

    async def stop(self) -> None:
        """End, and leave nothing behind."""
