"""The IP Authentication Header, as tcpdump prints it before what it protects."""

from __future__ import annotations

from vrrp.capture.text.line import Line, View


def print_ah(line: Line, view: View, at: int) -> int:
    """The header at `at`; where the next header starts."""
    line.protocol = "ah"
    line.add("AH")
    length = view.number(at + 1)
    size = (length + 2) * 4
    line.add("(")
    if line.style.verbose:
        line.add(f"length={length}({size}-bytes),")
    reserved = view.number(at + 2, 2)
    if reserved:
        line.add(f"reserved=0x{reserved:x}[MustBeZero],")
    line.add(f"spi=0x{view.number(at + 4, 4):08x},")
    line.add(f"seq=0x{view.number(at + 8, 4):x},")
    line.add("icv=0x")
    for position in range(at + 12, at + size):
        line.add(f"{view.number(position):02x}")
    line.add("): ")
    return at + size
