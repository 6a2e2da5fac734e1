"""When a master announces its addresses: at once, once more later, on refresh, and in reply to a weaker master.

A delayed batch is not cancelled when the mastership ends; it is sent if the router is master again when its time
comes (keepalived 2.2.7, measured: the second batch of a first mastership appears in the second).
"""

from __future__ import annotations

from heapq import heappop, heappush

from vrrp.protocol.effects import AcquireAddresses, Announce, Effects, ReleaseAddresses
from vrrp.protocol.settings import Announcements
from vrrp.protocol.timers import NEVER

MOST_BATCHES = 1000
"""Delayed batches that wait at a time: whoever floods a master with weaker advertisements gets no more."""


class Announcer:
    """The announcement schedule of one virtual router over packed `addresses`. `due_ns`: when to call `expire`."""

    __slots__ = (
        "_batches",
        "_paced",
        "_paced_ns",
        "_plan",
        "_refreshed_ns",
        "addresses",
        "due_ns",
    )

    def __init__(self, addresses: tuple[bytes, ...], plan: Announcements) -> None:
        self.addresses = addresses
        self.due_ns = NEVER
        self._plan = plan
        self._batches: list[tuple[int, int]] = []
        """When which number of rounds is due, a heap."""
        self._paced: list[bytes] = []
        self._paced_ns = -NEVER
        self._refreshed_ns = 0

    def start(self, now_ns: int) -> Effects:
        """The router became master."""
        self._refreshed_ns = now_ns
        self._delay(now_ns, self._plan.again_after_ns, self._plan.repeat)
        return self._announce(now_ns, self._plan.repeat)

    def replace(self, now_ns: int, predecessor: Announcer) -> Effects:
        """A master's addresses are these now: the lost ones go; with new ones all are announced, once (measured)."""
        effects: Effects = ()
        if lost := tuple(address for address in predecessor.addresses if address not in self.addresses):
            effects += (ReleaseAddresses(lost),)
        if new := tuple(address for address in self.addresses if address not in predecessor.addresses):
            self._refreshed_ns = now_ns
            effects += (AcquireAddresses(new), *self._announce(now_ns, self._plan.repeat))
        return effects

    def reply(self, now_ns: int) -> Effects:
        """A weaker advertisement arrived: each has a delayed batch of its own (measured)."""
        self._delay(now_ns, self._plan.lower_again_after_ns, self._plan.lower_repeat)
        return self._announce(now_ns, self._plan.lower_repeat)

    def refresh(self, now_ns: int) -> Effects:
        """The master advertises: announce again when the refresh time has passed."""
        if not self._plan.refresh_ns or now_ns < self._refreshed_ns + self._plan.refresh_ns:
            return ()
        self._refreshed_ns = now_ns
        return self._announce(now_ns, self._plan.refresh_repeat)

    def expire(self, now_ns: int, *, master: bool) -> Effects:
        """Everything due by `now_ns`; dropped unless the router is master now."""
        effects: Effects = ()
        while self._batches and self._batches[0][0] <= now_ns:
            _, repeat = heappop(self._batches)
            effects += self._announce(now_ns, repeat) if master else ()
        if self._paced and now_ns >= self._paced_ns + self._plan.spacing_ns:
            address = self._paced.pop(0)
            self._paced_ns = now_ns
            effects += (Announce((address,), 1),) if master else ()
        self._set_due()
        return effects

    def _delay(self, now_ns: int, delay_ns: int, repeat: int) -> None:
        if delay_ns and len(self._batches) < MOST_BATCHES:
            heappush(self._batches, (now_ns + delay_ns, repeat))

    def _announce(self, now_ns: int, repeat: int) -> Effects:
        if not repeat:
            return ()
        spacing_ns = self._plan.spacing_ns
        if not spacing_ns:
            self._set_due()
            return (Announce(self.addresses, repeat),)
        waiting = [address for address in self.addresses if address not in self._paced]
        self._paced += waiting
        effects: Effects = ()
        if now_ns >= self._paced_ns + spacing_ns:
            first = self._paced[0]
            if repeat == 1:
                del self._paced[0]
            self._paced_ns = now_ns
            effects = (Announce((first,), 1),)
        self._set_due()
        return effects

    def _set_due(self) -> None:
        paced_ns = self._paced_ns + self._plan.spacing_ns if self._paced else NEVER
        self.due_ns = min(self._batches[0][0] if self._batches else NEVER, paced_ns)
