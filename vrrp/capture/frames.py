"""What a captured packet carries, whatever its link layer."""

from __future__ import annotations

from dataclasses import dataclass

from vrrp.wire.errors import DecodeError
from vrrp.wire.ethernet import parse_ethernet
from vrrp.wire.frame import Content, network_content


@dataclass(frozen=True, slots=True)
class CapturedFrame:
    """A packet taken apart as far as this library understands it."""

    source: bytes
    """Sender's MAC; empty where the link header has none (raw IP) or is not Ethernet's."""
    destination: bytes
    """Receiver's MAC; empty where the link header has none (Linux cooked, raw IP)."""
    vlans: tuple[int, ...]
    """VLAN identifiers, outermost first."""
    content: Content
    """See `vrrp.wire.frame.Content`; damage is a content too."""


def read_frame(link_type: int, data: bytes) -> CapturedFrame:
    """The frame in `data`, the bytes captured from the link header on. Never raises."""
    try:
        frame = parse_ethernet(data)
    except DecodeError as error:
        return CapturedFrame(data[6:12], data[:6], (), error)
    return CapturedFrame(frame.source, frame.destination, frame.vlans, network_content(frame.ethertype, frame.payload))
