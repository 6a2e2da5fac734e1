"""UDP with HSRP in it, as tcpdump prints it: Cisco's protocol, not VRRP, but seen beside it.

IP 10.28.168.253.1985 > 224.0.0.2.1985: HSRPv0-hello 20: state=active group=10 addr=10.28.168.254
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vrrp.capture.text.line import Line, View, add_string, should_be
from vrrp.wire.checksum import pseudo_residue, residue

if TYPE_CHECKING:
    from vrrp.capture.text.above_ip import Above

HSRP_PORT = 1985
_UDP = 17
_HEADER = 8
_OPERATIONS = ("hello", "coup", "resign")
_STATES = {0: "initial", 1: "learn", 2: "listen", 4: "speak", 8: "standby", 16: "active"}


def print_udp(line: Line, view: View, at: int, length: int, above: Above) -> None:
    """The datagram of `length` bytes at `at`."""
    line.protocol = "udp"
    names = line.style.names
    half = len(above.addresses) // 2
    source, destination = names.address(above.addresses[:half]), names.address(above.addresses[half:])
    if not view.has(at + 2, 2):
        line.add(f"{source} > {destination}: ")
        line.cut()
        return
    from_port, to_port = view.number(at, 2), view.number(at + 2, 2)
    ends = f"{source}.{names.udp_port(from_port)} > {destination}.{names.udp_port(to_port)}: "
    if length < _HEADER:
        line.add(f"{ends}truncated-udp {length}")
        return
    stated = view.number(at + 4, 2) if view.has(at + 4, 2) else _HEADER
    if stated < _HEADER:
        line.add(f"{ends}truncated-udplength {stated}")
        return
    if not view.has(at, _HEADER):
        line.add(ends)
        line.cut()
        return
    if line.style.carp:
        return  # -T says what everything above IP is, and no UDP payload is CARP
    line.add(ends)
    # Over IPv4 the checksum is looked at from -vv on only.
    if line.style.verbose > (half == 4) and not above.fragmented:
        _checksum(line, view, at, min(stated, length), above.covered)
    if to_port == HSRP_PORT and not line.style.quiet:
        _hsrp(line, view, at + _HEADER, min(stated, length) - _HEADER)
    elif stated > length and not above.fragmented:
        line.add(f"UDP, bad length {stated - _HEADER} > {length - _HEADER}")
    else:
        line.add(f"UDP, length {stated - _HEADER}")


def _checksum(line: Line, view: View, at: int, length: int, addresses: bytes) -> None:
    stored = view.number(at + 6, 2)
    if not stored and len(addresses) == 8:
        line.add("[no cksum] ")
    elif view.has(at, length):
        half = len(addresses) // 2
        total = residue(view.bytes(at, length) + bytes(length % 2))
        total += pseudo_residue(addresses[:half], addresses[half:], length, _UDP)
        if total % 0xFFFF:
            line.add(f"[bad udp cksum 0x{stored:04x} -> 0x{should_be(stored, total):04x}!] ")
        else:
            line.add("[udp sum ok] ")


def _hsrp(line: Line, view: View, at: int, length: int) -> None:
    """HSRP version 0 (RFC 2281); later ones only by their number."""
    line.protocol = "hsrp"
    version = view.number(at)
    line.add(f"HSRPv{version}")
    if version:
        return
    line.add("-")
    operation = view.number(at + 1)
    name = _OPERATIONS[operation] if operation < len(_OPERATIONS) else f"unknown ({operation})"
    line.add(f"{name} {length}: ")
    state = view.number(at + 2)
    line.add(f"state={_STATES.get(state, f'Unknown ({state})')} ")
    line.add(f"group={view.number(at + 6)} ")
    if view.number(at + 7):
        line.add(f"[reserved={view.number(at + 7)}!] ")
    line.add(f"addr={line.style.names.address(view.bytes(at + 16, 4))}")
    if line.style.verbose:
        line.add(f" hellotime={_duration(view.number(at + 3))}")
        line.add(f" holdtime={_duration(view.number(at + 4))} priority={view.number(at + 5)}")
        line.add(' auth="')
        add_string(line, view, at + 8, 8)
        line.add('"')


def _duration(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    if not minutes:
        return f"{rest}s"
    return f"{minutes}m{rest}s" if rest else f"{minutes}m"
