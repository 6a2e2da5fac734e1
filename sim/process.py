"""The VRRP process of a node: the real router object between a simulated clock and simulated interfaces.

It is the simulator's driver of the protocol core, as the daemon is Linux's: it turns effects into frames, keeps
one lazy wake-up armed (there is no cancelling, so a wake-up that comes early is ignored), and runs the track
scripts as the scenario has them behave.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sim.result import PriorityChange, Sent, Transition
from vrrp.protocol.effects import (
    AcquireAddresses,
    Announce,
    KillScript,
    PriorityChanged,
    ReleaseAddresses,
    RunScript,
    SendAdvertisement,
    StateChanged,
)
from vrrp.protocol.lateness import PUNCTUAL, WHOLE, Lateness
from vrrp.protocol.router import KeyedEffects, Router
from vrrp.protocol.timers import NEVER
from vrrp.protocol.tracking import SCRIPT_RUN_NS
from vrrp.protocol.virtual_router import VirtualRouter
from vrrp.wire.frame import Datagram

if TYPE_CHECKING:
    from sim.node import Node
    from sim.script import ScriptRun

RELOAD_NS = 500_000
"""From the advertisement that a reload begins with to the one it ends with (keepalived, measured: 0.4 to 0.6 ms)."""
SOCKET_QUEUE = 512
"""Datagrams the kernel keeps for a frozen process before it drops more (net.core.rmem_default, small packets)."""


class ScriptOutcome(enum.Enum):
    """What a check script does when it runs."""

    PASS = "passes"
    FAIL = "fails"
    HANG = "hangs"


class VrrpProcess:
    """One life of the VRRP process, from `start` to its end; a restart is a new one.

    It wakes after each timer as late as `lateness` has it by chance, as real processes do.
    """

    def __init__(self, node: Node, router: Router, lateness: Lateness) -> None:
        self.node = node
        self.router = router
        self.alive = False
        self.paused = False
        self._kernel = node.kernel
        self._lateness = lateness
        self._chance = node.kernel.stream(f"{node.name}/lateness")
        self._late_ns = 0
        self._signals: list[Callable[[int], None]] = []
        self.armed_ns = NEVER
        self._asleep = True
        self._runs: dict[str, deque[int]] = {}
        """The runs of each check script that are going on, by their numbers, the first begun first."""
        self._begun = 0
        self._looking: dict[int, ScriptRun] = {}
        """Those of them that really look."""
        self._queue: deque[tuple[str, Datagram]] = deque()
        self._news: list[Callable[[int], KeyedEffects]] = []
        self._handlers: dict[type, Callable[[int, Any, Any], None]] = {
            SendAdvertisement: self._send,
            Announce: self._announce,
            AcquireAddresses: self._acquire,
            ReleaseAddresses: self._release,
            StateChanged: self._state_changed,
            PriorityChanged: self._priority_changed,
            RunScript: self._run_script,
            KillScript: self._kill_script,
        }

    def start(self, now_ns: int) -> None:
        """Come up: leftover addresses of an earlier life go first, as keepalived clears them."""
        self.alive = True
        self._draw()
        self.node.prick_ears(self.router)
        for virtual_router in self.router.virtual_routers:
            self.node.remove_addresses(now_ns, virtual_router, virtual_router.served)
        self._listen()
        self._perform(now_ns, self.router.start(now_ns))

    def stop(self, now_ns: int, reason: str) -> None:
        """SIGTERM: say good-bye and end; a frozen process does when it wakes."""
        if self.paused:
            self._signals.append(lambda now_ns: self.stop(now_ns, reason))
            return
        if self.alive:
            self._perform(now_ns, self.router.stop(now_ns, reason))
            self._end()
            self.node.prick_ears()

    def reload(self, now_ns: int) -> None:
        """SIGHUP: masters speak once more as they were, then the node's configuration of that moment is run."""
        if self.paused:
            self._signals.append(self.reload)
        elif self.alive:
            self._perform(now_ns, self.router.advertise(now_ns))
            self._kernel.at(now_ns + RELOAD_NS, self._read_again)

    def _read_again(self) -> None:
        now_ns = self._kernel.now_ns
        if self.paused:
            self._signals.append(lambda now_ns: self._read_again())
        elif self.alive:
            self._runs.clear()
            effects = self.router.reload(now_ns, self.node.configuration)
            self._perform(now_ns, effects + self.node.inform(now_ns, self.router))
            self.node.prick_ears(self.router)
            self.node.update_service(now_ns)

    def kill(self, now_ns: int, reason: str) -> None:
        """SIGKILL: nothing is said, the addresses stay where they are."""
        self._end()
        for virtual_router in self.router.virtual_routers:
            old = virtual_router.state.value
            if old != "INITIALIZE":
                self._record(now_ns, virtual_router, old, "INITIALIZE", reason)
        self.node.update_service(now_ns)

    def pause(self, now_ns: int) -> None:
        """SIGSTOP: timers and datagrams wait; the kernel still answers for the addresses."""
        self.paused = True
        self._asleep = True
        for interface in self.node.interfaces.values():
            interface.port.listener = self._keeper(interface.name)

    def resume(self, now_ns: int) -> None:
        """SIGCONT: first what waited in the sockets, netlink's among them, then the timers."""
        self.paused = False
        self._listen()
        while self._news:
            self._perform(now_ns, self._news.pop(0)(now_ns))
        while self._queue:
            name, datagram = self._queue.popleft()
            self._perform(now_ns, self.router.receive(now_ns, name, datagram))
        self._perform(now_ns, self.router.expire(now_ns))
        while self._signals:
            self._signals.pop(0)(now_ns)

    def learn(self, now_ns: int, news: Callable[[int], KeyedEffects]) -> None:
        """The kernel tells of a link, a file or a process; a frozen process reads of each change later."""
        if self.paused:
            self._news.append(news)
        else:
            self._perform(now_ns, news(now_ns))

    # Listening and waking up ----------------------------------------------------------------------------

    def _listen(self) -> None:
        self._asleep = False
        for interface in self.node.interfaces.values():
            interface.port.listener = self.router.listener(interface.name, self._perform)

    def _keeper(self, interface: str) -> Callable[[int, Datagram], None]:
        """What the kernel does with datagrams for a frozen process: keep the first, drop what no longer fits."""

        def keep(now_ns: int, datagram: Datagram) -> None:
            if len(self._queue) < SOCKET_QUEUE:
                self._queue.append((interface, datagram))

        return keep

    def _end(self) -> None:
        self.alive = False
        self._asleep = True
        for interface in self.node.interfaces.values():
            interface.port.listener = None

    def due_ns(self) -> int:
        """When the alarm clock is to ring: as late after the timer as this process is."""
        return NEVER if self._asleep else self.router.settle() + self._late_ns

    def wake(self, now_ns: int) -> None:
        """The alarm clock rings."""
        self._draw()
        self._perform(now_ns, self.router.expire(now_ns))

    def _draw(self) -> None:
        """How late it will be next; drawn once a wake-up, since deadlines move on in between."""
        if self._lateness is not PUNCTUAL:
            self._late_ns = self._lateness.at(int(self._chance.random() * WHOLE))

    # Effects --------------------------------------------------------------------------------------------

    def _perform(self, now_ns: int, effects: KeyedEffects) -> None:
        """Carry out effects, and see that the process is woken in time."""
        for virtual_router, effect in effects:
            self._handlers[type(effect)](now_ns, virtual_router, effect)
        self.node.clock.arm(self)

    def _send(self, now_ns: int, virtual_router: VirtualRouter, effect: SendAdvertisement) -> None:
        self.node.send_advertisement(virtual_router, effect.advertisement)
        config = virtual_router.config
        self.node.recorder.sent.append(Sent(now_ns, self.node.name, config.name, effect.advertisement.priority))

    def _announce(self, now_ns: int, virtual_router: VirtualRouter, effect: Announce) -> None:
        self.node.announce(virtual_router, effect.addresses, effect.repeat)

    def _acquire(self, now_ns: int, virtual_router: VirtualRouter, effect: AcquireAddresses) -> None:
        self.node.add_addresses(now_ns, virtual_router, effect.addresses)

    def _release(self, now_ns: int, virtual_router: VirtualRouter, effect: ReleaseAddresses) -> None:
        self.node.remove_addresses(now_ns, virtual_router, effect.addresses)

    def _state_changed(self, now_ns: int, virtual_router: VirtualRouter, effect: StateChanged) -> None:
        self._record(now_ns, virtual_router, effect.old.value, effect.new.value, effect.reason)
        self.node.update_service(now_ns)

    def _record(self, now_ns: int, virtual_router: VirtualRouter, old: str, new: str, reason: str) -> None:
        name = virtual_router.config.name
        self.node.recorder.transitions.append(Transition(now_ns, self.node.name, name, old, new, reason))

    def _priority_changed(self, now_ns: int, virtual_router: VirtualRouter, effect: PriorityChanged) -> None:
        name = virtual_router.config.name
        self.node.recorder.priorities.append(
            PriorityChange(now_ns, self.node.name, name, effect.old, effect.new, effect.reason)
        )

    def _run_script(self, now_ns: int, virtual_router: None, effect: RunScript) -> None:
        run = self._begun = self._begun + 1
        self._runs.setdefault(effect.name, deque()).append(run)
        outcome = self.node.script_outcome(effect.name)
        look = self.node.looks.get(effect.name)
        if outcome is None and look is not None:
            looking = self._looking[run] = look(lambda good: self._script_ended(effect.name, run, good))
            self._kernel.at(now_ns + SCRIPT_RUN_NS, looking.begin)
        elif outcome is not ScriptOutcome.HANG:
            ok = outcome is not ScriptOutcome.FAIL
            self._kernel.at(now_ns + SCRIPT_RUN_NS, lambda: self._script_ended(effect.name, run, ok))

    def _kill_script(self, now_ns: int, virtual_router: None, effect: KillScript) -> None:
        looking = self._looking.pop(self._runs[effect.name].popleft(), None)
        if looking is not None:
            looking.kill()

    def _script_ended(self, name: str, run: int, ok: bool) -> None:
        self._looking.pop(run, None)
        if not self.alive or run not in self._runs.get(name, ()):
            return
        now_ns = self._kernel.now_ns
        if self.paused:
            self._kernel.at(now_ns + SCRIPT_RUN_NS, lambda: self._script_ended(name, run, ok))
            return
        self._runs[name].remove(run)
        self._perform(now_ns, self.router.script_finished(now_ns, name, ok))
