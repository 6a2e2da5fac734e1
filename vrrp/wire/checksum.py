"""The Internet checksum (RFC 1071) and what VRRP sums.

| message | covered |
| --- | --- |
| v2 (RFC 2338, 3768) | the message with its 8 authentication bytes, nothing else |
| v3 over IPv4, RFC 9568 | the message, nothing else (PLAIN) |
| v3 over IPv4, RFC 5798 as deployed by keepalived and FRR | pseudo-header and message (PSEUDO_HEADER) |
| v3 over IPv6 | pseudo-header and message |

65536 is 1 modulo 65535, so a big-endian integer modulo 65535 *is* the folded sum of its 16-bit words:
one division in C instead of a loop. The residue cannot tell a sum of 0x0000 from one of 0xFFFF, but the
first needs every word to be zero, and no advertisement starts with a zero byte.
"""

from __future__ import annotations

import enum

_from_bytes = int.from_bytes
PROTOCOL = 112
"""The IP protocol number of VRRP (RFC 5798 section 5.1.1.4)."""


class ChecksumForm(enum.Enum):
    """Which sum a message carries."""

    PLAIN = "message only"
    PSEUDO_HEADER = "pseudo-header and message"


class ChecksumPolicy(enum.Enum):
    """Which sums a receiver takes for version 3 over IPv4; version 2 and IPv6 leave no choice."""

    PLAIN = "message only (RFC 9568, keepalived's v3_checksum_as_v2)"
    PSEUDO_HEADER = "with pseudo-header (RFC 5798 as keepalived and FRR read it)"
    EITHER = "either form"
    UNCHECKED = "no verification"


def residue(data: bytes) -> int:
    """The folded one's complement sum of `data` (even length), 0 standing for 0xFFFF as well."""
    return _from_bytes(data, "big") % 0xFFFF


def pseudo_residue(source: bytes, destination: bytes, length: int, protocol: int = PROTOCOL) -> int:
    """The sum of the pseudo-header: packed addresses, IP protocol number, message length in bytes.

    RFC 768's layout for IPv4 and RFC 8200 section 8.1's for IPv6 give the same words to add.
    """
    return (_from_bytes(source, "big") + _from_bytes(destination, "big") + protocol + length) % 0xFFFF


def complement(folded: int) -> int:
    """The checksum field that makes a message, whose other words sum to `folded`, sum to 0xFFFF."""
    return -folded % 0xFFFF
