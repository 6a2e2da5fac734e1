"""A table in which each server stands as often as its weight says: for `static-rr` and for `hash-type map-based`.

Every slot goes to the server that lacks most of its share so far, the first declared among equals. When a server goes,
the table is made anew and is shorter, so most hashes find another server than before. HAProxy 2.6.12, measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd
from typing import Generic, TypeVar

from sim.haproxy.contender import Contender

C = TypeVar("C", bound=Contender)


class ServerMap(Generic[C]):
    """The table of some servers, of which those count that are usable; of backups only while there are no others.

    Without `all_backups` the first of these should stand alone. The table then is as long as its share, but the others
    come into it as well, so `static-rr` takes them too; hashes find the first (measured; no doubt not meant so).
    """

    def __init__(self, servers: Sequence[C], *, all_backups: bool) -> None:
        self._servers = servers
        self._divisor = gcd(*(server.weight_16ths for server in servers)) or 16
        self._all_backups = all_backups
        self._slots: list[C] = []
        self._stale = True
        self._next = 0

    def pick(self, avoid: C | None = None) -> C | None:
        """The next in the table that has room; `avoid` only if there is no other."""
        slots = self._table()
        if not slots:
            return None
        start = self._next if self._next < len(slots) else 0
        avoided: int | None = None
        for step in range(len(slots)):
            at = (start + step) % len(slots)
            server = slots[at]
            if server.has_room:
                if server is not avoid:
                    self._next = at + 1
                    return server
                avoided = at
        if avoided is None:
            return None
        self._next = avoided + 1
        return slots[avoided]

    def find(self, hashed: int) -> C | None:
        """The server of a hash, however busy it is."""
        slots = self._table()
        if not slots:
            return None
        lone = slots[0].backup and not self._all_backups
        return slots[0 if lone else hashed % len(slots)]

    def changed(self, server: C) -> None:
        """A server came, went, or has another weight."""
        self._stale = True

    def loaded(self, server: C) -> None:
        """Sessions do not count here."""

    def _table(self) -> list[C]:
        if self._stale:
            self._slots = self._fill()
            self._stale = False
        return self._slots

    def _fill(self) -> list[C]:
        usable = [server for server in self._servers if server.usable]
        usable = [server for server in usable if not server.backup] or usable
        if not usable:
            return []
        weights = [-(-server.weight_16ths // self._divisor) for server in usable]
        total = weights[0] if usable[0].backup and not self._all_backups else sum(weights)
        if total == 1:
            return usable[:1]
        lacking = [0] * len(usable)
        slots = []
        for _ in range(total):
            best, most = 0, -1
            for at, weight in enumerate(weights):
                lacking[at] += weight
                due = (lacking[at] + total) // total
                if due > most:
                    best, most = at, due
            lacking[best] -= total
            slots.append(usable[best])
        return slots
