"""The formulas of section 6.1 of each RFC, in integer nanoseconds.

| | version 2 | version 3 |
| --- | --- | --- |
| Skew_Time | (256 - priority) / 256 s, whatever the interval | (256 - priority) * Master_Adver_Interval / 256 |
| Master_Down_Interval | 3 * Advertisement_Interval + Skew_Time | 3 * Master_Adver_Interval + Skew_Time |
"""

from __future__ import annotations

import enum

SECOND_NS = 1_000_000_000
CENTISECOND_NS = 10_000_000
NEVER = 1 << 63
"""Later than any time: a deadline that is not set."""
_WRAP_CS = 1 << 16


class SkewRule(enum.Enum):
    """How an implementation rounds the skew."""

    EXACT = "to the nanosecond"
    """RFC 3768, 5798, 9568 read as fractions; keepalived counts microseconds (measured: 609.4 ms)."""
    WHOLE_CENTISECONDS = "down to centiseconds, in 16 bits"
    """FRR 8.4.4: 600 ms for priority 100, and always on one second in version 2 (measured)."""


def skew_ns(priority: int, interval_cs: int, version: int, rule: SkewRule = SkewRule.EXACT) -> int:
    """Skew_Time in nanoseconds for a priority (0 to 255) and the master's interval in centiseconds."""
    if version == 2:
        interval_cs = 100
    if rule is SkewRule.WHOLE_CENTISECONDS:
        return (256 - priority) * interval_cs // 256 * CENTISECOND_NS
    return (256 - priority) * interval_cs * CENTISECOND_NS // 256


def master_down_ns(
    priority: int, interval_cs: int, version: int, rule: SkewRule = SkewRule.EXACT, adverts: int = 3
) -> int:
    """Master_Down_Interval in nanoseconds: `adverts` intervals (keepalived's down_timer_adverts) and the skew."""
    down_ns = adverts * interval_cs * CENTISECOND_NS + skew_ns(priority, interval_cs, version, rule)
    if rule is SkewRule.WHOLE_CENTISECONDS:
        return down_ns // CENTISECOND_NS % _WRAP_CS * CENTISECOND_NS
    return down_ns


def seconds_text(duration_ns: int) -> str:
    """A duration as people read it in a sentence: seconds, and the whole milliseconds that have passed."""
    return f"{duration_ns // 1_000_000 / 1000:.3f} s"
