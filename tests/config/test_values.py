"""Numbers, switches and addresses; the complaints are keepalived 2.2.7's."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vrrp.config.values import address, decimal_us, octets, switch, whole


@given(st.integers(-(2**31), 2**32))
def test_whole_numbers_in_and_out_of_range(value: int) -> None:
    number = whole(str(value), -253, 253)
    assert (number.value == value) == (not number.complaint) == (-253 <= value <= 253)


@given(st.text())
def test_any_text_is_a_number_or_a_complaint(text: str) -> None:
    for number in (whole(text, 1, 255), decimal_us(text, 1, 255_000_000)):
        assert number.complaint or number.value is not None
        assert number.value is None or number.value >= 1


@pytest.mark.parametrize(
    ("text", "value", "complaint"),
    [
        ("+5", 5, ""),
        ("-5", -5, ""),
        ("5x", 5, "invalid number '5x'"),
        ("x", 0, "invalid number 'x'"),
        ("-x", 0, "invalid number '-x'"),
        ("300x", None, "invalid number '300x'"),
        ("", 0, ""),
        ("\u0661", 0, "invalid number '\u0661'"),
        ("+", 0, "invalid number '+'"),
        ("2147483648", None, "number '2147483648' outside integer range"),
        ("-" + "9" * 5000, None, f"number '-{'9' * 5000}' outside integer range"),
        ("5\n", 5, "invalid number '5\n'"),
    ],
)
def test_whole_numbers(text: str, value: int | None, complaint: str) -> None:
    number = whole(text, -253, 253)
    assert (number.value, number.complaint) == (value, complaint)


@given(st.integers(0, 40_950_000))
def test_times_are_exact_to_the_microsecond(value_us: int) -> None:
    number = decimal_us(f"{value_us // 10**6}.{value_us % 10**6:06}", 0, 10**9)
    assert (number.value, number.complaint) == (value_us, "")


@pytest.mark.parametrize(
    ("text", "value_us", "complaint"),
    [
        ("1.", 1_000_000, ""),
        ("", None, "number '' outside range [0.000001, 1.000000]"),
        (
            "0.0000004",
            None,
            "number '0.0000004' has too many decimal places: number '0.0000004' outside range [0.000001, 1.000000]",
        ),
        ("0.00000050", 1, "number '0.00000050' has too many decimal places"),
        ("1,5", 1_000_000, "invalid number '1,5'"),
        ("0.5x", 500_000, "invalid number '0.5x'"),
        ("18446744073710", None, "number '18446744073710' outside unsigned decimal range"),
        ("-1", None, "negative number '-1'"),
    ],
)
def test_times(text: str, value_us: int | None, complaint: str) -> None:
    number = decimal_us(text, 1, 1_000_000, tail=True)
    assert (number.value, number.complaint) == (value_us, complaint)


def test_switches() -> None:
    assert [switch((word,)) for word in ("on", "true", "yes", "off", "false", "no", "ON")] == [
        *[True] * 3,
        *[False] * 3,
        None,
    ]
    assert switch(()) is True


def test_addresses() -> None:
    assert address("10.0.0.1") == ip_address("10.0.0.1")
    assert address("fe80::1") == ip_address("fe80::1")
    assert [address(text) for text in ("10.0.0.256", "10.1", "010.0.0.1", "fe80::1%eth0", "")] == [None] * 5


def test_octets_are_those_of_the_file() -> None:
    assert octets("é") == b"\xc3\xa9"
    assert octets(b"\xe9".decode("utf-8", "surrogateescape")) == b"\xe9"
    assert octets("\ud800") == b"?"
