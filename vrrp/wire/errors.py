"""Why bytes are not what they should be: `DecodeReason` and the one exception that carries it."""

from __future__ import annotations

import enum


class DecodeReason(enum.Enum):
    """What was wrong with received bytes. The value is the phrase shown to people."""

    TOO_SHORT = "too short for the fixed header"
    TTL = "TTL or hop limit is not 255"
    VERSION = "version is neither 2 nor 3, or does not fit the address family"
    TYPE = "type is not 1 (advertisement)"
    TRUNCATED = "shorter than its own address count says"
    TOO_LONG = "longer than its own address count says"
    HMAC_TRAILER = "carries the HMAC trailer of keepalived 2.4, which is not verified here"
    CHECKSUM = "checksum does not match"
    VRID = "virtual router identifier is 0"
    HEADER = "the enclosing header is damaged"


class DecodeError(ValueError):
    """Raised by every parser of `vrrp.wire` for bytes it refuses, and by nothing else there.

    `reason` is the first check that failed, `vrid` the virtual router identifier the bytes claim
    (None where they end before it), `detail` the numbers behind the reason.
    """

    def __init__(self, reason: DecodeReason, vrid: int | None = None, detail: str = "") -> None:
        super().__init__(f"{reason.value}: {detail}" if detail else reason.value)
        self.reason = reason
        self.vrid = vrid
        self.detail = detail

    def __reduce__(self) -> tuple[type[DecodeError], tuple[DecodeReason, int | None, str]]:
        return DecodeError, (self.reason, self.vrid, self.detail)
