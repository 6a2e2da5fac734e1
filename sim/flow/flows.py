"""All flows of a run: what is under way, and what becomes of it when the network changes."""

from __future__ import annotations

from sim.flow.connection import Connection
from sim.flow.endpoint import Endpoint
from sim.flow.flow import Flow
from sim.flow.message import Message
from sim.flow.program import Program
from sim.kernel import Kernel


class Flows:
    """The flow layer of a run. Without `quick` everything goes step by step: slower, and with the same results."""

    def __init__(self, kernel: Kernel, *, quick: bool = True) -> None:
        self.kernel = kernel
        self.quick = quick

    def flow(self) -> Flow:
        """A new flow; it comes after all that began before it."""
        raise NotImplementedError

    def open(
        self,
        flow: Flow,
        program: Program,
        address: bytes,
        port: int,
        opener: Endpoint,
        first: Message = None,
        source: bytes | None = None,
    ) -> Connection:
        """Open a connection from a program's node to a packed address.

        With a `first` message that is sent as soon as the connection stands, and `opener.connected` is not called.
        What goes wrong comes by `opener.ended`: REFUSED (RST), UNREACHABLE (no answer to ARP for 3 s), TIMEOUT (no
        answer to any SYN; 127 s on Linux: a caller has its own timeout and calls `abort`).
        `source` is the packed address to come from; the node's own on the way there by default.
        """
        raise NotImplementedError

    def send(self, connection: Connection, side: int, message: Message) -> None:
        """See `Connection.send`."""
        raise NotImplementedError

    def close(self, connection: Connection, side: int) -> None:
        """See `Connection.close`."""
        raise NotImplementedError

    def abort(self, connection: Connection, side: int) -> None:
        """See `Connection.abort`."""
        raise NotImplementedError
