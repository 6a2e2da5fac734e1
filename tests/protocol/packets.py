"""Advertisements byte by byte, right or wrong in any way, as datagrams. Independent of the encoder."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from protocol.routers import HIGHER, VIP
from vrrp.protocol.profile import RFC9568, Profile
from vrrp.wire.address import pack
from vrrp.wire.frame import Datagram

GROUPS = {4: "224.0.0.18", 16: "ff02::12"}


def ones_complement_sum(data: bytes) -> int:
    """RFC 1071's sum by its own loop."""
    total = 0
    for (word,) in struct.iter_unpack("!H", data + bytes(len(data) % 2)):
        total += word
        total = (total & 0xFFFF) + (total >> 16)
    return total


@dataclass(frozen=True)
class Packet:
    """One packet; left alone, a good one of priority 200 for VRID 51, in version 3 unless told otherwise."""

    version: int = 3
    type: int = 1
    vrid: int = 51
    priority: int = 200
    count: int | None = None
    """None: as many as there are."""
    auth_type: int = 0
    interval: int | None = None
    """Seconds in version 2, else centiseconds; None: one second."""
    addresses: tuple[str, ...] = (VIP,)
    auth_data: bytes = b""
    extra: bytes = b""
    sum_error: int = 0
    ttl: int = 255
    source: str = HIGHER
    destination: str | None = None
    """None: the group."""
    pseudo_header: bool = True
    """Version 3 over IPv4 only."""

    def datagram(self) -> Datagram:
        source = pack(self.source)
        destination = pack(self.destination or GROUPS[len(source)])
        count = len(self.addresses) if self.count is None else self.count
        head = bytes((self.version << 4 | self.type, self.vrid, self.priority, count))
        body = b"".join(map(pack, self.addresses))
        if self.version == 2:
            head += bytes((self.auth_type, 1 if self.interval is None else self.interval))
            body += self.auth_data.ljust(8, b"\0")
        else:
            head += struct.pack("!H", 100 if self.interval is None else self.interval)
        body += self.extra
        covered = head + body
        if self.version != 2 and (self.pseudo_header or len(source) == 16):
            covered += source + destination + struct.pack("!HH", 112, len(head + body) + 2)
        checksum = (0xFFFF ^ ones_complement_sum(covered)) ^ self.sum_error
        return Datagram(source, destination, self.ttl, head + struct.pack("!H", checksum) + body)


def sums_pseudo_header(profile: Profile) -> bool:
    """Whether the profile wants it in version 3 over IPv4 (rfc-notes section 2)."""
    return profile is not RFC9568


def raw_datagram(source: str, destination: str, ttl: int, payload: bytes) -> Datagram:
    """Any bytes between any addresses."""
    return Datagram(pack(source), pack(destination), ttl, payload)
