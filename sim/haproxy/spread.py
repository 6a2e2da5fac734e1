"""When the first check of each server begins: HAProxy spreads them, so that they do not all come at once."""

from __future__ import annotations

from collections.abc import Sequence

from vrrp.config.haproxy.model import HaproxyModel


def first_checks_ns(model: HaproxyModel) -> dict[tuple[str, str, bool], int]:
    """How long after the start of HAProxy each check begins first: (backend, server, whether the agent's) -> ns.

    All checks of all proxies are one row, a server's agent behind its check: check k of n waits k/n of the greater of
    its own pause at the start (fastinter, as it is not yet decided) and the least such pause of all that is 1 s or
    more (2.6.12, measured).
    """
    raise NotImplementedError


def spread_ns(pauses_ns: Sequence[int], limit_ns: int | None = None) -> list[int]:
    """The same for bare pauses at the start, in order; `limit_ns` is max-spread-checks."""
    raise NotImplementedError
