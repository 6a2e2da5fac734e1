"""When first checks begin."""

from __future__ import annotations

import pytest

from haproxy.program import recorded
from sim.haproxy.spread import first_checks_ns, spread_ns
from vrrp.config.haproxy import read_haproxy
from vrrp.protocol.timers import SECOND_NS

MS = 1_000_000


def test_checks_and_agents_of_all_backends_are_one_row_as_recorded() -> None:
    found = recorded("spread")
    model = read_haproxy(found["configuration"]).model
    ports = {("a", "s", False): 7001, ("b", "t", False): 7002, ("b", "t", True): 7101}
    ports |= {("c", "u", False): 7003, ("c", "v", False): 7004}
    ours = {str(ports[one]): at_ns / SECOND_NS for one, at_ns in first_checks_ns(model).items()}
    assert ours == pytest.approx(found["first"], abs=0.02)


def test_the_spread_has_a_bound() -> None:
    assert spread_ns([4000 * MS] * 4, 1000 * MS) == [0, 250 * MS, 500 * MS, 750 * MS]


def test_short_pauses_do_not_decide() -> None:
    assert spread_ns([500 * MS, 500 * MS]) == [0, 250 * MS]
    assert spread_ns([]) == []
