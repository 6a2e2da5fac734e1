"""What IPVS is told of: services, and the destinations of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Literal, TypeAlias

from vrrp.config.lvs.model import Forwarding, GroupAddresses, Protocol, VirtualServer, VirtualServerGroup
from vrrp.config.values import Address

ServiceKey: TypeAlias = tuple[int, Protocol | None, Address | None, int, int]
_SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service, by its `protocol`, `address` and `port` or, where it has a `fwmark`, by that, and how it balances.

    `flags` are the scheduler's keywords: sh-port, flag-1 and so on. `persistence_s` 0: none.
    `persistence_granularity` is IPv4's mask or IPv6's prefix.
    """

    family: Literal[4, 6]
    protocol: Protocol | None = None
    address: Address | None = None
    port: int = 0
    fwmark: int = 0
    scheduler: str = "wlc"
    flags: frozenset[str] = frozenset()
    one_packet: bool = False
    persistence_s: int = 0
    persistence_granularity: IPv4Address | int | None = None
    persistence_engine: str | None = None

    @property
    def key(self) -> ServiceKey:
        """What tells it from others."""
        return self.family, self.protocol, self.address, self.port, self.fwmark


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A server of a service. Connections beyond `upper_connections` go to others until it has `lower_connections`."""

    address: Address
    port: int
    forwarding: Forwarding
    weight: int
    upper_connections: int = 0
    lower_connections: int = 0


def services_of(server: VirtualServer, groups: Mapping[str, VirtualServerGroup]) -> tuple[Service, ...]:
    """The services of a virtual server: one, or those of its group, addresses before firewall marks (keepalived)."""
    group = server.address.group
    if group is None:
        fwmark = server.address.fwmark or 0
        return (_service(server, server.address.address, server.address.port, fwmark),)
    entries = groups[group].entries
    found = [
        _service(server, address, entry.port, 0)
        for entry in entries
        if entry.fwmark is None
        for address in addresses_of(entry)
    ]
    found += [_service(server, None, 0, entry.fwmark) for entry in entries if entry.fwmark is not None]
    return tuple({one.key: one for one in found}.values())


def addresses_of(entry: GroupAddresses) -> Iterator[Address]:
    """The addresses of an entry that has some."""
    assert entry.first is not None
    last = entry.first if entry.last is None else entry.last
    for number in range(int(entry.first), int(last) + 1):
        yield type(entry.first)(number)


def _service(server: VirtualServer, address: Address | None, port: int, fwmark: int) -> Service:
    return Service(
        family=server.family,
        protocol=None if fwmark else server.protocol,
        address=address,
        port=port,
        fwmark=fwmark,
        scheduler=server.scheduler,
        flags=server.scheduler_flags,
        one_packet=server.one_packet,
        persistence_s=server.persistence_ns // _SECOND_NS,
        persistence_granularity=server.persistence_granularity,
        persistence_engine=server.persistence_engine,
    )
