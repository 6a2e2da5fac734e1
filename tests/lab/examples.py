"""Every example for real, beside its prediction: `python -m lab.examples [ENGINE,…]` as root in tests/.

Each takes as long as its scenario says, a minute or two. One line for each run: the takeovers that were compared, the
worst difference, and what was not as predicted. Exit status 1 when something was not.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from conftest import ROOT

EXAMPLES = sorted((ROOT / "examples").glob("*/*.toml"))
ENGINES = "sim,keepalived,vrrp"


def run(scenario: Path, engines: str = ENGINES, within: str = "50ms") -> dict[str, Any]:
    """What `vrrp lab --json` tells of one; SubprocessError when it tells nothing."""
    start = "from vrrp.cli.main import main; main()"
    words = [sys.executable, "-c", start, "lab", str(scenario), "--engine", engines, "--within", within, "--json", "-"]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode > 1:
        raise subprocess.SubprocessError(f"{scenario}: status {done.returncode}")
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def lines(scenario: Path, told: dict[str, Any]) -> list[str]:
    """One for each engine, and one for each complaint."""
    found = []
    for one in told["runs"]:
        takeovers = sum(t["to"] == "MASTER" and t["difference_ms"] is not None for t in one["transitions"])
        worst = "none" if one["worst_takeover_ms"] is None else f"{one['worst_takeover_ms']:.1f} ms"
        name = f"{scenario.parent.name}/{scenario.name}"
        found.append(f"{name:<36} {one['engine']:<12} {takeovers} takeovers, worst {worst}")
        found += [f"    {complaint}" for complaint in one["complaints"]]
    return found


def main(arguments: Sequence[str]) -> int:
    """Run them all, one after the other."""
    well = True
    for scenario in EXAMPLES:
        told = run(scenario, *arguments[:1])
        well &= told["as_predicted"]
        print("\n".join(lines(scenario, told)), flush=True)
    return not well


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
