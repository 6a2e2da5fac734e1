"""Our reading of configurations beside keepalived's: what was recorded of it, and what the installed one says."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import oracle
from config.oracle import Reading, Totals, debian_12, differences, our_reading
from vrrp.config import Verdict, load


def test_the_recorded_verdicts_and_lines(shared: Path) -> None:
    theirs = {shared / "captures" / name: found for name, found in oracle.recorded(shared).items()}
    host = debian_12(oracle.corpus_interfaces(theirs))
    totals = Totals()
    for path, expected in theirs.items():
        totals.add(our_reading(load(path, host=host)), expected)
    assert totals.files == 44
    assert totals.verdicts == 44
    assert totals.lines == 44
    assert totals.texts == 44


def test_differences_are_named() -> None:
    ours = Reading(Verdict.CLEAN, frozenset({(1, "one: two")}))
    assert differences(ours, Reading(Verdict.CLEAN, frozenset({(1, "one"), (1, "two")}))) == []
    assert differences(ours, Reading(Verdict.COMPLAINTS, frozenset({(2, "three")}))) == [
        "verdict 0, keepalived's 1",
        "keepalived complains of line 2, we do not",
        "we complain of line 1, keepalived does not",
        "keepalived says 2: three",
        "we say 1: one: two",
    ]
    assert differences(ours, Reading(Verdict.CLEAN, frozenset(), cut=True)) == []


@pytest.mark.root
@pytest.mark.program("keepalived", "unshare", "ip")
def test_the_installed_keepalived(tmp_path: Path) -> None:
    path = tmp_path / "a.conf"
    path.write_text("global_defs {\nrouterid x\n}\n}\n", encoding="utf-8")
    (found,) = oracle.measured([path], [])
    assert found.verdict is Verdict.COMPLAINTS
    assert found.lines == {2, 4}
