from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vrrp.wire.cooked import CookedHeader, Direction, parse_cooked
from vrrp.wire.errors import DecodeError, DecodeReason

MAC = bytes.fromhex("02000000000a")


@given(st.integers(0, 4), st.integers(0, 0xFFFF), st.binary(max_size=8), st.integers(0, 0xFFFF), st.binary(max_size=9))
def test_version_1_round_trip(direction: int, arphrd: int, address: bytes, protocol: int, payload: bytes) -> None:
    header = CookedHeader(1, direction, arphrd, address, protocol)
    assert parse_cooked(header.build() + payload, 1) == (header, payload)


@given(
    st.integers(0, 255),
    st.integers(0, 0xFFFF),
    st.binary(max_size=8),
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFF_FFFF),
)
def test_version_2_round_trip(direction: int, arphrd: int, address: bytes, protocol: int, interface: int) -> None:
    header = CookedHeader(2, direction, arphrd, address, protocol, interface)
    assert parse_cooked(header.build(), 2) == (header, b"")


def test_the_layouts() -> None:
    assert CookedHeader(1, Direction.MULTICAST, 1, MAC, 0x0800).build().hex() == (
        "0002" + "0001" + "0006" + "02000000000a0000" + "0800"
    )
    assert CookedHeader(2, Direction.FROM_US, 1, MAC, 0x86DD, 3).build().hex() == (
        "86dd" + "0000" + "00000003" + "0001" + "04" + "06" + "02000000000a0000"
    )


def test_an_address_longer_than_its_field() -> None:
    header = CookedHeader(2, 0, 32, bytes(range(8)), 0x0800, 1, 20)
    assert parse_cooked(header.build(), 2) == (header, b"")


@pytest.mark.parametrize(("version", "size"), [(1, 16), (2, 20)])
def test_cut_short(version: int, size: int) -> None:
    for length in range(size):
        with pytest.raises(DecodeError) as caught:
            parse_cooked(bytes(length), version)
        assert caught.value.reason is DecodeReason.HEADER
    parse_cooked(bytes(size), version)


def test_out_of_range() -> None:
    for version in (1, 2):
        with pytest.raises(ValueError, match="out of its range"):
            CookedHeader(version, 0, 1 << 16, MAC, 0).build()


def test_describe() -> None:
    assert CookedHeader(1, 4, 1, MAC, 0x0800).describe() == "from us 02:00:00:00:00:0a ethertype 0x0800"
    assert CookedHeader(1, 9, 772, b"", 0x0806).describe() == "packet type 9 no address ethertype 0x0806"
