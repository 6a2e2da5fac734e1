"""Addresses: packed, unpacked, told apart."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vrrp.wire.address import (
    ALL_NODES_V6,
    VRRP_GROUP_V4,
    VRRP_GROUP_V6,
    AnyAddress,
    is_link_local,
    is_multicast,
    pack,
    text,
    unpack,
)
from wire.strategies import PACKED

ANY_PACKED = st.one_of(*PACKED.values())


@pytest.mark.parametrize(
    ("address", "packed"),
    [
        ("10.0.0.1", b"\x0a\0\0\1"),
        (IPv4Address("10.0.0.1"), b"\x0a\0\0\1"),
        (b"\x0a\0\0\1", b"\x0a\0\0\1"),
        ("FE80::0:1", bytes.fromhex("fe800000000000000000000000000001")),
        (IPv6Address("fe80::1"), bytes.fromhex("fe800000000000000000000000000001")),
        (b"sixteen bytes ok", b"sixteen bytes ok"),
    ],
)
def test_every_way_to_write_an_address_packs(address: AnyAddress, packed: bytes) -> None:
    assert pack(address) == packed


@pytest.mark.parametrize("address", ["", "10.0.0.256", "fe80::g", b"", b"abc", b"abcde", bytes(17)])
def test_what_is_no_address_is_refused(address: AnyAddress) -> None:
    with pytest.raises(ValueError, match=r"does not appear to be an|has 4 or 16 bytes, not \d+"):
        pack(address)


def test_unpack_refuses_another_length() -> None:
    with pytest.raises(ValueError, match="does not appear to be an IPv4 or IPv6 address"):
        unpack(b"abc")


@given(ANY_PACKED)
def test_unpacked_and_spelled_addresses_pack_again(packed: bytes) -> None:
    assert pack(unpack(packed)) == packed
    assert pack(text(packed)) == packed
    assert unpack(packed) == ip_address(text(packed))


@given(ANY_PACKED)
def test_link_local_and_multicast_as_the_standard_library_sees_them(packed: bytes) -> None:
    address = ip_address(packed)
    assert is_multicast(packed) is address.is_multicast
    # The RFCs speak of link-local addresses of IPv6 only; the standard library of 169.254/16 too.
    assert is_link_local(packed) is (address.version == 6 and address.is_link_local)


@pytest.mark.parametrize(
    ("address", "link_local", "multicast"),
    [
        ("fe80::1", True, False),
        ("febf:ffff::1", True, False),
        ("fec0::1", False, False),
        ("fe7f::1", False, False),
        ("ff02::12", False, True),
        ("2001:db8::1", False, False),
        ("169.254.0.1", False, False),
        ("254.128.0.1", False, False),
        ("223.255.255.255", False, False),
        ("224.0.0.18", False, True),
        ("239.255.255.255", False, True),
        ("240.0.0.1", False, False),
    ],
)
def test_kinds_of_addresses(address: str, link_local: bool, multicast: bool) -> None:
    assert is_link_local(pack(address)) is link_local
    assert is_multicast(pack(address)) is multicast


def test_groups() -> None:
    assert text(VRRP_GROUP_V4) == "224.0.0.18"
    assert text(VRRP_GROUP_V6) == "ff02::12"
    assert text(ALL_NODES_V6) == "ff02::1"
    assert text(bytes(15) + b"\1") == "::1"
