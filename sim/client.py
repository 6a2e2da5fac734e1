"""A client: it asks for something every so often, over a connection for each request or one that it keeps.

Requests are open loop, as many users' are: the next begins when its time comes, whatever became of the last; only
one who keeps a connection waits for the answer first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sim.flow.chance import mixed
from sim.flow.deadlines import Deadlines
from sim.flow.endpoint import OPENER, Reaction
from sim.flow.flow import Flow
from sim.flow.message import Ending, Message, NotTls, Request, Response, TlsAlert, TlsFlight
from sim.flow.program import Program
from sim.requests import OK, Requests
from vrrp.wire.address import text

if TYPE_CHECKING:
    from sim.flow.connection import Connection
    from sim.flow.flows import Flows
    from sim.node import Node
    from sim.result import ClientStory


@dataclass(frozen=True, slots=True)
class Habits:
    """What a client does: a request to `target` (packed) and `port` each `every_ns`, over in `timeout_ns` or failed.

    `retries`: so often it tries again at once, with the same timeout for each try. `cookies`: it gives back the
    cookies that it is given.
    """

    target: bytes
    port: int
    every_ns: int
    timeout_ns: int
    tls: bool = False
    keep_alive: bool = False
    cookies: bool = False
    retries: int = 0
    path: str = "/"


class Transaction(Flow):
    """One request, from its start to its result. `shaken`: the TLS handshake is over."""

    __slots__ = ("attempts", "deadline_ns", "number", "request", "shaken", "started_ns", "used")

    def __init__(self, rank: int, number: int, started_ns: int, request: Request) -> None:
        super().__init__(rank)
        self.number = number
        self.started_ns = started_ns
        self.request = request
        self.attempts = 0
        self.deadline_ns = -1
        self.shaken = False
        self.used: Connection | None = None


class Client:
    """A program on a node that makes requests; at the same time its end of their connections."""

    careless = False

    def __init__(self, node: Node, flows: Flows, name: str, habits: Habits) -> None:
        self.name = name
        self.node = node
        self.habits = habits
        self.requests = Requests()
        self._flows = flows
        self._kernel = node.kernel
        self._program = Program(node, name)
        self._key = mixed(int.from_bytes(name.encode(), "big") ^ (node.kernel.seed << 64))
        self._rank = flows.rank()
        self._deadlines: Deadlines[Transaction] = Deadlines(node.kernel, habits.timeout_ns, self._expire)
        self._kept: Connection | None = None
        self._jar: dict[str, str] = {}

    def start(self) -> None:
        """Begin to ask, now and then regularly."""
        self._kernel.agenda.add(self._kernel.now_ns, self._rank, self._begin, None)

    def story(self, end_ns: int) -> ClientStory:
        """What the client saw until `end_ns`; requests that may still be answered are left out."""
        target = f"{text(self.habits.target)}:{self.habits.port}"
        return self.requests.story(target, end_ns, self.habits.timeout_ns)

    def _begin(self, _: None) -> None:
        habits, now_ns = self.habits, self._kernel.now_ns
        number = self.requests.begin(now_ns)
        if not habits.keep_alive:
            self._kernel.agenda.add(now_ns + habits.every_ns, self._rank, self._begin, None)
        request = Request(
            self._key + number,
            habits.tls,
            habits.keep_alive,
            path=habits.path,
            cookies=dict(self._jar) if habits.cookies else _NO_COOKIES,
        )
        self._try(Transaction(self._flows.rank(), number, now_ns, request))

    def _try(self, transaction: Transaction) -> None:
        self._deadlines.begin(transaction)
        kept = self._kept
        if kept is not None:
            kept.flow, transaction.used, transaction.shaken = transaction, kept, True
            kept.send(OPENER, transaction.request)
            return
        transaction.shaken = False
        habits = self.habits
        first: Message = _HELLO if habits.tls else transaction.request
        transaction.used = self._flows.open(transaction, self._program, habits.target, habits.port, self, first)

    def _expire(self, now_ns: int, transaction: Transaction) -> None:
        used = transaction.used
        assert used is not None  # it began to try
        # What was foreseen has not all happened: closing finds out what has.
        used.close(OPENER)
        self._fail(now_ns, transaction, "timeout")

    def _fail(self, now_ns: int, transaction: Transaction, what: str) -> None:
        used = transaction.used
        assert used is not None  # it began to try
        phase = "tcp" if used.connected_ns < 0 else "http" if transaction.shaken or not self.habits.tls else "tls"
        self._settle(now_ns, transaction, f"{phase}:{what}", "")

    def _settle(self, now_ns: int, transaction: Transaction, result: str, node: str) -> None:
        """A try is over."""
        transaction.deadline_ns = -1
        used = transaction.used
        assert used is not None  # it began to try
        if result != OK and transaction.attempts < self.habits.retries:
            self._drop(used)
            # What is still under way of this try, behind a load balancer perhaps, is another flow's than the next.
            again = Transaction(self._flows.rank(), transaction.number, transaction.started_ns, transaction.request)
            again.attempts = transaction.attempts + 1
            self._try(again)
            return
        connected_ns = used.connected_ns
        # A request on a kept connection did not connect.
        connect_ns = connected_ns - transaction.started_ns if connected_ns >= transaction.started_ns else -1
        self.requests.end(transaction.number, now_ns, connect_ns, result, node)
        transaction.used = None
        if not (self.habits.keep_alive and used.open[OPENER]):
            self._drop(used)
        else:
            self._kept = used
        if self.habits.keep_alive:
            at_ns = max(now_ns, transaction.started_ns + self.habits.every_ns)
            self._kernel.agenda.add(at_ns, self._rank, self._begin, None)

    def _drop(self, connection: Connection) -> None:
        connection.close(OPENER)
        if self._kept is connection:
            self._kept = None

    # As an endpoint ---------------------------------------------------------------------------------------

    def foresee(self, at_ns: int, connection: Connection, message: Message) -> Reaction | None:
        """A handshake takes its course, and the request follows it; what the answer means is looked at."""
        if type(message) is not TlsFlight:
            return None
        transaction = connection.flow
        assert isinstance(transaction, Transaction)  # nobody else opens connections here
        following = transaction.request if message.last else TlsFlight(message.version, message.number + 1, last=True)
        return at_ns, connection, OPENER, following

    def passed(self, at_ns: int, connection: Connection, message: Message) -> None:
        """Part of a handshake came."""
        transaction = connection.flow
        if type(message) is TlsFlight and message.last and isinstance(transaction, Transaction):
            transaction.shaken = True

    def connected(self, now_ns: int, connection: Connection) -> None:
        """Its connections have a first message."""

    def received(self, now_ns: int, connection: Connection, message: Message) -> None:
        """The answer, or something that is none."""
        transaction = connection.flow
        if not isinstance(transaction, Transaction) or transaction.deadline_ns < 0:
            return
        if type(message) is not Response:
            if type(message) in _REFUSALS:
                self._drop(connection)
                self._fail(now_ns, transaction, _REFUSALS[type(message)])
            return
        if message.set_cookie is not None and self.habits.cookies:
            self._jar[message.set_cookie[0]] = message.set_cookie[1]
        if not message.keep_alive:
            self._drop(connection)
        result = OK if 200 <= message.status < 400 else f"http{message.status}"
        self._settle(now_ns, transaction, result, message.server)

    def ended(self, now_ns: int, connection: Connection, ending: Ending) -> None:
        """The other side ended the connection, or there was none."""
        transaction = connection.flow
        waiting = (
            isinstance(transaction, Transaction) and transaction.used is connection and transaction.deadline_ns >= 0
        )
        self._drop(connection)
        if waiting and isinstance(transaction, Transaction):
            self._fail(now_ns, transaction, ending.value)


_REFUSALS: dict[type, str] = {TlsAlert: "alert", NotTls: "not TLS"}
_HELLO = TlsFlight("1.3")
_NO_COOKIES: dict[str, str] = {}
