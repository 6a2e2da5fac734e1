"""The trailer that keepalived 2.4 appends to an advertisement with `auth_hmac`: it is named here, not verified.

28 bytes behind the message (version 2 or 3)::

    | type 1 | key identifier | reserved, 2 bytes |
    | UTC seconds, 4 bytes | fraction of a second, 2 bytes | counter, 2 bytes |
    | HMAC-SHA-256, its first 16 bytes |

Which bytes the HMAC covers is keepalived's affair: verifying needs its key.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import ClassVar

from vrrp.wire.advertisement import AUTH_SIZE, HEADER_SIZE, HMAC_TRAILER_SIZE, HMAC_TRAILER_TYPE

_LAYOUT = struct.Struct("!BBHIHH16s")


@dataclass(frozen=True, slots=True)
class HmacTrailer:
    """One trailer, its fields as sent; the key identifier is 1 to 255."""

    SIZE: ClassVar[int] = HMAC_TRAILER_SIZE

    key_id: int
    seconds: int
    """UTC, since 1970."""
    fraction: int
    """Of a second, in units of 1/65536."""
    counter: int
    digest: bytes
    """16 bytes."""
    reserved: int = 0

    def build(self) -> bytes:
        """The 28 bytes of the trailer. ValueError for a field out of its range."""
        if len(self.digest) != 16:
            raise ValueError(f"the HMAC has 16 bytes, not {len(self.digest)}")
        fields = (self.key_id, self.reserved, self.seconds, self.fraction, self.counter)
        try:
            return _LAYOUT.pack(HMAC_TRAILER_TYPE, *fields, self.digest)
        except struct.error as error:
            raise ValueError(f"a field of the HMAC trailer is out of its range: {error}") from None

    def describe(self) -> str:
        """One line for people."""
        return f"keepalived HMAC trailer key {self.key_id} time {self.seconds} counter {self.counter}"


def parse_trailer(message: bytes, width: int) -> HmacTrailer | None:
    """The trailer at the end of a message over IPv4 (`width` 4) or IPv6 (16); None when there is none."""
    if len(message) < HEADER_SIZE + HmacTrailer.SIZE:
        return None
    tail = AUTH_SIZE if message[0] >> 4 == 2 else 0
    plain = HEADER_SIZE + width * message[3] + tail
    if len(message) != plain + HmacTrailer.SIZE or message[plain] != HMAC_TRAILER_TYPE or not message[plain + 1]:
        return None
    _, key_id, reserved, seconds, fraction, counter, digest = _LAYOUT.unpack_from(message, plain)
    return HmacTrailer(key_id, seconds, fraction, counter, digest, reserved)
