"""`balance roundrobin`: each server in turn, as often as its weight says, and spread evenly over the round.

Servers have places on a line, the round is as long as all weights together, and time is a position on it that goes on
by one with each choice. A server once taken gets its next place a round's length over its weight further on, fractions
carried along. Where no place has been reached yet, a server that was not placed in this round comes in, the heaviest
first; those whose place lies beyond the round wait for the next one. So the order follows the weights at once when
they change, and a server that returns does not get all at once what it missed.
HAProxy 2.6.12, measured: tests/haproxy/data/balance.json.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from itertools import count
from typing import Generic, TypeAlias, TypeVar

from sim.haproxy.contender import HEAVIEST_16THS, Contender

C = TypeVar("C", bound=Contender)

_GRAIN = HEAVIEST_16THS // 16
"""Places are compared this much finer than by one, so that the fractions count."""


class _Seat(Generic[C]):
    """A server and its place. `ticket` is that of its entry in `queue`; no entry with another counts."""

    __slots__ = ("fraction", "last", "place", "queue", "server", "ticket", "weight")

    def __init__(self, server: C) -> None:
        self.server = server
        self.weight = server.weight_16ths
        self.place = self.last = self.fraction = 0
        self.queue: _Queue[C] | None = None
        self.ticket = 0


_Entry: TypeAlias = tuple[int, int, _Seat[C]]


class _Queue(Generic[C]):
    """Seats in the order of a key, equal ones as they came."""

    __slots__ = ("_heap", "_tickets")

    def __init__(self, tickets: Iterator[int]) -> None:
        self._heap: list[_Entry[C]] = []
        self._tickets = tickets

    def add(self, key: int, seat: _Seat[C]) -> None:
        """Put it here, and nowhere else."""
        seat.ticket = next(self._tickets)
        seat.queue = self
        heappush(self._heap, (key, seat.ticket, seat))

    def first(self) -> _Seat[C] | None:
        """The first of those still here."""
        heap = self._heap
        while heap:
            _, ticket, seat = heap[0]
            if seat.ticket == ticket and seat.queue is self:
                return seat
            heappop(heap)
        return None


class RoundRobin(Generic[C]):
    """The rounds of some servers, of which those count that are usable."""

    def __init__(self, servers: Iterable[C]) -> None:
        self._seats = {server: _Seat(server) for server in servers}
        tickets = count(1)
        self._placed: _Queue[C] = _Queue(tickets)
        self._waiting: _Queue[C] = _Queue(tickets)
        self._later: _Queue[C] = _Queue(tickets)
        seated = [seat for seat in self._seats.values() if seat.server.usable]
        self._next_length = self._length = self._position = sum(seat.weight for seat in seated)
        for seat in seated:
            self._waiting.add(-seat.weight, seat)

    def pick(self, avoid: C | None = None) -> C | None:
        """The next server with room; `avoid` only if it is the only one."""
        if not self._length:
            self._position = self._length = self._next_length
        new_round = False
        avoided: _Seat[C] | None = None
        passed: list[_Seat[C]] = []
        taken: _Seat[C] | None = None
        while taken is None:
            seat = self._reached()
            if seat is None:
                if new_round:
                    taken = avoided
                    break
                new_round = True
                self._begin_round()
                continue
            self._advance(seat)
            if not seat.server.has_room or (seat.server is avoid and avoided is None):
                if seat.server.has_room:
                    avoided = seat
                passed.append(seat)
            else:
                taken = seat
        if taken is not None:
            self._place(taken)
        for seat in reversed(passed):
            if seat is taken:
                continue
            if new_round:
                self._waiting.add(-seat.weight, seat)
            else:
                self._place(seat)
        return None if taken is None else taken.server

    def loaded(self, server: C) -> None:
        """Sessions do not count here."""

    def changed(self, server: C) -> None:
        """The server came, went, or has another weight."""
        seat = self._seats[server]
        weight = server.weight_16ths if server.usable else 0
        if seat.queue is None:
            if weight:
                self._enter(seat, weight)
        elif not weight:
            self._next_length -= seat.weight
            seat.queue = None
        elif weight != seat.weight:
            self._reweigh(seat, weight)

    def _reached(self) -> _Seat[C] | None:
        """Whose turn it is: by its place, else one not placed yet, else whoever is placed next."""
        placed = self._placed.first()
        if placed is not None and placed.place <= self._position:
            return placed
        waiting = self._waiting.first()
        if waiting is None:
            return placed
        waiting.place = waiting.fraction = 0
        return waiting

    def _begin_round(self) -> None:
        self._waiting, self._later = self._later, self._waiting
        self._position = self._length = self._next_length

    def _advance(self, seat: _Seat[C]) -> None:
        """It is its turn: work out its next place, and take it from its queue."""
        seat.last = seat.place = seat.place or self._position
        whole, part = divmod(self._next_length, seat.weight)
        seat.place += whole
        seat.fraction += part
        if seat.fraction >= seat.weight:
            seat.fraction -= seat.weight
            seat.place += 1
        seat.ticket = 0
        self._position += 1

    def _place(self, seat: _Seat[C]) -> None:
        """Queue it by its place, or for the next round if that lies beyond this one."""
        if seat.place >= self._length + min(self._length, self._next_length):
            seat.place -= self._length
            self._later.add(-seat.weight, seat)
        else:
            self._placed.add(_GRAIN * seat.place + (HEAVIEST_16THS + seat.fraction - seat.weight) // 16, seat)

    def _enter(self, seat: _Seat[C], weight: int) -> None:
        """Somewhere in what is left of this round and the next."""
        seat.weight = weight
        self._next_length += weight
        left = self._next_length + self._length - self._position
        seat.place = self._position + left // weight
        self._place(seat)

    def _reweigh(self, seat: _Seat[C], weight: int) -> None:
        self._next_length += weight - seat.weight
        seat.weight = weight
        if seat.queue is self._waiting:
            self._waiting.add(-weight, seat)
            return
        if seat.queue is self._later:
            seat.place += self._length
        step = self._next_length // weight
        seat.place = min(seat.place, seat.last + step)
        seat.fraction = 0
        if seat.place < self._position + 2:
            seat.place = self._position + step
        self._place(seat)
