"""A rule of the linter, and the checks that apply rules: those of the entry points `vrrp.rules`.

An entry point names a sequence of `Check`; so the simulator's join, and vrrp imports nothing of sim.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

from vrrp.check.cluster import Cluster
from vrrp.check.finding import Edit, Finding, Place
from vrrp.config.diagnostics import Severity

GROUP = "vrrp.rules"


@dataclass(frozen=True, slots=True)
class Rule:
    """What a rule is about; `vrrp check --explain` shows it.

    Attributes:
        id: stable, such as VRRP-W012: the letter says how bad it usually is, the number is its own.
        severity: of its findings, if they do not say otherwise.
        title: what is wrong, in a few words.
        why: what it does to the service.
        mend: what to change.
        source: who says so: keepalived's own message, an RFC's section, a measurement, a bug report.
        bad: a configuration in which it is found. A line `==> NAME <==` begins another file. A vrrp_instance may
            lack its interface, virtual_router_id and virtual_ipaddress where they do not matter.
        good: the same, mended.
        advice: whether it is about what could be better in a configuration that is right: told only when asked for.
    """

    id: str
    severity: Severity
    title: str
    why: str
    mend: str
    source: str
    bad: str
    good: str
    advice: bool = False

    def finding(
        self,
        place: Place,
        message: str,
        *,
        severity: Severity | None = None,
        why: str = "",
        mend: str = "",
        instead: str = "",
        related: Iterable[Place] = (),
        fix: Iterable[Edit] = (),
        detail: Iterable[str] = (),
        scenario: str = "",
        draw: Callable[[Path], None] | None = None,
        data: Sequence[Mapping[str, object]] = (),
    ) -> Finding:
        """A finding of this rule at a place; severity, why and mend are the rule's own where they are not given."""
        return Finding(
            self.id,
            severity or self.severity,
            place.file,
            place.line,
            message,
            why or self.why,
            mend or self.mend,
            instead,
            tuple(related),
            tuple(fix),
            tuple(detail),
            scenario,
            draw,
            data,
        )


@dataclass(frozen=True, slots=True)
class Check:
    """A function that applies rules to a cluster.

    Attributes:
        rules: those whose findings it may give.
        run: called once for each cluster.
        proof: whether it simulates, and so takes its time; `vrrp check --no-proof` leaves it out.
    """

    rules: tuple[Rule, ...]
    run: Callable[[Cluster], Iterable[Finding]]
    proof: bool = False


def check(*rules: Rule, proof: bool = False) -> Callable[[Callable[[Cluster], Iterable[Finding]]], Check]:
    """Makes a function the check of these rules."""

    def of(run: Callable[[Cluster], Iterable[Finding]]) -> Check:
        return Check(rules, run, proof)

    return of


@cache
def registered() -> tuple[Check, ...]:
    """Every check there is, in the order of their entry points' names."""
    found: list[Check] = []
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        found += point.load()
    return tuple(found)


@cache
def catalogue() -> Mapping[str, Rule]:
    """Every rule there is, by its id: those of this package by their numbers, then what is proved."""
    rules = {rule for one in registered() for rule in one.rules}
    return {rule.id: rule for rule in sorted(rules, key=lambda rule: (rule.id[5] == "P", rule.id[-3:]))}
