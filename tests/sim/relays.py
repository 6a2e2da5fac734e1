"""A relay as small as can be: it passes messages on to one server after the other, as a load balancer in mode tcp."""

from __future__ import annotations

from sim.flow.connection import Connection
from sim.flow.deadlines import Deadlines
from sim.flow.endpoint import ACCEPTOR, OPENER, Endpoint, Reaction
from sim.flow.flows import Flows
from sim.flow.message import Ending, Message
from sim.flow.program import Program
from sim.node import Node


class Session:
    """One connection to the relay and the one that it opened for it."""

    careless = False

    def __init__(self, relay: Relay, front: Connection) -> None:
        self.relay = relay
        self.front = front
        self.back: Connection | None = None
        self.deadline_ns = -1

    def foresee(self, at_ns: int, connection: Connection, message: Message) -> Reaction | None:
        if connection is not self.front:
            return at_ns, self.front, ACCEPTOR, message
        return (at_ns, self.back, OPENER, message) if self.back is not None else None

    def passed(self, at_ns: int, connection: Connection, message: Message) -> None:
        if connection is not self.front:
            self.deadline_ns = -1

    def connected(self, now_ns: int, connection: Connection) -> None:
        raise AssertionError("it has a first message")

    def received(self, now_ns: int, connection: Connection, message: Message) -> None:
        self.relay.open(self, message)

    def ended(self, now_ns: int, connection: Connection, ending: Ending) -> None:
        self.deadline_ns = -1
        if ending is Ending.FIN:
            connection.close(connection.side_of(self))
        if self.back is None:
            return
        if connection is self.front:
            self.back.close(OPENER)
        else:
            self.front.abort(ACCEPTOR)

    def expired(self, now_ns: int) -> None:
        assert self.back is not None
        if self.back.connected_ns < 0 or self.back.connected_ns > now_ns:
            self.back.abort(OPENER)
            self.front.abort(ACCEPTOR)


class Relay:
    """Listens on port 8443; takes servers (packed address, port) in turn; gives connecting up after `connect_ns`."""

    def __init__(self, node: Node, flows: Flows, servers: list[tuple[bytes, int]], connect_ns: int) -> None:
        self.node = node
        self.flows = flows
        self.servers = servers
        self.turn = 0
        self.program: Program | None = None
        self._deadlines: Deadlines[Session] = Deadlines(
            node.kernel, connect_ns, lambda now_ns, session: session.expired(now_ns)
        )

    name = "haproxy"

    @property
    def running(self) -> bool:
        return self.program is not None and self.program.alive

    def start(self, now_ns: int) -> None:
        if self.program is None or not self.program.alive:
            self.program = Program(self.node, "relay")
            self.program.listen(None, 8443, self)

    def kill(self, now_ns: int) -> None:
        if self.program is not None and self.program.alive:
            self.program.end(now_ns)

    def stop(self, now_ns: int) -> None:
        self.kill(now_ns)

    def reload(self, now_ns: int) -> None:
        self.kill(now_ns)
        self.start(now_ns)

    def accepts(self, at_ns: int, connection: Connection, message: Message) -> Endpoint | None:
        return None

    def accept(self, now_ns: int, connection: Connection, message: Message) -> Endpoint | None:
        return Session(self, connection)

    def open(self, session: Session, message: Message) -> None:
        assert self.program is not None
        address, port = self.servers[self.turn % len(self.servers)]
        self.turn += 1
        self._deadlines.begin(session)
        session.back = self.flows.open(session.front.flow, self.program, address, port, session, message)
