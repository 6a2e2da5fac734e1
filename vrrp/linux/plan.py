"""What a daemon would do with a configuration, in words: `vrrp run --check`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from vrrp.config.devices import static_device
from vrrp.config.lvs.model import VirtualServer
from vrrp.config.model import KeepalivedConfig, VrrpInstance
from vrrp.durations import duration_text
from vrrp.linux.checks.runner import kind_of
from vrrp.linux.configuration import Configuration, interfaces_of
from vrrp.lvs.member import Member
from vrrp.lvs.pool import Pool
from vrrp.protocol.profile import KEEPALIVED
from vrrp.protocol.router import Router
from vrrp.protocol.virtual_router import VirtualRouter
from vrrp.wire.address import AnyAddress, text
from vrrp.wire.ethernet import virtual_mac

_CENTISECOND_NS = 10_000_000


def plan(configuration: Configuration, interfaces: Mapping[str, Sequence[AnyAddress]]) -> Iterator[str]:
    """One line for each virtual router, and for what a master holds; then what is static, what is balanced, and notes.

    `interfaces` are this machine's, with their addresses.
    """
    config = configuration.parsed.config
    known = {name: interfaces.get(name, ()) for name in (*interfaces, *interfaces_of(config))}
    router = Router(configuration.router, profile=KEEPALIVED, interfaces=known, addresses_later=True)
    for instance, virtual_router in zip(config.instances, router.virtual_routers, strict=True):
        yield from _virtual_router(instance, virtual_router, instance.interface in interfaces)
    yield from _statics(config)
    for server in config.virtual_servers:
        yield from _virtual_server(server)
    yield from (str(one) for one in configuration.parsed.diagnostics)
    yield from configuration.notes


def _virtual_router(instance: VrrpInstance, virtual_router: VirtualRouter, there: bool) -> Iterator[str]:
    config = virtual_router.config
    source = text(virtual_router.source) if any(virtual_router.source) else "no address yet"
    where = config.interface if there else f"{config.interface} (not there yet)"
    to = ", ".join(map(text, config.unicast_peers or (config.multicast_group,)))
    yield (
        f"{config.name}: VRID {config.vrid} version {config.version} priority {config.priority} on {where},"
        f" from {source} to {to} every {duration_text(config.interval_cs * _CENTISECOND_NS)};"
        f" takes over after {virtual_router.master_down_interval_ns / 1e9:.6g} s of silence"
    )
    own = config.interface
    if instance.use_vmac:
        mac = instance.vmac_mac or virtual_mac(config.vrid, config.width).hex(":")
        own = f"{instance.vmac_name or 'an interface'} with MAC {mac} on top of {config.interface}"
    for one in (*instance.addresses, *instance.excluded_addresses):
        device = own if one.device in {None, config.interface} else one.device
        yield f"{config.name}: as master, {one.address}/{one.prefix} on {device}"
    yield from (f"{config.name}: as master, route {one.text}" for one in instance.routes)
    yield from (f"{config.name}: as master, rule {one.text}" for one in instance.rules)


def _statics(config: KeepalivedConfig) -> Iterator[str]:
    for static in config.static_addresses:
        one = static.address
        yield f"always, {one.address}/{one.prefix} on {static_device(config, one)}"
    yield from (f"always, route {one.text}" for one in config.static_routes)
    yield from (f"always, rule {one.text}" for one in config.static_rules)


def _virtual_server(server: VirtualServer) -> Iterator[str]:
    pool = Pool(server, ())
    sorry = f"; sorry server {pool.sorry[0]}" if pool.sorry is not None else ""
    lasts = f"while real servers of weight {server.quorum} are up"
    yield f"{pool.label}: balanced by {server.scheduler} {lasts}{sorry}"
    for real in server.real_servers:
        member = Member(0, server, real)
        checked = ", ".join(map(kind_of, real.checkers)) or "nothing"
        method = real.forwarding.method
        yield f"{pool.label}: {member.label} by {method} with weight {real.weight}, checked by {checked}"
