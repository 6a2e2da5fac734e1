"""Which server gets a request: the balancing algorithms behind one interface, and backups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeAlias, TypeVar

from sim.delay import Stream
from sim.haproxy.contender import Contender
from sim.haproxy.hash_key import NOTHING_ASKED, Asked, hash_of
from sim.haproxy.hash_ring import HashRing
from sim.haproxy.leastconn import FirstWithRoom, LeastConnections
from sim.haproxy.roundrobin import RoundRobin
from sim.haproxy.server_map import ServerMap
from vrrp.config.haproxy.model import Backend, Balance

__all__ = ["NOTHING_ASKED", "Asked", "Balancer", "follows_weights"]

C = TypeVar("C", bound=Contender)
Order: TypeAlias = RoundRobin[C] | LeastConnections[C] | FirstWithRoom[C] | ServerMap[C] | HashRing[C]

_HASHING = frozenset({"source", "uri", "url_param", "hdr"})


def follows_weights(balance: Balance) -> bool:
    """Whether weights may change as HAProxy runs, and servers start slowly: not where a table is made of them."""
    return balance.algorithm != "static-rr" and (
        balance.algorithm not in _HASHING or balance.hash_type == "consistent"
    )


class Balancer(Generic[C]):
    """The servers of one backend, in its order.

    The owner says `changed(server)` when `usable` or `weight_16ths` of one is another, and `loaded(server)` when
    `served` or `queued` is. Attributes for readers: `active`, `alive`, how many servers are usable, without and with
    backups.

    Not modelled: hash-balance-factor (no bound), rdp-cookie (round robin), the hash function wt6 (sdbm).
    """

    def __init__(self, backend: Backend, servers: Sequence[C], stream: Stream) -> None:
        """`stream` is for `balance random`, where a choice brings none of its own."""
        self._servers = servers
        self._balance = backend.balance
        self._all_backups = "allbackups" in backend.options
        self._stream = stream
        table = ServerMap(servers, all_backups=self._all_backups) if not follows_weights(self._balance) else None
        self._orders = (table or self._order(spare=False), table or self._order(spare=True))
        """Of those in front, and of the backups, who wait until the others are all gone."""
        self._count()

    def _order(self, *, spare: bool) -> Order[C]:
        algorithm = self._balance.algorithm
        servers = [server for server in self._servers if server.backup is spare]
        if algorithm == "leastconn":
            return LeastConnections(servers)
        if algorithm == "first":
            return FirstWithRoom(servers)
        if algorithm == "random" or algorithm in _HASHING:
            return HashRing(servers)
        return RoundRobin(servers)

    def choose(self, asked: Asked = NOTHING_ASKED, avoid: C | None = None, stream: Stream | None = None) -> C | None:
        """The next server; None when all are down or full.

        If they are full the request waits in the backend's queue. `avoid` is the one just tried in vain:
        taken only if there is no other, by the algorithms that can avoid one.
        """
        order = self._orders[not self.active]
        if not self.active and not self._all_backups and not isinstance(order, ServerMap):
            return self._first_backup
        if isinstance(order, HashRing | ServerMap):
            algorithm = self._balance.algorithm
            if algorithm in _HASHING:
                hashed = hash_of(self._balance, asked)
                if hashed is not None:
                    return order.find(hashed, avoid) if isinstance(order, HashRing) else order.find(hashed)
            elif isinstance(order, HashRing):
                return order.draw(stream or self._stream, self._balance.draws, avoid)
        return order.pick(avoid)

    def changed(self, server: C) -> None:
        """The server's `usable` or `weight_16ths` is another."""
        self._orders[server.backup].changed(server)
        self._count()

    def loaded(self, server: C) -> None:
        """The server's `served` or `queued` is another."""
        self._orders[server.backup].loaded(server)

    def _count(self) -> None:
        usable = [server for server in self._servers if server.usable]
        backups = [server for server in usable if server.backup]
        self.alive = len(usable)
        self.active = len(usable) - len(backups)
        self._first_backup = backups[0] if backups else None
