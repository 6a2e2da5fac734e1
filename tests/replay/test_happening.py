"""What befell the router, in words."""

from __future__ import annotations

import pytest

from vrrp.capture.replay.happening import Happening, parse_happening, parse_moment

ORIGIN_NS = 1_772_331_247_000_000_000  # 2026-03-01T02:14:07 UTC, as `date -u -d @1772331247` says


@pytest.mark.parametrize(
    ("text", "at_ns"),
    [
        ("10s", ORIGIN_NS + 10_000_000_000),
        ("-1.5s", ORIGIN_NS - 1_500_000_000),
        ("2026-03-01T02:14:07", ORIGIN_NS),
        ("2026-03-01T03:14:07.25+01:00", ORIGIN_NS + 250_000_000),
    ],
)
def test_moments(text: str, at_ns: int) -> None:
    assert parse_moment(text, ORIGIN_NS) == at_ns


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("10", "'10' is no duration; write a number with a unit"),
        ("-10", "'10' is no duration"),
        ("2026-13-01T00:00:00", "is no date and time; write 2026-03-01T02:14:07.25"),
        ("", "'' is no duration"),
    ],
)
def test_what_is_no_moment(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_moment(text, ORIGIN_NS)


def parse(text: str) -> Happening:
    return parse_happening(text, 0, interfaces=["eth0", "eth1"], scripts=["chk"], captures=["a b.pcap"])


@pytest.mark.parametrize(
    ("text", "action", "subject", "told"),
    [
        ("1s stop", "stop", None, "stop"),
        ("1s link-down eth1", "link-down", "eth1", "link-down eth1"),
        ("1s script-hang", "script-hang", None, "script-hang"),
        ("1s script-pass chk", "script-pass", "chk", "script-pass chk"),
        ("1s partition", "partition", None, "partition"),
        ("1s partition a b.pcap ", "partition", "a b.pcap", "partition a b.pcap"),
        ("1s heal", "heal", None, "heal"),
    ],
)
def test_happenings(text: str, action: str, subject: str | None, told: str) -> None:
    happening = parse(text)
    assert happening == Happening(1_000_000_000, action, subject)
    assert str(happening) == told


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", 'write time and action, like "10s crash"'),
        ("stop", "write time and action"),
        ("now stop", "'now' is no duration"),
        ("1s explode", "there is no action 'explode'; known: start, stop"),
        ("1s link-down", 'which interface\\? Write "1s link-down eth0"'),
        ("1s link-down eth2", "there is no interface 'eth2'; did you mean"),
        ("1s script-fail chl", "there is no script 'chl'; did you mean 'chk'\\?"),
        ("1s stop eth0", "stop takes no 'eth0'"),
    ],
)
def test_what_is_none(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(text)
