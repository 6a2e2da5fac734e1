"""Each rule at its edge: the exact lines, and what is no reason for a finding."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from check.confs import clusters, files
from vrrp.check.lint import lint
from vrrp.check.static import CHECKS

CASES = tomllib.loads((Path(__file__).parent / "data" / "edges.toml").read_text())["case"]


@pytest.mark.parametrize("case", CASES, ids=[f"{case['rule']}: {case['name']}" for case in CASES])
def test_it_is_found_here_and_nowhere_else(case: dict[str, Any]) -> None:
    found = lint(clusters(files(case["files"])), checks=CHECKS, advice=True)
    assert [f"{one.file}:{one.line}" for one in found if one.rule == case["rule"]] == case["at"]
