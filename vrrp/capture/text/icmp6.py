"""IPv6 neighbor advertisements, as tcpdump prints them.

ICMP6, neighbor advertisement, tgt is fe80::99:100, length 32
"""

from __future__ import annotations

from vrrp.capture.text.hexdump import hexadecimal_dump
from vrrp.capture.text.line import Line, View, should_be
from vrrp.wire.checksum import pseudo_residue, residue
from vrrp.wire.neighbor import ICMPV6, OVERRIDE, ROUTER, SOLICITED

_SIZE = 24
_FLAGS = ((ROUTER, "router"), (SOLICITED, "solicited"), (OVERRIDE, "override"))
_LINK_ADDRESSES = {1, 2}
_OPTIONS = {
    1: "source link-address",
    2: "destination link-address",
    3: "prefix info",
    4: "redirected header",
    5: "mtu",
    7: "advertisement interval",
    8: "homeagent information",
    24: "route info",
    25: "rdnss",
    31: "dnssl",
}


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
        _options(line, view, at + _SIZE, length - _SIZE)
    else:
        line.add(f", length {length}")


def _options(line: Line, view: View, at: int, rest: int) -> None:
    while at < view.end:
        if rest <= 0:
            break
        size = view.number(at + 1) * 8 if view.has(at, 2) else 0
        if not size or not view.has(at, size):
            line.cut()
            return
        kind = view.number(at)
        name = _OPTIONS.get(kind, "unknown")
        line.add(f"\n\t  {name} option ({kind}), length {size} ({size // 8}): ")
        data = view.bytes(at + 2, size - 2)
        if kind in _LINK_ADDRESSES:
            line.add(data.hex(":"))
        elif line.style.verbose == 1:
            line.add(_data_dump(data, "\n\t  "))
            return
        if line.style.verbose > 1:
            line.add(_data_dump(data, "\n\t    "))
        at += size
        rest -= size


def _data_dump(data: bytes, margin: str) -> str:
    return hexadecimal_dump(data).replace("\n\t", margin)
