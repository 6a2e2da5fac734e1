"""What became of each virtual router since the daemon started."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field

from vrrp.protocol.effects import Effect, StateChanged
from vrrp.protocol.state import State
from vrrp.protocol.virtual_router import VirtualRouter

_KEPT = 32


@dataclass(frozen=True, slots=True)
class Move:
    """A change of state; `at_s` is seconds since 1970."""

    at_s: float
    old: State
    new: State
    reason: str


@dataclass(slots=True)
class Past:
    """The changes of state of one virtual router, the last ones, and how often it let go of being master."""

    moves: deque[Move] = field(default_factory=lambda: deque(maxlen=_KEPT))
    released: int = 0


class History:
    """A daemon's listener that remembers changes of state, through reloads too."""

    def __init__(self) -> None:
        self._pasts: dict[tuple[str, int, int], Past] = {}

    def of(self, virtual_router: VirtualRouter) -> Past:
        """What became of a virtual router."""
        config = virtual_router.config
        return self._pasts.setdefault((config.interface, config.width, config.vrid), Past())

    def __call__(self, now_ns: int, virtual_router: VirtualRouter | None, effect: Effect) -> None:
        """Something was done."""
        if virtual_router is not None and type(effect) is StateChanged:
            past = self.of(virtual_router)
            past.released += effect.old is State.MASTER
            past.moves.append(Move(time.time(), effect.old, effect.new, effect.reason))
