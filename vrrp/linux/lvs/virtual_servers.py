"""The virtual servers of a daemon: checkers in, IPVS out, and who is told of what happens.

Scripts and FIFOs as keepalived 2.2.7 was measured to: a FIFO gets `VS [10.0.0.1]:tcp:80 UP` and `RS [10.0.0.2]:tcp:80
[10.0.0.1]:tcp:80 DOWN`, the general one too; a script runs as it is written, without further words.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Protocol

from vrrp.config.model import KeepalivedConfig
from vrrp.config.script_security import ROOT, Identity
from vrrp.config.values import Address
from vrrp.linux.checks.runner import CheckRunner
from vrrp.linux.child import Children, Command
from vrrp.linux.fifos import Fifos
from vrrp.linux.lvs.ipvs import Ipvs
from vrrp.linux.lvs.messages import Change, command_line
from vrrp.linux.made_fifos import MadeFifos
from vrrp.linux.vetting import allowed
from vrrp.lvs.balancer import Balancer
from vrrp.lvs.effects import Effect, Effects, QuorumChanged, RemoveService, Said, ServerChanged
from vrrp.lvs.target import CheckKey, CheckPlan
from vrrp.protocol import effects as protocol
from vrrp.protocol.state import State
from vrrp.protocol.virtual_router import VirtualRouter

if TYPE_CHECKING:
    from vrrp.linux.daemon import Daemon

log = logging.getLogger("vrrp.lvs")

PATIENCE_S = 1.0
"""How long the last scripts have to end, as those of virtual routers."""
_FIFOS = {"lvs_notify_fifo": "lvs_notify_fifo_script", "notify_fifo": None}
"""The FIFOs that hear of virtual servers, and what reads each; the general one's reader is the virtual routers'."""
_FLUSH, _TELL_NEW = "lvs_flush", "rs_init_notifies"
_FLUSH_ON_STOP = frozenset({"lvs_flush_on_stop", "lvs_flush_onstop"})
_UP = {True: "UP", False: "DOWN"}


class Programmable(Protocol):
    """IPVS, or what stands in for it."""

    def carry_out(self, change: Change) -> None:
        """Make a change."""

    def flush(self) -> None:
        """Have no services at all."""

    def close(self) -> None:
        """Let it go."""


class VirtualServers:
    """The service that runs them.

    Args:
        made: which FIFOs are ours to remove.
        ipvs: opens this kernel's IPVS; OSError where there is none.
    """

    def __init__(self, made: MadeFifos, ipvs: Callable[[], Programmable] = Ipvs) -> None:
        self._made = made
        self._open = ipvs
        self._ipvs: Programmable | None = None
        self._missed = False
        self._balancer = Balancer(())
        self._scripts: dict[tuple[str, Identity], Command] = {}

    async def start(self, daemon: Daemon) -> None:
        """Begin to balance and to check. OSError or ValueError for a FIFO or an SSL block that cannot be used."""
        self._daemon = daemon
        self._children = Children(asyncio.get_running_loop())
        self._fifos = Fifos(self._children, self._made, _FIFOS)
        config = daemon.config.config
        servers, groups = config.virtual_servers, config.virtual_server_groups
        self._balancer = Balancer(servers, groups, _has(config, _TELL_NEW), self._addresses())
        self._runner = CheckRunner(self._plan(config), self._report)
        await asyncio.sleep(0)  # the log has its own first line to write
        self._read(config)
        if self._ipvs is not None and _has(config, _FLUSH):
            self._ipvs.flush()
        self._perform(self._balancer.start(time.monotonic_ns()))
        self._runner.start()
        daemon.listeners.append(self._listen)
        daemon.reloaded.append(self._read_again)
        daemon.reports["virtual_servers"] = lambda: list(self._virtual_servers())
        daemon.reports["real_servers"] = lambda: list(self._real_servers())
        daemon.reports["checks"] = self._runner.rows

    async def stop(self) -> None:
        """Take from IPVS what was put there, and give the last scripts a second."""
        await self._runner.stop()
        self._perform(self._last(self._balancer.stop(time.monotonic_ns())))
        self._fifos.close()
        await self._children.close(PATIENCE_S)
        if self._ipvs is not None:
            self._ipvs.close()

    def _last(self, effects: Effects) -> Effects:
        """What is done in the end: less where IPVS is flushed (keepalived, measured)."""
        options = self._daemon.config.config.globals.options
        flush = next((one.text for one in options if one.keyword in _FLUSH_ON_STOP), None)
        if flush is None:
            return effects
        if not flush and self._ipvs is not None:
            self._ipvs.flush()
        kept = (QuorumChanged, RemoveService) if flush else QuorumChanged
        return tuple(effect for effect in effects if isinstance(effect, kept))

    def _plan(self, config: KeepalivedConfig) -> CheckPlan:
        return CheckPlan.of(config, self._balancer.checked)

    def _read(self, config: KeepalivedConfig) -> None:
        fifos = config.globals.runnables if config.virtual_servers else {}
        self._fifos.open(fifos, config.globals.enable_script_security)
        self._scripts = dict(_scripts(config))
        if config.virtual_servers and self._ipvs is None and not self._missed:
            try:
                self._ipvs = self._open()
            except OSError as error:
                self._missed = True
                why = "this kernel has no IPVS" if error.errno == errno.ENOENT else f"IPVS: {error.strerror}"
                log.warning("%s: what it would be told is only logged", why)

    def _read_again(self) -> None:
        config = self._daemon.config.config
        self._read(config)
        now_ns = time.monotonic_ns()
        servers, groups = config.virtual_servers, config.virtual_server_groups
        self._perform(self._balancer.reload(now_ns, servers, groups, _has(config, _TELL_NEW)))
        self._check()

    def _check(self) -> None:
        try:
            self._runner.reload(self._plan(self._daemon.config.config))
        except (ValueError, OSError) as error:
            log.error("%s; the checkers go on as they were", error)

    # What happens ---------------------------------------------------------------------------------------

    def _report(self, now_ns: int, key: CheckKey, up: bool, weight: int | None, reason: str) -> None:
        self._perform(self._balancer.report(now_ns, key, up, weight))

    def _listen(self, now_ns: int, router: VirtualRouter | None, effect: protocol.Effect) -> None:
        """With ha_suspend, checkers rest where the address of their virtual server is not."""
        if isinstance(effect, protocol.AcquireAddresses | protocol.ReleaseAddresses):
            effects = self._balancer.set_addresses(self._addresses())
            if effects:
                self._perform(effects)
                self._check()

    def _addresses(self) -> frozenset[Address]:
        """The addresses of this machine: its own, and those that its virtual routers hold."""
        held = (one.served for one in self._daemon.router.virtual_routers if one.state is State.MASTER)
        packed = {address for each in (*self._daemon.kernel.interfaces.values(), *held) for address in each}
        return frozenset(map(ip_address, packed))

    # What is done ---------------------------------------------------------------------------------------

    def _perform(self, effects: Effects) -> None:
        for effect in effects:
            self._carry_out(effect)

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Said(message):
                log.info("%s", message)
            case ServerChanged(virtual, real, up, command, identity):
                self._tell(f"RS {real} {virtual} {_UP[up]}", command, identity)
            case QuorumChanged(virtual, up, command, identity):
                self._tell(f"VS {virtual} {_UP[up]}", command, identity)
            case _ if self._ipvs is not None:
                self._ipvs.carry_out(effect)
            case _:
                log.info("IPVS would be told: %s", command_line(effect))

    def _tell(self, line: str, command: str | None, identity: Identity) -> None:
        self._fifos.write(line)
        script = self._scripts.get((command or "", identity))
        if script is not None:
            self._children.begin(script)

    # What is shown --------------------------------------------------------------------------------------

    def _virtual_servers(self) -> Iterator[dict[str, Any]]:
        for pool in self._balancer.pools.values():
            sorry, sorry_serves = pool.sorry or ("", False)
            yield {
                "virtual_server": pool.label,
                "state": "up" if pool.has_quorum else "down",
                "scheduler": pool.server.scheduler,
                "weight": pool.weight,
                "quorum": pool.server.quorum,
                "serves": f"sorry server {sorry}" if sorry_serves else "real servers",
                "ipvs": self._ipvs is not None,
            }

    def _real_servers(self) -> Iterator[dict[str, Any]]:
        for pool in self._balancer.pools.values():
            for member in pool.members.values():
                yield {
                    "virtual_server": pool.label,
                    "real_server": member.label,
                    "state": "up" if member.alive else "down",
                    "method": member.server.forwarding.method,
                    "weight": member.weight,
                    "in_pool": member.held is not None,
                    "failing": f"{member.failing}/{len(member.server.checkers)}",
                }


def _has(config: KeepalivedConfig, keyword: str) -> bool:
    return any(one.keyword == keyword for one in config.globals.options)


def _scripts(config: KeepalivedConfig) -> Iterator[tuple[tuple[str, Identity], Command]]:
    """The commands that may be run, by what an effect names; what keeps others from it is logged."""
    for text, identity in dict.fromkeys(_commands(config)):
        command = Command.of(text, identity)
        if allowed(command, config.globals.enable_script_security):
            yield (text, identity), command


def _commands(config: KeepalivedConfig) -> Iterator[tuple[str, Identity]]:
    for virtual in config.virtual_servers:
        named = {"quorum_up": virtual.quorum_up, "quorum_down": virtual.quorum_down}
        yield from ((text, virtual.runs_as.get(keyword, ROOT)) for keyword, text in named.items() if text is not None)
        for real in virtual.real_servers:
            named = {"notify_up": real.notify_up, "notify_down": real.notify_down}
            yield from ((text, real.runs_as.get(keyword, ROOT)) for keyword, text in named.items() if text is not None)
