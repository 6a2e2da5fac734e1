"""The checks that only read: every rule of this package."""

from __future__ import annotations

from vrrp.check import (
    announcing,
    balancer,
    balancing,
    containers,
    election,
    holding,
    mismatch,
    mixing,
    reader,
    scripts,
)
from vrrp.check.rule import Check

CHECKS: tuple[Check, ...] = (
    reader.read,
    reader.releases,
    mismatch.compare,
    mismatch.unicast,
    election.equals,
    election.states,
    election.weights,
    election.preemption,
    election.sync_groups,
    scripts.timing,
    scripts.followed,
    scripts.tested,
    scripts.runnable,
    holding.addressed,
    holding.reachable,
    holding.vrids,
    holding.machine,
    announcing.waiting,
    announcing.announced,
    announcing.notified,
    announcing.networks,
    balancer.read,
    balancing.binds,
    balancing.servers,
    balancing.proxies,
    balancing.watched,
    balancing.refused,
    balancing.alike,
    mixing.mixed,
    containers.containers,
)
