"""The interfaces that a configuration names for what a master holds, and those whose loss means FAULT for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vrrp.config.model import KeepalivedConfig, VirtualAddress, VrrpInstance
from vrrp.config.routing.model import Route, Rule

_DEFAULT_INTERFACE = "eth0"


def followed_devices(config: KeepalivedConfig, instance: VrrpInstance) -> tuple[str, ...]:
    """The interfaces that an instance follows as it would with weight 0, though it names no track_interface for them.

    As keepalived 2.2.7 does (measured): the `dev` of its addresses and routes, the `iif` and `oif` of its rules,
    unless the line says `no_track`; those of static lines whose track_group it is in; not those of a route's nexthops.
    Its own interface is among them only with dont_track_primary, where a route or rule goes by it.
    """
    addresses = (one.device for one in (*instance.addresses, *instance.excluded_addresses) if not one.no_track)
    groups = {name for name, group in config.track_groups.items() if instance.name in group.members}
    statics = (
        *(one.address.device for one in config.static_addresses if one.track_group in groups),
        *_devices(one for one in _lines(config.static_routes, config.static_rules) if one.track_group in groups),
    )
    lines = _devices(one for one in _lines(instance.routes, instance.rules) if one.tracked)
    known = {one.name for one in instance.track_interfaces}
    if not instance.dont_track_primary:
        known.add(instance.interface)
    found = dict.fromkeys([*(one for one in addresses if one != instance.interface), *lines, *statics])
    return tuple(one for one in found if one is not None and one not in known)


def static_device(config: KeepalivedConfig, address: VirtualAddress) -> str:
    """Where a static address goes: to its `dev`, or else to default_interface, or else to eth0 (keepalived)."""
    usual = next((one.text for one in config.globals.options if one.keyword == "default_interface"), "")
    return address.device or usual or _DEFAULT_INTERFACE


def named_devices(config: KeepalivedConfig) -> Iterator[str]:
    """Every interface that addresses, routes and rules name, whoever's they are."""
    for instance in config.instances:
        for address in (*instance.addresses, *instance.excluded_addresses):
            if address.device is not None:
                yield address.device
        yield from _devices(_lines(instance.routes, instance.rules))
    yield from (static_device(config, static.address) for static in config.static_addresses)
    yield from _devices(_lines(config.static_routes, config.static_rules))


def _lines(routes: Iterable[Route], rules: Iterable[Rule]) -> Iterator[Route | Rule]:
    yield from routes
    yield from rules


def _devices(lines: Iterable[Route | Rule]) -> Iterator[str]:
    for line in lines:
        named = (line.device,) if isinstance(line, Route) else (line.in_device, line.out_device)
        yield from (one for one in named if one is not None)
