"""Which nodes are routers of which virtual router, and who of them is master while nothing fails."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from vrrp.protocol.settings import RouterConfig, TrackedInterface, TrackedProcess, TrackedScript, VirtualRouterConfig
from vrrp.protocol.tracking import effective_priority

Tracked: TypeAlias = TrackedScript | TrackedProcess | TrackedInterface


@dataclass(frozen=True, slots=True)
class Peer:
    """A node's part in a virtual router: its configuration, and all of the host's."""

    node: str
    router: VirtualRouterConfig
    host: RouterConfig

    @property
    def companions(self) -> tuple[VirtualRouterConfig, ...]:
        """The members of its sync group, itself among them; itself alone without one."""
        for group in self.host.sync_groups:
            if self.router.name in group.members:
                return tuple(one for one in self.host.virtual_routers if one.name in group.members)
        return (self.router,)

    def scripts(self) -> tuple[TrackedScript, ...]:
        """The scripts that count for it: its own, and those of its group, as keepalived has it."""
        groups = [group for group in self.host.sync_groups if self.router.name in group.members]
        own = [t for t in self.router.track_scripts if not t.weight or not groups or groups[0].tracking_weight]
        names = {tracked.name for tracked in own}
        own += [t for group in groups for t in group.track_scripts if t.name not in names]
        return tuple(tracked for tracked in own if not (tracked.weight and self.router.owner))

    def interfaces(self) -> tuple[TrackedInterface, ...]:
        """The interfaces beside its own that count for it; a member's weight is nothing where the group gives them."""
        groups = [group for group in self.host.sync_groups if self.router.name in group.members]
        own = list(self.router.track_interfaces)
        if groups and not groups[0].tracking_weight:
            own = [TrackedInterface(watched.name, 0, watched.reverse) for watched in own]
        names = {watched.name for watched in own}
        own += [w for group in groups for w in group.track_interfaces if w.name not in names]
        return tuple(watched for watched in own if not (watched.weight and self.router.owner))

    def processes(self) -> tuple[TrackedProcess, ...]:
        """The processes that count for it; a member keeps its weight of those."""
        groups = [group for group in self.host.sync_groups if self.router.name in group.members]
        own = list(self.router.track_processes)
        names = {tracked.name for tracked in own}
        own += [t for group in groups for t in group.track_processes if t.name not in names]
        return tuple(tracked for tracked in own if not (tracked.weight and self.router.owner))

    def priority(self, down: Iterable[Tracked] = ()) -> int:
        """The effective priority while all that it tracks is well, but for what is `down`."""
        lost = set(down)
        moved = 0
        everything: list[Tracked] = [*self.scripts(), *self.processes(), *self.interfaces()]
        for tracked in everything:
            if (tracked in lost) is (tracked.weight < 0):
                moved += -tracked.weight if tracked.reverse else tracked.weight
        return effective_priority(self.router.priority, moved)


@dataclass(frozen=True, slots=True)
class Standing:
    """The routers of one virtual router, its master first, then by their priority."""

    vrid: int
    width: int
    peers: tuple[Peer, ...]

    @property
    def master(self) -> Peer:
        """Who holds the addresses when all is well."""
        return self.peers[0]

    @property
    def addresses(self) -> tuple[bytes, ...]:
        """The master's, packed."""
        return self.master.router.addresses + self.master.router.excluded_addresses

    def of(self, node: str) -> Peer | None:
        """A node's part in it."""
        return next((peer for peer in self.peers if peer.node == node), None)


def standings(configs: Mapping[str, RouterConfig]) -> tuple[Standing, ...]:
    """The virtual routers of a cluster: the same VRID and family are taken for one, wherever they stand.

    Of equal priorities the higher address is master; where the configurations tell no address, the later node.
    """
    found: dict[tuple[int, int], list[Peer]] = {}
    for node, host in configs.items():
        for router in host.virtual_routers:
            known = found.setdefault((router.vrid, router.width), [])
            if all(peer.node != node for peer in known):
                known.append(Peer(node, router, host))
    order = {node: number for number, node in enumerate(configs)}
    return tuple(
        Standing(
            vrid,
            width,
            tuple(
                sorted(
                    peers,
                    key=lambda peer: (peer.priority(), peer.router.source or b"", order[peer.node]),
                    reverse=True,
                )
            ),
        )
        for (vrid, width), peers in found.items()
    )
