"""VRRP, versions 2 and 3, as tcpdump prints it.

    VRRPv2, Advertisement, vrid 42, prio 191, authtype simple, intvl 10s, length 28
    VRRPv3, Advertisement, (ttl 254), vrid 42, prio 191, intvl 1000cs, length 12

-v adds: a bad checksum, the addresses, the password.
"""

from __future__ import annotations

from vrrp.capture.text.line import Line, View, add_string
from vrrp.wire.advertisement import AUTH_SIZE
from vrrp.wire.checksum import pseudo_residue, residue
from vrrp.wire.hmac_trailer import parse_trailer

_AUTHENTICATIONS = {0: "none", 1: "simple", 2: "ah"}


def print_vrrp(line: Line, view: View, at: int, length: int, addresses: bytes, ttl: int) -> None:
    """The message of `length` bytes at `at`; `addresses` are the IP header's two, one after the other."""
    line.protocol = "vrrp"
    line.add("VRRP")
    first = view.number(at)
    version, kind = first >> 4, first & 15
    name = "Advertisement" if kind == 1 else f"unknown type ({kind})"
    line.add(f"v{version}, {name}")
    if ttl != 255:
        line.add(f", (ttl {ttl})")
    if version not in {2, 3} or kind != 1:
        return
    line.add(f", vrid {view.number(at + 1)}, prio {view.number(at + 2)}")
    authentication = view.number(at + 4) if version == 2 else 0
    if version == 2:
        line.add(f", authtype {_AUTHENTICATIONS.get(authentication, f'#{authentication}')}")
        line.add(f", intvl {view.number(at + 5)}s, length {length}")
    else:
        line.add(f", intvl {view.number(at + 4, 2) & 0xFFF}cs, length {length}")
    if not line.style.verbose:
        return
    width = len(addresses) // 2
    if view.has(at, length):
        message = view.bytes(at, length)
        if _wrong(message, version, addresses):
            line.add(f", (bad vrrp cksum {view.number(at + 6, 2):x})")
    count = view.number(at + 3)
    line.add(", addrs")
    if count > 1:
        line.add(f"({count})")
    line.add(":")
    position, separator = at + 8, " "
    for _ in range(count):
        line.add(separator + line.style.names.address(view.bytes(position, width)))
        separator = ","
        position += width
    if authentication == 1:
        line.add(' auth "')
        add_string(line, view, position, AUTH_SIZE)
        line.add('"')
    if view.has(at, length):
        trailer = parse_trailer(view.bytes(at, length), width)
        if trailer is not None:
            line.add(f", {trailer.describe()}")


def _wrong(message: bytes, version: int, addresses: bytes) -> bool:
    """Tcpdump takes version 3 without pseudo-header (RFC 9568) for wrong."""
    padded = message + bytes(len(message) % 2)
    total = residue(padded)
    if version == 3:
        half = len(addresses) // 2
        total += pseudo_residue(addresses[:half], addresses[half:], len(message))
    return total % 0xFFFF != 0 or not any(message)
