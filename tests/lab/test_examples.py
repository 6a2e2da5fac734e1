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
    planned = [(one["node"], one["to"]) for one in told["plan"]["transitions"]]
    for one in told["runs"]:
        assert sorted((t["node"], t["to"]) for t in one["measured"]["transitions"]) == sorted(planned)
        takeovers = [t for t in one["transitions"] if t["to"] == "MASTER"]
        assert len(takeovers) == 3
        assert all(abs(t["difference_ms"]) <= 50 for t in takeovers)
