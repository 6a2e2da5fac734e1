"""One of the examples for real; `python -m lab.examples` runs them all, which takes ten minutes."""

from __future__ import annotations

import pytest

from conftest import ROOT
from lab.examples import EXAMPLES, lines, run

SHORT = ROOT / "examples/k8s-ha-fixed/graceful-stop.toml"


@pytest.mark.root
@pytest.mark.program("ip", "keepalived")
def test_simulator_keepalived_and_our_daemon_agree() -> None:
    assert SHORT in EXAMPLES
    told = run(SHORT)
    if not told["as_predicted"]:
        told = run(SHORT)  # a busy machine may keep an engine from being on time
    assert told["as_predicted"], "\n".join(lines(SHORT, told))
    for one in (told["plan"], *(real["measured"] for real in told["runs"])):
        takeovers = [t["node"] for t in one["transitions"] if t["to"] == "MASTER"]
        assert takeovers[-3:] == ["master1", "master2", "master1"]
    for one in told["runs"]:
        differences = [t["difference_ms"] for t in one["transitions"] if t["to"] == "MASTER"]
        assert all(abs(difference) <= 50 for difference in differences[-3:])
