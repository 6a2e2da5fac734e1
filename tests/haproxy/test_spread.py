"""When first checks begin."""

from __future__ import annotations

from sim.haproxy.spread import first_checks_ns, spread_ns
from vrrp.config.haproxy import read_haproxy

MS = 1_000_000


def test_checks_and_agents_of_all_backends_are_one_row() -> None:
    model = read_haproxy(
        "backend a\n  server s 127.0.0.1:1 check inter 4s\n  server idle 127.0.0.1:1\n"
        "backend b\n  server t 127.0.0.1:1 check inter 3s fastinter 1s agent-check agent-port 2 agent-inter 2s\n"
    ).model
    assert first_checks_ns(model) == {
        ("a", "s", False): 0,
        ("b", "t", False): 333 * MS,
        ("b", "t", True): 1333 * MS,
    }


def test_the_spread_has_a_bound() -> None:
    assert spread_ns([4000 * MS] * 4, 1000 * MS) == [0, 250 * MS, 500 * MS, 750 * MS]


def test_short_pauses_do_not_decide() -> None:
    assert spread_ns([500 * MS, 500 * MS]) == [0, 250 * MS]
    assert spread_ns([]) == []
