"""IPv4, as tcpdump prints it, and what it carries.

IP 10.0.0.91 > 224.0.0.18: VRRPv2, ...
IP (tos 0xc0, ttl 255, id 1, offset 0, flags [none], proto VRRP (112), length 40)
    10.0.0.91 > 224.0.0.18: VRRPv2, ...
"""

from __future__ import annotations

from vrrp.capture.text.above_ip import PROTOCOLS, UDP, Above, print_above
from vrrp.capture.text.ip4_options import final_destination, print_options
from vrrp.capture.text.line import Cut, Line, View, should_be
from vrrp.wire.checksum import residue

_HEADER = 20
_ECN = ("", ",ECT(1)", ",ECT(0)", ",CE")
_FLAGS = ((0x2000, "+"), (0x4000, "DF"), (0x8000, "rsvd"))


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
    source, destination = view.bytes(at + 12, 4), view.bytes(at + 16, 4)
    names = line.style.names
    ends = f"{names.address(source)} > {names.address(destination)}: "
    if line.style.verbose and not _header_text(line, view, at, header):
        line.add(ends)
        line.cut()
        return
    if fragment & 0x1FFF:
        line.add(f"{ends}{names.protocol(protocol)}")
        return
    if protocol != UDP:
        line.add(ends)
    if not view.has(at, header):
        line.add(f" [remaining caplen({view.end - at}) < header length({header})]")
        raise Cut
    covered = final_destination(view, at + _HEADER, header - _HEADER, destination)
    above = Above(source + destination, source + covered, view.number(at + 8), bool(fragment & 0x2000))
    print_above(line, view, at + header, rest, protocol, above)


def _header_text(line: Line, view: View, at: int, header: int) -> bool:
    """What -v adds; False where the packet ends within an option."""
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
    whole = True
    if header > _HEADER:
        line.add(", options (")
        whole = print_options(line, view, at + _HEADER, header - _HEADER)
        line.add(")" if whole else " [truncated-option])")
    if view.has(at, header):
        raw = view.bytes(at, header)
        total = residue(raw)
        if total:
            stored = view.number(at + 10, 2)
            line.add(f", bad cksum {stored:x} (->{should_be(stored, total):x})!")
    line.add(")\n    ")
    return whole
