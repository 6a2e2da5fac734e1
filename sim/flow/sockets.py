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
    """A listening socket: which program's `listener` takes connections there. `silent` drops what comes instead."""

    __slots__ = ("listener", "program", "silent")

    def __init__(self, program: Program, listener: Listener) -> None:
        self.program = program
        self.listener = listener
        self.silent = False


class Sockets:
    """A node's listening sockets, by packed address (None: all addresses) and port."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._bound: dict[tuple[bytes | None, int], Socket] = {}
        self.nonlocal_bind = False
        """net.ipv4.ip_nonlocal_bind."""
        self.fallback: Socket | None = None
        """Who takes connections to all other ports of a node of which nothing is known but that it serves."""

    def bind(
        self, program: Program, address: bytes | None, port: int, listener: Listener, *, transparent: bool = False
    ) -> Socket:
        """A new listening socket. OSError, as Linux has it: no such address here, or taken already."""
        if address is not None and not (transparent or self.nonlocal_bind or self._node.has(address)):
            raise OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL), text(address))
        if (address, port) in self._bound:
            raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE), f":{port}")
        socket = self._bound[address, port] = Socket(program, listener)
        self._node.kernel.changed()
        return socket

    def unbind(self, address: bytes | None, port: int) -> None:
        """The socket is closed."""
        del self._bound[address, port]
        self._node.kernel.changed()

    def find(self, address: bytes, port: int) -> Socket | None:
        """Who takes a connection to this address and port; None: nobody, the kernel answers RST."""
        return self._bound.get((address, port)) or self._bound.get((None, port)) or self.fallback
