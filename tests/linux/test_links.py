"""Interfaces as netlink tells of them, from messages made by hand and from the kernel itself."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterable

import pytest
from pyroute2.netlink import nlmsg
from pyroute2.netlink.rtnl import RTM_DELADDR, RTM_DELLINK, RTM_NEWADDR, RTM_NEWLINK
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg

from linux.namespaces import alone, sh
from vrrp.linux.links import GROUPS, Link, Links
from vrrp.linux.netlink import Netlink
from vrrp.wire.address import pack

UP, RUNNING = 0x1, 0x40
MAC = "02:00:00:00:00:01"


def link(index: int, name: str, flags: int = UP | RUNNING, family: int = 0) -> nlmsg:
    message = ifinfmsg()
    message["index"], message["flags"], message["family"] = index, flags, family
    message["attrs"] = [("IFLA_IFNAME", name), ("IFLA_ADDRESS", MAC), ("IFLA_MTU", 1400)]
    return message


def address(index: int, text: str, prefix: int = 24, local: bool = True) -> nlmsg:
    message = ifaddrmsg()
    message["index"], message["prefixlen"] = index, prefix
    message["attrs"] = [("IFA_ADDRESS", text), *([("IFA_LOCAL", text)] if local else [])]
    return message


class FakeSource:
    """What netlink would say."""

    def __init__(self, *there: tuple[int, nlmsg]) -> None:
        self.there = list(there)
        self.news: list[tuple[int, nlmsg] | OSError] = []

    def events(self) -> Iterable[tuple[int, nlmsg]]:
        while self.news:
            one = self.news.pop(0)
            if isinstance(one, OSError):
                raise one
            yield one

    def dump(self, kind: int, message: nlmsg) -> list[tuple[int, nlmsg]]:
        wanted = RTM_NEWLINK if isinstance(message, ifinfmsg) else RTM_NEWADDR
        return [one for one in self.there if one[0] == wanted]


ETH0 = ((RTM_NEWLINK, link(2, "eth0")), (RTM_NEWADDR, address(2, "10.0.0.1")))


def make(*there: tuple[int, nlmsg]) -> tuple[Links, FakeSource, list[str]]:
    source = FakeSource(*there)
    told: list[str] = []
    links = Links(source, source, told.append)
    links.read_all()
    return links, source, told


def test_what_there_is_at_first() -> None:
    links, _, told = make(*ETH0, (RTM_NEWADDR, address(2, "fe80::1", 64, local=False)))
    mac = bytes.fromhex("020000000001")
    found = {pack("10.0.0.1"): 24, pack("fe80::1"): 64}
    assert links.by_name == {"eth0": Link(2, "eth0", True, mac, 1400, found)}
    assert told == ["eth0"]


def test_a_carrier_an_address_and_an_interface_come_and_go() -> None:
    links, source, told = make(*ETH0)
    by_name = links.by_name
    for news, names, up, addresses in (
        ((RTM_NEWLINK, link(2, "eth0", UP)), ["eth0"], False, ["10.0.0.1"]),
        ((RTM_NEWLINK, link(2, "eth0", UP)), [], False, ["10.0.0.1"]),
        ((RTM_NEWLINK, link(2, "eth0")), ["eth0"], True, ["10.0.0.1"]),
        ((RTM_NEWADDR, address(2, "10.0.0.9")), ["eth0"], True, ["10.0.0.1", "10.0.0.9"]),
        ((RTM_NEWADDR, address(2, "10.0.0.9")), [], True, ["10.0.0.1", "10.0.0.9"]),
        ((RTM_DELADDR, address(2, "10.0.0.1")), ["eth0"], True, ["10.0.0.9"]),
        ((RTM_DELADDR, address(2, "10.0.0.1")), [], True, ["10.0.0.9"]),
        ((RTM_DELLINK, link(2, "eth0", family=7)), [], True, ["10.0.0.9"]),
        ((RTM_NEWLINK, link(2, "eth0", 0, family=7)), [], True, ["10.0.0.9"]),
        ((RTM_NEWADDR, address(99, "10.0.0.1")), [], True, ["10.0.0.9"]),
        ((RTM_DELLINK, link(99, "eth9")), [], True, ["10.0.0.9"]),
    ):
        told.clear()
        source.news.append(news)
        links.read_events()
        assert told == names
        assert by_name["eth0"].up is up
        assert list(by_name["eth0"].addresses) == [pack(one) for one in addresses]
    source.news.append((RTM_DELLINK, link(2, "eth0")))
    links.read_events()
    assert by_name == {}
    source.news.append((RTM_NEWLINK, link(7, "eth0")))
    links.read_events()
    assert by_name["eth0"].index == 7
    assert by_name["eth0"].addresses == {}


def test_another_name_for_the_same_interface() -> None:
    links, source, told = make(*ETH0)
    told.clear()
    source.news.append((RTM_NEWLINK, link(2, "lan0")))
    links.read_events()
    assert told == ["eth0", "lan0"]
    assert list(links.by_name) == ["lan0"]
    assert list(links.by_name["lan0"].addresses) == [pack("10.0.0.1")]


def test_one_that_takes_the_name_of_another_before_that_is_gone() -> None:
    links, source, _ = make(*ETH0)
    source.news += [(RTM_NEWLINK, link(5, "eth0")), (RTM_DELLINK, link(2, "eth0"))]
    links.read_events()
    assert links.by_name["eth0"].index == 5


def test_what_was_lost_is_asked_for() -> None:
    links, source, told = make(*ETH0)
    told.clear()
    source.there.append((RTM_NEWLINK, link(3, "eth1")))
    source.news += [(RTM_NEWADDR, address(2, "10.0.0.9")), OSError(errno.ENOBUFS, "lost")]
    links.read_events()
    assert sorted(set(told)) == ["eth0", "eth1"]
    assert list(links.by_name["eth0"].addresses) == [pack("10.0.0.1")]
    source.news.append(OSError(errno.EBADF, "closed"))
    with pytest.raises(OSError, match="closed"):
        links.read_events()


@pytest.mark.root
@pytest.mark.program("ip")
def test_the_kernel_itself() -> None:
    with alone():
        sh("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "peer")
        for name in ("eth0", "peer"):
            sh("ip", "link", "set", name, "up")
        sh("ip", "addr", "add", "10.0.0.1/24", "dev", "eth0")
        told: list[str] = []
        events, asked = Netlink(GROUPS), Netlink()
        links = Links(events, asked, told.append)
        links.read_all()
        eth0 = links.by_name["eth0"]
        assert (eth0.up, len(eth0.mac), eth0.mtu) == (True, 6, 1500)
        assert next(iter(eth0.addresses)) == pack("10.0.0.1")

        def addresses() -> list[bytes]:
            return list(links.by_name["eth0"].addresses)

        changes: tuple[tuple[str, Callable[[], bool]], ...] = (
            ("link set peer down", lambda: not links.by_name["eth0"].up),
            ("link set peer up", lambda: links.by_name["eth0"].up),
            ("addr add 10.0.0.2/32 dev eth0", lambda: pack("10.0.0.2") in addresses()),
            ("addr del 10.0.0.1/24 dev eth0", lambda: pack("10.0.0.1") not in addresses()),
            ("link del eth0", lambda: not {"eth0", "peer"} & set(links.by_name)),
        )
        for change, is_so in changes:
            told.clear()
            sh("ip", *change.split())
            until = time.monotonic() + 5
            while not is_so():
                assert time.monotonic() < until, (change, links.by_name)
                links.read_events()
            assert "eth0" in told
        assert events.fileno() != asked.fileno()
        wrong = address(1, "10.0.0.1", 33)
        wrong["family"] = 2
        with pytest.raises(OSError, match="Invalid argument"):
            asked.ask(RTM_NEWADDR, wrong)
        events.close()
        asked.close()
