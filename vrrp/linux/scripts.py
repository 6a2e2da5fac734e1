"""Track scripts, run for the router: what it asks for with `RunScript` and `KillScript`.

What an end means is keepalived's (2.2.7, measured): status 0 is success, any other and any signal is failure, and
a script that can no longer be begun, because its file is gone or not executable any more, counts as success. One that
is not executable when the daemon starts is never run. The verdicts are logged in keepalived's words.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING

from vrrp.linux.child import Child, Children, Command
from vrrp.linux.vetting import vet
from vrrp.protocol.effects import KillScript, RunScript

if TYPE_CHECKING:
    from vrrp.linux.daemon import Daemon

log = logging.getLogger("vrrp.scripts")


class ScriptRunner:
    """The service that runs the track scripts of a daemon."""

    def __init__(self) -> None:
        self._runs: dict[str, deque[Child]] = {}
        """The runs of each script that go on, the first begun first."""
        self._last: dict[str, int] = {}
        """What each script returned last."""
        self._told: dict[str, bool] = {}
        """The verdicts that were logged."""
        self._commands: dict[str, Command] = {}
        self._unrunnable: set[str] = set()

    async def start(self, daemon: Daemon) -> None:
        """Take over what the router asks of scripts."""
        self._daemon = daemon
        self._children = Children(asyncio.get_running_loop())
        daemon.handlers[RunScript] = lambda now_ns, router, effect: self._run(effect.name)
        daemon.handlers[KillScript] = lambda now_ns, router, effect: self._kill(effect.name)
        daemon.reloaded.append(self._read_again)
        self._read()

    async def stop(self) -> None:
        """End all that still run."""
        self._end_runs()
        await self._children.close(0)

    @property
    def running(self) -> Mapping[str, int]:
        """How many runs of each script go on."""
        return {name: len(runs) for name, runs in self._runs.items() if runs}

    def _read(self) -> None:
        scripts = self._daemon.config.config.scripts
        self._commands = {name: Command.of(script.command, script.identity) for name, script in scripts.items()}
        self._unrunnable = set()
        for name, command in self._commands.items():
            vetted = vet(command, self._daemon.config.config.globals.enable_script_security)
            if vetted.message:
                log.warning(vetted.message)
            if not vetted.runs:
                self._unrunnable.add(name)

    def _read_again(self) -> None:
        self._end_runs()
        self._read()

    def _end_runs(self) -> None:
        for runs in self._runs.values():
            for child in runs:
                child.kill()
        self._runs.clear()

    def _run(self, name: str) -> None:
        runs = self._runs.setdefault(name, deque())
        if name in self._unrunnable:
            return
        if runs:
            log.info("Track script %s is already running, expect idle - skipping run", name)
        try:
            child = self._children.run(self._commands[name], lambda status: self._ended(name, child, status))
        except OSError as error:
            log.error("Script `%s` cannot be run: %s", name, (error.strerror or str(error)).lower())
            asyncio.get_running_loop().call_soon(self._judge, name, 0)
            return
        runs.append(child)

    def _kill(self, name: str) -> None:
        """The router has judged already; what becomes of the run is of no interest."""
        runs = self._runs.get(name)
        if runs:
            runs.popleft().kill()
        self._tell(name, "timed_out")

    def _ended(self, name: str, child: Child, status: int) -> None:
        runs = self._runs.get(name, ())
        if child in runs:
            self._runs[name].remove(child)
            self._judge(name, status)

    def _judge(self, name: str, status: int) -> None:
        if name not in self._commands:  # the configuration was changed since
            return
        if status >= 0 and status != self._last.get(name, 0):
            log.info("Script `%s` now returning %d", name, status)
        self._last[name] = status
        router = self._daemon.router
        self._daemon.learn(lambda now_ns: router.script_finished(now_ns, name, not status))
        self._tell(name, _outcome(status))

    def _tell(self, name: str, outcome: str) -> None:
        script = self._daemon.router.scripts[name]
        if script.up is not None and script.results and script.up is not self._told.get(name):
            self._told[name] = script.up
            log.info("VRRP_Script(%s) %s", name, outcome)


def _outcome(status: int) -> str:
    if not status:
        return "succeeded"
    return f"failed (due to signal {-status})" if status < 0 else f"failed (exited with status {status})"
