"""Which text stands above an IP header: the protocols that are printed, and tcpdump's names of the others."""

from __future__ import annotations

from dataclasses import dataclass

from vrrp.capture.text.ah import print_ah
from vrrp.capture.text.carp import print_carp
from vrrp.capture.text.icmp6 import print_icmp6
from vrrp.capture.text.line import Line, View
from vrrp.capture.text.udp import print_udp
from vrrp.capture.text.vrrp import print_vrrp

VRRP, AH, UDP, ICMPV6 = 112, 51, 17, 58
PROTOCOLS = {
    0: "Options",
    1: "ICMP",
    2: "IGMP",
    4: "IPIP",
    6: "TCP",
    8: "EGP",
    9: "IGRP",
    17: "UDP",
    33: "DCCP",
    41: "IPv6",
    43: "Routing",
    44: "unknown",
    46: "RSVP",
    47: "GRE",
    50: "ESP",
    51: "AH",
    55: "Mobile IP",
    58: "ICMPv6",
    60: "DSTOPT",
    89: "OSPF",
    103: "PIM",
    108: "Compressed IP",
    112: "VRRP",
    113: "PGM",
    132: "SCTP",
    135: "Mobility",
}
"""The names that tcpdump prints before the number of a protocol."""


@dataclass(frozen=True, slots=True)
class Above:
    """What the layers above want to know of the IP header."""

    addresses: bytes
    """Source and destination, one after the other: 8 or 32 bytes."""
    ttl: int
    fragmented: bool
    version: int


def print_above(line: Line, view: View, at: int, length: int, protocol: int, above: Above) -> None:
    """`length` bytes of a protocol at `at`."""
    while protocol == AH:
        following = view.number(at)
        end = print_ah(line, view, at)
        if end is None:
            return
        length -= end - at
        at, protocol = end, following
    if protocol == VRRP:
        if line.style.carp:
            print_carp(line, view, at, length, above.ttl)
        else:
            print_vrrp(line, view, at, length, above.addresses, above.ttl)
    elif protocol == UDP:
        print_udp(line, view, at, length, above.addresses, fragmented=above.fragmented)
    elif protocol == ICMPV6 and above.version == 6:
        print_icmp6(line, view, at, length, above.addresses)
    else:
        line.add(f" ip-proto-{protocol} {length}")
