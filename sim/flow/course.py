"""Looking ahead: what comes of a message in quiet time, up to where somebody has to decide."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from sim.flow.endpoint import ACCEPTOR, OPENER, Endpoint
from sim.flow.message import Ending, Message

if TYPE_CHECKING:
    from sim.flow.connection import Connection
    from sim.flow.transport import Arrival, Transport

Act: TypeAlias = Callable[[Any], None]
Leg: TypeAlias = tuple[int, Act, Any]
"""A step of a course: when which act of the transport is done with what."""
Pass: TypeAlias = "tuple[Endpoint, int, Connection, Message]"
"""Who foresaw what comes of which message, when it came."""


def look_ahead(
    transport: Transport,
    at_ns: int,
    connection: Connection,
    side: int,
    message: Message,
    touched: list[Connection],
    passes: list[Pass],
    legs: list[Leg] | None = None,
) -> tuple[int, Act, Any, bool]:
    """Where a course ends that begins with a message leaving `side` at `at_ns`, as the network is now.

    Gives its last step, and whether it passes anybody who foresaw what comes of a message. Fills `touched` with the
    connections on which messages get through, `passes` with those who are to be told of what passed them, and `legs`
    with all steps but the last.
    """
    version = transport.kernel.version
    arrival: Arrival
    passing = False
    while True:
        reached = connection.reached
        if reached.version != version:
            reached = transport.refresh(connection)
        if not reached.quiet or (at_ns > reached.trusted_ns and not reached.trusts(at_ns)):
            return at_ns, transport.leave, (connection, side, message, 0), passing
        if not connection.open[side]:
            return at_ns, transport.leave, (connection, side, message, 0), passing
        if connection not in touched:
            touched.append(connection)
        if legs is not None:
            legs.append((at_ns, transport.leave, (connection, side, message, 0)))
        if side == OPENER:
            arrival = (connection, ACCEPTOR, message, 0, reached.out, at_ns)
            at_ns += reached.delay_ns
            endpoint = connection.ends[ACCEPTOR]
            if endpoint is None and connection.socket is not None:
                endpoint = connection.socket.listener.accepts(at_ns, connection, message)
        else:
            arrival = (connection, OPENER, message, 0, reached.back, at_ns)
            at_ns += reached.back_ns
            endpoint = connection.ends[OPENER]
        if endpoint is None or type(message) is Ending or not connection.open[1 - side]:
            return at_ns, transport.arrive, arrival, passing
        reaction = endpoint.foresee(at_ns, connection, message)
        if reaction is None:
            return at_ns, transport.arrive, arrival, passing
        if legs is not None:
            legs.append((at_ns, transport.arrive, arrival))
        passing = True
        if not endpoint.careless:
            passes.append((endpoint, at_ns, connection, message))
        at_ns, connection, side, message = reaction
