"""What hypothesis draws: advertisements, where they travel, bytes that are nearly one, frames that are nearly one."""

from __future__ import annotations

import ipaddress

from hypothesis import strategies as st

from vrrp.wire.address import AnyAddress
from vrrp.wire.advertisement import Advertisement
from vrrp.wire.checksum import ChecksumForm
from vrrp.wire.ethernet import EthernetFrame
from vrrp.wire.ip import IpPacket
from wire import plain

FORMS = st.sampled_from(ChecksumForm)
PACKED = {4: st.binary(min_size=4, max_size=4), 16: st.binary(min_size=16, max_size=16)}
MACS = st.binary(min_size=6, max_size=6)


@st.composite
def endpoints(draw: st.DrawFn, width: int) -> tuple[bytes, bytes]:
    """Source and destination of an IP header."""
    return draw(PACKED[width]), draw(PACKED[width])


@st.composite
def said(draw: st.DrawFn) -> tuple[plain.Fields, int]:
    """What a valid message can say, and the width of its family's addresses."""
    version, width = draw(st.sampled_from([(2, 4), (3, 4), (3, 16)]))
    count = draw(st.one_of(st.integers(0, 4), st.integers(0, 255), st.just(255)))
    listed = draw(st.binary(min_size=width * count, max_size=width * count))
    return plain.Fields(
        version=version,
        vrid=draw(st.integers(1, 255)),
        priority=draw(st.integers(0, 255)),
        interval_cs=draw(st.integers(0, 255)) * 100 if version == 2 else draw(st.integers(0, 4095)),
        addresses=tuple(listed[i : i + width] for i in range(0, len(listed), width)),
        auth_type=draw(st.one_of(st.sampled_from([0, 1, 2]), st.integers(0, 255))) if version == 2 else 0,
        auth_data=draw(st.binary(min_size=8, max_size=8)) if version == 2 else b"",
        reserved=draw(st.integers(0, 15)) if version == 3 else 0,
    ), width


@st.composite
def advertisements(draw: st.DrawFn) -> tuple[Advertisement, int]:
    """A valid advertisement, with any checksum form or none, and the width of its family's addresses."""
    of, width = draw(said())
    form = draw(st.one_of(st.none(), FORMS))
    return (
        Advertisement(
            of.version,
            of.vrid,
            of.priority,
            of.interval_cs,
            of.addresses,
            of.auth_type,
            of.auth_data,
            of.reserved,
            form,
        ),
        width,
    )


@st.composite
def mutilated(draw: st.DrawFn, whole: bytes) -> bytes:
    """The same with some bytes overwritten, cut short or continued."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(0, 3))):
        if data:
            data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    if draw(st.booleans()):
        del data[draw(st.integers(0, len(data))) :]
    return bytes(data) + draw(st.one_of(st.just(b""), st.binary(max_size=20)))


@st.composite
def nearly_messages(draw: st.DrawFn) -> tuple[bytes, bytes, bytes]:
    """Bytes that may be a VRRP message, with the source and destination of their IP header."""
    of, width = draw(said())
    source, destination = draw(endpoints(width))
    summed_with_header = draw(st.booleans())

    def summed(data: bytes) -> bytes:
        pseudo = plain.pseudo_header(source, destination, len(data)) if summed_with_header else b""
        return plain.with_checksum(data, pseudo)

    whole = summed(plain.message(of))
    data = draw(st.one_of(st.just(whole), mutilated(whole), st.binary(max_size=40)))
    if len(data) >= 8 and draw(st.booleans()):
        # Past the checksum a mutilated message meets the checks behind it.
        data = summed(data)
    if draw(st.integers(0, 9)) == 0:
        source, destination = draw(endpoints(20 - width))
    return data, source, destination


@st.composite
def addresses(draw: st.DrawFn) -> AnyAddress | None:
    """What a caller may hand to `decode`: nothing, packed, text, an object."""
    packed = draw(st.one_of(*PACKED.values()))
    whole = ipaddress.ip_address(packed)
    spelled: list[AnyAddress | None] = [None, packed, str(whole), whole]
    return draw(st.sampled_from(spelled))


def extension_headers() -> st.SearchStrategy[list[tuple[int, bytes]]]:
    """IPv6 extension headers: their protocol numbers, and bodies after the next-header byte."""
    numbers = st.sampled_from([0, 43, 44, 50, 51, 60])
    bodies = st.one_of(st.just(bytes(7)), st.binary(max_size=16))
    return st.lists(st.tuples(numbers, bodies), max_size=3)


@st.composite
def ip_packets(draw: st.DrawFn) -> tuple[int, bytes]:
    """An EtherType and a packet: IPv4 or IPv6 (with extension headers), its lengths and sums right."""
    width = draw(st.sampled_from([4, 16]))
    source, destination = draw(endpoints(width))
    protocol = draw(st.sampled_from([112, 58, 17, 59, 2]))
    payload = draw(st.one_of(st.binary(max_size=40), st.builds(lambda tail: b"\x88" + tail, st.binary())))
    if width == 16:
        for number, body in reversed(draw(extension_headers())):
            protocol, payload = number, bytes((protocol,)) + body + payload
    packet = IpPacket(
        source,
        destination,
        protocol,
        payload,
        ttl=draw(st.sampled_from([255, 255, 64])),
        traffic_class=draw(st.integers(0, 255)),
        identification=draw(st.integers(0, 0xFFFF)) if width == 4 else 0,
        dont_fragment=draw(st.booleans()) if width == 4 else False,
    )
    return (0x0800 if width == 4 else 0x86DD), packet.build()


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    """A frame of any kind: IP, ARP, LLC, MPLS, with up to three tags in front; whole."""
    ethertype, payload = draw(
        st.one_of(
            ip_packets(),
            st.tuples(st.just(0x0806), st.binary(min_size=20, max_size=28)),
            st.tuples(
                st.just(0x0806),
                st.builds(
                    lambda rest: bytes.fromhex("0001080006040001") + rest,
                    st.binary(min_size=20, max_size=20),
                ),
            ),
            st.tuples(st.sampled_from([0x8847, 0x8848, 0x0026, 0x0000, 0x88CC]), st.binary(max_size=40)),
        )
    )
    for outer in draw(st.lists(st.sampled_from([0x8100, 0x88A8, 0x9100, 0x8847]), max_size=3)):
        if outer == 0x8847:
            payload = bytes((0, 0, draw(st.sampled_from([0, 1])), 64)) + payload
        else:
            payload = draw(st.binary(min_size=2, max_size=2)) + ethertype.to_bytes(2, "big") + payload
        ethertype = outer
    whole = EthernetFrame(draw(MACS), draw(MACS), ethertype, payload).build()
    return whole + draw(st.sampled_from([b"", bytes(6), b"\xff" * 4]))
