"""Virtual addresses on their interfaces, as a kernel of our own and the real one have them."""

from __future__ import annotations

import errno
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pyroute2.netlink import nlmsg
from pyroute2.netlink.rtnl import RTM_NEWADDR

from linux.namespaces import ENVIRONMENT, alone, sh
from vrrp.config import KeepalivedConfig, parse
from vrrp.linux.addresses import Addresses
from vrrp.linux.journal_file import JournalFile
from vrrp.linux.links import Link, Links
from vrrp.linux.netlink import Netlink
from vrrp.wire.address import pack

VIP, OTHER = pack("10.0.0.100"), pack("10.0.0.101")
PLACE = "vrrp here"


def config(lines: str, name: str = "VI_1") -> KeepalivedConfig:
    return parse(
        f"vrrp_instance {name} {{\n interface eth0\n virtual_router_id 51\n virtual_ipaddress {{\n{lines}\n }}\n}}\n"
    ).config


class FakeNetlink:
    """Does what it is asked, or fails as it is told to; `asked` says what."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.fails: OSError | None = None

    def ask(self, kind: int, message: nlmsg, flags: int = 0) -> None:
        attributes = dict(message["attrs"])
        what = "add" if kind == RTM_NEWADDR else "del"
        self.asked.append(f"{what} {attributes['IFA_LOCAL']}/{message['prefixlen']} on {message['index']}")
        if self.fails is not None:
            raise self.fails


class Bench:
    """Addresses on eth0 (2) and eth1 (3)."""

    def __init__(self, folder: Path, lines: str = "  10.0.0.100/24") -> None:
        self.links = {"eth0": Link(2, "eth0", True, b"\x02" * 6), "eth1": Link(3, "eth1", True, b"\x02" * 6)}
        self.netlink = FakeNetlink()
        self.file = folder / "kernel"
        self.journal = JournalFile(self.file, place=PLACE)
        self.addresses = Addresses(self.netlink, self.links, self.journal)
        self.addresses.describe(config(lines))

    def written(self) -> list[str]:
        """What a successor would find."""
        successor = JournalFile(self.file.with_suffix(".copy"), place=PLACE)
        successor.close()
        self.file.with_suffix(".copy").write_text(self.file.read_text())
        successor = JournalFile(self.file.with_suffix(".copy"), place=PLACE)
        successor.close()
        return list(successor.left_over)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.journal.close()


def test_put_and_taken_as_the_configuration_has_it(bench: Bench) -> None:
    bench.addresses.put("VI_1", VIP, "eth0")
    bench.addresses.put("VI_1", VIP, "eth0")
    assert bench.addresses.holds("eth0", VIP)
    assert bench.links["eth0"].addresses == {VIP: 24}
    assert bench.written() == ["address eth0 10.0.0.100/24"]
    bench.addresses.take("VI_1", VIP, "eth0")
    bench.addresses.take("VI_1", VIP, "eth0")
    assert not bench.addresses.holds("eth0", VIP)
    assert bench.links["eth0"].addresses == {}
    assert bench.netlink.asked == ["add 10.0.0.100/24 on 2", "del 10.0.0.100/24 on 2"]
    assert bench.written() == []


def test_what_nothing_describes_has_a_prefix_of_its_own(bench: Bench) -> None:
    bench.addresses.put("VI_1", OTHER, "eth0")
    assert bench.netlink.asked == ["add 10.0.0.101/32 on 2"]


def test_one_that_is_there_already_stays_when_we_go(bench: Bench) -> None:
    bench.netlink.fails = OSError(errno.EEXIST, "File exists")
    bench.addresses.put("VI_1", VIP, "eth0")
    bench.netlink.fails = None
    bench.addresses.take("VI_1", VIP, "eth0")
    bench.addresses.close()
    assert bench.netlink.asked == ["add 10.0.0.100/24 on 2"]
    assert bench.written() == []


def test_what_cannot_be_is_told_in_one_line(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.netlink.fails = OSError(errno.EPERM, os.strerror(errno.EPERM))
    bench.addresses.put("VI_1", VIP, "eth0")
    bench.netlink.fails = None
    bench.addresses.put("VI_1", VIP, "eth0")
    bench.netlink.fails = OSError(errno.EPERM, os.strerror(errno.EPERM))
    bench.addresses.take("VI_1", VIP, "eth0")
    bench.addresses.put("VI_1", OTHER, "eth7")
    assert [record.getMessage() for record in caplog.records] == [
        "(VI_1) cannot add 10.0.0.100 to eth0: operation not permitted",
        "cannot remove 10.0.0.100 from eth0: operation not permitted",
        "(VI_1) there is no interface eth7 for 10.0.0.101",
    ]
    assert bench.written() == ["address eth0 10.0.0.100/24"]  # it may still be there


def test_what_is_gone_already_is_no_fault(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.addresses.put("VI_1", VIP, "eth0")
    bench.netlink.fails = OSError(errno.EADDRNOTAVAIL, "gone")
    bench.addresses.take("VI_1", VIP, "eth0")
    assert caplog.records == []
    assert bench.written() == []


def test_what_somebody_else_removed_is_put_back(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.addresses.put("VI_1", VIP, "eth0")
    bench.addresses.restore("eth0")
    assert len(bench.netlink.asked) == 1
    bench.links["eth0"].addresses.clear()
    bench.addresses.restore("eth1")
    bench.addresses.restore("eth0")
    assert bench.netlink.asked == ["add 10.0.0.100/24 on 2"] * 2
    assert [record.getMessage() for record in caplog.records] == [
        "(VI_1) somebody removed 10.0.0.100 from eth0: put back"
    ]
    assert bench.links["eth0"].addresses == {VIP: 24}


def test_an_interface_that_is_gone_took_its_addresses_with_it(bench: Bench) -> None:
    bench.addresses.put("VI_1", VIP, "eth0")
    bench.addresses.put("VI_1", OTHER, "eth0")
    del bench.links["eth0"]
    bench.addresses.take("VI_1", OTHER, "eth0")
    bench.addresses.restore("eth0")
    assert not bench.addresses.holds("eth0", VIP)
    assert bench.written() == []


def test_what_an_interface_took_along_is_put_there_when_it_comes_again(bench: Bench) -> None:
    bench.addresses.put("VI_1", VIP, "eth0")
    bench.addresses.put("VI_1", OTHER, "eth7")
    gone = bench.links.pop("eth0")
    bench.addresses.restore("eth0")
    gone.addresses.clear()
    gone.index = 9
    bench.links |= {"eth0": gone, "eth7": Link(7, "eth7", True, b"\x02" * 6)}
    bench.addresses.restore("eth0")
    bench.addresses.restore("eth7")
    assert bench.netlink.asked[1:] == ["add 10.0.0.100/24 on 9", "add 10.0.0.101/32 on 7"]


def test_an_address_whose_end_is_told_before_its_interfaces_end_is_put_there_again(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.addresses.put("VI_1", VIP, "eth0")
    bench.links["eth0"].addresses.clear()
    bench.netlink.fails = OSError(errno.ENODEV, "No such device")
    bench.addresses.restore("eth0")
    gone = bench.links.pop("eth0")
    bench.addresses.restore("eth0")
    assert not bench.addresses.holds("eth0", VIP)
    assert bench.written() == []
    bench.netlink.fails = None
    bench.links["eth0"] = gone
    bench.addresses.restore("eth0")
    assert bench.addresses.holds("eth0", VIP)
    assert bench.written() == ["address eth0 10.0.0.100/24"]
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_what_is_no_longer_wanted_is_not_put_there_when_its_interface_comes(bench: Bench) -> None:
    bench.addresses.put("VI_1", VIP, "eth7")
    bench.addresses.put("VI_1", OTHER, "eth7")
    bench.addresses.take("VI_1", VIP, "eth7")
    assert bench.addresses.lift({"VI_1": "eth1"}) == [("VI_1", OTHER)]
    bench.links["eth7"] = Link(7, "eth7", True, b"\x02" * 6)
    bench.addresses.restore("eth7")
    assert bench.netlink.asked == []


def test_another_configuration_moves_what_changed_and_nothing_else(tmp_path: Path) -> None:
    bench = Bench(tmp_path, "  10.0.0.100/24\n  10.0.0.101/24")
    for address in (VIP, OTHER):
        bench.addresses.put("VI_1", address, "eth0")
    del bench.netlink.asked[:]
    bench.addresses.describe(config("\n  10.0.0.101/24\n  10.0.0.100/24"))
    assert bench.netlink.asked == []
    bench.addresses.describe(config("  10.0.0.100/32 dev eth1\n  10.0.0.101/24"))
    assert bench.netlink.asked == ["del 10.0.0.100/24 on 2", "add 10.0.0.100/32 on 3"]
    bench.addresses.describe(config("  10.0.0.101/24"))
    bench.addresses.take("VI_1", VIP, "eth0")  # the router says so when it has the new configuration
    assert bench.netlink.asked[2:] == ["del 10.0.0.100/32 on 3"]
    bench.addresses.close()
    assert bench.netlink.asked[3:] == ["del 10.0.0.101/24 on 2"]
    bench.journal.close()


def test_what_an_earlier_run_left_is_swept_away(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    crashed = Bench(tmp_path, "  10.0.0.100/24\n  10.0.0.101/24")
    crashed.addresses.put("VI_1", VIP, "eth0")
    crashed.journal.add("address eth0 10.0.0.99/24")  # not there any more
    crashed.journal.add("address eth9 10.0.0.98/24")  # nor is this interface
    crashed.journal.add("link vrrp.51")  # somebody else's affair
    crashed.journal.add("address nonsense")
    after = Bench(tmp_path, "  10.0.0.101/24")
    after.links["eth0"].addresses |= {pack("10.0.0.1"): 24, VIP: 24, OTHER: 28}
    after.addresses.sweep([("eth0", OTHER), ("eth0", VIP), ("eth1", OTHER)])
    assert after.netlink.asked == ["del 10.0.0.100/24 on 2", "del 10.0.0.101/28 on 2"]
    assert list(after.links["eth0"].addresses) == [pack("10.0.0.1")]
    assert after.written() == ["link vrrp.51", "address nonsense"]
    assert [record.getMessage() for record in caplog.records] == [
        f"removing {address} from eth0, where an earlier run left it" for address in ("10.0.0.100", "10.0.0.101")
    ]
    crashed.journal.close()
    after.journal.close()


KINDS = """\
vrrp_instance V4 {
 interface eth0
 virtual_router_id 51
 version 3
 advert_int 0.1
 virtual_ipaddress {
  10.0.0.100/24
  10.0.0.101
  10.0.0.102/24 brd 10.0.0.255 dev eth1 label eth1:x scope link
  10.0.0.103/28 brd + scope 250 no_track
  10.0.0.104 peer 10.7.0.1 scope host
  10.0.0.105 preferred_lft 500
 }
 virtual_ipaddress_excluded {
  2001:db8::5/64
  2001:db8::6
 }
}
vrrp_instance V6 {
 interface eth0
 virtual_router_id 52
 version 3
 advert_int 0.1
 virtual_ipaddress {
  fe80::100/64
  2001:db8::7/64
  2001:db8::8
  2001:db8::9 preferred_lft forever
  2001:db8::a/64 preferred_lft 0
 }
}
"""


def shown(text: str) -> list[str]:
    """The addresses that `ip addr` lists, and their lifetimes."""
    return [line.strip() for line in text.splitlines() if line.startswith(("    inet", "       valid"))]


def wires() -> None:
    for number in (0, 1):
        macs = [f"02:00:00:00:00:{number}{side}" for side in (1, 2)]
        sh(
            "ip",
            "link",
            "add",
            f"eth{number}",
            "address",
            macs[0],
            "type",
            "veth",
            "peer",
            f"p{number}",
            "address",
            macs[1],
        )
        for name in ("eth", "p"):
            sh("ip", "link", "set", f"{name}{number}", "up")
    until = time.monotonic() + 20
    while sh("ip", "-6", "addr").count("inet6 fe80::") < 4:  # the kernel gives them a little later
        assert time.monotonic() < until, sh("ip", "addr")
        time.sleep(0.02)
    sh("ip", "addr", "add", "10.0.0.1/24", "dev", "eth0")


def keepalived_s(folder: Path) -> list[str]:
    """The addresses of a keepalived that is master."""
    words = ["keepalived", "-n", "-l", "-D", "-P", "-f", "k.conf", "-p", "k.pid", "-r", "v.pid"]
    with (folder / "k.log").open("w") as log, alone():
        wires()
        process = subprocess.Popen(words, stdout=log, stderr=log, env=ENVIRONMENT, cwd=folder)
        try:
            until = time.monotonic() + 20
            before: list[str] = []
            while not before or before != shown(sh("ip", "addr")) or KINDS.count("\n  ") > len(before) // 2:
                assert time.monotonic() < until, (folder / "k.log").read_text()
                before = shown(sh("ip", "addr"))
                time.sleep(0.3)
            return before
        finally:
            process.terminate()
            process.wait(20)


@pytest.mark.root
@pytest.mark.program("ip", "keepalived")
def test_the_same_as_keepalived_puts_there(tmp_path: Path) -> None:
    (tmp_path / "k.conf").write_text(KINDS)
    theirs = keepalived_s(tmp_path)
    configuration = parse(KINDS).config
    with alone(), closing(JournalFile(tmp_path / "kernel", place=PLACE)) as journal:
        wires()
        netlink = Netlink()
        links = Links(netlink, netlink, lambda name: None)
        links.read_all()
        before = shown(sh("ip", "addr"))
        addresses = Addresses(netlink, links.by_name, journal)
        addresses.describe(configuration)
        for instance in configuration.instances:
            for one in (*instance.addresses, *instance.excluded_addresses):
                addresses.put(instance.name, one.address.packed, instance.interface)
        ours = shown(sh("ip", "addr"))
        addresses.close()
        after = shown(sh("ip", "addr"))
        netlink.close()
    assert sorted(ours) == sorted(theirs)
    assert "inet 10.0.0.104 peer 10.7.0.1/32 scope host eth0" in ours
    assert after == before
