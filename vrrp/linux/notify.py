"""What is told to others when a state changes: the notify scripts, and the lines of the notify FIFOs.

As keepalived 2.2.7 was measured to: a notify_<state> script runs as it is written; the `notify` script after it with
four more words: INSTANCE or GROUP, the name, the state and the priority, which for a group is 0. A FIFO gets the same
four, the name in quotes. A group is told of before its members when it starts, afterwards when the last of them has
moved. A changed priority, where it is asked for, is a line of the FIFOs and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from vrrp.config.model import SyncGroup, VrrpInstance
from vrrp.config.script_security import ROOT
from vrrp.linux.child import Children, Command
from vrrp.linux.fifos import Fifos
from vrrp.linux.made_fifos import MadeFifos
from vrrp.linux.vetting import allowed
from vrrp.protocol.effects import Effect, PriorityChanged, StateChanged
from vrrp.protocol.state import State
from vrrp.protocol.validation import Discard
from vrrp.protocol.virtual_router import VirtualRouter
from vrrp.wire.frame import Datagram

if TYPE_CHECKING:
    from vrrp.linux.daemon import Daemon

PATIENCE_S = 1.0
"""How long the last scripts have to end (keepalived, measured)."""
INSTANCE, GROUP = "INSTANCE", "GROUP"
GROUP_PRIORITY = 0
_FIFOS = {"notify_fifo": "notify_fifo_script", "vrrp_notify_fifo": "vrrp_notify_fifo_script"}
"""The FIFOs that hear of virtual routers, and what reads each."""
_PRIORITIES, _OWN_PRIORITIES = "vrrp_notify_priority_changes", "notify_priority_changes"
_WITH_PRIORITIES = frozenset({"MASTER", "BACKUP"})
_DELETED, _LOWER = "DELETED", "MASTER_RX_LOWER_PRI"
_WORDS = {State.MASTER: "MASTER", State.BACKUP: "BACKUP", State.FAULT: "FAULT", State.INITIALIZE: "STOP"}
_KEYWORDS = {
    "MASTER": "notify_master",
    "BACKUP": "notify_backup",
    "FAULT": "notify_fault",
    "STOP": "notify_stop",
    _DELETED: "notify_deleted",
    _LOWER: "notify_master_rx_lower_pri",
}
"""The script of each state that is told."""


class Told(NamedTuple):
    """Who is told of, INSTANCE or GROUP, and what its configuration has run, by keyword."""

    kind: str
    name: str
    commands: Mapping[str, Command]


class Notifier:
    """The service that runs notify scripts and writes to FIFOs.

    Args:
        made: which FIFOs are ours to remove.
    """

    def __init__(self, made: MadeFifos) -> None:
        self._made = made
        self._told: dict[str, Told] = {}
        """The instances, by name."""
        self._gone: dict[str, Told] = {}
        """Those of the configuration before that are in this one no more."""
        self._groups: dict[str, Told] = {}
        self._group_of: dict[str, SyncGroup] = {}
        self._states: dict[tuple[str, str], str] = {}
        """The state that was told last of each kind and name."""
        self.listeners: list[Callable[[Told, str], None]] = []
        """Called with whom is told of, and the word for the state."""

    async def start(self, daemon: Daemon) -> None:
        """Open the FIFOs and listen. OSError for a FIFO that cannot be opened."""
        self._daemon = daemon
        self._children = Children(asyncio.get_running_loop())
        self._fifos = Fifos(self._children, self._made, _FIFOS)
        daemon.listeners.append(self._listen)
        self._witness, daemon.router.witness = daemon.router.witness, self._hear
        daemon.reloaded.append(self._read)
        try:
            self._read()
        except OSError:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Give the last scripts a second, then end them; who reads a FIFO sees its end."""
        self._fifos.close()
        await self._children.close(PATIENCE_S)

    def _read(self) -> None:
        config = self._daemon.config.config
        secure = config.globals.enable_script_security
        before = self._told
        self._told = {one.name: _told(INSTANCE, one, secure) for one in config.instances}
        self._gone = {name: told for name, told in before.items() if name not in self._told}
        self._groups = {one.name: _told(GROUP, one, secure) for one in config.sync_groups}
        self._group_of = {name: group for group in config.sync_groups for name in group.members}
        everywhere = any(one.keyword == _PRIORITIES for one in config.globals.options)
        # Those that carry on are told of no more; of the others nothing was told yet.
        for router in self._daemon.router.virtual_routers:
            if router.state is not State.INITIALIZE:
                self._states[INSTANCE, router.config.name] = _WORDS[router.state]
        self._priorities = {
            one.name
            for one in config.instances
            if everywhere or any(option.keyword == _OWN_PRIORITIES for option in one.options)
        }
        self._fifos.open(config.globals.runnables, secure)

    # What happens ---------------------------------------------------------------------------------------

    def _listen(self, now_ns: int, router: VirtualRouter | None, effect: Effect) -> None:
        if router is None:
            return
        if isinstance(effect, StateChanged):
            self._state_changed(router, _WORDS[effect.new])
        elif isinstance(effect, PriorityChanged) and router.config.name in self._priorities:
            state = self._states.get((INSTANCE, router.config.name), "")
            if state in _WITH_PRIORITIES:
                self._write(INSTANCE, router.config.name, f"{state}_PRIORITY", effect.new)

    def _state_changed(self, router: VirtualRouter, state: str) -> None:
        name = router.config.name
        if all(router is not one for one in self._daemon.router.virtual_routers):
            told = self._gone.get(name) or self._told.get(name)
            if told is not None:
                self._tell(told, _DELETED, router.priority)
            return
        first = (INSTANCE, name) not in self._states
        self._states[INSTANCE, name] = state
        group = self._group_of.get(name)
        if group is not None and first:
            self._tell_group(group, state)
        self._tell(self._told[name], state, router.priority)
        if group is not None and all(self._states.get((INSTANCE, one)) == state for one in group.members):
            self._tell_group(group, state)

    def _tell_group(self, group: SyncGroup, state: str) -> None:
        if self._states.get((GROUP, group.name)) != state:
            self._states[GROUP, group.name] = state
            self._tell(self._groups[group.name], state, GROUP_PRIORITY)

    def _hear(self, router: VirtualRouter, datagram: Datagram, why: Discard | None) -> None:
        """A master that takes a weaker advertisement tells of it."""
        if self._witness is not None:
            self._witness(router, datagram, why)
        if why is None and router.state is State.MASTER and 0 < datagram.payload[2] < router.priority:
            self._tell(self._told[router.config.name], _LOWER, router.priority)

    # Telling --------------------------------------------------------------------------------------------

    def _tell(self, told: Told, state: str, priority: int) -> None:
        """Run what is to be run, the state's own script first, and write to the FIFOs (keepalived's order)."""
        for listener in self.listeners:
            listener(told, state)
        self._write(told.kind, told.name, state, priority)
        if own := told.commands.get(_KEYWORDS[state]):
            self._children.begin(own)
        if (general := told.commands.get("notify")) and state != _LOWER:
            self._children.begin(general.with_arguments(told.kind, told.name, state, str(priority)))

    def _write(self, kind: str, name: str, state: str, priority: int) -> None:
        self._fifos.write(f'{kind} "{name}" {state} {priority}')


def _told(kind: str, one: VrrpInstance | SyncGroup, secure: bool) -> Told:
    commands = {keyword: Command.of(text, one.runs_as.get(keyword, ROOT)) for keyword, text in one.notify.items()}
    return Told(
        kind, one.name, {keyword: command for keyword, command in commands.items() if allowed(command, secure)}
    )
