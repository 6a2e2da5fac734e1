"""A program that runs on a node: while it lives it listens and has connections; when it dies they end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.flow.endpoint import ACCEPTOR, OPENER, Listener
from sim.flow.message import Ending

if TYPE_CHECKING:
    from sim.flow.connection import Connection
    from sim.flow.sockets import Socket
    from sim.node import Node


class Program:
    """One life of a program; a restart is a new one."""

    def __init__(self, node: Node, name: str) -> None:
        self.node = node
        self.name = name
        self.alive = True
        self.vanished = False
        """Its host lost power: nothing of its connections is sent any more."""
        self.connections: dict[Connection, None] = {}
        """Those that are established; of what a flow foresees only as much as has happened by an event."""
        self.sockets: list[Socket] = []

    def listen(self, address: bytes | None, port: int, listener: Listener, *, transparent: bool = False) -> Socket:
        """Listen on a packed address of the node (None: all); OSError when the kernel would not have it.

        An address that the node has not can be listened on with `transparent` or the node's `nonlocal_bind`.
        """
        socket = self.node.sockets.bind(self, address, port, listener, transparent=transparent)
        self.sockets.append(socket)
        return socket

    def listen_to_all(self, listener: Listener) -> Socket:
        """Take what comes to any port that nobody else listens on."""
        socket = self.node.sockets.bind_rest(self, listener)
        self.sockets.append(socket)
        return socket

    def end(self, now_ns: int, ending: Ending = Ending.FIN) -> None:
        """The program is gone (killed or ended): its kernel closes its sockets and connections, if it has power."""
        self.node.kernel.changed()
        self.alive = False
        self.vanished = not self.node.powered
        for socket in self.sockets:
            self.node.sockets.unbind(socket)
        self.sockets.clear()
        for connection in tuple(self.connections):
            side = OPENER if connection.programs[OPENER] is self else ACCEPTOR
            if ending is Ending.FIN:
                connection.close(side)
            else:
                connection.abort(side)
        self.connections.clear()
