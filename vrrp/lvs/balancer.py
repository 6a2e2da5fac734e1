"""All virtual servers of a configuration, sans IO: the verdicts of checkers go in, effects come out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TypeAlias

from vrrp.config.lvs.model import FileCheck, VirtualServer, VirtualServerGroup
from vrrp.config.values import Address
from vrrp.lvs.effects import Effect, Effects, Said
from vrrp.lvs.pool import Pool
from vrrp.lvs.service import services_of
from vrrp.lvs.target import CheckKey

PoolKey: TypeAlias = tuple[str, int]
"""What keepalived calls a virtual server, and its family: of a firewall mark there may be one of each."""


class Balancer:
    """The pools of one machine, in the order of the configuration.

    Args:
        servers: the virtual servers.
        groups: the virtual_server_groups that they name.
        tells_new: see `Pool`.
        addresses: those that this machine has. With `ha_suspend` the checkers of a virtual server rest while it has
            not the virtual server's, and what they found last stays true (keepalived, measured).
    """

    def __init__(
        self,
        servers: Sequence[VirtualServer],
        groups: Sequence[VirtualServerGroup] = (),
        tells_new: bool = False,
        addresses: Collection[Address] = (),
    ) -> None:
        self.pools = _pools(servers, groups, tells_new)
        self._places = _places(self.pools)
        self._addresses = frozenset(addresses)

    @property
    def checked(self) -> tuple[VirtualServer, ...]:
        """The virtual servers whose checkers are to run now."""
        return tuple(pool.server for pool in self.pools.values() if self._is_checked(pool))

    def start(self, now_ns: int) -> Effects:
        """Begin with all of them."""
        effects = [effect for pool in self.pools.values() for effect in pool.start(now_ns)]
        return (*effects, *self._activate("Deactivating", self.pools.values()))

    def stop(self, now_ns: int) -> Effects:
        """End all of them."""
        return tuple(effect for pool in self.pools.values() for effect in pool.stop(now_ns))

    def report(self, now_ns: int, key: CheckKey, up: bool, weight: int | None) -> Effects:
        """A checker's verdict; see `Pool.report`. Nothing when the configuration has no such checker any more."""
        place = self._places.get((key.virtual_server, key.real_server))
        if place is None or key.index >= len(place.members[key.real_server].server.checkers):
            return ()
        return place.report(now_ns, key.real_server, key.index, up, weight)

    def reload(
        self,
        now_ns: int,
        servers: Sequence[VirtualServer],
        groups: Sequence[VirtualServerGroup],
        tells_new: bool = False,
    ) -> Effects:
        """Take another configuration: what is gone goes first, then what is another changes, then comes what is new.

        Where real servers go keepalived 2.2.7 tells that the quorum is lost, even when it is not; here that is told
        only when it is. Of a group whose entries change it leaves services behind in IPVS; here they go.
        """
        before, wanted = self.pools, _pools(servers, groups, tells_new)
        effects: list[Effect] = []
        for key, pool in before.items():
            if key not in wanted:
                effects += pool.remove(now_ns)
        self.pools = {key: before.get(key, pool) for key, pool in wanted.items()}
        for key, pool in wanted.items():
            known = before.get(key)
            effects += pool.start(now_ns) if known is None else known.reload(now_ns, pool)
        self._places = _places(self.pools)
        return (*effects, *self._activate("Deactivating", self.pools.values()))

    def set_addresses(self, addresses: Collection[Address]) -> Effects:
        """These are the addresses that this machine has now."""
        before = {key for key, pool in self.pools.items() if self._is_checked(pool)}
        self._addresses = frozenset(addresses)
        moved = [pool for key, pool in self.pools.items() if self._is_checked(pool) is not (key in before)]
        return tuple(self._activate("Suspending", moved))

    def _is_checked(self, pool: Pool) -> bool:
        return not pool.server.ha_suspend or any(one.address in self._addresses for one in pool.services)

    def _activate(self, otherwise: str, pools: Iterable[Pool]) -> Iterator[Said]:
        """What is said of checkers that run from now on, or do not. A file is only looked at."""
        for pool in pools:
            verb = "Activating" if self._is_checked(pool) else otherwise
            for member in pool.members.values():
                for checker in member.server.checkers:
                    if not isinstance(checker, FileCheck):
                        yield Said(f"{verb} healthchecker for service {member.label} for VS {pool.label}")


def _pools(
    servers: Sequence[VirtualServer], groups: Sequence[VirtualServerGroup], tells_new: bool
) -> dict[PoolKey, Pool]:
    """One pool for each virtual server; of those that are the same the first."""
    known = {group.name: group for group in groups}
    pools: dict[PoolKey, Pool] = {}
    for server in servers:
        pool = Pool(server, services_of(server, known), tells_new)
        pools.setdefault((pool.label, server.family), pool)
    return pools


def _places(pools: dict[PoolKey, Pool]) -> dict[tuple[str, str], Pool]:
    """Where each real server is."""
    return {(pool.label, key): pool for pool in pools.values() for key in pool.keys}
