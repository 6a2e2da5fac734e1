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
    # That they agree within 50 ms is measured by `python -m lab.examples`; a busy machine is not asked that.
    told = run(SHORT, within="500ms")
    for _ in range(2):
        if not told["as_predicted"]:
            told = run(SHORT, within="500ms")
    assert told["as_predicted"], "\n".join(lines(SHORT, told))
    for one in (told["plan"], *(real["measured"] for real in told["runs"])):
        takeovers = [t["node"] for t in one["transitions"] if t["to"] == "MASTER"]
        assert takeovers[-3:] == ["master1", "master2", "master1"]
