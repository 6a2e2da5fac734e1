"""A TCP connection between two programs of the simulated network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.flow.chance import Chance, mixed
from sim.flow.endpoint import ACCEPTOR, OPENER, Endpoint
from sim.flow.message import Message

if TYPE_CHECKING:
    from sim.flow.flow import Flow
    from sim.flow.flows import Flows
    from sim.flow.program import Program
    from sim.flow.reach import Reached
    from sim.flow.sockets import Socket


class Connection:
    """Both sides of a connection; lists of two are by side, OPENER and ACCEPTOR.

    `connected_ns` is when the opener sees it established; -1 before. `first` is what is sent as soon as it stands.
    `open` says of each side whether its program still has the socket.
    """

    __slots__ = (
        "_chance",
        "addresses",
        "connected_ns",
        "ends",
        "first",
        "flow",
        "flows",
        "number",
        "open",
        "port",
        "programs",
        "reached",
        "socket",
    )

    def __init__(
        self,
        flows: Flows,
        flow: Flow,
        program: Program,
        reached: Reached,
        opener: Endpoint,
        first: Message,
        number: int,
    ) -> None:
        self.flows = flows
        self.flow = flow
        """Whose message is under way on it; an idle connection may be given another's."""
        self.reached = reached
        self.programs: list[Program | None] = [program, None]
        self.addresses = (reached.source, reached.address)
        self.port = reached.port
        self.ends: list[Endpoint | None] = [opener, None]
        self.open = [True, True]
        self.first = first
        self.number = number
        self.connected_ns = -1
        self.socket: Socket | None = None
        """Which listening socket answered the SYN."""
        self._chance: Chance | None = None

    @property
    def chance(self) -> Chance:
        """What becomes of its packets by chance: its own stream, so that no other connection disturbs it."""
        if self._chance is None:
            kernel = self.flows.kernel
            self._chance = Chance(mixed(kernel.seed ^ mixed(self.number)))
        return self._chance

    def send(self, side: int, message: Message) -> None:
        """Let a message leave a side now; while it does not get through it is sent again, as TCP does.

        One message of a flow is under way at a time: what comes of it, however far it goes, is the flow's course.
        Before the connection is established a message takes the place of the first one.
        """
        self.flows.send(self, side, message)

    def close(self, side: int) -> None:
        """Close a side: the other learns of it by `ended` with FIN."""
        self.flows.close(self, side)

    def abort(self, side: int) -> None:
        """Reset from a side: the other learns of it by `ended` with RESET, if the packet gets there."""
        self.flows.abort(self, side)

    def side_of(self, endpoint: Endpoint) -> int:
        """On which side somebody sits."""
        return OPENER if self.ends[OPENER] is endpoint else ACCEPTOR
