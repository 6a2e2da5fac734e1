"""IPv6 neighbor advertisements, as tcpdump prints them.

ICMP6, neighbor advertisement, tgt is fe80::99:100, length 32
"""

from __future__ import annotations

from vrrp.capture.text.line import Line, View, should_be
from vrrp.capture.text.neighbor_options import print_options
from vrrp.wire.checksum import pseudo_residue, residue
from vrrp.wire.neighbor import ICMPV6, OVERRIDE, ROUTER, SOLICITED

_SIZE = 24
_FLAGS = ((ROUTER, "router"), (SOLICITED, "solicited"), (OVERRIDE, "override"))


def print_icmp6(line: Line, view: View, at: int, length: int, addresses: bytes) -> None:
    """The neighbor advertisement of `length` bytes at `at`; `addresses` are the IP header's two."""
    line.protocol = "icmp6"
    verbose = line.style.verbose
    if not length:
        line.add(f"ICMP6, length {length}")
        line.invalid()
        return
    if verbose and view.has(at, length):
        stored = view.number(at + 2, 2)
        message = view.bytes(at, length)
        total = residue(message + bytes(length % 2)) + pseudo_residue(addresses[:16], addresses[16:], length, ICMPV6)
        if total % 0xFFFF:
            line.add(f"[bad icmp6 cksum 0x{stored:04x} -> 0x{should_be(stored, total):04x}!] ")
        else:
            line.add("[icmp6 sum ok] ")
    view.bytes(at, 1)
    line.add("ICMP6, neighbor advertisement")
    if verbose:
        line.add(f", length {length}")
    line.add(f", tgt is {line.style.names.address(view.bytes(at + 8, 16))}")
    if verbose:
        flags = view.number(at + 4, 4)
        line.add(f", Flags [{', '.join(name for bit, name in _FLAGS if flags & bit) or 'none'}]")
        if not print_options(line, view, at + _SIZE):
            line.cut()
    else:
        line.add(f", length {length}")
