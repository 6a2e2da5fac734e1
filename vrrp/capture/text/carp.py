"""CARP, which has VRRP's protocol number: printed with -T carp, as tcpdump does.

CARPv2-advertise 36: vhid=1 advbase=1 advskew=0 authlen=7 counter=1234567890
"""

from __future__ import annotations

from vrrp.capture.text.line import Line, View
from vrrp.wire.checksum import residue


def print_carp(line: Line, view: View, at: int, length: int, ttl: int) -> None:
    """The message of `length` bytes at `at`."""
    line.protocol = "carp"
    first = view.number(at)
    version, kind = first >> 4, first & 15
    line.add(f"CARPv{version}-{'advertise' if kind == 1 else 'unknown'} {length}: ")
    if ttl != 255:
        line.add(f"[ttl={ttl}!] ")
    if version != 2 or kind != 1:
        return
    view.bytes(at + 2, 1)
    view.bytes(at + 5, 1)
    line.add(
        f"vhid={view.number(at + 1)} advbase={view.number(at + 5)} advskew={view.number(at + 2)} "
        f"authlen={view.number(at + 3)} "
    )
    if line.style.verbose and view.has(at, length):
        message = view.bytes(at, length)
        if residue(message + bytes(length % 2)) or not any(message):
            line.add(f" (bad carp cksum {view.number(at + 6, 2):x}!)")
    line.add(f"counter={view.number(at + 8, 8)}")
