"""ARP, as tcpdump prints it.

ARP, Request who-has 10.0.0.100 (ff:ff:ff:ff:ff:ff) tell 10.0.0.100, length 28
"""

from __future__ import annotations

from vrrp.capture.text.ethertypes import ETHERTYPES
from vrrp.capture.text.hexdump import characters_dump
from vrrp.capture.text.line import Line, View
from vrrp.wire.ethernet import IPV4

_TRAILER = 0x1000
_HARDWARE = {
    1: "Ethernet",
    6: "TokenRing",
    7: "ArcNet",
    15: "FrameRelay",
    23: "Strip",
    24: "IEEE 1394",
    19: "ATM",
    32: "InfiniBand",
}
_MAC = 6
_OPERATIONS = {
    1: "Request",
    2: "Reply",
    3: "Reverse Request",
    4: "Reverse Reply",
    8: "Inverse Request",
    9: "Inverse Reply",
    10: "NACK Reply",
}


def print_arp(line: Line, view: View, at: int, length: int) -> None:
    """The packet of `length` bytes (padding too) at `at`."""
    line.protocol = "arp"
    view.bytes(at, 8)
    hardware, protocol = view.number(at, 2), view.number(at + 2, 2)
    hardware_length, protocol_length = view.number(at + 4), view.number(at + 5)
    operation = view.number(at + 6, 2)
    sha = at + 8
    spa = sha + hardware_length
    tha = spa + protocol_length
    tpa = tha + hardware_length
    view.bytes(tpa, protocol_length)
    if not line.style.link:
        line.add("ARP, ")
    verbose = bool(line.style.verbose)
    if protocol not in {IPV4, _TRAILER} or protocol_length != 4 or not hardware_length or verbose:
        name = _HARDWARE.get(hardware, f"Unknown Hardware ({hardware})")
        ethertype = ETHERTYPES.get(protocol, f"Unknown Protocol (0x{protocol:04x})")
        line.add(f"{name} (len {hardware_length}), {ethertype} (len {protocol_length})")
        if not verbose:
            line.add(f", length {length}")
            return
    line.add(f"{', ' if verbose else ''}{_OPERATIONS.get(operation, f'Unknown ({operation})')} ")

    def protocol_address(where: int) -> str:
        if protocol not in {IPV4, _TRAILER}:
            return "<wrong proto type>"
        if protocol_length != 4:
            return "<wrong len>"
        return line.style.names.address(view.bytes(where, 4))

    def hardware_address(where: int) -> str:
        if not hardware_length:
            return "<empty>"
        address = view.bytes(where, hardware_length)
        return line.style.names.mac(address) if hardware_length == _MAC else address.hex(":")

    if operation == 1:
        line.add(f"who-has {protocol_address(tpa)}")
        if any(view.bytes(tha, hardware_length)):
            line.add(f" ({hardware_address(tha)})")
        line.add(f" tell {protocol_address(spa)}")
    elif operation == 2:
        line.add(f"{protocol_address(spa)} is-at {hardware_address(sha)}")
    elif operation == 3:
        line.add(f"who-is {hardware_address(tha)} tell {hardware_address(sha)}")
    elif operation == 4:
        line.add(f"{hardware_address(tha)} at {protocol_address(tpa)}")
    elif operation == 8:
        line.add(f"who-is {hardware_address(tha)} tell {hardware_address(sha)}")
    elif operation == 9:
        line.add(f"{hardware_address(sha)} at {protocol_address(spa)}")
    else:
        line.add(characters_dump(view.data[at : view.end]))
        return
    line.add(f", length {length}")
