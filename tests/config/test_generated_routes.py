"""Generated static addresses, routes and rules, good and broken: our complaints and keepalived's; written and read."""

from __future__ import annotations

import pytest

from config.generated_lvs import compare
from config.generated_routes import Draw
from config.test_writer import reads_the_same
from vrrp.config import parse


@pytest.mark.parametrize("first", range(0, 300, 100))
def test_every_diagnostic_is_on_a_line_of_the_text(first: int) -> None:
    for seed in range(first, first + 100):
        text = Draw(seed).text()
        parsed = parse(text)
        assert all(1 <= one.line <= text.count("\n") + 1 and one.message and one.instead for one in parsed.diagnostics)
        reads_the_same(parsed.config)


def test_some_of_what_is_drawn_is_kept() -> None:
    configs = [parse(Draw(seed).text()).config for seed in range(100)]
    assert sum(len(config.static_routes) for config in configs) > 30
    assert sum(len(config.instances[0].rules) for config in configs if config.instances) > 30


@pytest.mark.root
@pytest.mark.program("keepalived", "unshare", "ip")
def test_keepalived_complains_of_the_same_lines() -> None:
    totals, told = compare(0, 300, lambda seed: Draw(seed).text())
    assert totals.verdicts >= 298, "\n".join(told)
    assert totals.lines >= 275, "\n".join(told)
