"""How late processes are, as a distribution."""

from __future__ import annotations

import pytest

from vrrp.protocol.lateness import FRR_LATENESS, KEEPALIVED_LATENESS, PUNCTUAL, WHOLE, Lateness
from vrrp.protocol.profile import FRR, KEEPALIVED, RFC9568


def test_between_two_quantiles_it_is_even() -> None:
    lateness = Lateness(((0, 100), (500, 200), (900, 200), (1000, 1200)))
    chances = (0, 250_000, 499_999, 500_000, 899_999, 900_000, 950_000, WHOLE - 1)
    assert [lateness.at(chance) for chance in chances] == [100, 150, 199, 200, 200, 200, 700, 1199]
    assert lateness.median_ns == 200


def test_the_same_each_time() -> None:
    lateness = Lateness.always(7)
    assert {lateness.at(chance) for chance in range(0, WHOLE, 9999)} == {7}
    assert lateness.median_ns == 7


def test_who_is_usually_how_late() -> None:
    assert (KEEPALIVED.lateness, FRR.lateness, RFC9568.lateness) == (KEEPALIVED_LATENESS, FRR_LATENESS, PUNCTUAL)
    assert (KEEPALIVED.timer_latency_ns, FRR.timer_latency_ns, RFC9568.timer_latency_ns) == (280_000, 300_000, 0)
    assert {PUNCTUAL.at(chance) for chance in range(0, WHOLE, 9999)} == {0}


@pytest.mark.parametrize("wrong", [((0, 0),), ((1, 0), (1000, 1)), ((0, 0), (500, 9), (500, 9), (1000, 1))])
def test_lateness_without_sense(wrong: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(ValueError, match=r"^no quantiles from 0 to 1000: "):
        Lateness(wrong)
