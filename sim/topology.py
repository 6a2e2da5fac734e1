"""A network for configuration files that come without one.

Interfaces on which the same VRID speaks must be on one segment. Each interface gets the address its file names
to send from, or one from the network of its virtual addresses: .11 for the first node, .12 for the second.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from vrrp.config import KeepalivedConfig
from vrrp.config.devices import followed_devices
from vrrp.config.model import SyncGroup, VrrpInstance

FIRST_HOST = 11
_FALLBACK_V4 = ipaddress.ip_network("192.0.2.0/24")
_HOSTS_TO_TRY = 4096

Place = tuple[str, str]
"""A node and an interface of it."""


def lay_out(configs: Mapping[str, KeepalivedConfig]) -> dict[str, Any]:
    """Segments and nodes as a scenario file would have them, without the `keepalived` keys."""
    segments = _segments(configs)
    used = _named_addresses(configs)
    nodes: dict[str, Any] = {}
    for number, (node, config) in enumerate(configs.items()):
        interfaces: dict[str, Any] = {}
        for instance in config.instances:
            name = instance.interface
            part = interfaces.setdefault(name, {"segment": segments[node, name], "addresses": []})
            for address in _addresses(instance, number, used):
                if not any(_alike(address, there) for there in part["addresses"]):
                    part["addresses"].append(address)
                    used.add(address.partition("/")[0])
        for watched in _watched(config):
            interfaces.setdefault(watched, {"segment": segments[node, watched], "addresses": []})
        nodes[node] = {"interfaces": interfaces}
    return {"segments": {name: {} for name in dict.fromkeys(segments.values())}, "nodes": nodes}


def _segments(configs: Mapping[str, KeepalivedConfig]) -> dict[Place, str]:
    """The segment of each interface: joined wherever two share a VRID and family."""
    joined: dict[Place, Place] = {}

    def root(place: Place) -> Place:
        while joined[place] != place:
            place = joined[place]
        return place

    first: dict[tuple[int, int], Place] = {}
    for node, config in configs.items():
        for instance in config.instances:
            place = (node, instance.interface)
            joined.setdefault(place, place)
            key = (instance.vrid, instance.addresses[0].address.version if instance.addresses else 4)
            joined[root(place)] = root(first.setdefault(key, place))
        for watched in _watched(config):
            joined.setdefault((node, watched), (node, watched))
    roots = list(dict.fromkeys(root(place) for place in joined))
    names = {place: "lan" if number == 1 else f"lan{number}" for number, place in enumerate(roots, 1)}
    return {place: names[root(place)] for place in joined}


def _watched(config: KeepalivedConfig) -> list[str]:
    """The interfaces that a node's instances and sync groups follow."""
    followers: list[VrrpInstance | SyncGroup] = [*config.instances, *config.sync_groups]
    tracked = [watched.name for follower in followers for watched in follower.track_interfaces]
    return [*tracked, *(name for instance in config.instances for name in followed_devices(config, instance))]


def _named_addresses(configs: Mapping[str, KeepalivedConfig]) -> set[str]:
    """Every address some file names: virtual ones, unicast peers, sources."""
    named: set[str] = set()
    for config in configs.values():
        for instance in config.instances:
            virtual = [v.address for v in (*instance.addresses, *instance.excluded_addresses)]
            own = [a for a in (instance.unicast_source, instance.multicast_source) if a is not None]
            named |= {str(address) for address in (*virtual, *own, *instance.unicast_peers)}
    return named


def _addresses(instance: VrrpInstance, number: int, used: set[str]) -> list[str]:
    """What an interface needs for an instance: the source its file names, else a free one of the right network."""
    source = instance.unicast_source or instance.multicast_source
    virtual = instance.addresses[0] if instance.addresses else None
    if source is not None:
        prefix = virtual.prefix if virtual and virtual.address.version == source.version else source.max_prefixlen
        return [f"{source}/{min(prefix, source.max_prefixlen)}"]
    if virtual is not None and virtual.address.version == 6:
        return [f"fe80::{FIRST_HOST + number:x}/64"]
    network: Any = _FALLBACK_V4
    if virtual is not None:
        prefix = virtual.prefix if virtual.prefix < 31 else 24
        network = ipaddress.ip_network(f"{virtual.address}/{prefix}", strict=False)
    for host in range(FIRST_HOST + number, FIRST_HOST + number + _HOSTS_TO_TRY):
        address = network.network_address + host % network.num_addresses
        if str(address) not in used and address not in (network.network_address, network.broadcast_address):
            return [f"{address}/{network.prefixlen}"]
    return []


def _alike(new: str, there: str) -> bool:
    """Whether an interface with the one address needs the other no more: same family, same network."""
    a, b = ipaddress.ip_interface(new), ipaddress.ip_interface(there)
    return a.version == b.version and (a == b or a.network == b.network)
