"""Each rule is found in its bad example and not in its good one, which differs as little as can be."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from check.confs import clusters, files
from vrrp.check import Facts, Rule
from vrrp.check.rule import catalogue, registered
from vrrp.check.static import CHECKS

RULES = sorted({rule for one in CHECKS for rule in one.rules}, key=lambda rule: rule.id[-3:])


# What some rules need to know of the machines.
FACTS = {
    "VRRP-W030": Facts(interfaces={"eth0": ()}),
    "VRRP-N031": Facts(interfaces={"eth0": ("10.0.0.1",)}),
    "VRRP-W118": Facts(cloud=True),
    "VRRP-E190": Facts(release="2.0.0"),
}


def found(example: str, facts: Facts | None) -> set[str]:
    read = clusters(files(example), facts)
    return {finding.rule for cluster in read for one in CHECKS for finding in one.run(cluster)}


@pytest.mark.parametrize("rule", RULES, ids=[rule.id for rule in RULES])
def test_the_bad_example_shows_it_and_the_good_one_does_not(rule: Rule) -> None:
    assert rule.id in found(rule.bad, FACTS.get(rule.id))
    assert rule.id not in found(rule.good, FACTS.get(rule.id))


@pytest.mark.parametrize("rule", RULES, ids=[rule.id for rule in RULES])
def test_a_rule_says_all_there_is_to_say(rule: Rule) -> None:
    assert rule.id[:5] == "VRRP-"
    assert rule.id[5] == {"error": "E", "warning": "W", "note": "N"}[rule.severity.value]
    assert rule.title[0].islower() or rule.title[1].isupper()
    for text in (rule.why, rule.mend):
        assert text == text.strip()
        assert text.endswith(".")
    assert rule.source


def test_numbers_are_not_used_twice() -> None:
    numbers = sorted(rule.id[-3:] for rule in RULES)
    assert all(one != other for one, other in pairwise(numbers))


def test_rules_join_by_entry_point() -> None:
    assert set(CHECKS) <= set(registered())
    assert set(RULES) <= set(catalogue().values())


def test_an_id_is_for_ever() -> None:
    # People name them in comments and pipelines: rules are added to the list, and none is renumbered or taken away.
    known = (Path(__file__).parent / "data" / "ids.txt").read_text().split()
    assert [rule.id for rule in RULES] == known
