"""A network for files that come without one: segments by VRID, addresses by what the files name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sim.topology import lay_out
from vrrp.config import parse


def instance(
    name: str = "VI_1", vrid: int = 51, vip: str = "10.0.0.100/24", interface: str = "eth0", more: str = ""
) -> str:
    return f"""
vrrp_instance {name} {{
    interface {interface}
    virtual_router_id {vrid}
    priority 100
    {more}
    virtual_ipaddress {{
        {vip}
    }}
}}
"""


def laid(**texts: str) -> dict[str, Any]:
    configs = {name: parse(text, filename=name) for name, text in texts.items()}
    assert not any(parsed.refused for parsed in configs.values())
    return lay_out({name: parsed.config for name, parsed in configs.items()})


def addresses(laid: dict[str, Any], interface: str = "eth0") -> list[list[str]]:
    return [node["interfaces"][interface]["addresses"] for node in laid["nodes"].values()]


def test_nodes_of_one_vrid_share_a_segment_and_count_from_11() -> None:
    found = laid(a=instance(), b=instance(), c=instance())
    assert found == {
        "segments": {"lan": {}},
        "nodes": {
            name: {"interfaces": {"eth0": {"segment": "lan", "addresses": [f"10.0.0.{host}/24"]}}}
            for name, host in (("a", 11), ("b", 12), ("c", 13))
        },
    }


def test_different_vrids_are_different_segments() -> None:
    found = laid(a=instance(), b=instance(vrid=52, vip="10.0.1.100/24"))
    assert list(found["segments"]) == ["lan", "lan2"]
    assert [n["interfaces"]["eth0"]["segment"] for n in found["nodes"].values()] == ["lan", "lan2"]


def test_segments_join_through_a_node_that_has_both() -> None:
    both = instance() + instance("VI_2", 52, "10.0.0.101/24")
    found = laid(a=instance(), b=instance(vrid=52, vip="10.0.0.101/24"), c=both)
    assert list(found["segments"]) == ["lan"]
    # One address is enough for two instances in one network.
    assert addresses(found) == [["10.0.0.11/24"], ["10.0.0.12/24"], ["10.0.0.13/24"]]


def test_interfaces_may_be_named_differently() -> None:
    found = laid(a=instance(), b=instance(interface="ens3"))
    assert found["nodes"]["a"]["interfaces"]["eth0"]["segment"] == "lan"
    assert found["nodes"]["b"]["interfaces"]["ens3"]["segment"] == "lan"


def test_one_vrid_in_two_families_is_two_segments() -> None:
    found = laid(a=instance(), b=instance(vip="fe80::100/64"))
    assert list(found["segments"]) == ["lan", "lan2"]
    assert addresses(found) == [["10.0.0.11/24"], ["fe80::c/64"]]


def test_two_networks_on_one_interface_need_two_addresses() -> None:
    found = laid(a=instance() + instance("VI_2", 52, "10.0.1.100/24") + instance("VI_6", 53, "fe80::100/64"))
    assert addresses(found) == [["10.0.0.11/24", "10.0.1.11/24", "fe80::b/64"]]


def test_addresses_that_files_name_are_not_given_away() -> None:
    peers = "unicast_src_ip 10.0.0.12\n unicast_peer {\n 10.0.0.13\n }\n"
    found = laid(a=instance(vip="10.0.0.11/24"), b=instance("VI_2", 52, "10.0.0.50/24", more=peers), c=instance())
    assert addresses(found) == [["10.0.0.14/24"], ["10.0.0.12/24"], ["10.0.0.15/24"]]


def test_a_source_is_the_address() -> None:
    assert addresses(laid(a=instance(more="mcast_src_ip 10.0.0.77"))) == [["10.0.0.77/24"]]
    assert addresses(laid(a=instance(vip="fe80::1/64", more="mcast_src_ip fe80::77"))) == [["fe80::77/64"]]


@pytest.mark.parametrize(
    ("vip", "expected"),
    [
        ("10.0.0.100", "10.0.0.11/24"),  # /32: no network to take one from
        ("10.0.0.100/31", "10.0.0.11/24"),
        ("10.0.0.101/30", "10.0.0.102/30"),
        ("10.0.0.18/28", "10.0.0.27/28"),
        ("10.0.0.250/29", "10.0.0.251/29"),
    ],
)
def test_small_networks(vip: str, expected: str) -> None:
    assert addresses(laid(a=instance(vip=vip))) == [[expected]]


def test_a_full_network_gives_no_address() -> None:
    found = laid(a=instance(vip="10.0.0.101/30"), b=instance(vip="10.0.0.101/30"))
    assert addresses(found) == [["10.0.0.102/30"], []]


def test_watched_interfaces_are_there_without_address() -> None:
    found = laid(a=instance(more="track_interface {\n eth1\n eth0\n }"))
    interfaces = found["nodes"]["a"]["interfaces"]
    assert interfaces["eth1"] == {"segment": "lan2", "addresses": []}
    assert interfaces["eth0"]["addresses"] == ["10.0.0.11/24"]
    assert list(found["segments"]) == ["lan", "lan2"]


def test_an_instance_on_a_watched_interface_gives_it_an_address() -> None:
    found = laid(a=instance(more="track_interface {\n eth1\n }") + instance("VI_2", 52, "10.1.0.1/24", "eth1"))
    assert found["nodes"]["a"]["interfaces"]["eth1"]["addresses"] == ["10.1.0.11/24"]


def test_an_instance_without_virtual_address_lives_in_a_documentation_network() -> None:
    config = parse(instance()).config
    bare = replace(config, instances=(replace(config.instances[0], addresses=()),))
    assert addresses(lay_out({"a": bare, "b": bare})) == [["192.0.2.11/24"], ["192.0.2.12/24"]]


def test_interfaces_that_only_addresses_and_routes_name_are_there_too() -> None:
    routes = "virtual_routes {\n10.2.0.0/16 dev eth2\n10.3.0.0/16 dev eth3 no_track\n}"
    found = laid(a=instance(vip="10.0.0.100/24\n10.1.0.100/24 dev eth1", more=routes))
    assert list(found["nodes"]["a"]["interfaces"]) == ["eth0", "eth1", "eth2"]
