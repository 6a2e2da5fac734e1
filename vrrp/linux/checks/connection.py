"""Sockets of checkers: where they come from, where they go, and how long they wait."""

from __future__ import annotations

import asyncio
import socket
from contextlib import ExitStack
from dataclasses import dataclass

from vrrp.config.lvs.model import Connection
from vrrp.config.values import Address, octets
from vrrp.lvs.target import Target

_SECOND_NS = 1_000_000_000


class UnaskedError(OSError):
    """Why a check cannot even be begun: it says nothing about the server (keepalived, measured)."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a checker goes: the connection's own address and port, or its target's."""

    connection: Connection
    address: Address
    port: int

    @classmethod
    def of(cls, target: Target, connection: Connection) -> Endpoint:
        """The connection's own address and port, or those of the target's real server."""
        address = connection.address or target.address
        assert address is not None  # a real server has one
        return cls(connection, address, connection.port or target.port)

    @property
    def destination(self) -> tuple[str, int]:
        """What a socket connects to."""
        return str(self.address), self.port

    @property
    def text(self) -> str:
        """As keepalived writes it: [10.0.0.1]:80."""
        return f"[{self.address}]:{self.port}"

    @property
    def host(self) -> str:
        """As a Host header has it."""
        return f"[{self.address}]:{self.port}" if self.address.version == 6 else f"{self.address}:{self.port}"

    @property
    def timeout_s(self) -> float:
        """How long each step may take."""
        return self.connection.timeout_ns / _SECOND_NS

    def open(self, kind: socket.SocketKind, protocol: int = 0) -> socket.socket:
        """A socket bound as the connection has it; UnaskedError where that is not possible."""
        family = socket.AF_INET6 if self.address.version == 6 else socket.AF_INET
        try:
            with ExitStack() as unfinished:
                opened = unfinished.enter_context(socket.socket(family, kind | socket.SOCK_NONBLOCK, protocol))
                self._bind(opened)
                unfinished.pop_all()
                return opened
        except OSError as error:
            raise UnaskedError(error.errno, (error.strerror or str(error)).lower()) from error

    def _bind(self, opened: socket.socket) -> None:
        asked = self.connection
        if asked.fwmark:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, asked.fwmark)
        if asked.interface is not None:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, octets(asked.interface))
        if asked.source is not None or asked.source_port is not None:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            anywhere = "::" if opened.family == socket.AF_INET6 else "0.0.0.0"
            opened.bind((str(asked.source or anywhere), asked.source_port or 0))

    async def connect(self, opened: socket.socket) -> None:
        """Connect within the time; TimeoutError or OSError otherwise."""
        async with asyncio.timeout(self.timeout_s):
            await asyncio.get_running_loop().sock_connect(opened, self.destination)
