"""Generated VRRP configurations, good and broken: what our reader says of them, and what keepalived says."""

from __future__ import annotations

import pytest

from config.generated_vrrp import Writer, compare
from vrrp.config import Verdict, parse


@pytest.mark.parametrize("seed", range(6))
def test_every_diagnostic_is_on_a_line_of_the_text(seed: int) -> None:
    writer = Writer(seed)
    for _ in range(60):
        text = writer.configuration()
        for one in parse(text).diagnostics:
            assert 0 <= one.line <= text.count("\n") + 1
            assert one.message
            assert one.instead


def test_all_kinds_of_things_are_drawn() -> None:
    writer = Writer(1)
    parsed = [parse(writer.configuration()) for _ in range(400)]
    assert {one.verdict for one in parsed} == set(Verdict)
    configs = [one.config for one in parsed]
    assert sum(len(config.instances) for config in configs) > 200
    for kind in ("scripts", "sync_groups", "track_files", "track_processes", "bfd_sessions", "link_delays"):
        assert any(getattr(config, kind) for config in configs), kind


@pytest.mark.root
@pytest.mark.program("keepalived", "unshare", "ip")
def test_keepalived_says_the_same() -> None:
    totals, told = compare(2026, 400)
    assert totals.verdicts >= 397, "\n".join(told)
    assert totals.lines >= 388, "\n".join(told)
    assert totals.texts >= 380, "\n".join(told)
