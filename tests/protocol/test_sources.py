"""The addresses that advertisements leave from, when they come and go while a router runs."""

from __future__ import annotations

import pytest

from protocol.routers import S_NS, settings
from vrrp.protocol.profile import KEEPALIVED
from vrrp.protocol.router import Router
from vrrp.protocol.settings import RouterConfig, TrackedInterface
from vrrp.wire.address import pack, text

V4 = settings(KEEPALIVED, name="V4", interface="eth0")
V6 = settings(KEEPALIVED, name="V6", interface="eth0", version=3, addresses=["fe80::100"])
FIXED = settings(KEEPALIVED, name="FIXED", interface="eth0", vrid=53, source="10.0.0.9")


def sources(router: Router) -> dict[str, str]:
    return {one.config.name: text(one.source) for one in router.virtual_routers}


def test_without_an_address_there_is_no_router_unless_it_may_come_later() -> None:
    config = RouterConfig(virtual_routers=(V4, V6, FIXED))
    with pytest.raises(ValueError, match="V4: interface eth0 has no IPv4 address to send from"):
        Router(config, profile=KEEPALIVED, interfaces={"eth0": ()})
    router = Router(config, profile=KEEPALIVED, interfaces={"eth0": ()}, addresses_later=True)
    assert sources(router) == {"V4": "0.0.0.0", "V6": "::", "FIXED": "10.0.0.9"}
    assert not router.set_addresses("eth0", ["10.0.0.1"])
    assert sources(router) == {"V4": "10.0.0.1", "V6": "::", "FIXED": "10.0.0.9"}
    assert router.set_addresses("eth0", ["10.0.0.1", "2001:db8::1", "fe80::1"])
    assert sources(router) == {"V4": "10.0.0.1", "V6": "fe80::1", "FIXED": "10.0.0.9"}


def test_the_first_address_is_another_now_and_what_is_gone_is_kept_until_there_is_one() -> None:
    router = Router(RouterConfig(virtual_routers=(V4,)), profile=KEEPALIVED, interfaces={"eth0": ["10.0.0.1"]})
    assert router.set_addresses("eth0", ["10.0.0.3", "10.0.0.1"])
    assert sources(router) == {"V4": "10.0.0.3"}
    assert not router.set_addresses("eth0", [])
    assert sources(router) == {"V4": "10.0.0.3"}
    assert router.set_addresses("eth7", [])


def test_an_address_of_another_family_is_no_address_to_send_from_even_later() -> None:
    wrong = settings(KEEPALIVED, name="V4", interface="eth0", source="fe80::1")
    with pytest.raises(ValueError, match="no IPv4 address"):
        Router(
            RouterConfig(virtual_routers=(wrong,)), profile=KEEPALIVED, interfaces={"eth0": ()}, addresses_later=True
        )


def test_a_reload_may_name_an_interface_that_was_not_there_before() -> None:
    interfaces = {"eth0": [pack("10.0.0.1")]}
    router = Router(RouterConfig(virtual_routers=(V4,)), profile=KEEPALIVED, interfaces=interfaces)
    router.start(0)
    router.set_interface(0, "eth0", False)
    interfaces["eth1"] = [pack("10.1.0.1")]
    moved = settings(KEEPALIVED, name="NEW", interface="eth1", track_interfaces=(TrackedInterface("eth0"),))
    router.reload(S_NS, RouterConfig(virtual_routers=(V4, moved)))
    assert {one.config.name: one.state.value for one in router.virtual_routers} == {"V4": "FAULT", "NEW": "FAULT"}
    router.set_interface(2 * S_NS, "eth0", True)
    assert {one.config.name: one.state.value for one in router.virtual_routers} == {"V4": "BACKUP", "NEW": "BACKUP"}
    assert sources(router) == {"V4": "10.0.0.1", "NEW": "10.1.0.1"}
