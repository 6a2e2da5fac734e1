"""The listening sockets of a node: who takes a connection to which address and port."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from vrrp.wire.address import text

if TYPE_CHECKING:
    from sim.flow.endpoint import Listener
    from sim.flow.program import Program
    from sim.node import Node


class Socket:
    """A listening socket: which program's `listener` takes connections there. `silent` drops what comes instead.

    `address` None is all of the node's, `port` None all that nobody else listens on.
    """

    __slots__ = ("address", "listener", "port", "program", "silent")

    def __init__(self, program: Program, listener: Listener, address: bytes | None, port: int | None) -> None:
        self.program = program
        self.listener = listener
        self.address = address
        self.port = port
        self.silent = False


class Sockets:
    """A node's listening sockets, by packed address (None: all addresses) and port."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._bound: dict[tuple[bytes | None, int | None], Socket] = {}
        self.nonlocal_bind = False
        """net.ipv4.ip_nonlocal_bind."""

    def bind(
        self, program: Program, address: bytes | None, port: int, listener: Listener, *, transparent: bool = False
    ) -> Socket:
        """A new listening socket. OSError, as Linux has it: no such address here, or taken already."""
        if address is not None and not (transparent or self.nonlocal_bind or self._node.has(address)):
            raise OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL), text(address))
        if (address, port) in self._bound:
            raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE), f":{port}")
        return self._bind(Socket(program, listener, address, port))

    def bind_rest(self, program: Program, listener: Listener) -> Socket:
        """One that takes what comes to ports nobody listens on: of a host of which only that is known."""
        return self._bind(Socket(program, listener, None, None))

    def _bind(self, socket: Socket) -> Socket:
        self._bound[socket.address, socket.port] = socket
        self._node.kernel.changed()
        return socket

    def unbind(self, socket: Socket) -> None:
        """The socket is closed."""
        if self._bound.get((socket.address, socket.port)) is socket:
            del self._bound[socket.address, socket.port]
            self._node.kernel.changed()

    def find(self, address: bytes, port: int) -> Socket | None:
        """Who takes a connection to this address and port; None: nobody, the kernel answers RST."""
        bound = self._bound
        return bound.get((address, port)) or bound.get((None, port)) or bound.get((None, None))
