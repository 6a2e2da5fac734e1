"""Advertisement as a value: what it refuses, how it is compared, copied, told."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import re
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vrrp.wire.address import AnyAddress
from vrrp.wire.advertisement import Advertisement, decode, encode
from vrrp.wire.checksum import ChecksumForm
from vrrp.wire.errors import DecodeError, DecodeReason
from wire.strategies import advertisements

V2: dict[str, Any] = {"version": 2, "vrid": 51, "priority": 100, "interval_cs": 100, "addresses": ["10.0.0.100"]}
V3 = V2 | {"version": 3}


@pytest.mark.parametrize(
    ("base", "changed", "message"),
    [
        (V2, {"version": 1}, "version is 2 or 3, not 1"),
        (V3, {"version": 4}, "version is 2 or 3, not 4"),
        (V2, {"vrid": 0}, "vrid of version 2 is 1 to 255, not 0"),
        (V3, {"vrid": 256}, "vrid of version 3 is 1 to 255, not 256"),
        (V3, {"priority": -1}, "priority of version 3 is 0 to 255, not -1"),
        (V2, {"priority": 256}, "priority of version 2 is 0 to 255, not 256"),
        (V2, {"interval_cs": -100}, "interval_cs of version 2 is 0 to 25500, not -100"),
        (V2, {"interval_cs": 25_600}, "interval_cs of version 2 is 0 to 25500, not 25600"),
        (V3, {"interval_cs": 4096}, "interval_cs of version 3 is 0 to 4095, not 4096"),
        (V2, {"auth_type": 256}, "auth_type of version 2 is 0 to 255, not 256"),
        (V3, {"auth_type": 1}, "auth_type of version 3 is 0 to 0, not 1"),
        (V2, {"reserved": 1}, "reserved of version 2 is 0 to 0, not 1"),
        (V3, {"reserved": 16}, "reserved of version 3 is 0 to 15, not 16"),
        (V3, {"addresses": [bytes(4)] * 256}, "an advertisement lists at most 255 addresses, not 256"),
        (V3, {"addresses": ["10.0.0.1", "fe80::1"]}, "an advertisement lists addresses of one family only"),
        (V2, {"interval_cs": 150}, "version 2 sends whole seconds, not 150 cs"),
        (V2, {"addresses": ["fe80::1"]}, "version 2 knows no IPv6; use version 3"),
        (V2, {"auth_data": b"ninechars"}, "authentication data has 8 bytes, not 9"),
        (V3, {"auth_data": b"x"}, "version 3 has no authentication data"),
        (V3, {"addresses": [b"abc"]}, "a packed address has 4 or 16 bytes, not 3"),
        (V3, {"addresses": ["10.0.0"]}, "'10.0.0' does not appear to be an IPv4 or IPv6 address"),
    ],
)
def test_field_out_of_range_is_refused(base: dict[str, Any], changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Advertisement(**(base | changed))


@pytest.mark.parametrize(
    ("base", "changed"),
    [
        (V2, {"vrid": 1}),
        (V3, {"vrid": 255}),
        (V2, {"priority": 0}),
        (V3, {"priority": 255}),
        (V2, {"interval_cs": 0}),
        (V2, {"interval_cs": 25_500}),
        (V3, {"interval_cs": 0}),
        (V3, {"interval_cs": 4095}),
        (V2, {"auth_type": 255, "auth_data": b"12345678"}),
        (V3, {"reserved": 15}),
        (V2, {"addresses": []}),
        (V3, {"addresses": [bytes(16)] * 255}),
    ],
)
def test_the_limits_themselves_are_allowed(base: dict[str, Any], changed: dict[str, Any]) -> None:
    a = Advertisement(**(base | changed))
    ends = {"source": b"a" * 16, "destination": b"b" * 16}
    width = len(a.addresses[0]) if a.addresses else 4
    source, destination = ends["source"][:width], ends["destination"][:width]
    assert decode(encode(a, source=source, destination=destination), source=source, destination=destination) == a


def test_addresses_are_kept_packed_and_in_order() -> None:
    listed: list[AnyAddress] = ["10.0.0.2", IPv4Address("10.0.0.1"), b"\x0a\0\0\3"]
    a = Advertisement(3, 51, 100, 100, (address for address in listed))
    assert a.addresses == (b"\x0a\0\0\2", b"\x0a\0\0\1", b"\x0a\0\0\3")
    assert a.ip_addresses == (IPv4Address("10.0.0.2"), IPv4Address("10.0.0.1"), IPv4Address("10.0.0.3"))
    six = Advertisement(3, 51, 100, 100, [IPv6Address("fe80::1"), "2001:DB8::0001"])
    assert six.ip_addresses == (IPv6Address("fe80::1"), IPv6Address("2001:db8::1"))


def test_version_2_pads_its_authentication_data() -> None:
    assert Advertisement(**V2).auth_data == bytes(8)
    assert Advertisement(**V2, auth_type=1, auth_data=b"abc").auth_data == b"abc\0\0\0\0\0"
    assert Advertisement(**V3).auth_data == b""


def test_equal_when_it_means_the_same() -> None:
    a = Advertisement(**V3, checksum_form=ChecksumForm.PLAIN)
    assert a == Advertisement(**V3)
    assert hash(a) == hash(Advertisement(**V3))
    for name, value in (("vrid", 52), ("priority", 99), ("interval_cs", 200), ("addresses", []), ("reserved", 1)):
        assert a != Advertisement(**(V3 | {name: value}))
    assert Advertisement(**V2) != Advertisement(**V3)
    assert Advertisement(**V2) != Advertisement(**V2, auth_type=2)
    assert Advertisement(**V2) != Advertisement(**V2, auth_data=b"x")


def both() -> list[Advertisement]:
    """One made by the constructor, one by `decode`, which goes another way about it."""
    made = Advertisement(**V2, auth_type=1, auth_data=b"secret", checksum_form=ChecksumForm.PLAIN)
    return [made, decode(encode(made))]


@pytest.mark.parametrize("a", both(), ids=["made", "decoded"])
def test_advertisement_is_immutable_and_slotted(a: Advertisement) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        a.priority = 1  # type: ignore[misc]  # that is the point
    with pytest.raises(dataclasses.FrozenInstanceError):
        del a.priority
    assert not hasattr(a, "__dict__")
    assert type(a) is Advertisement
    assert repr(a) == repr(both()[0])


@pytest.mark.parametrize("a", both(), ids=["made", "decoded"])
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_advertisement_survives_pickling(a: Advertisement, protocol: int) -> None:
    again = pickle.loads(pickle.dumps(a, protocol))
    assert again == a
    assert again.checksum_form is ChecksumForm.PLAIN
    assert type(again) is Advertisement


@pytest.mark.parametrize("a", both(), ids=["made", "decoded"])
def test_advertisement_can_be_copied_and_changed(a: Advertisement) -> None:
    assert copy.copy(a) == copy.deepcopy(a) == a
    lower = dataclasses.replace(a, priority=50)
    assert (lower.priority, lower.auth_data, lower.checksum_form) == (50, b"secret\0\0", ChecksumForm.PLAIN)
    with pytest.raises(ValueError, match="priority of version 2 is 0 to 255, not 256"):
        dataclasses.replace(a, priority=256)


@pytest.mark.parametrize(
    "error", [DecodeError(DecodeReason.TTL, 51, "254 instead of 255"), DecodeError(DecodeReason.VRID)]
)
def test_decode_error_survives_pickling_and_copying(error: DecodeError) -> None:
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is DecodeError
        assert (again.reason, again.vrid, again.detail) == (error.reason, error.vrid, error.detail)
        assert str(again) == str(error)


def test_decode_error_is_a_value_error() -> None:
    with pytest.raises(ValueError, match=r"^too short for the fixed header: 0 bytes$"):
        decode(b"")
    plain = DecodeError(DecodeReason.VRID)
    assert (str(plain), plain.vrid, plain.detail) == ("virtual router identifier is 0", None, "")


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (V2, "VRRPv2 vrid 51 priority 100 interval 1 s addresses 10.0.0.100"),
        (V2 | {"interval_cs": 25_500, "addresses": []}, "VRRPv2 vrid 51 priority 100 interval 255 s addresses none"),
        (
            V2 | {"auth_type": 1, "auth_data": b"secret"},
            'VRRPv2 vrid 51 priority 100 interval 1 s addresses 10.0.0.100 password "secret"',
        ),
        (
            V2 | {"auth_type": 1, "auth_data": b"\xe9t\xe9"},
            'VRRPv2 vrid 51 priority 100 interval 1 s addresses 10.0.0.100 password "\\xe9t\\xe9"',
        ),
        (V2 | {"auth_type": 2}, "VRRPv2 vrid 51 priority 100 interval 1 s addresses 10.0.0.100 auth type 2"),
        (
            V3 | {"priority": 0, "interval_cs": 4095, "addresses": ["10.0.0.1", "10.0.0.2"]},
            "VRRPv3 vrid 51 priority 0 interval 4095 cs addresses 10.0.0.1,10.0.0.2",
        ),
        (
            V3 | {"addresses": ["fe80::1", "2001:db8::1"], "reserved": 7},
            "VRRPv3 vrid 51 priority 100 interval 100 cs addresses fe80::1,2001:db8::1",
        ),
    ],
)
def test_described(made: dict[str, Any], told: str) -> None:
    assert Advertisement(**made).describe() == told


@given(
    st.one_of(
        advertisements().map(lambda drawn: drawn[0]),
        st.binary(max_size=8).map(lambda word: Advertisement(**V2, auth_type=1, auth_data=word)),
    )
)
@example(Advertisement(**V2, auth_type=1, auth_data=b"a\n\x1b[31m"))
def test_description_is_one_line_that_a_terminal_can_show(a: Advertisement) -> None:
    # A password comes off the wire: anyone on the segment chooses its bytes.
    assert a.describe().isprintable()
