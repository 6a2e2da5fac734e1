"""A virtual router among the others of its host."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from vrrp.protocol.counters import Counters
from vrrp.protocol.subjects import Followed
from vrrp.protocol.tracking import Subject
from vrrp.protocol.virtual_router import VirtualRouter
from vrrp.wire.address import AnyAddress, is_link_local, pack
from vrrp.wire.advertisement import Advertisement
from vrrp.wire.frame import Datagram

_NOTHING = Advertisement(version=3, vrid=1, priority=0, interval_cs=0, addresses=())


@dataclass(slots=True)
class Member:
    """A virtual router with what the host knows of it."""

    virtual_router: VirtualRouter
    counters: Counters = field(default_factory=Counters)
    datagram: Datagram | None = None
    """The datagram taken last; a steady master's is the same object again and again."""
    advertisement: Advertisement = _NOTHING
    followed: tuple[Followed, ...] = ()
    faults: list[Subject] = field(default_factory=list)
    """What holds it in FAULT."""
    down: bool = False
    starting: bool = False
    """Held since the process started, and by nothing but scripts that have given no result yet."""


def primary(width: int, addresses: Sequence[AnyAddress]) -> bytes | None:
    """The address advertisements leave from: the first IPv4 one, or the first IPv6 link-local."""
    for packed in map(pack, addresses):
        if len(packed) == width and (width == 4 or is_link_local(packed)):
            return packed
    return None
