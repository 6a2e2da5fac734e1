"""The same packet below every link layer."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vrrp.capture.frames import LINK_NAMES, read_frame
from vrrp.wire.address import pack
from vrrp.wire.advertisement import Advertisement, encode
from vrrp.wire.cooked import CookedHeader
from vrrp.wire.errors import DecodeError
from vrrp.wire.ethernet import DOT1Q, IPV4, IPV6, EthernetFrame
from vrrp.wire.frame import Datagram
from vrrp.wire.ip import IpPacket

MAC = bytes.fromhex("02000000000a")
GROUP = bytes.fromhex("01005e000012")
A4 = IpPacket(pack("10.0.0.1"), pack("224.0.0.18"), 112, encode(Advertisement(2, 51, 100, 100, ["10.0.0.100"])))
A6 = IpPacket(
    pack("fe80::1"),
    pack("ff02::12"),
    112,
    encode(Advertisement(3, 51, 100, 100, ["fe80::100"]), source="fe80::1", destination="ff02::12"),
)
TAGGED = bytes.fromhex("000a0800")

FORMS: dict[str, tuple[int, Callable[[int, bytes], bytes]]] = {
    "ethernet": (1, lambda kind, raw: EthernetFrame(GROUP, MAC, kind, raw).build()),
    "two tags": (1, lambda kind, raw: EthernetFrame(GROUP, MAC, kind, raw, (5, 6)).build()),
    "cooked": (113, lambda kind, raw: CookedHeader(1, 2, 1, MAC, kind).build() + raw),
    "cooked 2": (276, lambda kind, raw: CookedHeader(2, 2, 1, MAC, kind, 3).build() + raw),
    "raw": (101, lambda kind, raw: raw),
    "raw 12": (12, lambda kind, raw: raw),
    "ipv4 or ipv6": (228, lambda kind, raw: raw),
    "null little": (0, lambda kind, raw: bytes((2 if kind == IPV4 else 30, 0, 0, 0)) + raw),
    "loop": (108, lambda kind, raw: bytes((0, 0, 0, 2 if kind == IPV4 else 24)) + raw),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("packet", [A4, A6], ids=["IPv4", "IPv6"])
def test_the_packet_is_found(form: str, packet: IpPacket) -> None:
    link, wrap = FORMS[form]
    kind = IPV4 if packet is A4 else IPV6
    frame = read_frame(link, wrap(kind, packet.build()))
    assert frame.content == Datagram(packet.source, packet.destination, 255, packet.payload)
    assert frame.network == packet.build()
    assert frame.vlans == ((5, 6) if form == "two tags" else ())
    assert frame.source == (MAC if link in {1, 113, 276} else b"")
    assert frame.destination == (GROUP if link == 1 else b"")
    assert link in LINK_NAMES


def test_a_tag_behind_a_cooked_header() -> None:
    frame = read_frame(113, CookedHeader(1, 2, 1, MAC, DOT1Q).build() + TAGGED + A4.build())
    assert (frame.vlans, frame.source) == ((10,), MAC)
    assert isinstance(frame.content, Datagram)


def test_unknown_link_types_and_cut_headers() -> None:
    assert read_frame(105, bytes(80)).content is None
    for link, size in ((1, 13), (113, 15), (276, 19), (0, 3), (108, 0)):
        frame = read_frame(link, bytes(size))
        assert isinstance(frame.content, DecodeError)
        assert frame.network == b""
    assert read_frame(0, bytes(40)).content is None


@given(st.sampled_from([*LINK_NAMES, 7]), st.binary(max_size=80))
def test_whatever_the_bytes_it_never_raises(link: int, data: bytes) -> None:
    read_frame(link, data)
