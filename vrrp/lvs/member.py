"""A real server of a pool: what its checkers make of it."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from vrrp.config.lvs.endpoints import service_label
from vrrp.config.lvs.model import Checker, RealServer, VirtualServer, WebCheck
from vrrp.config.lvs.real_server import HIGHEST_WEIGHT
from vrrp.lvs.service import Destination, Service


class Verdict(NamedTuple):
    """What is known of a checker: whether it is up, what it adds to the weight, and whether it was ever heard of."""

    up: bool
    adds: int = 0
    heard: bool = False


class _Known(NamedTuple):
    checker: Checker
    verdict: Verdict


class Member:
    """One real server.

    Attributes:
        server: its configuration.
        label: what keepalived calls it.
        held: the weight with which IPVS has it; None while it does not.
        since_ns: since when it is up or down.
    """

    __slots__ = ("_verdicts", "held", "label", "server", "since_ns")

    def __init__(self, now_ns: int, virtual: VirtualServer, server: RealServer) -> None:
        self.server = _settled(virtual, server)
        self.label = service_label(self.server.address, virtual.protocol)
        self.held: int | None = None
        self.since_ns = now_ns
        self._verdicts = [Verdict(not checker.alpha) for checker in server.checkers]

    @property
    def alive(self) -> bool:
        """Whether all its checkers are up."""
        return all(verdict.up for verdict in self._verdicts)

    @property
    def weight(self) -> int:
        """Its own weight, with what checkers add to it and take away."""
        return _clamped(self.server.weight + sum(verdict.adds for verdict in self._verdicts))

    @property
    def failing(self) -> int:
        """How many of its checkers are not up."""
        return sum(not verdict.up for verdict in self._verdicts)

    def judge(self, index: int, up: bool, weight: int | None) -> bool:
        """Take a checker's verdict; whether that is the first one of a checker with `alpha`.

        A checker that fails has no say in the weight (keepalived, measured).
        """
        checker, before = self.server.checkers[index], self._verdicts[index]
        adds = weight - self.server.weight if up and weight is not None else 0
        self._verdicts[index] = Verdict(up, adds, True)
        return checker.alpha and not before.heard

    def change(self, virtual: VirtualServer, server: RealServer) -> None:
        """Take another configuration; what checkers that are the same have found stays.

        Another one in the place of one is as up or down as that was; one more counts as up where the server is, even
        with `alpha` (keepalived, measured).
        """
        alive, before = self.alive, self._verdicts
        known = [
            _Known(_without_lines(one), verdict) for one, verdict in zip(self.server.checkers, before, strict=True)
        ]
        same_weight = server.weight == self.server.weight
        self._verdicts = [Verdict(alive or not checker.alpha) for checker in server.checkers]
        for index, (checker, one) in enumerate(zip(server.checkers, known, strict=False)):
            stays = same_weight and _without_lines(checker) == one.checker
            self._verdicts[index] = one.verdict if stays else Verdict(one.verdict.up)
        self.server = _settled(virtual, server)
        self.label = service_label(self.server.address, virtual.protocol)

    def destination(self, service: Service, weight: int) -> Destination:
        """What IPVS knows it as in a service."""
        server = self.server
        assert server.address.address is not None  # a real server always has one
        return Destination(
            address=server.address.address,
            port=server.address.port if server.forwarding.method == "NAT" else service.port,
            forwarding=server.forwarding,
            weight=weight,
            upper_connections=server.upper_connections,
            lower_connections=server.lower_connections,
        )


def _settled(virtual: VirtualServer, server: RealServer) -> RealServer:
    """A real server with the port that connections go to: only NAT changes ports; a group's has its own."""
    address = server.address
    if virtual.address.group is not None or (server.forwarding.method == "NAT" and address.port):
        return server
    return replace(server, address=replace(address, port=virtual.address.port))


def _without_lines(checker: Checker) -> Checker:
    """A checker to compare with others: where it stands in the file makes no difference."""
    if isinstance(checker, WebCheck):
        return replace(checker, line=0, urls=tuple(replace(url, line=0) for url in checker.urls))
    return replace(checker, line=0)


def _clamped(weight: int) -> int:
    return max(0, min(weight, HIGHEST_WEIGHT))
