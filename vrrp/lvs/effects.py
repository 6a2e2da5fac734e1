"""What a pool asks of whoever runs it. Frozen values: comparable in tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from vrrp.config.script_security import ROOT, Identity
from vrrp.lvs.service import Destination, Service


@dataclass(frozen=True, slots=True)
class AddService:
    """IPVS has this service from now on."""

    service: Service


@dataclass(frozen=True, slots=True)
class EditService:
    """It balances otherwise from now on."""

    service: Service


@dataclass(frozen=True, slots=True)
class RemoveService:
    """IPVS has it no more."""

    service: Service


@dataclass(frozen=True, slots=True)
class AddDestination:
    """The service has this destination from now on."""

    service: Service
    destination: Destination


@dataclass(frozen=True, slots=True)
class EditDestination:
    """A destination's weight, or what else it has, is another."""

    service: Service
    destination: Destination


@dataclass(frozen=True, slots=True)
class RemoveDestination:
    """The service has it no more."""

    service: Service
    destination: Destination


@dataclass(frozen=True, slots=True)
class ServerChanged:
    """A real server of a virtual server, both as keepalived writes them, came up or went down: tell of it."""

    virtual_server: str
    real_server: str
    up: bool
    command: str | None = None
    """What the file has run for that: notify_up or notify_down."""
    identity: Identity = ROOT
    """As whom."""


@dataclass(frozen=True, slots=True)
class QuorumChanged:
    """A virtual server gained its quorum or lost it: tell of it."""

    virtual_server: str
    up: bool
    command: str | None = None
    """What the file has run for that: quorum_up or quorum_down."""
    identity: Identity = ROOT
    """As whom."""


@dataclass(frozen=True, slots=True)
class Said:
    """A line of the log, in keepalived's words."""

    message: str


Effect: TypeAlias = (
    AddService
    | EditService
    | RemoveService
    | AddDestination
    | EditDestination
    | RemoveDestination
    | ServerChanged
    | QuorumChanged
    | Said
)
Effects: TypeAlias = tuple[Effect, ...]
