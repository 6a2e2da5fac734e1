"""All flows of a run: what is under way, and what becomes of it when the network changes."""

from __future__ import annotations

from itertools import count
from typing import Any

from sim.flow.connection import Connection
from sim.flow.course import Leg, Pass, look_ahead
from sim.flow.endpoint import ACCEPTOR, OPENER, Endpoint
from sim.flow.flow import Flow
from sim.flow.message import Ending, Message
from sim.flow.program import Program
from sim.flow.reach import reach
from sim.flow.transport import Transport
from sim.kernel import Kernel


class Flows:
    """The flow layer of a run. Without `quick` everything goes step by step: slower, and with the same results."""

    def __init__(self, kernel: Kernel, *, quick: bool = True) -> None:
        self.kernel = kernel
        self.quick = quick
        self.transport = Transport(self)
        self._arrive = self.transport.arrive
        self._under_way: dict[Flow, None] = {}
        self._ranks = count(1)
        self._connections = 0
        kernel.watchers.append(self._unfold_all)

    def rank(self) -> int:
        """The rank of a new flow: it comes after all that began before it."""
        return next(self._ranks)

    def flow(self) -> Flow:
        """A new flow."""
        return Flow(next(self._ranks))

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
        What comes of `first` may be foreseen before this returns: `opener.foresee` is asked about this connection.
        `source` is the packed address to come from; the node's own on the way there by default.
        """
        reached = reach(program.node, address, port, source)
        self._connections += 1
        connection = Connection(self, flow, program, reached, opener, first, self._connections)
        now_ns = self.kernel.now_ns
        if self.quick and reached.quiet and first is not None and reached.trusts(now_ns + reached.delay_ns):
            assert reached.socket is not None  # it is quiet
            connection.socket, connection.programs[ACCEPTOR] = reached.socket, reached.socket.program
            connection.connected_ns = connected_ns = now_ns + reached.delay_ns + reached.back_ns
            flow.opening, flow.begun_ns = True, now_ns
            self._begin(flow, connected_ns, connection, OPENER, first)
        else:
            self.transport.syn(connection, 0)
        return connection

    def send(self, connection: Connection, side: int, message: Message) -> None:
        """See `Connection.send`."""
        if connection.open[side]:
            if connection.connected_ns < 0:
                connection.first = message
            else:
                self.go(connection.flow, self.kernel.now_ns, connection, side, message)

    def go(self, flow: Flow, at_ns: int, connection: Connection, side: int, message: Message) -> None:
        """A message leaves a side at `at_ns`: look ahead in quiet time, else take the first step."""
        if self.quick and message is not None:
            flow.opening, flow.begun_ns, flow.left = False, at_ns, at_ns <= self.kernel.now_ns
            self._begin(flow, at_ns, connection, side, message)
        elif at_ns > self.kernel.now_ns:
            self.kernel.agenda.add(at_ns, flow.rank, self.transport.leave, (connection, side, message, 0))
        else:
            self.transport.leave((connection, side, message, 0))

    def close(self, connection: Connection, side: int) -> None:
        """See `Connection.close`."""
        self._let_go(connection, side, Ending.FIN)

    def abort(self, connection: Connection, side: int) -> None:
        """See `Connection.abort`."""
        self._let_go(connection, side, Ending.RESET)

    def _let_go(self, connection: Connection, side: int, ending: Ending) -> None:
        if not connection.open[side]:
            return
        flow = connection.flow
        if flow.end_ns >= 0:
            self.unfold(flow)
        self.forget(connection, side)
        if connection.connected_ns < 0:
            return
        other = connection.ends[1 - side]
        if other is not None and other.careless:
            self.forget(connection, 1 - side)
        elif connection.open[1 - side]:
            self._part(connection, side, ending)

    def _part(self, connection: Connection, side: int, ending: Ending) -> None:
        """A FIN or RST leaves. It is no course: nobody waits for what comes of it."""
        reached, now_ns = connection.reached, self.kernel.now_ns
        if self.quick and reached.quiet and reached.version == self.kernel.version and reached.trusts(now_ns):
            way, delay_ns = (reached.out, reached.delay_ns) if side == OPENER else (reached.back, reached.back_ns)
            arrival = (connection, 1 - side, ending, 0, way, now_ns)
            self.kernel.agenda.add(now_ns + delay_ns, connection.flow.rank, self.transport.arrive, arrival)
        else:
            self.transport.leave((connection, side, ending, 0))

    def forget(self, connection: Connection, side: int) -> None:
        """A side has the connection no more, and says nothing about it."""
        connection.open[side] = False
        program = connection.programs[side]
        if program is not None:
            program.connections.pop(connection, None)
        if not connection.open[1 - side]:
            # Nobody is told anything any more; and millions of these are not to wait for the garbage collector.
            connection.ends[:] = (None, None)

    # Delivering -----------------------------------------------------------------------------------------

    def deliver(self, connection: Connection, side: int, message: Message) -> None:
        """A message has come to the program on a side."""
        now_ns, flow = self.kernel.now_ns, connection.flow
        endpoint = connection.ends[side]
        if endpoint is None:
            endpoint = self._accept(now_ns, connection, message)
            if endpoint is None:
                return
        if type(message) is Ending:
            self._ended(now_ns, connection, side, endpoint, message)
            return
        if connection not in flow.touched:
            flow.touched.append(connection)
        reaction = endpoint.foresee(now_ns, connection, message)
        if reaction is None:
            self._come_through(now_ns, flow)
            endpoint.received(now_ns, connection, message)
        else:
            endpoint.passed(now_ns, connection, message)
            at_ns, connection, side, message = reaction
            self.go(flow, at_ns, connection, side, message)

    def _ended(self, now_ns: int, connection: Connection, side: int, endpoint: Endpoint, ending: Ending) -> None:
        if ending is Ending.RESET or endpoint.careless:
            self.forget(connection, side)
        if not endpoint.careless:
            endpoint.ended(now_ns, connection, ending)

    def _accept(self, now_ns: int, connection: Connection, message: Message) -> Endpoint | None:
        """The first message on a connection: who takes it? None where that is all there was to do."""
        socket = connection.socket
        assert socket is not None  # it is established
        endpoint = socket.listener.accepts(now_ns, connection, message)
        if endpoint is not None:
            self._join(connection, endpoint)
            return endpoint
        flow = connection.flow
        if connection not in flow.touched:
            flow.touched.append(connection)
        self._come_through(now_ns, flow)
        for program in connection.programs:
            if program is not None:
                program.connections[connection] = None
        endpoint = connection.ends[ACCEPTOR] = socket.listener.accept(now_ns, connection, message)
        if endpoint is not None and message is not None and connection.open[ACCEPTOR]:
            endpoint.received(now_ns, connection, message)
        return None

    def _join(self, connection: Connection, endpoint: Endpoint) -> None:
        """Somebody has taken a connection."""
        connection.ends[ACCEPTOR] = endpoint
        for program in connection.programs:
            if program is not None:
                program.connections[connection] = None

    def _come_through(self, now_ns: int, flow: Flow) -> None:
        """Messages of a flow came through: the neighbor caches on their ways are confirmed."""
        for connection in flow.touched:
            connection.reached.confirm(now_ns)
            if connection.ends[ACCEPTOR] is None and connection.socket is not None:
                endpoint = connection.socket.listener.accepts(now_ns, connection, None)
                if endpoint is not None:
                    self._join(connection, endpoint)
        flow.touched.clear()

    # Courses --------------------------------------------------------------------------------------------

    def catch_up(self, flow: Flow) -> None:
        """Tell all whom a flow passed until now; it goes on step by step."""
        if flow.end_ns >= 0:
            self.unfold(flow)

    def _begin(self, flow: Flow, at_ns: int, connection: Connection, side: int, message: Message) -> None:
        flow.connection, flow.side, flow.message, flow.known = connection, side, message, len(flow.touched)
        passes: list[Pass] = []
        flow.passes = passes
        flow.end_ns, flow.act, flow.argument, flow.passing = look_ahead(
            self.transport, at_ns, connection, side, message, flow.touched, passes
        )
        self._under_way[flow] = None
        self.kernel.agenda.add(flow.end_ns, flow.rank, self._finish, flow)

    def _finish(self, flow: Flow) -> None:
        """The course came to its end without a change."""
        if flow.end_ns != self.kernel.now_ns:
            return  # it was another course
        act, argument = flow.act, flow.argument
        if flow.passing and (act is self.transport.leave or argument[1] == ACCEPTOR or type(argument[2]) is Ending):
            # It goes on from here, and whoever it passed may be asked how far it came.
            self.unfold(flow)
            return
        flow.end_ns = -1
        flow.connection = flow.argument = None
        del self._under_way[flow]
        for endpoint, passed_ns, passing, what in flow.passes:
            endpoint.passed(passed_ns, passing, what)
        if act is self._arrive:
            connection, side, message = argument[:3]
            program = connection.programs[side]
            if connection.open[side] and program is not None and program.alive:
                self.deliver(connection, side, message)
                return
        assert act is not None  # it had a course
        act(argument)

    def _unfold_all(self) -> None:
        """The network is about to change: everything goes on step by step."""
        for flow in tuple(self._under_way):
            self.unfold(flow)

    def unfold(self, flow: Flow) -> None:
        """Give up a course: what has happened by now has, and the step that is under way becomes an event."""
        now = (self.kernel.now_ns, self.kernel.rank)
        del self._under_way[flow]
        flow.end_ns = -1
        del flow.touched[flow.known :]
        connection = flow.connection
        assert connection is not None  # it has a course
        legs: list[Leg] = []
        at_ns = flow.begun_ns
        transport = self.transport
        if flow.opening:
            reached = connection.reached
            legs.append((at_ns + reached.delay_ns, transport.syn_arrives, (connection, 0, reached.out, at_ns)))
            at_ns += reached.delay_ns + reached.back_ns
            legs.append((at_ns, transport.established, (connection, 0, reached.socket, reached.back, flow.begun_ns)))
            if (at_ns, flow.rank) >= now:
                connection.connected_ns = -1
                connection.programs[ACCEPTOR] = None
        *last, _ = look_ahead(transport, at_ns, connection, flow.side, flow.message, [], [], legs)
        legs.append((*last,))
        for number, (at_ns, act, argument) in enumerate(legs):
            # The last step cannot have been: it is what the course waits for.
            if (at_ns, flow.rank) >= now or number == len(legs) - 1:
                if flow.left and not (number or flow.opening):
                    # It left as it was sent, and its sender may close at the same moment.
                    act(argument)
                else:
                    self.kernel.agenda.add(at_ns, flow.rank, act, argument)
                return
            if act is transport.arrive:
                self._has_arrived(at_ns, flow, argument)

    def _has_arrived(self, at_ns: int, flow: Flow, arrival: Any) -> None:
        """A message that was foreseen to arrive has."""
        connection, side, message, *_ = arrival
        endpoint = connection.ends[side]
        if endpoint is None:
            endpoint = connection.socket.listener.accepts(at_ns, connection, message)
            self._join(connection, endpoint)
        if connection not in flow.touched:
            flow.touched.append(connection)
        endpoint.passed(at_ns, connection, message)
