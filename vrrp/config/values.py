"""Text to numbers, switches, times and addresses, with keepalived 2.2.7's ranges and complaints (measured)."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache

from vrrp.config.language.words import REMEMBERED

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

SECOND_NS = 1_000_000_000
MICROSECOND_NS = 1_000
UNSIGNED_MAX = 2**32 - 1
LONGEST_US = 2**64 - 2

_WHOLE = re.compile(r"\s*([+-]?)([0-9]*)(.*)", re.ASCII | re.DOTALL)
_DECIMAL = re.compile(r"\s*([+-]?)([0-9]*)(?:\.([0-9]*))?(.*)", re.ASCII | re.DOTALL)
_LONGEST_NUMBER = 10
_MOST_DIGITS = 20
_READ_PLACES = 7

_SWITCH = {"on": True, "true": True, "yes": True, "off": False, "false": False, "no": False}


@dataclass(frozen=True, slots=True)
class Number:
    """A number as keepalived reads it.

    Attributes:
        value: what it uses: of an invalid number the digits before the fault (0 without any); None when it is out
            of range, or negative where it must not be.
        complaint: what keepalived says, or "".
        read: the value even when it is out of range.
    """

    value: int | None
    complaint: str = ""
    read: int = 0


@lru_cache(maxsize=REMEMBERED)
def whole(text: str, low: int, high: int) -> Number:
    """A whole number from `low` to `high`; negative ones only where `low` is negative."""
    found = _WHOLE.fullmatch(text)
    assert found is not None  # the pattern takes any text
    sign, digits, rest = found.groups()
    if sign == "-" and low >= 0:
        return Number(None, f"negative number '{text}'")
    if sign and not digits:
        rest = rest or sign
    digits = digits.lstrip("0")
    if len(digits) > _LONGEST_NUMBER or int(digits or "0") > UNSIGNED_MAX:
        if rest:
            return Number(None, f"invalid number '{text}'")
        return Number(None, f"number '{text}' outside {'' if low < 0 else 'unsigned '}integer range")
    value = int((sign if digits else "") + (digits or "0"))
    if low < 0 and not rest and not -(2**31) <= value < 2**31:
        return Number(None, f"number '{text}' outside integer range", value)
    within = low <= value <= high
    if rest:
        return Number(value if within else None, f"invalid number '{text}'", value)
    if not within:
        return Number(None, f"number '{text}' outside range [{low}, {high}]", value)
    return Number(value, "", value)


def decimal_us(text: str, low_us: int, high_us: int, *, tail: bool = False) -> Number:
    """Seconds with a fraction, as whole microseconds from `low_us` to `high_us`.

    Args:
        text: the number.
        low_us: the lowest.
        high_us: the highest.
        tail: whether keepalived uses the number that something else stands behind; it complains all the same.
    """
    found = _DECIMAL.fullmatch(text)
    assert found is not None  # the pattern takes any text
    sign, digits, fraction, rest = found.groups()
    if sign == "-":
        return Number(None, f"negative number '{text}'")
    fraction = fraction or ""
    # keepalived looks no further than the seventh decimal place.
    unread = len(fraction) > _READ_PLACES
    if rest and not (tail and unread):
        complaint = f"invalid number '{text}'"
        if not tail:
            return Number(None, complaint)
        value = _microseconds(digits, fraction)
        return Number(value if value is not None and low_us <= value <= high_us else None, complaint)
    value = _microseconds(digits, fraction)
    if value is None:
        return Number(None, f"number '{text}' outside unsigned decimal range")
    complaints = [f"number '{text}' has too many decimal places"] if len(fraction) > 6 else []
    within = low_us <= value <= high_us
    if not within:
        complaints.append(f"number '{text}' outside range [{_seconds(low_us)}, {_seconds(high_us)}]")
    return Number(value if within else None, ": ".join(complaints), value)


def _microseconds(digits: str, fraction: str) -> int | None:
    """What the digits say, None when it is more than keepalived's 64 bits hold."""
    digits = digits.lstrip("0")
    if len(digits) > _MOST_DIGITS:
        return None
    # A seventh decimal place rounds the sixth; keepalived complains, and uses the rounded number.
    value = (int((digits or "0") + fraction[:_READ_PLACES].ljust(_READ_PLACES, "0")) + 5) // 10
    return value if value <= LONGEST_US + 1 else None


def _seconds(value_us: int) -> str:
    return f"{value_us // 10**6}.{value_us % 10**6:06d}"


def switch(arguments: tuple[str, ...]) -> bool | None:
    """A keyword's optional on|off|true|false|yes|no: on when absent, None for any other word."""
    return _SWITCH.get(arguments[0]) if arguments else True


@lru_cache(maxsize=REMEMBERED)
def address(text: str) -> Address | None:
    """An IPv4 or IPv6 address without zone, or None."""
    try:
        return None if "%" in text else ipaddress.ip_address(text)
    except ValueError:
        return None


def octets(text: str) -> bytes:
    """The bytes that stand in the file for `text`, whatever its encoding was."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a surrogate that no file can hold: the text was never in one
        return text.encode("utf-8", "replace")
