"""All checks over all clusters: the findings, in the order of the files and their lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from vrrp.check.cluster import Cluster
from vrrp.check.finding import Finding
from vrrp.check.rule import Check, registered
from vrrp.check.silence import Silence, names


def texts(clusters: Iterable[Cluster]) -> dict[str, str]:
    """The text of each file, by its name."""
    found: dict[str, str] = {}
    for cluster in clusters:
        for node in cluster.nodes:
            found.update(node.texts)
        found.update((one.file, one.text) for one in cluster.beside)
    return found


def lint(
    clusters: Sequence[Cluster],
    *,
    checks: Iterable[Check] | None = None,
    proof: bool = True,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    advice: bool = False,
    progress: Callable[[str], None] | None = None,
) -> list[Finding]:
    """What the checks find, each once.

    Args:
        clusters: what to check; `vrrp.check.inputs` reads it from files.
        checks: None is every registered one.
        proof: whether to run those that simulate.
        select: only these rules, by prefixes such as VRRP-W or W012; all when empty.
        ignore: not these, by prefixes; the longer prefix wins over `select`.
        advice: also what could be better in a configuration that is right; a rule's whole id in `select` asks as well.
        progress: told what is being done.
    """
    found: dict[Finding, None] = {}
    wanted = [
        one
        for one in (registered() if checks is None else checks)
        if (proof or not one.proof) and any(chosen(rule.id, select, ignore) for rule in one.rules)
    ]
    for number, cluster in enumerate(clusters, start=1):
        for one in wanted:
            if progress is not None:
                progress(f"cluster {number} of {len(clusters)}" + (", by simulation" if one.proof else ""))
            found.update(dict.fromkeys(one.run(cluster)))
    unasked = set()
    if not advice:
        advised = {rule.id for one in wanted for rule in one.rules if rule.advice}
        unasked = {rule for rule in advised if not {rule, rule[5:]} & set(select)}
    files = texts(clusters)
    silence = Silence(files)
    order = {file: position for position, file in enumerate(files)}
    return sorted(
        (
            one
            for one in found
            if one.rule not in unasked and chosen(one.rule, select, ignore) and not silence.covers(one)
        ),
        key=lambda one: (order.get(one.file, len(order)), one.file, one.line, one.rule),
    )


def chosen(rule: str, select: Sequence[str], ignore: Sequence[str]) -> bool:
    """Whether a rule is among those that are wanted; what names it more closely wins."""
    taken = _closeness(rule, select) if select else 0
    return taken >= 0 and taken >= _closeness(rule, ignore)


def _closeness(rule: str, prefixes: Sequence[str]) -> int:
    """The length of the longest prefix that names it, without VRRP-; -1 when none does."""
    return max((len(prefix.removeprefix("VRRP-")) for prefix in prefixes if names(rule, (prefix,))), default=-1)


def by_severity(findings: Iterable[Finding]) -> Mapping[str, int]:
    """How many there are of each severity."""
    count = {"error": 0, "warning": 0, "note": 0}
    for one in findings:
        count[one.severity.value] += 1
    return count
