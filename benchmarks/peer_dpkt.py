"""dpkt: a module for version 2 that verifies nothing; version 3 over IPv4 can be had with some work around it."""

from __future__ import annotations

import struct
from typing import Any

import dpkt
import dpkt.vrrp

from benchmarks.messages import Answer
from benchmarks.peers import VERIFIED, Job

_PSEUDO_HEADER = struct.Struct("!4s4sBBH").pack
_VRRP = 112


class Dpkt:
    """With what a caller has to add."""

    name = "dpkt"

    def decoding(self, version: int, width: int) -> Job | str:
        """Version 2, and version 3 over IPv4."""
        if width == 16:
            return "reads no IPv6 addresses"
        if version == 2:
            return Job(lambda message: message.raw, _decode_v2, _answer, VERIFIED)
        return Job(lambda message: (message.raw, message.source, message.destination), _decode_v3, _answer, VERIFIED)

    def encoding(self, version: int, width: int) -> Job | str:
        """Version 2."""
        if version == 3:
            return "sums no pseudo-header"
        return Job(lambda message: dpkt.vrrp.VRRP(message.raw), _encode, lambda raw: raw)

    def framing(self) -> Job:
        """Both versions over IPv4."""
        return Job(lambda message: message.frame, _decode_frame, _answer, VERIFIED)


AS_IT_IS = Job(
    lambda message: message.raw,
    dpkt.vrrp.VRRP,
    lambda vrrp: _answer((vrrp, vrrp.advtime * 100)),
    "as it is",
    "verifies nothing",
)
"""Decoding version 2 without verification: less work than ours does, but what one measures who measures dpkt."""


def _answer(found: tuple[Any, int]) -> Answer:
    vrrp, interval_cs = found
    return vrrp.vrid, vrrp.priority, interval_cs, tuple(vrrp.addrs)


def _decode_v2(raw: bytes) -> tuple[Any, int]:
    vrrp = dpkt.vrrp.VRRP(raw)
    if dpkt.dpkt.in_cksum(raw):
        raise ValueError("checksum")
    return vrrp, vrrp.advtime * 100


def _decode_v3(received: tuple[bytes, bytes, bytes]) -> tuple[Any, int]:
    raw, source, destination = received
    vrrp = dpkt.vrrp.VRRP(raw)
    if dpkt.dpkt.in_cksum(_PSEUDO_HEADER(source, destination, 0, _VRRP, len(raw)) + raw):
        raise ValueError("checksum")
    return vrrp, (vrrp.atype & 15) << 8 | vrrp.advtime


def _encode(vrrp: Any) -> bytes:
    vrrp.sum = 0
    return bytes(vrrp)


def _decode_frame(frame: bytes) -> tuple[Any, int]:
    ip = dpkt.ethernet.Ethernet(frame).data
    if ip.ttl != 255 or dpkt.dpkt.in_cksum(frame[14:34]):
        raise ValueError("IPv4 header")
    vrrp = ip.data
    raw = frame[34 : 14 + ip.len]
    if vrrp.v == 2:
        if dpkt.dpkt.in_cksum(raw):
            raise ValueError("checksum")
        return vrrp, vrrp.advtime * 100
    if dpkt.dpkt.in_cksum(_PSEUDO_HEADER(ip.src, ip.dst, 0, _VRRP, len(raw)) + raw):
        raise ValueError("checksum")
    return vrrp, (vrrp.atype & 15) << 8 | vrrp.advtime
