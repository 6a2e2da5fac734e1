"""IPv4, as tcpdump prints it, and what it carries.

IP 10.0.0.91 > 224.0.0.18: VRRPv2, ...
IP (tos 0xc0, ttl 255, id 1, offset 0, flags [none], proto VRRP (112), length 40)
    10.0.0.91 > 224.0.0.18: VRRPv2, ...
"""

from __future__ import annotations

from vrrp.capture.text.above_ip import PROTOCOLS, Above, print_above
from vrrp.capture.text.line import Cut, Line, View, should_be
from vrrp.wire.checksum import residue

_HEADER = 20
_ECN = ("", ",ECT(1)", ",ECT(0)", ",CE")
_FLAGS = ((0x2000, "+"), (0x4000, "DF"), (0x8000, "rsvd"))
_WITH_PORTS = {6, 17, 33, 132}
_END, _NOP = 0, 1
_OPTIONS = {
    _END: "EOL",
    _NOP: "NOP",
    68: "timestamp",
    130: "security",
    7: "RR",
    137: "SSRR",
    131: "LSRR",
    148: "RA",
    82: "traceroute",
}
_ROUTES = {7, 131, 137}
_ROUTER_ALERT = 148


def print_ip4(line: Line, view: View, at: int, length: int) -> None:
    """The packet of at most `length` bytes at `at`."""
    line.protocol = "ip"
    version = view.number(at) >> 4
    if version != 4:
        line.add("IP6, wrong link-layer encapsulation" if version == 6 else f"IP{version}")
        line.invalid()
        return
    if not line.style.link:
        line.add("IP ")
    if not view.has(at, _HEADER):
        line.cut()
        return
    if length < _HEADER:
        line.add(f"truncated-ip {length}")
        return
    header = (view.number(at) & 15) * 4
    if header < _HEADER:
        line.add(f"bad-hlen {header}")
        return
    total = view.number(at + 2, 2)
    if length < total:
        line.add(f"truncated-ip - {total - length} bytes missing! ")
    if total < header:
        line.add(f"bad-len {total}")
        return
    view = view.upto(at + total)
    rest = total - header
    fragment, protocol = view.number(at + 6, 2), view.number(at + 9)
    if line.style.verbose:
        _header_text(line, view, at, header)
    source, destination = view.bytes(at + 12, 4), view.bytes(at + 16, 4)
    names = line.style.names
    if not fragment & 0x1FFF:
        if protocol not in _WITH_PORTS:
            line.add(f"{names.address(source)} > {names.address(destination)}: ")
        if view.end < at + header:
            line.add(f" [remaining caplen({max(0, view.end - at)}) < header length({header})]")
            raise Cut
        above = Above(source + destination, view.number(at + 8), bool(fragment & 0x2000), 4)
        print_above(line, view, at + header, rest, protocol, above)
    else:
        line.add(f"{names.address(source)} > {names.address(destination)}: ip-proto-{protocol}")


def _header_text(line: Line, view: View, at: int, header: int) -> None:
    tos, ttl = view.number(at + 1), view.number(at + 8)
    fragment, protocol = view.number(at + 6, 2), view.number(at + 9)
    flags = ", ".join(name for bit, name in _FLAGS if fragment & bit) or "none"
    line.add(f"(tos 0x{tos:x}{_ECN[tos & 3]}")
    if ttl >= 1:
        line.add(f", ttl {ttl}")
    line.add(
        f", id {view.number(at + 4, 2)}, offset {(fragment & 0x1FFF) * 8}, flags [{flags}], "
        f"proto {PROTOCOLS.get(protocol, 'unknown')} ({protocol}), length {view.number(at + 2, 2)}"
    )
    if header > _HEADER:
        line.add(", options (")
        try:
            _options(line, view, at + _HEADER, header - _HEADER)
        except Cut:
            line.add(" [truncated-option]")
            line.add(")")
            raise
        line.add(")")
    if view.has(at, header):
        raw = view.bytes(at, header)
        total = residue(raw)
        if total:
            stored = view.number(at + 10, 2)
            line.add(f", bad cksum {stored:x} (->{should_be(stored, total):x})!")
    line.add(")\n    ")


def _options(line: Line, view: View, at: int, length: int) -> None:
    separator = ""
    while length > 0:
        line.add(separator)
        separator = ","
        code = view.number(at)
        line.add(_OPTIONS.get(code, f"unknown {code}"))
        size = 1
        if code not in {_END, _NOP}:
            size = view.number(at + 1)
            if size < 2:
                line.add(f" [bad length {size}]")
                return
        if size > length:
            line.add(f" [bad length {size}]")
            return
        view.bytes(at, size)
        if code == _END:
            return
        if code in _ROUTES:
            _route(line, view, at, size)
        elif code == _ROUTER_ALERT:
            if size < 4:
                line.add("[|value]" if size else "")
            elif view.number(at + 2, 2):
                line.add(f" value {view.number(at + 2, 2)}")
        length -= size
        at += size


def _route(line: Line, view: View, at: int, size: int) -> None:
    if size < 3:
        line.add(f" [bad length {size}]")
        return
    if (size + 1) & 3:
        line.add(f" [bad length {size}]")
    pointer = view.number(at + 2)
    place = pointer - 1
    if place < 3 or (place + 1) & 3:
        line.add(f" [bad ptr {pointer}]")
    for position in range(3, size, 4):
        line.add(f" {line.style.names.address(view.bytes(at + position, 4))}")
        if place > position:
            line.add(",")
