"""What a captured packet carries, whatever its link layer."""

from __future__ import annotations

from dataclasses import dataclass

from vrrp.wire.cooked import parse_cooked
from vrrp.wire.errors import DecodeError, DecodeReason
from vrrp.wire.ethernet import DOT1AD, DOT1Q, IPV4, IPV6, EthernetFrame, parse_ethernet
from vrrp.wire.frame import Content, network_content

ETHERNET, COOKED, COOKED_2 = 1, 113, 276
RAW_TYPES = frozenset({12, 14, 101})
"""LINKTYPE_RAW and what BSD's DLT_RAW is called in files of other systems."""
RAW_IPV4, RAW_IPV6 = 228, 229
_NULL, _LOOP = 0, 108
_LOOPBACK_SIZE = 4
_FAMILIES = {2: IPV4, 24: IPV6, 28: IPV6, 30: IPV6, 10: IPV6}
"""The address families that BSDs and Linux put before a loopback packet."""

LINK_NAMES = {
    ETHERNET: "EN10MB (Ethernet)",
    COOKED: "LINUX_SLL (Linux cooked v1)",
    COOKED_2: "LINUX_SLL2 (Linux cooked v2)",
    **dict.fromkeys(RAW_TYPES, "RAW (Raw IP)"),
    RAW_IPV4: "IPV4 (Raw IPv4)",
    RAW_IPV6: "IPV6 (Raw IPv6)",
    _NULL: "NULL (BSD loopback)",
    _LOOP: "LOOP (OpenBSD loopback)",
}
"""The link types that are read, as libpcap calls them."""


@dataclass(frozen=True, slots=True)
class CapturedFrame:
    """A packet taken apart as far as this library understands it."""

    source: bytes
    """Sender's MAC; empty where the link header has none (raw IP) or is not Ethernet's."""
    destination: bytes
    """Receiver's MAC; empty where the link header has none (Linux cooked, raw IP)."""
    vlans: tuple[int, ...]
    """VLAN identifiers, outermost first."""
    network: bytes
    """The bytes from the network layer's header on, padding too; empty where there is none."""
    content: Content
    """See `vrrp.wire.frame.Content`; damage is a content too."""


def read_frame(link_type: int, data: bytes) -> CapturedFrame:
    """The frame in `data`, the bytes captured from the link header on. Never raises."""
    try:
        frame = _network(link_type, data)
    except DecodeError as error:
        return CapturedFrame(b"", b"", (), b"", error.with_traceback(None))
    if frame is None:
        return CapturedFrame(b"", b"", (), b"", None)
    content = network_content(frame.ethertype, frame.payload)
    return CapturedFrame(frame.source, frame.destination, frame.vlans, frame.payload, content)


def _network(link_type: int, data: bytes) -> EthernetFrame | None:
    """Any link header as if it were Ethernet's; None for a link type that is not read."""
    if link_type == ETHERNET:
        return parse_ethernet(data)
    if link_type in {COOKED, COOKED_2}:
        header, payload = parse_cooked(data, 1 if link_type == COOKED else 2)
        if header.protocol in {DOT1Q, DOT1AD}:
            # A tag is the same bytes behind any header.
            ethertype = header.protocol.to_bytes(2, "big")
            tagged = parse_ethernet(bytes(6) + header.address.ljust(6, b"\0")[:6] + ethertype + payload)
            return EthernetFrame(b"", header.address, tagged.ethertype, tagged.payload, tagged.vlans)
        return EthernetFrame(b"", header.address, header.protocol, payload)
    if link_type in RAW_TYPES or link_type in {RAW_IPV4, RAW_IPV6}:
        return EthernetFrame(b"", b"", IPV6 if data[:1] and data[0] >> 4 == 6 else IPV4, data)
    if link_type in {_NULL, _LOOP}:
        if len(data) < _LOOPBACK_SIZE:
            raise DecodeError(DecodeReason.HEADER, None, f"loopback header, {len(data)} bytes")
        # The family is in the byte order of the machine that captured; it is small, so either reading tells.
        family = max(data[:_LOOPBACK_SIZE])
        return EthernetFrame(b"", b"", _FAMILIES.get(family, 0), data[_LOOPBACK_SIZE:])
    return None
