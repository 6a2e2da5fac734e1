"""Durations as people write them: "100us", "10ms", "1.5s", "2m", "1h"."""

from __future__ import annotations

import re
from decimal import Decimal

_UNITS_NS = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_PATTERN = re.compile(r"(\d+(?:\.\d+)?)\s*(ns|us|ms|s|m|h)", re.ASCII)
_MOST_DIGITS = 25
_MOST_NS = 1_000_000 * _UNITS_NS["h"]


def parse_duration(value: object) -> int:
    """Nanoseconds of a duration given as text with a unit. ValueError says what would be right."""
    match = _PATTERN.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{value!r} is no duration; write a number with a unit: 100us, 10ms, 1.5s, 2m, 1h")
    whole = match[1].partition(".")[0].lstrip("0")
    duration_ns = int(Decimal(match[1]) * _UNITS_NS[match[2]]) if len(whole) < _MOST_DIGITS else _MOST_NS + 1
    if duration_ns > _MOST_NS:
        raise ValueError(f"{value!r:.60} is longer than a million hours")
    return duration_ns


def duration_text(duration_ns: int) -> str:
    """A duration in the largest unit that it reaches and that says it exactly."""
    for unit, unit_ns in reversed(_UNITS_NS.items()):
        number = Decimal(duration_ns) / unit_ns
        if number >= 1 and number * unit_ns == duration_ns:
            return f"{number:f}{unit}"
    return "0s"
