"""Our decoder inside dpkt: only when asked for, and then for both families."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import dpkt
import pytest

from vrrp.wire.address import VRRP_GROUP_V4, VRRP_GROUP_V6, pack
from vrrp.wire.advertisement import Advertisement, decode, encode
from vrrp.wire.dpkt_types import VRRP, register_dpkt
from vrrp.wire.ethernet import IPV4, IPV6, EthernetFrame, group_mac, virtual_mac
from vrrp.wire.frame import Datagram, parse_frame
from vrrp.wire.ip import IpPacket

ROUTER, ROUTER6 = pack("10.0.0.2"), pack("fe80::2")
FOUR = Advertisement(3, 51, 100, 1000, ["10.0.0.100", "10.0.0.101"])
SIX = Advertisement(3, 51, 100, 1000, ["fe80::100", "2001:db8::100"])
TWO = Advertisement(2, 51, 100, 1000, ["10.0.0.100"], auth_type=1, auth_data=b"secret")


def framed(a: Advertisement) -> bytes:
    six = bool(a.addresses) and len(a.addresses[0]) == 16
    source, group = (ROUTER6, VRRP_GROUP_V6) if six else (ROUTER, VRRP_GROUP_V4)
    ip = IpPacket(source, group, 112, encode(a, source=source, destination=group))
    return EthernetFrame(group_mac(group), virtual_mac(51, len(source)), IPV6 if six else IPV4, ip.build()).build()


@pytest.fixture
def registered() -> Iterator[None]:
    """dpkt with our class, and afterwards as it was."""
    before = dict(dpkt.ip.IP._protosw)
    register_dpkt()
    yield
    dpkt.ip.IP._protosw.clear()
    dpkt.ip.IP._protosw.update(before)


def test_importing_changes_nothing_in_dpkt() -> None:
    program = """
import dpkt
tables = dpkt.ip.IP._protosw, dpkt.ip6.IP6._protosw, dpkt.ethernet.Ethernet._typesw, dpkt.ethernet.Ethernet._typesw_rev
before = [dict(table) for table in tables]
import vrrp.wire.dpkt_types, vrrp.wire.frame
assert vrrp.wire.frame.parse_frame(bytes(60))
assert [dict(table) for table in tables] == before
assert dpkt.ip.IP.get_proto(112) is dpkt.vrrp.VRRP
vrrp.wire.dpkt_types.register_dpkt()
print(*sorted(number for number, kind in tables[0].items() if before[0].get(number) is not kind))
print(dpkt.ip6.IP6.get_proto(112) is vrrp.wire.dpkt_types.VRRP)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("112\nTrue\n", "")


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("a", [FOUR, SIX, TWO], ids=["v3", "v3-ipv6", "v2"])
def test_dpkt_hands_over_our_packet(a: Advertisement) -> None:
    raw = framed(a)
    ip = dpkt.ethernet.Ethernet(raw).data
    packet = ip.data
    assert type(packet) is VRRP
    assert ip.vrrp is packet
    assert packet.advertisement == a
    assert packet.advertisement.interval_cs == 1000
    assert packet.advertisement.checksum_form is None
    message = raw[-len(bytes(packet)) :]
    assert bytes(packet) == message
    assert len(packet) == len(message)
    assert bytes(dpkt.ethernet.Ethernet(raw)) == raw
    assert decode(bytes(packet), source=ip.src, destination=ip.dst) == a


@pytest.mark.usefixtures("registered")
def test_padding_does_not_reach_our_packet() -> None:
    assert dpkt.ethernet.Ethernet(framed(TWO) + bytes(6)).data.data.advertisement == TWO


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("a", [FOUR, SIX], ids=["ipv4", "ipv6"])
def test_what_cannot_be_decoded_stays_bytes(a: Advertisement) -> None:
    raw = bytearray(framed(a))
    message = 34 if a is FOUR else 54
    raw[message] = 0x41
    assert dpkt.ethernet.Ethernet(bytes(raw)).data.data == bytes(raw[message:])


def test_refusal_is_dpkts_own_exception() -> None:
    with pytest.raises(dpkt.UnpackError, match=r"^too short for the fixed header: 2 bytes$"):
        VRRP(b"!3")


@pytest.mark.usefixtures("registered")
def test_our_own_parser_does_not_see_it() -> None:
    content = parse_frame(framed(FOUR)).content
    assert isinstance(content, Datagram)
    assert type(content.payload) is bytes


def test_what_dpkts_own_class_misreads() -> None:
    theirs = dpkt.ethernet.Ethernet(framed(FOUR)).data.data
    assert type(theirs) is dpkt.vrrp.VRRP
    # 1000 is 0x03e8: its halves become an authentication type and a number of seconds.
    assert (theirs.v, theirs.atype, theirs.advtime) == (3, 3, 0xE8)

    six = dpkt.ethernet.Ethernet(framed(SIX)).data.data
    assert six.addrs == [pack("fe80::100")[:4], pack("fe80::100")[4:8]]
    assert six.auth == SIX.addresses[0][8:] + SIX.addresses[1]

    wrong = bytearray(framed(TWO))
    wrong[-1] ^= 1
    assert dpkt.ethernet.Ethernet(bytes(wrong)).data.data.vrid == 51
