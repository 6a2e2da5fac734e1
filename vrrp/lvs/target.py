"""Which checker it is, for those who run checkers and those who are told of them."""

from __future__ import annotations

from dataclasses import dataclass

from vrrp.config.lvs.model import Checker, VirtualServer
from vrrp.config.lvs.virtual_server import service_label
from vrrp.config.values import Address


@dataclass(frozen=True, slots=True)
class CheckKey:
    """The virtual server and the real server, as keepalived writes them, and which of its checkers, from 0."""

    virtual_server: str
    real_server: str
    index: int


@dataclass(frozen=True, slots=True)
class Target:
    """A checker, and what it checks unless it says otherwise: address and port of its real server.

    `virtual_host` is the real server's, or the virtual server's, for web checkers that name none.
    """

    key: CheckKey
    checker: Checker
    address: Address | None = None
    port: int = 0
    virtual_host: str | None = None


def targets(servers: tuple[VirtualServer, ...]) -> tuple[Target, ...]:
    """All checkers of a file's virtual servers, in the file's order."""
    found = []
    for virtual in servers:
        service = service_label(virtual.address, virtual.protocol)
        for real in virtual.real_servers:
            name = service_label(real.address, virtual.protocol)
            host = real.virtual_host or virtual.virtual_host
            found += [
                Target(CheckKey(service, name, index), checker, real.address.address, real.address.port, host)
                for index, checker in enumerate(real.checkers)
            ]
    return tuple(found)
