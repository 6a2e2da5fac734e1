"""What a connection that failed does next: the same server again, after a pause, or another.

HAProxy 2.6.12, measured: tests/haproxy/data/cookie.json.
"""

from __future__ import annotations

from dataclasses import dataclass

from vrrp.config.haproxy.model import Backend
from vrrp.protocol.timers import SECOND_NS

_ANY_WILL_DO = frozenset({"roundrobin", "static-rr", "random"})
"""Algorithms by which a request belongs to no server in particular."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again after `pause_ns`; `elsewhere`: the balancer chooses anew, avoiding the server that failed."""

    pause_ns: int
    elsewhere: bool


def retry(backend: Backend, *, tried: int, pinned: bool, active: int, timed_out: bool = False) -> Retry | None:
    """What follows a connection that failed, or None: no retries are left, the client gets a 503.

    `tried` is how many retries were used before this failure, `pinned` whether a cookie named the server, `active` how
    many servers are usable (`Balancer.active`), `timed_out` whether it failed by `timeout connect` rather than at
    once: the pause is there so that what fails at once is not tried again at once.
    """
    number = tried + 1
    if number > backend.retries:
        return None
    several = backend.balance.algorithm in _ANY_WILL_DO and active > 1
    elsewhere = backend.redispatch is not None and (
        _its_turn(backend.redispatch, number, backend.retries) or (several and not pinned)
    )
    if timed_out or (elsewhere and several):
        return Retry(0, elsewhere)
    return Retry(min(SECOND_NS, backend.timeouts.connect_ns or SECOND_NS), elsewhere)


def _its_turn(redispatch: int, number: int, retries: int) -> bool:
    """Whether this retry is one of those that `option redispatch` lets go elsewhere."""
    every = redispatch if redispatch > 0 else retries + 1 + redispatch
    return every > 0 and number % every == 0
