"""Which server gets a request: the balancing algorithms behind one interface, and backups."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from sim.haproxy.contender import Contender
from vrrp.config.haproxy.model import Backend

C = TypeVar("C", bound=Contender)


@dataclass(frozen=True, slots=True)
class Asked:
    """What hashing looks at in a request: the client's packed address, and of HTTP the URI and headers."""

    source: bytes = b""
    uri: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    """By lower-case name."""


NOTHING_ASKED = Asked()


class Balancer(Generic[C]):
    """The servers of one backend, in its order.

    The owner says `changed(server)` when `usable` or `weight_16ths` of one is another, and `loaded(server)` when
    `served` or `queued` is.
    """

    def __init__(self, backend: Backend, servers: Sequence[C], stream: random.Random) -> None:
        """`stream` is for `balance random` alone."""
        raise NotImplementedError

    def choose(self, asked: Asked = NOTHING_ASKED, avoid: C | None = None) -> C | None:
        """The next server; None when all are down or full.

        If they are full the request waits in the backend's queue. `avoid` is the one just tried in vain:
        taken only if there is no other, by the algorithms that can avoid one.
        """
        raise NotImplementedError

    def changed(self, server: C) -> None:
        """The server's `usable` or `weight_16ths` is another."""
        raise NotImplementedError

    def loaded(self, server: C) -> None:
        """The server's `served` or `queued` is another."""
        raise NotImplementedError

    @property
    def active(self) -> int:
        """How many servers that are no backups are usable."""
        raise NotImplementedError

    @property
    def alive(self) -> int:
        """How many servers are usable, backups among them."""
        raise NotImplementedError
