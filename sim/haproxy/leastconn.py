"""`balance leastconn` and `balance first`: by how many sessions the servers have.

leastconn takes the server with the fewest sessions for its weight; among equals the one that has been so longest,
which makes it a round robin when all are idle. first fills one server after the other. HAProxy 2.6.12, measured.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import insort
from collections.abc import Iterable
from typing import Generic, TypeVar

from sim.haproxy.contender import HEAVIEST_16THS, Contender

C = TypeVar("C", bound=Contender)


class _Ordered(ABC, Generic[C]):
    """Usable servers in the order of a key; among equal ones in the order in which they got it."""

    def __init__(self, servers: Iterable[C]) -> None:
        self._entries: dict[C, tuple[int, int]] = {}
        self._weights: dict[C, int] = {}
        self._order: list[tuple[int, int, C]] = []
        self._tickets = 0
        for server in servers:
            self.changed(server)

    @abstractmethod
    def key(self, server: C) -> int:
        """What the order goes by."""

    def has_room(self, server: C) -> bool:
        """Whether it may be taken now."""
        return server.has_room

    def pick(self, avoid: C | None = None) -> C | None:
        """The first with room; `avoid` only if there is no other."""
        avoided = None
        for _, _, server in self._order:
            if self.has_room(server):
                if server is not avoid:
                    return server
                avoided = server
        return avoided

    def changed(self, server: C) -> None:
        """The server came, went, or has another weight; one that has not keeps its place."""
        weight = server.weight_16ths if server.usable else 0
        if weight != self._weights.get(server, 0):
            self._weights[server] = weight
            self._leave(server)
            if weight:
                self._enter(server)

    def loaded(self, server: C) -> None:
        """The server's sessions are more or fewer."""
        entry = self._entries.get(server)
        if entry is not None and entry[0] != self.key(server):
            self._leave(server)
            self._enter(server)

    def _enter(self, server: C) -> None:
        self._tickets += 1
        entry = (self.key(server), self._tickets)
        self._entries[server] = entry
        insort(self._order, (*entry, server))

    def _leave(self, server: C) -> None:
        entry = self._entries.pop(server, None)
        if entry is not None:
            self._order.remove((*entry, server))


class LeastConnections(_Ordered[C]):
    """The fewest sessions for its weight."""

    def key(self, server: C) -> int:
        """As if one more came; but an idle server is an idle server, whatever its weight."""
        load = server.served + server.queued
        return (load + 1) * HEAVIEST_16THS // server.weight_16ths if load else 0

    def has_room(self, server: C) -> bool:
        """Its queue counts: the request may wait there."""
        return not server.limit or server.served + server.queued < server.limit + server.maxqueue


class FirstWithRoom(_Ordered[C]):
    """The first, by id, that has room."""

    def key(self, server: C) -> int:
        """The id."""
        return server.id
