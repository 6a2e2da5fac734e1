"""Numbers, durations and sizes, as HAProxy 2.6 reads them: some strictly, many with C's forgiving atol()."""

from __future__ import annotations

import re

from vrrp.config.haproxy.diagnostics import RefusedError

INT_MAX = 2**31 - 1
_INTEGER = re.compile(r"\s*([+-]?[0-9]{1,30})")
_DURATION = re.compile(r"([0-9]*)(us|ms|s|m|h|d)?(.*)", re.DOTALL)
_NS = {
    "us": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
}


def forgiving(text: str) -> int:
    """The number that a text begins with, 0 when it begins with none, as atol() has it; no more than an int holds."""
    found = _INTEGER.match(text)
    return max(-INT_MAX - 1, min(int(found[1]), INT_MAX)) if found else 0


def strict(text: str, what: str) -> int:
    """A number and nothing else.

    Raises:
        RefusedError: it is none.
    """
    if not re.fullmatch("[+-]?[0-9]{1,30}", text):
        raise RefusedError("bad-value", f"{what}: {text!r} is not a whole number")
    return max(-INT_MAX - 1, min(int(text), INT_MAX))


def duration(text: str, what: str, unit: str = "ms") -> tuple[int, str]:
    """A duration in ns, and what stands behind it that HAProxy warns of and does not read.

    HAProxy keeps it in `unit` (ms or s), rounded up, and in no more than 31 bits.

    Raises:
        RefusedError: it is none, or too long.
    """
    found = _DURATION.fullmatch(text)
    assert found is not None  # the pattern takes any text
    digits, given, tail = found.groups()
    if not digits and not given and not tail:
        raise RefusedError("missing-argument", f"{what} needs a duration", "write one such as 5s")
    if tail and not given:
        raise RefusedError("bad-value", f"{what}: {text!r} is no duration", "write a number and us, ms, s, m, h or d")
    size = _NS[unit]
    # No more digits than overflow says as well.
    ns = int(digits[:20] or 0) * _NS[given or unit]
    rounded = -(-ns // size)
    if rounded > INT_MAX:
        raise RefusedError("bad-value", f"{what}: {text} is too long", f"the longest is {INT_MAX} {unit}")
    return rounded * size, tail
