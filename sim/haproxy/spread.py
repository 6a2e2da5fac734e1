"""When the first check of each server begins: HAProxy spreads them, so that they do not all come at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vrrp.config.haproxy.model import HaproxyModel
from vrrp.protocol.timers import SECOND_NS

_MILLISECOND_NS = 1_000_000
_COUNTS_NS = SECOND_NS
"""A pause shorter than this does not decide over how long the first checks of all are spread."""


def first_checks_ns(model: HaproxyModel) -> dict[tuple[str, str, bool], int]:
    """How long after the start of HAProxy each check begins first: (backend, server, whether the agent's) -> ns.

    All checks of all proxies are one row, a server's agent behind its check: check k of n waits k/n of the greater of
    its own pause at the start (fastinter, as it is not yet decided) and the least such pause of all that is 1 s or
    more (2.6.12, measured).
    """
    pauses = dict(_pauses(model))
    return dict(zip(pauses, spread_ns(list(pauses.values()), model.global_.max_spread_checks_ns), strict=True))


def spread_ns(pauses_ns: Sequence[int], limit_ns: int | None = None) -> list[int]:
    """The same for bare pauses at the start, in order; `limit_ns` is max-spread-checks. In whole milliseconds."""
    least_ns = min((pause_ns for pause_ns in pauses_ns if pause_ns >= _COUNTS_NS), default=0)
    found = []
    for place, pause_ns in enumerate(pauses_ns):
        over_ns = max(pause_ns, least_ns)
        if limit_ns:
            over_ns = min(over_ns, limit_ns)
        found.append(over_ns // _MILLISECOND_NS * place // len(pauses_ns) * _MILLISECOND_NS)
    return found


def _pauses(model: HaproxyModel) -> Iterator[tuple[tuple[str, str, bool], int]]:
    for backend in model.backends:
        for server in backend.servers:
            if server.check is not None:
                yield (backend.name, server.name, False), server.check.fastinter_ns
            if server.agent is not None:
                yield (backend.name, server.name, True), server.agent.inter_ns
