"""Each proved rule beside the configuration in which it is found, and the one that just is not."""

from __future__ import annotations

import pytest

from check.confs import clusters, files
from sim.proof.prove import prove
from sim.proof.rulebook import RULES
from vrrp.check import Finding


def proved(text: str) -> list[Finding]:
    return [finding for cluster in clusters(files(text)) for finding in prove.run(cluster)]


@pytest.mark.parametrize("rule", RULES)
def test_found_where_it_is_bad_and_not_where_it_is_mended(rule: str) -> None:
    bad = {finding.rule for finding in proved(RULES[rule].bad)}
    good = {finding.rule for finding in proved(RULES[rule].good)}
    assert rule in bad
    assert rule not in good
    # Mended means mended: no other fault, but for what is only to be known.
    assert good <= {"VRRP-P005", "VRRP-P009", "VRRP-P010"}
