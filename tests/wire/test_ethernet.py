"""Ethernet frames: tags, padding, the MAC addresses of VRRP."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vrrp.wire.address import pack
from vrrp.wire.errors import DecodeError, DecodeReason
from vrrp.wire.ethernet import (
    ARP,
    IPV4,
    IPV6,
    EthernetFrame,
    group_mac,
    mac_text,
    parse_ethernet,
    virtual_mac,
)
from wire.strategies import MACS, frames

TO, FROM = bytes.fromhex("01005e000012"), bytes.fromhex("00005e000133")
HEAD = TO + FROM


@pytest.mark.parametrize(
    ("vlans", "raw"),
    [
        ((), "0800"),
        ((30,), "8100 001e 0800"),
        ((4095,), "8100 0fff 0800"),
        ((0,), "8100 0000 0800"),
        ((100, 30), "88a8 0064 8100 001e 0800"),
    ],
)
def test_tags_are_built_and_parsed(vlans: tuple[int, ...], raw: str) -> None:
    frame = EthernetFrame(TO, FROM, IPV4, b"payload", vlans)
    whole = HEAD + bytes.fromhex(raw) + b"payload"
    assert frame.build() == whole
    assert parse_ethernet(whole) == frame


@pytest.mark.parametrize(
    ("raw", "vlans"),
    [
        # Two tags under 0x8100, as many switches stack them; and with priority and drop bits set.
        ("8100 0064 8100 001e 86dd", (100, 30)),
        ("8100 f064 86dd", (100,)),
        # 802.1ad upon 802.1ad, and under 802.1Q.
        ("88a8 0064 88a8 001e 86dd", (100, 30)),
        ("8100 0064 88a8 001e 86dd", (100, 30)),
    ],
)
def test_other_ways_to_stack_tags(raw: str, vlans: tuple[int, ...]) -> None:
    assert parse_ethernet(HEAD + bytes.fromhex(raw) + b"payload") == EthernetFrame(TO, FROM, IPV6, b"payload", vlans)


@pytest.mark.parametrize("outer", ["8100", "88a8"])
def test_the_outermost_of_three_tags_is_not_lost(outer: str) -> None:
    frame = parse_ethernet(HEAD + bytes.fromhex(outer + "0001 8100 0002 8100 0003 0800") + b"payload")
    assert frame.vlans[:2] == (1, 2)


@given(
    MACS,
    MACS,
    st.sampled_from([IPV4, ARP, IPV6, 0x88CC]),
    st.binary(max_size=80),
    st.lists(st.integers(0, 4095), max_size=2),
)
def test_built_frame_parses_to_the_same(
    destination: bytes, source: bytes, ethertype: int, payload: bytes, vlans: list[int]
) -> None:
    frame = EthernetFrame(destination, source, ethertype, payload, tuple(vlans))
    assert parse_ethernet(frame.build()) == frame


@given(st.integers(0, 0xFFFF).filter(lambda kind: kind not in {0x0800, 0x0806, 0x86DD, 0x8100, 0x88A8}), st.binary())
def test_other_ethertypes_are_left_alone(ethertype: int, payload: bytes) -> None:
    frame = parse_ethernet(HEAD + ethertype.to_bytes(2, "big") + payload)
    assert frame == EthernetFrame(TO, FROM, ethertype, payload)


@pytest.mark.parametrize("vlans", [(1, 2, 3), (4096,), (-1,), (1, 5000)])
def test_impossible_tags_are_refused(vlans: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="at most two VLAN identifiers of 0 to 4095, not") as caught:
        EthernetFrame(TO, FROM, IPV4, b"", vlans).build()
    assert str(caught.value).endswith(f"not {vlans}")


@pytest.mark.parametrize("raw", [b"", HEAD, HEAD + b"\x08", HEAD + b"\x81\0\0\x01\x08", HEAD + b"\x81\0\0"])
def test_cut_header_is_refused(raw: bytes) -> None:
    with pytest.raises(DecodeError) as caught:
        parse_ethernet(raw)
    assert caught.value.reason is DecodeReason.HEADER
    assert str(caught.value) == f"the enclosing header is damaged: Ethernet, {len(raw)} bytes"


@given(frames(), st.data())
def test_any_bytes_give_a_frame_or_a_decode_error(raw: bytes, data: st.DataObject) -> None:
    for candidate in (raw, raw[: data.draw(st.integers(0, len(raw)))]):
        try:
            parse_ethernet(candidate)
        except DecodeError as error:
            assert error.vrid is None  # noqa: PT017  # the other outcome is as good


def test_mpls_behind_a_tag_is_not_ours() -> None:
    # One label, bottom of the stack, and nothing behind it.
    frame = parse_ethernet(HEAD + bytes.fromhex("8100 0005 8847 00000100"))
    assert frame == EthernetFrame(TO, FROM, 0x8847, bytes.fromhex("00000100"), (5,))


def test_described() -> None:
    frame = EthernetFrame(TO, FROM, IPV4, b"")
    assert frame.describe() == "00:00:5e:00:01:33 > 01:00:5e:00:00:12 ethertype 0x0800"
    tagged = EthernetFrame(TO, FROM, ARP, b"", (100, 30))
    assert tagged.describe() == "00:00:5e:00:01:33 > 01:00:5e:00:00:12 vlan 100 vlan 30 ethertype 0x0806"
    assert mac_text(b"\xff\x0a\0\1\2\3") == "ff:0a:00:01:02:03"


def test_virtual_macs() -> None:
    assert virtual_mac(51, 4).hex("-") == "00-00-5e-00-01-33"
    assert virtual_mac(255, 16).hex("-") == "00-00-5e-00-02-ff"


@pytest.mark.parametrize(
    ("group", "mac"),
    [
        ("224.0.0.18", "01:00:5e:00:00:12"),
        ("239.255.129.7", "01:00:5e:7f:81:07"),
        ("ff02::12", "33:33:00:00:00:12"),
        ("ff02::1:ff12:3456", "33:33:ff:12:34:56"),
    ],
)
def test_group_macs(group: str, mac: str) -> None:
    assert mac_text(group_mac(pack(group))) == mac


def test_a_single_host_has_no_group_mac() -> None:
    with pytest.raises(ValueError, match=r"^0a000001 is no multicast group$"):
        group_mac(pack("10.0.0.1"))
