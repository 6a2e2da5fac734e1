"""The replayed router's process in virtual time: a driver of the protocol core whose clock is the capture's.

It wakes the router as late after each timer as its profile says real processes are, lets check scripts end after a
usual time, and keeps what a frozen process would find in its sockets. What the router asks for is told to an
observer; nothing is sent.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Protocol

from vrrp.capture.replay.happening import Happening
from vrrp.protocol.effects import KillScript, RunScript
from vrrp.protocol.journal import Journal
from vrrp.protocol.router import KeyedEffects, Router
from vrrp.protocol.timers import NEVER
from vrrp.protocol.tracking import SCRIPT_RUN_NS
from vrrp.protocol.validation import Discard
from vrrp.wire.frame import Datagram

SOCKET_QUEUE = 512
"""Datagrams the kernel keeps for a frozen process before it drops more (net.core.rmem_default, small packets)."""
MOST_WAKES = 500_000
"""Timers that may end without a packet: nearly six days at an advertisement each second."""
WAKES_PER_PACKET = 20
"""Timers that each packet of the capture allows beside these."""


class EndlessError(Exception):
    """More timers ended than any capture needs: its clock jumps. `at_ns` is how far the replay came."""

    def __init__(self, at_ns: int) -> None:
        super().__init__(at_ns)
        self.at_ns = at_ns


class Observer(Protocol):
    """Who is told what the router did. Times in nanoseconds since 1970."""

    def acted(self, at_ns: int, effects: KeyedEffects) -> None:
        """The router gave these effects."""

    def ended(self, at_ns: int, router: Router, reason: str) -> None:
        """The process was killed: the router is what it was at that moment."""


class ReplayedProcess:
    """Zero or more lives of one router's process. `make` gives the router of each new one.

    `latency_ns` is how late it wakes; `wakes_left` timers may end before it is an EndlessError. Times go in as
    nanoseconds since 1970 and never back: what is earlier than the last counts as simultaneous with it.
    """

    def __init__(
        self,
        make: Callable[[], Journal | Router],
        observer: Observer,
        *,
        latency_ns: int,
        wakes_left: int = MOST_WAKES,
    ) -> None:
        self.router: Journal | Router | None = None
        self.now_ns = -NEVER
        self.wakes_left = wakes_left
        self.discarded: Counter[tuple[str, Discard]] = Counter()
        """(instance or "", reason) -> packets of the lives that are over."""
        self.missed = 0
        """Packets that arrived while no process ran."""
        self._make = make
        self._observer = observer
        self._latency_ns = latency_ns
        self._waiting: list[tuple[int, int, Callable[[int], None]]] = []
        self._order = 0
        self._paused = False
        self._told_to_stop = False
        self._queue: deque[tuple[str, Datagram]] = deque()
        self._link_news: list[tuple[str, bool]] = []
        self._links: dict[str, bool] = {}
        self._outcomes: dict[str, str] = {}
        self._outcome = "pass"
        self._runs: dict[str, deque[int]] = {}
        """The runs of each check script that are going on, by their numbers, the first begun first."""
        self._begun = 0

    # Inputs ---------------------------------------------------------------------------------------------

    def advance(self, until_ns: int) -> None:
        """Let everything happen that is due by `until_ns`. EndlessError where that is endless."""
        while True:
            waiting_ns = self._waiting[0][0] if self._waiting else NEVER
            sleeper = None if self._paused else self.router
            wake_ns = NEVER if sleeper is None else sleeper.settle() + self._latency_ns
            at_ns = min(waiting_ns, wake_ns)
            if at_ns > until_ns or at_ns >= NEVER:
                break
            self.wakes_left -= 1
            if self.wakes_left < 0:
                raise EndlessError(self.now_ns)
            self.now_ns = max(self.now_ns, at_ns)
            if sleeper is None or waiting_ns <= wake_ns:
                heappop(self._waiting)[2](self.now_ns)
            else:
                self._perform(sleeper.expire(self.now_ns))
        self.now_ns = max(self.now_ns, until_ns)

    def hear(self, interface: str, datagram: Datagram) -> None:
        """A VRRP packet arrives now, at the time `advance` was given last."""
        if self.router is None:
            self.missed += 1
        elif self._paused:
            if len(self._queue) < SOCKET_QUEUE:
                self._queue.append((interface, datagram))
        else:
            effects = self.router.receive(self.now_ns, interface, datagram)
            if effects:
                self._perform(effects)

    def happen(self, happening: Happening) -> None:
        """Something happens to the router itself now; nothing where its process does not run."""
        action, subject = happening.action, happening.subject
        if action in {"link-down", "link-up"}:
            self._set_link(subject or "", action == "link-up")
        elif action.startswith("script-"):
            if subject is None:
                self._outcomes.clear()
                self._outcome = action.removeprefix("script-")
            else:
                self._outcomes[subject] = action.removeprefix("script-")
        elif action == "start":
            self._start()
        elif self.router is not None:
            self._signal(self.router, action)

    @property
    def running(self) -> Router | None:
        """The router of the present life, without its journal; None while no process runs."""
        return None if self.router is None else _bare(self.router)

    # The process ----------------------------------------------------------------------------------------

    def _start(self) -> None:
        if self.router is not None:
            return
        router = self.router = self._make()
        for interface, up in self._links.items():
            router.set_interface(self.now_ns, interface, up)
        self._perform(router.start(self.now_ns))

    def _signal(self, router: Journal | Router, action: str) -> None:
        if action == "stop":
            self._stop(router)
        elif action == "crash":
            self._observer.ended(self.now_ns, _bare(router), "killed (SIGKILL)")
            self._end(router)
        elif action == "pause":
            self._paused = True
        elif action == "resume" and self._paused:
            self._resume(router)

    def _stop(self, router: Journal | Router) -> None:
        """SIGTERM; a frozen process ends when it wakes."""
        if self._paused:
            self._told_to_stop = True
            return
        self._perform(router.stop(self.now_ns, "stopped (SIGTERM)"))
        self._end(router)

    def _resume(self, router: Journal | Router) -> None:
        """SIGCONT: first what waited in the sockets, netlink's among them, then the timers."""
        self._paused = False
        for interface, up in self._link_news:
            self._perform(router.set_interface(self.now_ns, interface, up))
        self._link_news.clear()
        while self._queue:
            self.hear(*self._queue.popleft())
        self._perform(router.expire(self.now_ns))
        if self._told_to_stop:
            self._stop(router)

    def _end(self, router: Journal | Router) -> None:
        self.discarded += discards(_bare(router))
        self.router = None
        self._paused = self._told_to_stop = False
        self._queue.clear()
        self._link_news.clear()
        self._runs.clear()

    def _set_link(self, interface: str, up: bool) -> None:
        """The kernel tells of a carrier change as late as the profile says."""
        self._links[interface] = up
        router = self.router
        if router is None:
            return

        def notice(now_ns: int) -> None:
            if self.router is not router:
                return
            if self._paused:
                self._link_news.append((interface, up))
            else:
                self._perform(router.set_interface(now_ns, interface, up))

        self._at(self.now_ns + router.profile.link_detection_ns, notice)

    # Effects --------------------------------------------------------------------------------------------

    def _perform(self, effects: KeyedEffects) -> None:
        self._observer.acted(self.now_ns, effects)
        for _, effect in effects:
            if type(effect) is RunScript:
                self._run(effect.name)
            elif type(effect) is KillScript:
                self._runs[effect.name].popleft()

    def _run(self, name: str) -> None:
        """Begin a run of a check script; one that hangs gives no result, and is killed in its time."""
        run = self._begun = self._begun + 1
        self._runs.setdefault(name, deque()).append(run)
        outcome = self._outcomes.get(name, self._outcome)
        router = self.router
        if outcome == "hang":
            return

        def end(now_ns: int) -> None:
            if router is None or run not in self._runs.get(name, ()):
                return
            if self._paused:
                self._at(now_ns + SCRIPT_RUN_NS, end)
                return
            self._runs[name].remove(run)
            self._perform(router.script_finished(now_ns, name, outcome == "pass"))

        self._at(self.now_ns + SCRIPT_RUN_NS, end)

    def _at(self, at_ns: int, act: Callable[[int], None]) -> None:
        self._order += 1
        heappush(self._waiting, (at_ns, self._order, act))


def _bare(router: Journal | Router) -> Router:
    return router.router if isinstance(router, Journal) else router


def discards(router: Router) -> Counter[tuple[str, Discard]]:
    """What a router discarded: (instance, reason) -> packets; the instance is "" for packets for none of its own."""
    counted = Counter({("", reason): count for reason, count in router.strangers.items()})
    for virtual_router in router.virtual_routers:
        name = virtual_router.config.name
        for reason, count in router.counters(name).discarded.items():
            counted[name, reason] += count
    return counted
