"""Which files are taken for the nodes of one cluster, and which instances for one virtual router."""

from __future__ import annotations

import time

import pytest

from check.confs import clusters, files
from vrrp.check.cluster import MOST_NODES_OF_A_SITE, node_names


def instance(name: str = "VI_1", vrid: int = 51, address: str = "10.0.0.100", more: str = "") -> str:
    return (
        f"vrrp_instance {name} {{\ninterface eth0\nvirtual_router_id {vrid}\n{more}"
        f"virtual_ipaddress {{\n{address}\n}}\n}}\n"
    )


def grouped(contents: dict[str, str]) -> list[list[tuple[str, list[str]]]]:
    """For each cluster, how each virtual router was found, and its members."""
    return [
        [(peers.how, [f"{member.name}:{member.instance.name}" for member in peers.members]) for peers in one.peers]
        for one in clusters(contents)
    ]


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["a.conf", "b.conf"], ["a", "b"]),
        (["lb1/keepalived.conf", "lb2/keepalived.conf"], ["lb1", "lb2"]),
        (["x/lb1/k.conf", "y/lb1/k.conf"], ["x/lb1/k.conf", "y/lb1/k.conf"]),
        (["k.conf", "k.conf"], ["k.conf (1)", "k.conf (2)"]),
        ([], []),
    ],
)
def test_names_tell_the_nodes_apart(paths: list[str], names: list[str]) -> None:
    assert node_names(paths) == names


def test_an_address_and_a_vrid_make_one_virtual_router() -> None:
    found = grouped({"a.conf": instance(), "b.conf": instance("VI_X"), "c.conf": instance(vrid=7, address="10.9.9.9")})
    assert found == [
        [("the same VRID 51 and 10.0.0.100", ["a:VI_1", "b:VI_X"])],
        [("", ["c:VI_1"])],
    ]


def test_the_same_address_with_another_vrid_is_a_slip_within_one_cluster() -> None:
    assert grouped({"a.conf": instance(), "b.conf": instance(vrid=52)}) == [
        [("the same address 10.0.0.100", ["a:VI_1", "b:VI_1"])]
    ]


def test_unicast_to_each_other_makes_one_virtual_router() -> None:
    a = instance(more="unicast_src_ip 10.0.0.1\nunicast_peer {\n10.0.0.2\n}\n")
    b = instance(more="unicast_src_ip 10.0.0.2\nunicast_peer {\n10.0.0.1\n}\n", address="10.0.0.101")
    others = {f"{number}.conf": instance(vrid=number, address=f"10.1.0.{number}") for number in range(1, 9)}
    (first, *_) = grouped({"a.conf": a, "b.conf": b, **others})
    assert first == [("VRID 51 and unicast between 10.0.0.1 and 10.0.0.2", ["a:VI_1", "b:VI_1"])]


def test_among_few_files_the_vrid_is_enough_among_many_it_is_not() -> None:
    few = {f"n{number}.conf": instance(address=f"10.0.0.{number}") for number in range(1, MOST_NODES_OF_A_SITE + 1)}
    (one,) = grouped(few)
    assert one[0][0] == "the same VRID 51"
    many = few | {"another.conf": instance(address="10.0.0.250")}
    assert len(grouped(many)) == MOST_NODES_OF_A_SITE + 1


def test_a_node_is_one_member_of_a_virtual_router() -> None:
    # The same VRID on two interfaces is two virtual routers; addresses tell which belongs to which.
    a = instance("A1") + instance("A2", address="10.0.1.100").replace("eth0", "eth1")
    b = instance("B2", address="10.0.1.100") + instance("B1").replace("eth0", "eth1")
    (one,) = grouped({"a.conf": a, "b.conf": b})
    assert [members for _, members in one] == [["a:A1", "b:B1"], ["a:A2", "b:B2"]]


def test_virtual_routers_in_common_make_one_cluster() -> None:
    a = instance("A1", 1, "10.0.0.1")
    b = instance("B1", 1, "10.0.0.1") + instance("B2", 2, "10.0.0.2")
    c = instance("C2", 2, "10.0.0.2")
    (one,) = clusters({"a.conf": a, "b.conf": b, "c.conf": c})
    assert [node.name for node in one.nodes] == ["a", "b", "c"]
    assert [len(peers.members) for peers in one.peers] == [2, 2]


def test_addresses_of_both_families_are_compared() -> None:
    both = instance().replace("virtual_ipaddress {", "virtual_ipaddress_excluded {\nfd00::1\n}\nvirtual_ipaddress {")
    (one,) = grouped({"a.conf": both, "b.conf": instance("V6", 9, "fd00::1")})
    assert one[0][0] == "the same address fd00::1"


def test_where_a_keyword_stands() -> None:
    (one,) = clusters({"a.conf": instance(more="priority 7\n")})
    (member,) = one.members()
    assert (member.place("nopreempt", "priority").line, member.place("state").line) == (4, 1)
    assert member.place("priority", says="7") == member.node.place(4, "7")


def test_members_by_a_value() -> None:
    contents = {name: instance(more=f"priority {value}\n") for name, value in (("a", 1), ("b", 2), ("c", 1))}
    (one,) = clusters(contents)
    by = one.peers[0].by(lambda member: member.instance.priority)
    assert {value: [member.name for member in members] for value, members in by.items()} == {1: ["a", "c"], 2: ["b"]}


def test_files_of_many_sites_are_grouped_in_linear_time() -> None:
    contents = {f"{number}/k.conf": instance(address=f"10.{number // 250}.{number % 250}.1") for number in range(500)}
    begun = time.process_time()
    assert len(grouped(contents)) == 500
    assert time.process_time() - begun < 5


def test_an_example_is_made_whole() -> None:
    first = "vrrp_instance A {\n priority 1\n}\nvrrp_instance B {\n virtual_router_id 7\n}\n"
    text = f"==> a.conf <==\n{first}==> b.conf <==\nx\n"
    assert files(text) == {
        "a.conf": (
            "vrrp_instance A {\n priority 1\ninterface eth0\nvirtual_router_id 51\n"
            "virtual_ipaddress { 10.0.0.100/24 }\n}\n"
            "vrrp_instance B {\n virtual_router_id 7\ninterface eth0\nvirtual_ipaddress { 10.0.0.100/24 }\n}\n"
        ),
        "b.conf": "x\n",
    }


def test_many_files_with_one_address_belong_together_when_they_are_named_so() -> None:
    sites = [f"{site}/{node}/keepalived.conf" for site in ("rome", "paris", "oslo") for node in ("lb1", "lb2")]
    numbered = ["x/lb1.conf", "x/lb2.conf", "y/lb1.conf", "y/other.conf"]
    contents = dict.fromkeys(sites, instance()) | dict.fromkeys(numbered, instance(address="10.1.0.1"))
    together = [sorted(node.file for node in one.nodes) for one in clusters(contents)]
    assert sorted(together) == [
        ["oslo/lb1/keepalived.conf", "oslo/lb2/keepalived.conf"],
        ["paris/lb1/keepalived.conf", "paris/lb2/keepalived.conf"],
        ["rome/lb1/keepalived.conf", "rome/lb2/keepalived.conf"],
        ["x/lb1.conf", "x/lb2.conf"],
        ["y/lb1.conf"],
        ["y/other.conf"],
    ]
