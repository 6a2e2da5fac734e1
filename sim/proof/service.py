"""Which nodes can serve an address while something is broken, and whom its users can reach.

A node can serve when its process runs, and everything its configuration tracks for the address is whole: its
interface, the interfaces and scripts it tracks, those of its sync group. It can be reached when it is on the users'
side: its process alive, its link up, not cut off. Users are with the nodes that nobody cut off.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sim.proof.failure import PROCESS_ENDS, SCRIPTED, Failure, Ignored, Kind
from sim.scenario import Scenario
from vrrp.protocol.settings import RouterConfig, SyncGroupConfig, VirtualRouterConfig
from vrrp.wire.address import text


@dataclass(frozen=True, slots=True)
class Provider:
    """A node that has an address configured: by which virtual router, over which interface of which segment.

    `companions` are the members of its sync group, itself among them. `scripts`, `processes` and `interfaces` are what
    must be whole for it to serve as its configuration wants, also where that has no effect.
    """

    node: str
    instance: str
    interface: str
    segment: str
    companions: frozenset[str]
    scripts: frozenset[str]
    processes: frozenset[str]
    interfaces: frozenset[str]

    def reachable(self, broken: Iterable[Failure]) -> bool:
        """Whether users reach this node's address at all."""
        return not any(
            failure.node == self.node
            and (
                failure.kind in PROCESS_ENDS
                or (failure.kind is Kind.LINK and failure.what == self.interface)
                or (failure.kind is Kind.PARTITION and failure.what == self.segment)
            )
            for failure in broken
        )

    def usable(self, broken: Iterable[Failure]) -> bool:
        """Whether the address is well where this node is its master."""
        own = [failure for failure in broken if failure.node == self.node]
        return self.reachable(own) and not any(self.depends_on(failure) for failure in own)

    def depends_on(self, failure: Failure) -> bool:
        """Whether the failure is of something that this node needs to serve the address."""
        if failure.node != self.node:
            return False
        if failure.kind in SCRIPTED:
            return failure.what in self.scripts
        if failure.kind is Kind.PROCESS:
            return failure.what in self.processes
        if failure.kind is Kind.LINK:
            return failure.what in self.interfaces
        return failure.kind is not Kind.PARTITION or failure.what == self.segment


def providers(
    scenario: Scenario, configs: Mapping[str, RouterConfig], ignored: Ignored
) -> Mapping[str, tuple[Provider, ...]]:
    """Each virtual address (text) with the nodes that have it configured, in the order of the scenario."""
    found: dict[str, list[Provider]] = {}
    for node, config in configs.items():
        for virtual_router in config.virtual_routers:
            provider = _provider(node, virtual_router, config, scenario, ignored.get(node, {}))
            for address in virtual_router.addresses + virtual_router.excluded_addresses:
                found.setdefault(text(address), []).append(provider)
    return {address: tuple(nodes) for address, nodes in found.items()}


def _provider(
    node: str,
    virtual_router: VirtualRouterConfig,
    config: RouterConfig,
    scenario: Scenario,
    ignored: Mapping[str, frozenset[str]],
) -> Provider:
    groups = [group for group in config.sync_groups if virtual_router.name in group.members]
    names = {virtual_router.name}.union(*(group.members for group in groups))
    companions = [one for one in config.virtual_routers if one.name in names]
    followers: list[VirtualRouterConfig | SyncGroupConfig] = [*companions, *groups]
    scripts = {tracked.name for one in followers for tracked in one.track_scripts if not tracked.reverse}
    scripts.update(*(ignored.get(one.name, ()) for one in companions))
    processes = {tracked.name for one in followers for tracked in one.track_processes if not tracked.reverse}
    interfaces = {watched.name for one in followers for watched in one.track_interfaces if not watched.reverse}
    interfaces |= {one.interface for one in companions}
    return Provider(
        node=node,
        instance=virtual_router.name,
        interface=virtual_router.interface,
        segment=scenario.nodes[node].interfaces[virtual_router.interface].segment,
        companions=frozenset(names),
        scripts=frozenset(scripts),
        processes=frozenset(processes),
        interfaces=frozenset(interfaces),
    )
