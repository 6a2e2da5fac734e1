"""Generated virtual servers, good and broken: what our reader says of them, and what keepalived says."""

from __future__ import annotations

import pytest

from config.generated_lvs import Draw, compare
from vrrp.config import Verdict, parse


@pytest.mark.parametrize("first", range(0, 300, 50))
def test_every_diagnostic_is_on_a_line_of_the_text(first: int) -> None:
    for seed in range(first, first + 50):
        text = Draw(seed).text()
        for one in parse(text).diagnostics:
            assert 1 <= one.line <= text.count("\n") + 1
            assert one.message
            assert one.instead


def test_most_of_what_is_drawn_is_kept() -> None:
    configs = [parse(Draw(seed).text()).config for seed in range(200)]
    servers = [server for config in configs for server in config.virtual_servers]
    kinds = {type(one).__name__ for server in servers for real in server.real_servers for one in real.checkers}
    assert len(servers) > 150
    assert len(kinds) == 9


@pytest.mark.root
@pytest.mark.program("keepalived", "unshare", "ip")
def test_keepalived_says_the_same() -> None:
    totals, told = compare(0, 400, lambda seed: Draw(seed).text())
    assert totals.verdicts >= 397, "\n".join(told)
    assert totals.lines >= 390, "\n".join(told)
    assert totals.texts >= 380, "\n".join(told)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("virtual_server fwmark {\n}\n", 1),
        ("virtual_server 10.0.0.1 80 {\nreal_server 10.0.0.2 80 {\nHTTP_GET {\n}\n}\n}\n", 4),
        ("virtual_server 10.0.0.1 80 {\nreal_server 10.0.0.2 80 {\nMISC_CHECK {\nmisc_path 'x\n}\n}\n}\n", 4),
    ],
)
def test_what_crashes_keepalived(text: str, line: int) -> None:
    parsed = parse(text)
    assert parsed.verdict is Verdict.FATAL
    assert [one.line for one in parsed.diagnostics if one.instead == "keepalived 2.2.7 crashes"] == [line]
