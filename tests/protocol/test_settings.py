"""What a configuration refuses, in one line that names the virtual router, and what it makes of the rest."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

import pytest

from protocol.routers import VIP, make, packed, settings
from vrrp.protocol.profile import KEEPALIVED, RFC3768, RFC9568
from vrrp.protocol.settings import ScriptConfig, VirtualRouterConfig


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 4}, "VRID 51: version is 2 or 3, not 4"),
        ({"vrid": 0}, "VRID 0: a virtual router identifier is 1 to 255, not 0"),
        ({"vrid": 256}, "VRID 256: a virtual router identifier is 1 to 255, not 256"),
        ({"priority": 0}, "VRID 51: a priority is 1 to 255, not 0"),
        ({"priority": 256, "name": "web"}, "web: a priority is 1 to 255, not 256"),
        ({"interval_cs": 0}, "VRID 51: no interval of 0 cs"),
        ({"interval_cs": 4096}, "VRID 51: no interval of 4096 cs"),
        ({"version": 2, "interval_cs": 25_501}, "VRID 51: no interval of 25501 cs"),
        ({"addresses": []}, "VRID 51: a virtual router needs an address"),
        (
            {"addresses": [f"10.0.{n // 250}.{n % 250}" for n in range(256)]},
            "VRID 51: an advertisement lists at most 255 addresses",
        ),
        (
            {"addresses": [VIP, "fe80::1"]},
            "VRID 51: addresses of one family only; put the others in excluded_addresses",
        ),
        ({"version": 2, "addresses": ["fe80::1"]}, "VRID 51: version 2 knows no IPv6; use version 3"),
        (
            {"version": 2, "auth_type": 1, "auth_data": b"123456789"},
            "VRID 51: authentication data has at most 8 bytes",
        ),
    ],
)
def test_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011  # the whole message is compared below
        settings(RFC9568, **changes)
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    "changes",
    [
        {"vrid": 1, "priority": 1, "interval_cs": 1},
        {"vrid": 255, "priority": 255, "interval_cs": 4095},
        {"version": 2, "interval_cs": 25_500, "auth_type": 1, "auth_data": b"12345678"},
        {"addresses": [f"10.0.{n // 250}.{n % 250}" for n in range(255)]},
    ],
)
def test_limits_are_taken(changes: dict[str, Any]) -> None:
    config = settings(RFC9568, **changes)
    assert {name: getattr(config, name) for name in changes if name != "addresses"} == {
        name: value for name, value in changes.items() if name != "addresses"
    }


def test_addresses_in_any_form_are_kept_packed() -> None:
    config = VirtualRouterConfig(
        vrid=7,
        addresses=[VIP, IPv4Address("10.0.0.101"), b"\x0a\0\0\x66"],
        excluded_addresses=["fe80::1"],
        unicast_peers=["10.0.0.9"],
        source="10.0.0.5",
        group="224.0.0.99",
    )
    assert config.addresses == packed(VIP, "10.0.0.101", "10.0.0.102")
    assert config.excluded_addresses == packed("fe80::1")
    assert config.unicast_peers == packed("10.0.0.9")
    assert (config.source, config.group) == packed("10.0.0.5", "224.0.0.99")
    assert config.name == "VRID 7"
    assert config.width == 4
    assert settings(RFC9568, addresses=["fe80::1"]).width == 16


def test_authentication_data_is_padded_in_version_2_and_ignored_in_version_3() -> None:
    assert settings(RFC3768, auth_type=1, auth_data=b"secret").auth_data == b"secret\0\0"
    assert settings(RFC9568, auth_data=b"secret").auth_data == b""


def test_authentication_in_version_3_is_ignored() -> None:
    # keepalived says that version 3 does not support it, and runs.
    config = make(KEEPALIVED, version=3, auth_type=1, auth_data=b"secret").config
    assert (config.auth_type, config.auth_data) == (0, b"")


def test_owner() -> None:
    assert settings(RFC9568, priority=255).owner
    assert not settings(RFC9568, priority=254).owner


@pytest.mark.parametrize("changes", [{"interval_ns": 0}, {"timeout_ns": -1}, {"rise": 0}, {"fall": 0}])
def test_script_refused(changes: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"^script chk: interval above 0, timeout from 0, rise and fall from 1$"):
        ScriptConfig(name="chk", **changes)  # type: ignore[arg-type]  # the values are ints, all of them times or counts


def test_timeout_is_the_interval_unless_told() -> None:
    assert ScriptConfig(name="chk", interval_ns=1).timeout_ns == 1
    assert ScriptConfig(name="chk", interval_ns=5, timeout_ns=3).timeout_ns == 3


def test_only_vmac_xmit_base_makes_deaf_to_the_own_virtual_mac() -> None:
    def unheard(**changes: Any) -> bytes | None:
        return VirtualRouterConfig(vrid=51, addresses=["10.0.0.100"], **changes).unheard_mac

    assert unheard(virtual_mac=True, transmit_from_base=True) == bytes.fromhex("00005e000133")
    assert unheard(virtual_mac=True) is None
    assert unheard(transmit_from_base=True) is None
