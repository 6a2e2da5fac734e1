"""Link headers, as tcpdump prints them: nothing, or addresses and types with -e."""

from __future__ import annotations

from vrrp.capture.frames import COOKED, COOKED_2, ETHERNET
from vrrp.capture.text.arp import print_arp
from vrrp.capture.text.ethertypes import ETHERTYPES
from vrrp.capture.text.ip4 import print_ip4
from vrrp.capture.text.ip6 import print_ip6
from vrrp.capture.text.line import Line, View
from vrrp.wire.ethernet import ARP, IPV4, IPV6

TAGS = {0x8100, 0x88A8, 0x9100, 0x9200}
"""The EtherTypes of VLAN tags."""
_DIRECTIONS = {0: "In", 1: "B", 2: "M", 3: "P", 4: "Out"}


def print_link(line: Line, view: View, link_type: int, length: int) -> int:
    """The whole packet, from the link header on; how long the link header is, for hexadecimal dumps."""
    if link_type == ETHERNET:
        return _ethernet(line, view, length)
    if link_type == COOKED:
        return _cooked(line, view, length)
    if link_type == COOKED_2:
        return _cooked_2(line, view, length)
    if line.style.link:
        line.add("ip: ")
    line.protocol = "ipn"
    version = view.number(0) >> 4
    _network(line, view, 0, {4: IPV4, 6: IPV6}.get(version, 0), length)
    return 0


def _ethernet(line: Line, view: View, length: int) -> int:
    line.protocol = "ether"
    if line.style.link:
        names = line.style.names
        line.add(f"{names.mac(view.bytes(6, 6))} > {names.mac(view.bytes(0, 6))}, ")
    return _typed(line, view, 14, view.number(12, 2), length, length - 14)


def _typed(line: Line, view: View, at: int, ethertype: int, whole: int, length: int) -> int:
    """What follows an EtherType: tags, then the network layer. `whole` is the length that -e tells, once."""
    told = f", length {whole}: "
    while True:
        if line.style.link:
            name = ETHERTYPES.get(ethertype, "Unknown")
            line.add(name if line.style.quiet else f"ethertype {name} (0x{ethertype:04x})")
            line.add(told)
            told = ", "
        if ethertype not in TAGS:
            break
        if line.style.link:
            line.add(_tag_text(view, at))
        ethertype = view.number(at + 2, 2)
        at += 4
        length -= 4
    _network(line, view, at, ethertype, length)
    return at


def _tag_text(view: View, at: int) -> str:
    tag = view.number(at, 2)
    return f"vlan {tag & 0xFFF}, p {tag >> 13}{', DEI' if tag & 0x1000 else ''}, "


def _network(line: Line, view: View, at: int, ethertype: int, length: int) -> None:
    if ethertype == IPV4:
        print_ip4(line, view, at, length)
    elif ethertype == IPV6:
        print_ip6(line, view, at, length)
    elif ethertype == ARP:
        print_arp(line, view, at, length)


def _cooked(line: Line, view: View, length: int) -> int:
    line.protocol = "sll"
    view.bytes(0, 16)
    ethertype = view.number(14, 2)
    if line.style.link:
        line.add(f"{_DIRECTIONS.get(view.number(0, 2), '?'):>3} ")
        if view.number(4, 2) == 6:
            line.add(f"{line.style.names.mac(view.bytes(6, 6))} ")
    return _cooked_type(line, view, 16, ethertype, length)


def _cooked_2(line: Line, view: View, length: int) -> int:
    line.protocol = "sll2"
    view.bytes(0, 20)
    line.add(f"{line.style.names.interface(view.number(4, 4)):<5} ")
    line.add(f"{_DIRECTIONS.get(view.number(10), '?'):<3} ")
    if line.style.link:
        line.add(f"ifindex {view.number(4, 4)} ")
        if view.number(11) == 6:
            line.add(f"{line.style.names.mac(view.bytes(12, 6))} ")
    return _cooked_type(line, view, 20, view.number(0, 2), length)


def _cooked_type(line: Line, view: View, at: int, ethertype: int, length: int) -> int:
    named = not line.style.quiet
    if line.style.link and named:
        line.add(f"ethertype {ETHERTYPES.get(ethertype, 'Unknown')} (0x{ethertype:04x}), length {length}: ")
    while ethertype in TAGS and view.has(at, 4):
        if line.style.link:
            line.add(_tag_text(view, at))
        ethertype = view.number(at + 2, 2)
        at += 4
        if named:  # here without -e too
            line.add(f"ethertype {ETHERTYPES.get(ethertype, 'Unknown')}, ")
    _network(line, view, at, ethertype, length - at)
    return at
