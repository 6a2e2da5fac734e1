"""Why an address stays where it is not served: told from the configurations, after a trial has shown that it does."""

from __future__ import annotations

from collections.abc import Iterable

from sim.proof.failure import Failure, Kind
from sim.proof.problem import Problem
from sim.proof.rig import Rig
from sim.proof.service import Provider
from vrrp.protocol.settings import VirtualRouterConfig
from vrrp.protocol.tracking import effective_priority


def why_it_stays(rig: Rig, problem: Problem) -> tuple[str, str]:
    """The cause, and what would mend it; each one sentence."""
    fate = problem.stage.fates[problem.address]
    holder = next(p for p in rig.providers[problem.address] if p.node in fate.masters)
    others = [p for p in rig.providers[problem.address] if p.node in fate.usable]
    router = _router(rig, holder)
    ignored = _failing(problem, holder) & rig.ignored(holder)
    if ignored:
        script = min(ignored)
        if router.owner:
            return (
                f"{holder.node} has priority 255, and keepalived ignores script {script} because it has a weight.",
                f"Give {holder.node} a priority of 254 or less, or script {script} the weight 0.",
            )
        return (
            f"{holder.instance} is in a sync group, where keepalived ignores script {script} because it has a weight.",
            f"Track {script} in the vrrp_sync_group, or give it the weight 0.",
        )
    priority = _priority(router, problem.stage.broken, holder.node)
    best = max(others, key=lambda p: _priority(_router(rig, p), problem.stage.broken, p.node))
    theirs = _priority(_router(rig, best), problem.stage.broken, best.node)
    if theirs > priority:
        return (
            f"{holder.node}'s priority falls to {priority}, below {best.node}'s {theirs}, which has nopreempt.",
            "Give it the weight 0: a failure then means FAULT, and the address is given up.",
        )
    whole = _priority(router, (), holder.node)
    but = "which is equal, and equals never preempt" if theirs == priority else "which is lower still"
    return (
        f"{holder.node}'s priority falls from {whole} to {priority}; {best.node}'s is {theirs}, {but}.",
        f"Let what fails take away at least {whole - theirs + 1}, or set the priorities closer together.",
    )


def _router(rig: Rig, provider: Provider) -> VirtualRouterConfig:
    routers = rig.configs[provider.node].virtual_routers
    return next(router for router in routers if router.name == provider.instance)


def _failing(problem: Problem, provider: Provider) -> set[str]:
    """The scripts of a node that fail in the problem's stage."""
    return {f.what for f in problem.stage.broken if f.kind is Kind.SCRIPT and f.node == provider.node}


def _priority(router: VirtualRouterConfig, broken: Iterable[Failure], node: str) -> int:
    """The effective priority while something is broken."""
    down = {(failure.kind, failure.what) for failure in broken if failure.node == node}
    moved = 0
    for kind, tracked in (
        (Kind.SCRIPT, router.track_scripts),
        (Kind.LINK, router.track_interfaces),
        (Kind.PROCESS, router.track_processes),
    ):
        for one in tracked:
            if ((kind, one.name) in down) is (one.weight < 0):
                moved += -one.weight if one.reverse else one.weight
    return effective_priority(router.priority, moved)
