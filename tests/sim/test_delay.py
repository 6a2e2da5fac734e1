"""Transit times and durations: bounds, determinism, what is refused."""

from __future__ import annotations

import math
import random
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.delay import Constant, Delay, Lognormal, Uniform
from sim.scenario import parse_delay
from vrrp.durations import duration_text, parse_duration


@given(st.integers(0, 10**12), st.integers())
def test_constant_is_constant_and_draws_nothing(delay_ns: int, seed: int) -> None:
    stream = random.Random(seed)
    before = stream.getstate()
    delay = Constant(delay_ns)
    assert delay.draw(stream) == delay.constant_ns == delay_ns
    assert stream.getstate() == before


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers())
def test_uniform_stays_within_its_bounds(low_ns: int, width_ns: int, seed: int) -> None:
    delay = Uniform(low_ns, low_ns + width_ns)
    stream = random.Random(seed)
    assert all(low_ns <= delay.draw(stream) <= low_ns + width_ns for _ in range(20))
    assert delay.constant_ns is None


def test_uniform_reaches_both_bounds_alike() -> None:
    stream = random.Random(1)
    drawn = [Uniform(5, 8).draw(stream) for _ in range(4000)]
    # Binomial: 4000 draws at 1/4 have a standard deviation of 27.
    assert all(abs(drawn.count(value) - 1000) < 140 for value in (5, 6, 7, 8))


@given(st.integers(1, 10**9), st.floats(0, 5), st.integers())
def test_lognormal_is_never_negative_and_without_sigma_the_median(median_ns: int, sigma: float, seed: int) -> None:
    stream = random.Random(seed)
    delay = Lognormal(median_ns, sigma)
    assert all(type(value) is int and value >= 0 for value in (delay.draw(stream) for _ in range(20)))
    assert Lognormal(median_ns, 0.0).draw(stream) == median_ns
    assert delay.constant_ns is None


def test_lognormal_has_its_median_and_its_width() -> None:
    stream = random.Random(2)
    drawn = [Lognormal(1_000_000, 0.5).draw(stream) for _ in range(5000)]
    logs = [math.log(value / 1_000_000) for value in drawn]
    assert median(drawn) == pytest.approx(1_000_000, rel=0.03)
    assert math.sqrt(sum(x * x for x in logs) / len(logs)) == pytest.approx(0.5, rel=0.05)


# Made with Python 3.11; 3.12 and 3.13 give the same.
PINNED: list[tuple[Delay, list[int]]] = [
    (Uniform(50_000, 1_000_000), [279558, 671810, 63548, 419613, 296752]),
    (Lognormal(100_000, 0.3), [113479, 89347, 99963, 126269, 120528]),
    (Lognormal(1_000_000, 2.0), [2323357, 471908, 997503, 4734960, 3472033]),
]


@pytest.mark.parametrize(("delay", "expected"), PINNED)
def test_the_same_seed_draws_the_same_nanoseconds_in_every_python(delay: Delay, expected: list[int]) -> None:
    stream = random.Random("1/lan/r1/eth0")
    assert [delay.draw(stream) for _ in range(5)] == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("100us", Constant(100_000)),
        ({"distribution": "lognormal", "median": "100us", "sigma": 0.3}, Lognormal(100_000, 0.3)),
        ({"distribution": "lognormal", "median": "1ms", "sigma": 0}, Lognormal(1_000_000, 0.0)),
        ({"distribution": "lognormal", "median": "1ms", "sigma": 5}, Lognormal(1_000_000, 5.0)),
        ({"distribution": "uniform", "low": "50us", "high": "1ms"}, Uniform(50_000, 1_000_000)),
        ({"distribution": "uniform", "low": "1ms", "high": "1ms"}, Uniform(1_000_000, 1_000_000)),
    ],
)
def test_delays_as_scenarios_write_them(value: object, expected: Delay) -> None:
    assert parse_delay(value) == expected


FORMS = "a delay is "


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("fast", "'fast' is no duration"),
        (5, "5 is no duration"),
        (None, "None is no duration"),
        ({}, FORMS),
        ({"distribution": "pareto", "median": "1ms", "sigma": 1}, FORMS),
        ({"distribution": "lognormal", "median": "1ms"}, FORMS),
        ({"distribution": "lognormal", "median": "1ms", "sigma": 1, "low": "1ms"}, FORMS),
        ({"distribution": "lognormal", "median": "1ms", "sigma": "1"}, FORMS),
        ({"distribution": "lognormal", "median": "1ms", "sigma": -0.1}, "sigma is 0 to 5"),
        ({"distribution": "lognormal", "median": "1ms", "sigma": 5.1}, "sigma is 0 to 5"),
        ({"distribution": "lognormal", "median": "1ms", "sigma": math.nan}, "sigma is 0 to 5"),
        ({"distribution": "lognormal", "median": "soon", "sigma": 1}, "'soon' is no duration"),
        ({"distribution": "uniform", "low": "1ms"}, FORMS),
        ({"distribution": "uniform", "low": "1ms", "high": "1us"}, "low is above high"),
        ({"distribution": "uniform", "low": "1ms", "high": 2}, "2 is no duration"),
    ],
)
def test_what_is_no_delay(value: object, what: str) -> None:
    with pytest.raises(ValueError, match=f"^{what}"):
        parse_delay(value)


@pytest.mark.parametrize(
    ("text", "duration_ns"),
    [
        ("0s", 0),
        ("7ns", 7),
        ("100us", 100_000),
        ("10ms", 10_000_000),
        ("1.5s", 1_500_000_000),
        ("2m", 120_000_000_000),
        ("1h", 3_600_000_000_000),
        (" 3 s ", 3_000_000_000),
        ("0.0000000019s", 1),
        ("1000000h", 3_600_000_000_000_000_000),
    ],
)
def test_durations(text: str, duration_ns: int) -> None:
    assert parse_duration(text) == duration_ns


@pytest.mark.parametrize(
    "value", ["", "5", "s", "-1s", "1e3s", "1 minute", "1S", "1.s", ".5s", "1s 2ms", "\u0663s", 1, None, True]
)
def test_what_is_no_duration(value: object) -> None:
    with pytest.raises(ValueError, match=r" is no duration; write a number with a unit: 100us, 10ms, 1\.5s, 2m, 1h$"):
        parse_duration(value)


@pytest.mark.parametrize("value", ["1000000.000000001h", "9" * 400 + "s"])
def test_a_duration_has_an_end(value: str) -> None:
    with pytest.raises(ValueError, match=r"is longer than a million hours$"):
        parse_duration(value)


def test_a_number_of_a_million_digits_is_too_long_as_well() -> None:
    with pytest.raises(ValueError, match="is longer than a million hours"):
        parse_duration("9" * 1_000_000 + "s")


@given(st.integers(0, 3_600_000_000_000_000_000))
def test_a_duration_written_is_the_duration_read(duration_ns: int) -> None:
    assert parse_duration(duration_text(duration_ns)) == duration_ns


@pytest.mark.parametrize(
    ("duration_ns", "text"),
    [
        (0, "0s"),
        (1, "1ns"),
        (1_500, "1.5us"),
        (10_000_000, "10ms"),
        (3_609_375_000, "3.609375s"),
        (90 * 10**9, "1.5m"),
    ],
)
def test_durations_in_one_unit(duration_ns: int, text: str) -> None:
    assert duration_text(duration_ns) == text
