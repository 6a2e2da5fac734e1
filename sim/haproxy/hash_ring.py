"""`hash-type consistent`, and `balance random`: servers on a ring, each at as many points as its weight says.

A server that goes leaves its part of the ring to its neighbours; all other hashes find the server that they found
before. HAProxy 2.6.12, measured.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Generic, TypeVar

from sim.delay import Stream
from sim.haproxy.contender import HEAVIEST_16THS, Contender
from sim.haproxy.hashing import avalanche

C = TypeVar("C", bound=Contender)


class HashRing(Generic[C]):
    """The ring of some servers, of which those count that are usable."""

    def __init__(self, servers: Sequence[C]) -> None:
        self._servers = servers
        self._points: list[tuple[int, int, C]] = []
        self._stale = True
        self._last = -1

    def pick(self, avoid: C | None = None) -> C | None:
        """The next server round the ring that has room; `avoid` only if there is no other."""
        points = self._ring()
        avoided = None
        for step in range(1, len(points) + 1):
            server = points[(self._last + step) % len(points)][2]
            if server.has_room:
                if server is not avoid:
                    self._last = (self._last + step) % len(points)
                    return server
                avoided = server
        return avoided

    def find(self, hashed: int, avoid: C | None = None) -> C | None:
        """The server nearest to a hash, however busy it is, or the next one round the ring that is not `avoid`."""
        points = self._ring()
        if not points:
            return None
        after = bisect_left(points, (hashed, 0)) % len(points)
        before = after - 1
        to_before = (hashed - points[before][0]) & 0xFFFF_FFFF
        to_after = (points[after][0] - hashed) & 0xFFFF_FFFF
        at = before if to_before <= to_after else after
        for step in range(len(points)):
            server = points[(at + step) % len(points)][2]
            if server is not avoid:
                return server
        return avoid

    def draw(self, stream: Stream, draws: int, avoid: C | None = None) -> C | None:
        """The least loaded for its weight of `draws` servers found by chance; None if that one is full."""
        best: C | None = None
        for _ in range(draws):
            server = self.find(stream.getrandbits(32), avoid)
            if server is None:
                return None
            if best is None or server.served * best.weight_16ths <= best.served * server.weight_16ths:
                best = server
        return best if best is not None and best.has_room else None

    def changed(self, server: C) -> None:
        """A server came, went, or has another weight."""
        self._stale = True

    def loaded(self, server: C) -> None:
        """Sessions do not count here."""

    def _ring(self) -> list[tuple[int, int, C]]:
        if self._stale:
            usable = [server for server in self._servers if server.usable]
            points = [
                (avalanche(server.id * HEAVIEST_16THS + point), server.id, server)
                for server in usable
                for point in range(server.weight_16ths)
            ]
            self._points = sorted(points, key=lambda point: point[:2])
            self._stale = False
            self._last = -1
        return self._points
