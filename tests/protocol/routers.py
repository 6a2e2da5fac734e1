"""Virtual routers for the tests: built in one line, driven along their deadlines, compared slot by slot."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

from vrrp.protocol.effects import Announce, Effect, Effects, SendAdvertisement, StateChanged
from vrrp.protocol.profile import Profile
from vrrp.protocol.router import KeyedEffects, Router
from vrrp.protocol.settings import RouterConfig, VirtualRouterConfig
from vrrp.protocol.state import State
from vrrp.protocol.virtual_router import VirtualRouter
from vrrp.wire.address import pack
from vrrp.wire.advertisement import Advertisement

US_NS = 1_000
MS_NS = 1_000_000
S_NS = 1_000_000_000

VIP = "10.0.0.100"
LOWER = "10.0.0.1"
OWN = "10.0.0.5"
HIGHER = "10.0.0.9"

Timeline: TypeAlias = list[tuple[int, Effect]]


def settings(profile: Profile, **changes: Any) -> VirtualRouterConfig:
    """VRID 51 with one address, priority 100, one second, in the profile's first version."""
    values: dict[str, Any] = {"vrid": 51, "addresses": [VIP], "version": profile.versions[0]}
    return VirtualRouterConfig(**values | changes)


def make(profile: Profile, **changes: Any) -> VirtualRouter:
    return VirtualRouter(settings(profile, **changes), source=OWN, profile=profile)


def advert(router: VirtualRouter, priority: int, interval_cs: int = 100, **changes: Any) -> Advertisement:
    """What another router of this VRID sends."""
    config = router.config
    return Advertisement(config.version, config.vrid, priority, interval_cs, config.addresses, **changes)


def hear(router: VirtualRouter, now_ns: int, priority: int, source: str = HIGHER, **changes: Any) -> Effects:
    return router.receive(now_ns, source, advert(router, priority, **changes))


def kinds(effects: Iterable[Effect]) -> tuple[type[Effect], ...]:
    return tuple(type(effect) for effect in effects)


def drive(router: VirtualRouter, until_ns: int) -> Timeline:
    """Let time pass: `expire` at each deadline up to `until_ns`, and what came of it."""
    timeline: Timeline = []
    while router.deadline_ns is not None and router.deadline_ns <= until_ns:
        now_ns = router.deadline_ns
        timeline += [(now_ns, effect) for effect in router.expire(now_ns)]
    return timeline


def drive_host(router: Router, until_ns: int) -> list[tuple[int, str, Effect]]:
    """The same for a host: time, name of the virtual router ("" for a script's effect), effect."""
    timeline = []
    while router.deadline_ns is not None and router.deadline_ns <= until_ns:
        now_ns = router.deadline_ns
        timeline += [(now_ns, *named) for named in by_name(router.expire(now_ns))]
    return timeline


def by_name(effects: KeyedEffects) -> list[tuple[str, Effect]]:
    return [(owner.config.name if owner else "", effect) for owner, effect in effects]


def sent_ns(timeline: Timeline) -> list[int]:
    return [now_ns for now_ns, effect in timeline if isinstance(effect, SendAdvertisement)]


def announced(timeline: Timeline) -> list[tuple[int, int]]:
    """When, and how many rounds."""
    return [(now_ns, effect.repeat) for now_ns, effect in timeline if isinstance(effect, Announce)]


def changes(effects: Iterable[Effect]) -> list[tuple[State, str]]:
    """The new states and the reasons for them."""
    return [(effect.new, effect.reason) for effect in effects if isinstance(effect, StateChanged)]


def backup(profile: Profile, now_ns: int = 0, **changes: Any) -> VirtualRouter:
    router = make(profile, **changes)
    router.start(now_ns)
    assert router.state is State.BACKUP
    return router


def master(profile: Profile, now_ns: int = 0, **changes: Any) -> VirtualRouter:
    """A router that became master at `now_ns`; the sync group's word does it without waiting."""
    router = make(profile, **changes)
    router.start(now_ns)
    router.lead(now_ns, "test")
    assert router.state is State.MASTER
    return router


def host(profile: Profile, *virtual_routers: VirtualRouterConfig, **parts: Any) -> Router:
    """A host on eth0 (10.0.0.5, fe80::5) and eth1 (10.1.0.5, fe80::5)."""
    return Router(
        RouterConfig(virtual_routers=virtual_routers, **parts),
        profile=profile,
        interfaces={
            "eth0": [OWN, "fe80::5"],
            "eth1": ["10.1.0.5", "fe80::5"],
        },
    )


def snapshot(router: VirtualRouter) -> dict[str, Any]:
    """Every slot, its announcer's among them, copied: equal snapshots are equal routers."""
    slots = {name: getattr(router, name) for name in VirtualRouter.__slots__}
    del slots["advertiser"]  # never changes
    announcer = slots.pop("_announcer")
    for name in type(announcer).__slots__:
        value = getattr(announcer, name)
        slots[f"announcer.{name}"] = list(value) if isinstance(value, list) else value
    return slots


def packed(*addresses: str) -> tuple[bytes, ...]:
    return tuple(pack(address) for address in addresses)
