"""Who sits at the end of a connection, and who listens for new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

from sim.flow.message import Ending, Message

if TYPE_CHECKING:
    from sim.flow.connection import Connection

Reaction: TypeAlias = "tuple[int, Connection, int, Message]"
"""What comes of a message: when which message leaves on which connection from which side (OPENER or ACCEPTOR)."""

OPENER, ACCEPTOR = 0, 1


class Endpoint(Protocol):
    """One side of a connection.

    `foresee` is what makes quiet time cheap, and must be pure: it changes nothing, depends on nothing that can
    change without `Kernel.changed`, and gives the same for the same arguments. The flow layer asks it long before
    `at_ns`, asks again when the network changes in between, and then goes on step by step with what it said.
    An endpoint that has to decide, count or remember something when a message comes gives None, and gets the message
    by `received` at its time.

    Who is `careless` closes when the other side does, and needs not be told of that, nor of what passed.
    """

    careless: bool

    def foresee(self, at_ns: int, connection: Connection, message: Message) -> Reaction | None:
        """What this message, arriving at `at_ns`, makes this endpoint do; None: it has to be there itself."""

    def passed(self, at_ns: int, connection: Connection, message: Message) -> None:
        """A message whose consequences were foreseen arrived at `at_ns`, which may be a while ago."""

    def connected(self, now_ns: int, connection: Connection) -> None:
        """The connection that it opened without a first message is established."""

    def received(self, now_ns: int, connection: Connection, message: Message) -> None:
        """A message arrived, of which nothing was foreseen."""

    def ended(self, now_ns: int, connection: Connection, ending: Ending) -> None:
        """The other side closed or reset the connection, or it never came about. Nothing more comes.

        After a FIN its own side is still to be closed.
        """


class Listener(Protocol):
    """Who takes new connections at a port."""

    def accepts(self, at_ns: int, connection: Connection, message: Message) -> Endpoint | None:
        """Who will take a connection that comes at `at_ns` with its first message, when that is known before: pure.

        None: `accept` is to be called then.
        """

    def accept(self, now_ns: int, connection: Connection, message: Message) -> Endpoint | None:
        """A connection is established: who takes it? None: nobody, it was closed or reset at once.

        `message` is the first on it, which is given to `received` right afterwards; None: a bare acknowledgement,
        and nothing has been said yet.
        """
