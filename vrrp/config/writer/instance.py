"""vrrp_instance and vrrp_sync_group blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from vrrp.config.grammar import VRRP_INSTANCE, VRRP_SYNC_GROUP
from vrrp.config.keepalived import parse
from vrrp.config.model import StaticAddress, SyncGroup, VirtualAddress, VrrpInstance
from vrrp.config.routing.model import Route, Rule
from vrrp.config.values import UNSIGNED_MAX, Address
from vrrp.config.writer.following import Weights
from vrrp.config.writer.settings import INSTANCE_SETTINGS, needed
from vrrp.config.writer.text import block, command, options, some_block, statement, word, words

_PRIORITIES = frozenset({"order", "preference", "priority"})


def instance_block(one: VrrpInstance, global_defs: list[str], weights: Weights) -> Iterator[str]:
    """An instance.

    Args:
        one: it.
        global_defs: the block that stands before it, whose settings need not be said again.
        weights: those of what it follows.
    """
    head = statement("vrrp_instance", word(one.name))
    first = [statement("interface", word(one.interface)), statement("virtual_router_id", one.vrid)]
    rest = [*_authentication(one), *_peers(one), *_addresses(one), *options(one.options, VRRP_INSTANCE)]

    def read(lines: list[str]) -> VrrpInstance | None:
        text = "\n".join((*global_defs, *block(head, first, lines, rest)))
        return next(iter(parse(text).config.instances), None)

    return block(
        head,
        first,
        needed(one, INSTANCE_SETTINGS, read),
        rest,
        weights.blocks(one),
        route_block("virtual_routes", one.routes),
        rule_block("virtual_rules", one.rules),
        _notify(one),
    )


def group_block(one: SyncGroup, weights: Weights) -> Iterator[str]:
    """A sync group; `weights` are those of what it follows."""
    return block(
        statement("vrrp_sync_group", word(one.name)),
        block("group", map(word, one.members)),
        ["sync_group_tracking_weight"] if one.tracking_weight else [],
        weights.blocks(one),
        options(one.options, VRRP_SYNC_GROUP),
        _notify(one),
    )


def route_block(keyword: str, routes: Iterable[Route]) -> Iterator[str]:
    """virtual_routes or static_routes."""
    yield from some_block(keyword, (words(route.text) for route in routes))


def rule_block(keyword: str, rules: Iterable[Rule]) -> Iterator[str]:
    """virtual_rules or static_rules; the priority that keepalived chose is said, as elsewhere it chose another."""
    yield from some_block(keyword, map(_rule, rules))


def _rule(rule: Rule) -> str:
    said = _PRIORITIES & set(rule.text.split(" "))
    return statement(words(rule.text), "" if said else f"priority {rule.priority}")


def static_address_block(addresses: Iterable[StaticAddress]) -> Iterator[str]:
    """static_ipaddress."""
    lines = (
        statement(_address(one.address), "" if one.track_group is None else f"track_group {word(one.track_group)}")
        for one in addresses
    )
    yield from some_block("static_ipaddress", lines)


def _authentication(one: VrrpInstance) -> Iterator[str]:
    if one.authentication is not None:
        password = one.authentication.password.decode("utf-8", "surrogateescape")
        lines = [f"auth_type {one.authentication.kind}", statement("auth_pass", word(password))]
        yield from block("authentication", lines)


def _peers(one: VrrpInstance) -> Iterator[str]:
    yield from some_block("unicast_peer", (_peer(peer, one.unicast_peer_ttl) for peer in one.unicast_peers))


def _peer(peer: Address, ttl: Mapping[Address, tuple[int, int]]) -> str:
    return statement(peer, *(("min_ttl", ttl[peer][0], "max_ttl", ttl[peer][1]) if peer in ttl else ()))


def _addresses(one: VrrpInstance) -> Iterator[str]:
    yield from some_block("virtual_ipaddress", map(_address, one.addresses))
    yield from some_block("virtual_ipaddress_excluded", map(_address, one.excluded_addresses))


def _address(one: VirtualAddress) -> str:
    alone = one.peer is not None or one.prefix == one.address.max_prefixlen
    settings = (
        ("peer", one.peer),
        ("brd", one.broadcast),
        ("dev", one.device and word(one.device)),
        ("scope", one.scope),
        ("label", one.label and word(one.label)),
        ("preferred_lft", "forever" if one.preferred_lifetime_s == UNSIGNED_MAX else one.preferred_lifetime_s),
    )
    said = (f"{keyword} {value}" for keyword, value in settings if value is not None)
    flags = ("no_track" if one.no_track else "", "use_vmac" if one.use_vmac else "")
    return statement(one.address if alone else f"{one.address}/{one.prefix}", *said, *flags)


def _notify(one: VrrpInstance | SyncGroup) -> Iterator[str]:
    return (
        statement(keyword, command(named), one.notify_users.get(keyword, "")) for keyword, named in one.notify.items()
    )
