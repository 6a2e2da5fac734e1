"""IPv6, as tcpdump 4.99.3 prints it, and what it carries.

IP6 fe80::1 > ff02::12: VRRPv3, ...
IP6 (class 0xc0, hlim 255, next-header VRRP (112) payload length: 40) fe80::1 > ff02::12: VRRPv3, ...
"""

from __future__ import annotations

from vrrp.capture.text.above_ip import PROTOCOLS, UDP, Above, print_above
from vrrp.capture.text.line import Line, View

_HEADER = 40


def print_ip6(line: Line, view: View, at: int, length: int) -> None:
    """The packet of at most `length` bytes at `at`."""
    line.protocol = "ip6"
    if not view.has(at, _HEADER):
        line.cut()
        return
    if not line.style.link:
        line.add("IP6 ")
    version = view.number(at) >> 4
    if version != 6:
        line.add(f"version error: {version} != 6")
        return
    payload = view.number(at + 4, 2)
    total = payload + _HEADER
    if length < total:
        line.add(f"truncated-ip6 - {total - length} bytes missing!")
    following = view.number(at + 6)
    if line.style.verbose:
        flow = view.number(at, 4)
        line.add("(")
        if flow & 0x0FF00000:
            line.add(f"class 0x{flow >> 20 & 0xFF:02x}, ")
        if flow & 0xFFFFF:
            line.add(f"flowlabel 0x{flow & 0xFFFFF:05x}, ")
        line.add(f"hlim {view.number(at + 7)}, next-header {PROTOCOLS.get(following, 'unknown')} ({following}) ")
        line.add(f"payload length: {payload}) ")
    view = view.upto(at + total)
    source, destination = view.bytes(at + 8, 16), view.bytes(at + 24, 16)
    names = line.style.names
    if following != UDP:
        line.add(f"{names.address(source)} > {names.address(destination)}: ")
    above = Above(source + destination, source + destination, view.number(at + 7))
    print_above(line, view, at + _HEADER, total - _HEADER, following, above)
