"""What a connection that failed does next: the same server again, after a pause, or another."""

from __future__ import annotations

from dataclasses import dataclass

from vrrp.config.haproxy.model import Backend


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again after `pause_ns`; `elsewhere`: the balancer chooses anew, avoiding the server that failed."""

    pause_ns: int
    elsewhere: bool


def retry(backend: Backend, *, tried: int, pinned: bool, active: int, timed_out: bool = False) -> Retry | None:
    """What follows a connection that failed, or None: no retries are left, the client gets a 503.

    `tried` is how many retries were used before this failure, `pinned` whether a cookie named the server, `active` how
    many servers are usable, `timed_out` whether it failed by `timeout connect` rather than at once (then there is no
    pause).
    """
    raise NotImplementedError
