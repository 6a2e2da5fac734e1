"""One packet as text: the stamp, the link layer and what is above it, and the bytes where they are asked for."""

from __future__ import annotations

from vrrp.capture.packet import Packet
from vrrp.capture.text.hexdump import characters_dump, hexadecimal_dump
from vrrp.capture.text.line import Cut, Line, Style, View
from vrrp.capture.text.link import print_link

LONGEST = 262_144
"""tcpdump believes in no longer packet."""


def unbelieved(packet: Packet) -> str:
    """What stands in place of stamp and text where the capture's own lengths cannot be; "" where they can."""
    length, captured = packet.length, len(packet.data)
    if captured <= length <= LONGEST:
        return ""
    if length > LONGEST:
        return f"[Invalid header: len({length}) > {LONGEST}]"
    return f"[Invalid header: len({length}) < caplen({captured})]" if length else "[Invalid header: len==0]"


def packet_text(packet: Packet, style: Style) -> str:
    """What tcpdump prints after the stamp of a packet, without the end of the line; it may have several lines."""
    line = Line(style)
    view = View(packet.data, len(packet.data))
    link_size = 0
    try:
        link_size = print_link(line, view, packet.link_type, packet.length)
    except Cut:
        line.cut()  # and how long the link header was is forgotten
    for kind, dump in ((style.characters, characters_dump), (style.hexadecimal, hexadecimal_dump)):
        if kind:
            line.add(dump(packet.data if kind > 1 else packet.data[link_size:]))
            break
    return "".join(line.parts)
