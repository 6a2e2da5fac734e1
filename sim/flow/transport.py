"""TCP step by step: each packet is an event, and asks the network anew what becomes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from sim.flow.course import Act
from sim.flow.endpoint import ACCEPTOR, OPENER
from sim.flow.message import Ending, Message
from sim.flow.reach import Reached, reach, still_reached
from sim.flow.sockets import Socket
from sim.flow.way import Way, find_way
from sim.flow.wire import show_reset, show_syn, show_syn_ack
from sim.result import SECOND_NS

if TYPE_CHECKING:
    from sim.flow.connection import Connection
    from sim.flow.flows import Flows
    from sim.node import Node

RETRANSMIT_NS = 200_000_000
"""Linux's least time before a packet is sent again (TCP_RTO_MIN); then twice that, and so on to two minutes."""
MOST_RETRANSMIT_NS = 120 * SECOND_NS
DATA_RETRIES = 15
"""net.ipv4.tcp_retries2: after that the kernel gives the connection up."""
SYN_NS = SECOND_NS
"""A SYN is sent again after 1 s; later, after twice what it was each time."""
SYN_LINEAR = 4
"""net.ipv4.tcp_syn_linear_timeouts: so often more it is 1 s again, so that SYNs go out 1, 2, 3, 4, 5, 7, 11, 19, 35
and 67 s after the first (Linux 6.5 and later, measured with 6.18; before, 1, 3, 7, 15, 31 and 63 s)."""
SYN_RETRIES = 6 + SYN_LINEAR
"""net.ipv4.tcp_syn_retries, and those."""

Departure: TypeAlias = "tuple[Connection, int, Message, int]"
"""A message that leaves a side, and how often it did before."""
Arrival: TypeAlias = "tuple[Connection, int, Message, int, Way | None, int]"
"""A message that arrives at a side; how often it was sent before, on which way, and when it left."""


class Transport:
    """What happens to the packets of connections. Its acts are put on the kernel's agenda."""

    def __init__(self, flows: Flows) -> None:
        self.flows = flows
        self.kernel = flows.kernel
        self.leave: Act = self._leave
        self.arrive: Act = self._arrive
        self.syn_arrives: Act = self._syn_arrives
        self.established: Act = self._established

    def refresh(self, connection: Connection) -> Reached:
        """Ask the network again about the ways of a connection."""
        opener, acceptor = connection.programs
        assert opener is not None  # who opened it
        there = acceptor.node if acceptor is not None else None
        connection.reached = still_reached(opener.node, connection.reached, there, acceptor)
        return connection.reached

    def _later(self, connection: Connection, at_ns: int, act: Act, argument: object) -> None:
        self.kernel.agenda.add(at_ns, connection.flow.rank, act, argument)

    # Opening --------------------------------------------------------------------------------------------

    def syn(self, connection: Connection, attempt: int) -> None:
        """A SYN leaves, for the `attempt`-th time after the first."""
        program = connection.programs[OPENER]
        assert program is not None  # who opened it
        node = program.node
        if not connection.open[OPENER] or not program.alive:
            return
        now_ns = self.kernel.now_ns
        source, address = connection.addresses
        reached = connection.reached = reach(node, address, connection.port, source)
        way = reached.out
        if way.unresolved is not None:
            cache, address = way.unresolved
            own = cache in [one.neighbors for one in node.interfaces.values()]
            cache.resolve(address, lambda known: self._syn_resolved(connection, attempt, known, own=own))
            return
        show_syn(connection, way, now_ns)
        delay_ns = way.draw(connection.chance) if way.node is not None else None
        if delay_ns is None:
            self._syn_lost(connection, attempt, now_ns)
        else:
            self._later(connection, now_ns + delay_ns, self.syn_arrives, (connection, attempt, way, now_ns))

    def _syn_resolved(self, connection: Connection, attempt: int, known: bool, *, own: bool) -> None:
        if known:
            self.syn(connection, attempt)
        elif own:
            self._fail(connection, Ending.UNREACHABLE)
        else:
            self._syn_lost(connection, attempt, self.kernel.now_ns)

    def _syn_lost(self, connection: Connection, attempt: int, sent_ns: int) -> None:
        self._later(connection, sent_ns + _syn_wait_ns(attempt), self._syn_again, (connection, attempt + 1))

    def _syn_again(self, argument: tuple[Connection, int]) -> None:
        connection, attempt = argument
        if attempt > SYN_RETRIES:
            self._fail(connection, Ending.TIMEOUT)
        elif connection.connected_ns < 0:
            self.syn(connection, attempt)

    def _syn_arrives(self, argument: tuple[Connection, int, Way, int]) -> None:
        connection, attempt, way, sent_ns = argument
        there = way.node
        if there is None or (way.version != self.kernel.version and not way.stands()):
            self._syn_lost(connection, attempt, sent_ns)
            return
        socket = there.sockets.find(connection.addresses[ACCEPTOR], connection.port)
        if socket is not None and socket.silent:
            self._syn_lost(connection, attempt, sent_ns)
        else:
            self._answer_syn(connection, attempt, there, socket, sent_ns)

    def _answer_syn(
        self, connection: Connection, attempt: int, there: Node, socket: Socket | None, sent_ns: int
    ) -> None:
        """SYN-ACK or RST, once the MAC of the one who asked is known."""
        back = find_way(there, connection.addresses[OPENER])
        if back.unresolved is not None:
            cache, address = back.unresolved

            def resolved(known: bool) -> None:
                if known and there.has(connection.addresses[ACCEPTOR]):
                    self._answer_syn(connection, attempt, there, socket, sent_ns)
                else:
                    self._syn_lost(connection, attempt, max(sent_ns, self.kernel.now_ns - _syn_wait_ns(attempt)))

            cache.resolve(address, resolved)
            return
        now_ns = self.kernel.now_ns
        show = show_syn_ack if socket is not None else show_reset
        show(connection, back, now_ns)
        delay_ns = back.draw(connection.chance) if back.node is not None else None
        if delay_ns is None:
            self._syn_lost(connection, attempt, sent_ns)
        elif socket is None:
            self._later(connection, now_ns + delay_ns, self._refused, (connection, back))
        else:
            self._later(connection, now_ns + delay_ns, self.established, (connection, attempt, socket, back, sent_ns))

    def _refused(self, argument: tuple[Connection, Way]) -> None:
        connection, back = argument
        if self._lands(connection, OPENER, back):
            self._fail(connection, Ending.REFUSED)

    def _established(self, argument: tuple[Connection, int, Socket, Way, int]) -> None:
        connection, attempt, socket, back, sent_ns = argument
        if not connection.open[OPENER] or connection.connected_ns >= 0:
            return
        if not self._lands(connection, OPENER, back):
            self._syn_lost(connection, attempt, sent_ns)
            return
        now_ns = connection.connected_ns = self.kernel.now_ns
        connection.socket, connection.programs[ACCEPTOR] = socket, socket.program
        if connection.first is not None:
            self.flows.go(connection.flow, now_ns, connection, OPENER, connection.first)
            return
        self.flows.go(connection.flow, now_ns, connection, OPENER, None)
        opener = connection.ends[OPENER]
        assert opener is not None  # who opened it
        opener.connected(now_ns, connection)

    def _fail(self, connection: Connection, ending: Ending) -> None:
        if connection.open[OPENER]:
            self.flows.forget(connection, OPENER)
            opener = connection.ends[OPENER]
            assert opener is not None  # who opened it
            opener.ended(self.kernel.now_ns, connection, ending)

    # Messages -------------------------------------------------------------------------------------------

    def _leave(self, departure: Departure) -> None:
        """A message leaves a side. A FIN does so when its program has closed the socket; anything else before."""
        connection, side, message, attempt = departure
        program = connection.programs[side]
        if program is None or program.vanished or not (connection.open[side] or type(message) is Ending):
            return
        node, now_ns = program.node, self.kernel.now_ns
        if not node.has(connection.addresses[side]):
            self._lost(departure, now_ns)
            return
        way = find_way(node, connection.addresses[1 - side])
        if way.unresolved is not None:
            cache, address = way.unresolved
            cache.resolve(address, lambda known: self._leave(departure) if known else self._lost(departure, now_ns))
            return
        if message is Ending.RESET:
            show_reset(connection, way, now_ns, side)
        delay_ns = way.draw(connection.chance) if way.node is not None else None
        if delay_ns is None:
            self._lost(departure, now_ns)
        else:
            arrival = (connection, 1 - side, message, attempt, way, now_ns)
            self._later(connection, now_ns + delay_ns, self.arrive, arrival)

    def _lost(self, departure: Departure, sent_ns: int) -> None:
        """A packet went nowhere; TCP sends it again, and at last gives up."""
        connection, side, message, attempt = departure
        if message is Ending.RESET:
            return
        wait_ns = min(RETRANSMIT_NS << attempt, MOST_RETRANSMIT_NS)
        at_ns = max(sent_ns + wait_ns, self.kernel.now_ns)
        if attempt < DATA_RETRIES:
            self._later(connection, at_ns, self.leave, (connection, side, message, attempt + 1))
        else:
            self._later(connection, at_ns, self._given_up, (connection, side, Ending.TIMEOUT, None))

    def _given_up(self, argument: tuple[Connection, int, Ending, Way | None]) -> None:
        """A side learns that its connection is no more."""
        connection, side, ending, way = argument
        endpoint = connection.ends[side]
        if (
            not connection.open[side]
            or endpoint is None
            or (way is not None and not self._lands(connection, side, way))
        ):
            return
        self.flows.forget(connection, side)
        endpoint.ended(self.kernel.now_ns, connection, ending)

    def _arrive(self, arrival: Arrival) -> None:
        connection, side, message, attempt, way, sent_ns = arrival
        there = way.node if way is not None else None
        if way is None or there is None or (way.version != self.kernel.version and not way.stands()):
            self._lost((connection, 1 - side, message, attempt), sent_ns)
            return
        program = connection.programs[side]
        if program is None or program.node is not there or not program.alive or not connection.open[side]:
            if type(message) is not Ending:
                self._reset(connection, there, (connection, 1 - side, message, attempt), sent_ns)
            return
        self.flows.deliver(connection, side, message)

    def _reset(self, connection: Connection, there: Node, departure: Departure, sent_ns: int) -> None:
        """A host that knows nothing of a connection answers a packet of it with RST."""
        side = departure[1]
        back = find_way(there, connection.addresses[side])
        now_ns = self.kernel.now_ns
        if back.unresolved is not None:
            cache, address = back.unresolved

            def resolved(known: bool) -> None:
                if known:
                    self._reset(connection, there, departure, sent_ns)
                else:
                    self._lost(departure, sent_ns)

            cache.resolve(address, resolved)
            return
        delay_ns = back.draw(connection.chance) if back.node is not None else None
        if delay_ns is None:
            self._lost(departure, sent_ns)
            return
        show_reset(connection, back, now_ns, 1 - side)
        self._later(connection, now_ns + delay_ns, self._given_up, (connection, side, Ending.RESET, back))

    def _lands(self, connection: Connection, side: int, way: Way) -> bool:
        """Whether a packet that comes on this way now is taken by the program on a side."""
        program = connection.programs[side]
        if program is None or program.node is not way.node or not program.alive:
            return False
        return way.version == self.kernel.version or way.stands()


def _syn_wait_ns(attempt: int) -> int:
    """How long the `attempt`-th SYN after the first is waited for."""
    return SYN_NS << max(0, attempt - SYN_LINEAR)
