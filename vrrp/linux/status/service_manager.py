"""Tells systemd how the daemon is: sd_notify(3)'s protocol, for units of Type=notify and with WatchdogSec=."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from vrrp.protocol.effects import Effect, StateChanged
from vrrp.protocol.state import State
from vrrp.protocol.virtual_router import VirtualRouter

if TYPE_CHECKING:
    from vrrp.linux.daemon import Daemon

_LONGEST_STATUS = 200


class ServiceManager:
    """The service that tells; it does nothing where no NOTIFY_SOCKET is in the environment."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        watched = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        usec = environment.get("WATCHDOG_USEC", "") if watched else ""
        self._alive_every_s = int(usec) / 2e6 if usec.isascii() and usec.isdigit() else 0.0

    async def start(self, daemon: Daemon) -> None:
        """Connect, and tell from now on. OSError when there is no such socket."""
        self._socket: socket.socket | None = None
        self._timer: asyncio.TimerHandle | None = None
        if not self._address:
            return
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)
        try:
            self._socket.connect(self._address.replace("@", "\0", 1) if self._address[0] == "@" else self._address)
        except OSError as error:
            self._socket.close()
            raise OSError(error.errno, error.strerror or str(error), f"NOTIFY_SOCKET {self._address}") from error
        self._daemon = daemon
        self._loop = asyncio.get_running_loop()
        self._ready = False
        self._telling = False
        daemon.listeners.append(self._acted)
        daemon.signals[signal.SIGHUP] = self._around_reload(daemon.signals[signal.SIGHUP])
        for number in (signal.SIGTERM, signal.SIGINT):
            daemon.signals[number] = self._before_stop(daemon.signals[number])

    async def stop(self) -> None:
        """Tell nothing more."""
        if self._socket is not None:
            self._tell("STOPPING=1")
            self._socket.close()
            self._socket = None
        if self._timer is not None:
            self._timer.cancel()

    def _acted(self, now_ns: int, virtual_router: VirtualRouter | None, effect: Effect) -> None:
        """A change of state; the first of all is that the router has started."""
        if type(effect) is StateChanged and not self._telling:
            self._telling = True
            self._loop.call_soon(self._tell_states)

    def _tell_states(self) -> None:
        self._telling = False
        status = f"STATUS={self._states()}"
        if self._ready:
            self._tell(status)
            return
        self._ready = True
        self._tell(f"READY=1\n{status}\nMAINPID={os.getpid()}")
        self._alive()

    def _states(self) -> str:
        """Who is what: FAULT is named first, because the line is cut."""
        by_state: dict[State, list[str]] = {State.FAULT: [], State.MASTER: [], State.BACKUP: [], State.INITIALIZE: []}
        for one in self._daemon.router.virtual_routers:
            by_state[one.state].append(one.config.name)
        said = "; ".join(f"{state.value}: {', '.join(names)}" for state, names in by_state.items() if names)
        return "".join(char if char.isprintable() else "?" for char in said)[:_LONGEST_STATUS]

    def _alive(self) -> None:
        """The loop runs: that is what the watchdog wants to know."""
        if self._alive_every_s:
            self._tell("WATCHDOG=1")
            self._timer = self._loop.call_later(self._alive_every_s, self._alive)

    def _around_reload(self, reload: Callable[[], None]) -> Callable[[], None]:
        def reloading() -> None:
            self._tell(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
            reload()
            self._tell(f"READY=1\nSTATUS={self._states()}")

        return reloading

    def _before_stop(self, stop: Callable[[], None]) -> Callable[[], None]:
        def stopping() -> None:
            self._tell("STOPPING=1")
            stop()

        return stopping

    def _tell(self, message: str) -> None:
        """A manager that does not listen must not hold up a router."""
        if self._socket is not None:
            try:
                self._socket.send(message.encode())
            except OSError:
                return
