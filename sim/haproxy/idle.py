"""Connections to a server that wait for another request, whoever's it will be (`http-reuse`).

Not modelled: that HAProxy closes half of those too many every few seconds (`pool-purge-delay`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.flow.endpoint import OPENER, Endpoint, Reaction
from sim.flow.message import Ending, Message

if TYPE_CHECKING:
    from sim.flow.connection import Connection


class IdleConnections:
    """Those of one server; while they wait they are its own."""

    careless = False

    __slots__ = ("_reused",)

    def __init__(self) -> None:
        self._reused: dict[Connection, bool] = {}
        """Whether each has carried a second request yet."""

    def __len__(self) -> int:
        return len(self._reused)

    def put(self, connection: Connection, *, reused: bool) -> None:
        """A connection waits."""
        connection.ends[OPENER] = self
        self._reused[connection] = reused

    def take(self, endpoint: Endpoint, policy: str, *, first: bool) -> Connection | None:
        """One for a request, which is the first of its client's connection or not: the last that came."""
        for connection in reversed(self._reused):
            if not first or policy == "always" or (policy == "aggressive" and self._reused[connection]):
                del self._reused[connection]
                connection.ends[OPENER] = endpoint
                return connection
        return None

    # As an endpoint ---------------------------------------------------------------------------------------

    def foresee(self, at_ns: int, connection: Connection, message: Message) -> Reaction | None:
        """Nothing is expected."""
        return None

    def passed(self, at_ns: int, connection: Connection, message: Message) -> None:
        """Nothing passes."""

    def connected(self, now_ns: int, connection: Connection) -> None:
        """They all are."""

    def received(self, now_ns: int, connection: Connection, message: Message) -> None:
        """Nobody asked."""

    def ended(self, now_ns: int, connection: Connection, ending: Ending) -> None:
        """The server does not want to wait any longer."""
        self._reused.pop(connection, None)
        connection.close(OPENER)
