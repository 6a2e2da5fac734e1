"""A DNS query and whether something answers it (RFC 1035 section 4)."""

from __future__ import annotations

import struct

from vrrp.config.values import octets

_TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "MX": 15, "TXT": 16, "AAAA": 28}
_HEADER = struct.Struct("!HHHHHH")
_RECURSION_DESIRED = 0x0100
_RESPONSE = 0x8000
_INTERNET = 1
_LONGEST_LABEL = 63


def query(identifier: int, name: str, record_type: str) -> bytes:
    """A query for `name`; ValueError for one that DNS cannot ask for."""
    labels = [octets(label) for label in name.split(".") if label]
    if any(len(label) > _LONGEST_LABEL for label in labels):
        raise ValueError(f"{name}: a label has at most {_LONGEST_LABEL} letters")
    question = b"".join(bytes((len(label),)) + label for label in labels) + b"\0"
    header = _HEADER.pack(identifier, _RECURSION_DESIRED, 1, 0, 0, 0)
    return header + question + struct.pack("!HH", _TYPES[record_type], _INTERNET)


def response_code(identifier: int, data: bytes) -> int | None:
    """How a query was answered, 0 for well; None for what is no answer to it (keepalived waits on, measured)."""
    if len(data) < _HEADER.size:
        return None
    answered, flags, *_ = _HEADER.unpack_from(data)
    return flags & 0xF if answered == identifier and flags & _RESPONSE else None
