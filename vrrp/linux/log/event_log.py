"""Writes down what a daemon does and hears, in keepalived's phrases and in keepalived's order.

Lines are put together when the daemon has done everything else there was to do, so that no packet waits for a log.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Hashable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from vrrp import __version__
from vrrp.linux.log.phrases import NAMELESS, heard, refused
from vrrp.linux.log.throttle import Throttle
from vrrp.protocol.effects import (
    AcquireAddresses,
    Announce,
    Effect,
    PriorityChanged,
    ReleaseAddresses,
    SendAdvertisement,
    StateChanged,
)
from vrrp.protocol.state import State
from vrrp.protocol.sync_group import SyncGroup
from vrrp.protocol.validation import Discard
from vrrp.protocol.virtual_router import VirtualRouter
from vrrp.wire.address import text
from vrrp.wire.frame import Datagram

if TYPE_CHECKING:
    from vrrp.linux.daemon import Daemon

log = logging.getLogger("vrrp.event")

_MOST_ALIKE = 20
"""Lines of one kind about one virtual router that are written each second."""
_ENTERING = {
    State.MASTER: "Entering MASTER STATE",
    State.BACKUP: "Entering BACKUP STATE",
    State.FAULT: "Entering FAULT STATE",
}


class Line(NamedTuple):
    """One line of the log. `fields` is the same for programs."""

    instance: str | None
    message: str
    event: str
    fields: dict[str, Any]
    level: int = logging.INFO
    named: bool = True
    """Whether the instance is named before the message."""


class EventLog:
    """The service that writes it, to the logger `vrrp.event`."""

    async def start(self, daemon: Daemon) -> None:
        """Listen to a daemon."""
        self._daemon = daemon
        self._loop = asyncio.get_running_loop()
        self._waiting: list[Line | tuple[VirtualRouter, Effect]] = []
        self._throttle = Throttle(_MOST_ALIKE, lambda act: self._loop.call_later(1, act), self._held_back)
        daemon.listeners.append(self._acted)
        daemon.router.witness = self._heard
        for number, before, after in (
            (signal.SIGHUP, "Reloading ...", "Reload complete"),
            (signal.SIGTERM, "Stopping", ""),
            (signal.SIGINT, "Stopping", ""),
        ):
            daemon.signals[number] = self._around(daemon.signals[number], before, after)
        self._say(Line(None, f"Starting vrrp {__version__}", "start", {"version": __version__}))

    async def stop(self) -> None:
        """Write what is still to be written."""
        self._say(Line(None, f"Stopped vrrp {__version__}", "stopped", {"version": __version__}))
        self._write()

    def _around(self, act: Callable[[], None], before: str, after: str) -> Callable[[], None]:
        def acting() -> None:
            self._say(Line(None, before, before.split(maxsplit=1)[0].lower(), {}))
            act()
            if after:
                self._say(Line(None, after, after.lower(), {}))

        return acting

    # What happens ---------------------------------------------------------------------------------------

    def _heard(self, virtual_router: VirtualRouter, datagram: Datagram, why: Discard | None) -> None:
        """A packet for a virtual router, before it acts on it."""
        if why is Discard.OWN_ADDRESS:
            return
        message = heard(virtual_router, datagram) if why is None else refused(virtual_router, datagram, why)
        if message is None:
            return
        name = virtual_router.config.name
        if not self._throttle.passes((name, why or virtual_router.state)):
            return
        fields: dict[str, Any] = {"source": text(datagram.source)}
        if why is not None:
            fields["reason"] = why.name.lower()
            self._say(Line(name, message, "discarded", fields, logging.WARNING, why not in NAMELESS))
            return
        theirs = {"their_priority": datagram.payload[2], "priority": virtual_router.priority}
        self._say(Line(name, message, "heard", fields | theirs))

    def _held_back(self, kind: Hashable, count: int) -> None:
        assert isinstance(kind, tuple)  # as `_heard` makes them
        name, what = kind
        message = f"{count} more lines like this were left out (adverts received as {what.value})"
        if isinstance(what, Discard):
            message = f"{count} more lines like this were left out ({what.value})"
        self._say(Line(name, message, "left out", {"count": count}, logging.WARNING))

    def _acted(self, now_ns: int, virtual_router: VirtualRouter | None, effect: Effect) -> None:
        if virtual_router is None or (type(effect) is SendAdvertisement and effect.advertisement.priority):
            return
        self._say((virtual_router, effect))

    def _say(self, what: Line | tuple[VirtualRouter, Effect]) -> None:
        if not self._waiting:
            self._loop.call_soon(self._write)
        self._waiting.append(what)

    # How it is told -------------------------------------------------------------------------------------

    def _write(self) -> None:
        waiting, self._waiting = self._waiting, []
        for line in self._told(waiting):
            message = f"({line.instance}) {line.message}" if line.named and line.instance else line.message
            log.log(line.level, "%s", message, extra={"event": line})

    def _told(self, waiting: list[Line | tuple[VirtualRouter, Effect]]) -> Iterator[Line]:
        """The lines: a change of state first, and then what came with it, as keepalived does."""
        led: set[tuple[str, State]] = set()
        for _, those in groupby(waiting, key=lambda what: None if isinstance(what, Line) else what[0]):
            held: list[Line] = []
            for what in those:
                if isinstance(what, Line):
                    yield what
                elif isinstance(what[1], StateChanged):
                    yield from self._changed(what[0], what[1], led)
                    yield from held
                    held = []
                else:
                    held += [line for line in self._with_routes(*what) if line not in held]
            yield from held

    def _with_routes(self, virtual_router: VirtualRouter, effect: Effect) -> Iterator[Line]:
        """What is told of an effect, and of the routes and rules that come after the addresses and go before them."""
        name, lines = virtual_router.config.name, _lines(virtual_router, effect)
        if type(effect) not in {AcquireAddresses, ReleaseAddresses}:
            yield from lines
            return
        instance = next((one for one in self._daemon.config.config.instances if one.name == name), None)
        there = [] if instance is None else [("Routes", instance.routes), ("Rules", instance.rules)]
        kinds = [kind for kind, own in there if own]
        if isinstance(effect, AcquireAddresses):
            yield from lines
            yield from (Line(name, f"setting Virtual {kind}", "acquire", {}) for kind in kinds)
        else:
            if virtual_router.state is not State.MASTER:
                yield from (Line(name, f"removing Virtual {kind}", "release", {}) for kind in reversed(kinds))
            yield from lines

    def _changed(
        self, virtual_router: VirtualRouter, effect: StateChanged, led: set[tuple[str, State]]
    ) -> Iterator[Line]:
        """A change of state; `led` are the sync groups that went to a state before, in the same moment."""
        name, old, new, reason = virtual_router.config.name, effect.old, effect.new, effect.reason
        group, following = virtual_router.group, False
        if isinstance(group, SyncGroup) and new in {State.MASTER, State.BACKUP} and old is not State.INITIALIZE:
            following = (group.name, new) in led
            if following and reason.startswith("sync group"):
                syncing = f"VRRP_Group({group.name}) Syncing instances to {new.value} state"
                yield Line(None, syncing, "group", {"group": group.name, "state": new.value})
            led.add((group.name, new))
        if old is State.BACKUP and new is State.MASTER and not following:
            yield Line(name, "Receive advertisement timeout", "timeout", {})
        message: str | None = _ENTERING.get(new)
        if old is State.INITIALIZE and new is State.BACKUP:
            message = "Entering BACKUP STATE (init)"
        elif old is State.INITIALIZE and new is State.FAULT:
            interface = virtual_router.config.interface
            down = not self._daemon.kernel.is_up(interface)
            message = f"entering FAULT state (interface {interface} down)" if down else None
        fields = {"from": old.value, "to": new.value, "reason": reason}
        if message is not None:
            yield Line(name, message, "state", fields)
        elif new is State.INITIALIZE:
            yield Line(name, "Stopped", "state", fields, logging.DEBUG)
        else:
            yield Line(name, "entering FAULT state", "state", fields, logging.DEBUG)


def _lines(virtual_router: VirtualRouter, effect: Effect) -> Iterator[Line]:
    """What is told of an effect that is no change of state."""
    name, interface = virtual_router.config.name, virtual_router.config.interface
    if isinstance(effect, SendAdvertisement):
        yield Line(name, "sent 0 priority", "goodbye", {})
    elif isinstance(effect, AcquireAddresses):
        yield Line(name, "setting VIPs.", "acquire", {"addresses": [text(one) for one in effect.addresses]})
    elif isinstance(effect, ReleaseAddresses):
        yield Line(name, "removing VIPs.", "release", {"addresses": [text(one) for one in effect.addresses]})
    elif isinstance(effect, PriorityChanged):
        message = f"Changing effective priority from {effect.old} to {effect.new}"
        yield Line(name, message, "priority", {"from": effect.old, "to": effect.new, "reason": effect.reason})
    elif isinstance(effect, Announce):
        what = "gratuitous ARPs" if virtual_router.config.width == 4 else "Unsolicited Neighbour Adverts"
        for address in effect.addresses:
            where = {"address": text(address), "interface": interface}
            yield Line(name, f"Sending/queueing {what} on {interface} for {text(address)}", "announce", where)
