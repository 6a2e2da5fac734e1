"""What the protocol asks its driver to do. Frozen values: comparable in tests, safe to build once and reuse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from vrrp.protocol.state import State
from vrrp.wire.advertisement import Advertisement


@dataclass(frozen=True, slots=True)
class SendAdvertisement:
    """Send this advertisement to the virtual router's destinations."""

    advertisement: Advertisement


@dataclass(frozen=True, slots=True)
class AcquireAddresses:
    """Put these packed addresses on the interface (or virtual MAC device) and answer for them."""

    addresses: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ReleaseAddresses:
    """Take these packed addresses away again."""

    addresses: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Announce:
    """Send a gratuitous ARP or unsolicited neighbor advertisement for each address, `repeat` rounds of it."""

    addresses: tuple[bytes, ...]
    repeat: int


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The virtual router moved from `old` to `new`; `reason` is a phrase for people."""

    old: State
    new: State
    reason: str


@dataclass(frozen=True, slots=True)
class PriorityChanged:
    """The effective priority went from `old` to `new`; `reason` is a phrase for people."""

    old: int
    new: int
    reason: str


@dataclass(frozen=True, slots=True)
class RunScript:
    """Start the track script of this name; report its end to `Router.script_finished`."""

    name: str


@dataclass(frozen=True, slots=True)
class KillScript:
    """End the longest running run of the track script of this name: it passed its timeout. Do not report its end."""

    name: str


Effect: TypeAlias = (
    SendAdvertisement
    | AcquireAddresses
    | ReleaseAddresses
    | Announce
    | StateChanged
    | PriorityChanged
    | RunScript
    | KillScript
)
Effects: TypeAlias = tuple[Effect, ...]
