"""Which text stands above an IP header: that of the protocols which are printed (`vrrp.capture.text.selection`)."""

from __future__ import annotations

from dataclasses import dataclass

from vrrp.capture.text.ah import print_ah
from vrrp.capture.text.carp import print_carp
from vrrp.capture.text.icmp6 import print_icmp6
from vrrp.capture.text.line import Line, View
from vrrp.capture.text.udp import print_udp
from vrrp.capture.text.vrrp import print_vrrp

VRRP, AH, UDP, ICMPV6 = 112, 51, 17, 58
PROTOCOLS = {UDP: "UDP", AH: "AH", ICMPV6: "ICMPv6", VRRP: "VRRP"}
"""The names that tcpdump prints before the number of a protocol."""


@dataclass(frozen=True, slots=True)
class Above:
    """What the layers above want to know of the IP header."""

    addresses: bytes
    """Source and destination, one after the other: 8 or 32 bytes."""
    covered: bytes
    """The same as checksums cover them: a source route's last address is then the destination."""
    ttl: int
    fragmented: bool = False
    """Whether it is the first of several fragments."""


def print_above(line: Line, view: View, at: int, length: int, protocol: int, above: Above) -> None:
    """`length` bytes of a protocol at `at`."""
    if protocol == AH:
        if not view.has(at, 1):
            line.protocol = "ah"
            line.cut()
            return
        protocol = view.number(at)
        end = print_ah(line, view, at)
        length -= end - at
        at = end
    if protocol == VRRP and line.style.carp:
        print_carp(line, view, at, length, above.ttl)
    elif protocol == VRRP:
        print_vrrp(line, view, at, length, above.covered, above.ttl)
    elif protocol == UDP:
        print_udp(line, view, at, length, above)
    elif protocol == ICMPV6:
        print_icmp6(line, view, at, length, above.covered)
