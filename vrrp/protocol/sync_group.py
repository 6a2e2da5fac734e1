"""A sync group: virtual routers that are master together or not at all (keepalived's vrrp_sync_group)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from vrrp.protocol.effects import Effects
from vrrp.protocol.state import State

if TYPE_CHECKING:
    from vrrp.protocol.virtual_router import VirtualRouter


class Group(Protocol):
    """What a virtual router asks of its sync group."""

    def ready(self, asking: VirtualRouter) -> bool:
        """Whether every other member is, or wants to be, master."""


class SyncGroup:
    """The members, in the order of the configuration."""

    def __init__(self, name: str, members: list[VirtualRouter]) -> None:
        self.name = name
        self.members = members
        for member in members:
            member.group = self

    def ready(self, asking: VirtualRouter) -> bool:
        """Whether all others are, or want to be, master: a backup waits for the slowest (measured)."""
        return all(
            member.wants_master or member.state is State.MASTER for member in self.members if member is not asking
        )

    def move(self, now_ns: int, leader: VirtualRouter) -> list[tuple[VirtualRouter, Effects]]:
        """Take the others along after `leader` changed its state to MASTER or BACKUP."""
        reason = f"sync group {self.name}: {leader.config.name} is {leader.state.value}"
        moved = []
        for member in self.members:
            if leader.state is State.MASTER:
                moved.append((member, member.lead(now_ns, reason)))
            elif leader.state is State.BACKUP:
                moved.append((member, member.follow(now_ns, reason)))
        return moved
