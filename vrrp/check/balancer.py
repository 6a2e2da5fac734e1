"""What the reader of haproxy.cfg has to say, as findings: each code under its rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vrrp.check.balancing import unfilled_variable
from vrrp.check.cluster import Cluster
from vrrp.check.finding import Finding
from vrrp.check.rule import Rule, check
from vrrp.check.rulebook import rulebook, tables
from vrrp.config.diagnostics import Severity

_RULES = rulebook("haproxy")
_BALANCING = rulebook("balancing")
_ABOLISHED = _BALANCING["VRRP-E141"]
_NEEDS_HTTP = _BALANCING["VRRP-W142"]
_BY_CODE: Mapping[str, Rule] = {
    "abolished": _ABOLISHED,
    "httplog-in-tcp": _NEEDS_HTTP,
    "needs-http": _NEEDS_HTTP,
    **{code: _RULES[key] for key, table in tables("haproxy").items() for code in table["codes"]},
}
# What rules of their own find, with more to say of it; and that nothing listens, as in a part of a configuration.
TOLD_ELSEWHERE = frozenset(
    {"duplicate-server", "missing-timeouts", "no-listener", "rules-without-check", "truncated", "unknown-backend"}
)


@check(*_RULES.values(), _ABOLISHED, _NEEDS_HTTP)
def read(cluster: Cluster) -> Iterator[Finding]:
    """Each diagnostic of each haproxy.cfg."""
    for file in cluster.beside:
        if file.balancer is None:
            continue
        unfilled = _unfilled(file.text)
        for one in file.balancer.diagnostics:
            # Whatever else is wrong with a line that was never filled in will not be when it is.
            if one.code in TOLD_ELSEWHERE or one.line in unfilled:
                continue
            severity = None if one.severity is Severity.ERROR else one.severity
            yield _BY_CODE[one.code].finding(
                file.place(one.line),
                one.message,
                severity=severity,
                mend=f"{one.instead[0].upper()}{one.instead[1:]}." if one.code == "abolished" else "",
                instead=one.instead if one.code != "abolished" else "",
            )


def _unfilled(text: str) -> frozenset[int]:
    return frozenset(number for number, line in enumerate(text.split("\n"), 1) if unfilled_variable(line))
