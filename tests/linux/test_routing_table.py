"""Routes and rules as they are asked for, of a kernel of our own that fails as it is told to."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyroute2.netlink.rtnl import RTM_NEWROUTE, RTM_NEWRULE

from linux.namespaces import alone, sh
from vrrp.config import KeepalivedConfig, parse
from vrrp.config.host import KnownHost
from vrrp.linux.configuration import read_configuration
from vrrp.linux.daemon import Daemon
from vrrp.linux.journal_file import JournalFile
from vrrp.linux.links import Link
from vrrp.linux.netlink import Netlink
from vrrp.linux.routing.table import STATIC, RoutingTable
from vrrp.linux.this_kernel import ThisKernel

PLACE = "vrrp here"
NAMES = {RTM_NEWROUTE: "+route", RTM_NEWROUTE + 1: "-route", RTM_NEWRULE: "+rule", RTM_NEWRULE + 1: "-rule"}


def config(routes: str = "", rules: str = "", static: str = "") -> KeepalivedConfig:
    return parse(
        f"static_routes {{\n{static}\n}}\nvrrp_instance V {{\n interface eth0\n virtual_router_id 51\n"
        f" virtual_routes {{\n{routes}\n}}\n virtual_rules {{\n{rules}\n}}\n"
        " virtual_ipaddress {\n10.0.0.100\n}\n}\n"
        "vrrp_instance W {\n interface eth0\n virtual_router_id 52\n virtual_ipaddress {\n10.0.0.101\n}\n"
        f" virtual_routes {{\n{routes}\n}}\n}}\n"
    ).config


class Kernel:
    """Has what it was given; `asked` says what it was asked. `fails` is what it says to everything."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.has: set[bytes] = set()
        self.fails: int = 0

    def ask(self, kind: int, message: bytes, flags: int = 0) -> None:
        self.asked.append(NAMES[kind])
        if self.fails:
            raise OSError(self.fails, os.strerror(self.fails))
        adds = NAMES[kind][0] == "+"
        if (message in self.has) == adds:
            number = errno.EEXIST if adds else errno.ESRCH
            raise OSError(number, os.strerror(number))
        (self.has.add if adds else self.has.discard)(message)


class Bench:
    def __init__(self, folder: Path) -> None:
        self.links = {"eth0": Link(2, "eth0", True), "eth1": Link(3, "eth1", True)}
        self.kernel = Kernel()
        self.folder = folder
        self.journal = JournalFile(folder / "kernel", place=PLACE)
        self.table = RoutingTable(self.kernel, self.links, self.journal)

    def done(self) -> list[str]:
        asked, self.kernel.asked = self.kernel.asked, []
        return asked

    def entries(self) -> int:
        """How many there are that a successor would find."""
        written = (self.folder / "kernel").read_text().splitlines()[1:]
        last = {line[2:]: line[0] for line in written}
        return list(last.values()).count("+")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.journal.close()


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


ROUTE = "10.1.0.0/16 dev eth0"


def test_put_and_taken_in_keepalived_s_order(bench: Bench) -> None:
    bench.table.describe(config(ROUTE, "from 10.1.0.0/16 table 5 priority 7"))
    assert bench.table.watched
    bench.table.put("V")
    bench.table.put("V")
    assert bench.done() == ["+route", "+rule"]
    assert bench.entries() == 2
    bench.table.take("V")
    bench.table.take("V")
    assert bench.done() == ["-rule", "-route"]
    assert bench.entries() == 0


def test_what_two_masters_have_stays_until_both_are_none(bench: Bench) -> None:
    bench.table.describe(config(ROUTE))
    for name in ("V", "W"):
        bench.table.put(name)
    assert bench.done() == ["+route", "+route"]
    bench.table.take("V")
    assert bench.done() == []
    bench.table.close()
    assert bench.done() == ["-route"]
    assert bench.entries() == 0


def test_what_is_there_already_stays_when_we_go(bench: Bench) -> None:
    bench.table.describe(config(ROUTE))
    bench.kernel.fails = errno.EEXIST
    bench.table.put("V")
    bench.kernel.fails = 0
    bench.table.take("V")
    assert bench.done() == ["+route"]
    assert bench.entries() == 0


def test_what_cannot_be_is_told_once(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.table.describe(config(ROUTE, static="10.2.0.0/16 dev eth1"))
    bench.kernel.fails = errno.EINVAL
    for owner in ("V", STATIC):
        bench.table.put(owner)
    bench.table.restore()
    assert said(caplog) == [
        f"(V) cannot add route {ROUTE}: invalid argument",
        "cannot add static route 10.2.0.0/16 dev eth1: invalid argument",
    ]
    assert bench.entries() == 0
    bench.kernel.fails = 0
    bench.table.restore()
    assert len(bench.kernel.has) == 2
    bench.kernel.fails = errno.EPERM
    bench.table.close()
    assert said(caplog)[2:] == [
        f"(V) cannot remove route {ROUTE}: operation not permitted",
        "cannot remove static route 10.2.0.0/16 dev eth1: operation not permitted",
    ]
    assert bench.entries() == 2


def test_an_interface_that_is_not_there_yet_or_another_now(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    link = bench.links.pop("eth0")
    bench.table.describe(config(ROUTE))
    bench.table.put("V")
    bench.table.link_changed("eth0")
    assert bench.done() == []
    bench.links["eth0"] = link
    bench.table.link_changed("eth0")
    assert bench.done() == ["+route", "+route"]  # is it still there
    bench.table.link_changed("eth0")
    assert bench.done() == []
    bench.links["eth0"] = Link(9, "eth0", False)
    bench.table.link_changed("eth0")
    bench.table.restore()  # not by one that is down
    assert bench.done() == ["-route", "+route"]
    bench.kernel.has.clear()
    bench.table.restore()
    assert bench.done() == []
    bench.links["eth0"].up = True
    bench.table.link_changed("eth0")
    assert said(caplog) == [f"(V) Restoring deleted route {ROUTE}"]


def test_another_configuration_changes_what_changed(bench: Bench) -> None:
    bench.table.describe(config(f"{ROUTE}\n10.2.0.0/16 dev eth0"))
    bench.table.put("V")
    bench.done()
    bench.table.describe(config(f"\n\n10.3.0.0/16 dev eth0\n{ROUTE}"))
    assert bench.done() == ["-route", "+route"]
    bench.table.describe(parse("").config)
    assert bench.done() == ["-route", "-route"]


def test_what_an_earlier_run_left_is_swept_away(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.table.describe(config(f"{ROUTE}\n10.2.0.0/16 dev eth1 protocol boot no_track"))
    bench.table.put("V")
    for entry in ("address eth0 10.0.0.1/24", "route xyz", "rule 0200"):
        bench.journal.add(entry)
    journal = JournalFile(bench.folder / "kernel", place=PLACE)
    after = RoutingTable(bench.kernel, bench.links, journal)
    after.describe(config("10.2.0.0/16 dev eth1 protocol boot no_track"))
    bench.done()
    after.sweep()
    assert bench.done() == ["-route", "-route", "-rule"]
    assert bench.kernel.has == set()
    assert said(caplog) == [
        "removing the route which is described no more: an earlier run left it",
        "removing the route 10.2.0.0/16 dev eth1 protocol boot no_track: an earlier run left it",
    ]
    bench.kernel.fails = errno.EINVAL
    after.sweep()  # of what it does not know the kernel cannot have any
    journal.close()


@pytest.mark.root
@pytest.mark.program("ip")
def test_what_is_taken_away_returns_even_when_the_news_of_it_was_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "k.conf"
    file.write_text(
        "static_routes {\n10.2.0.0/16 dev eth0\n}\nvrrp_instance V {\ninterface eth0\nvirtual_router_id 5\nversion 3\n"
        "advert_int 0.05\nvirtual_ipaddress {\n10.0.0.100/24\n}\nvirtual_routes {\n10.3.0.0/16 dev eth0\n}\n}\n"
    )
    lost: list[int] = []

    def lose(netlink: Netlink) -> set[int]:
        lost.extend(found := heard(netlink))
        if found & {RTM_NEWROUTE + 1}:
            raise OSError(errno.ENOBUFS, "no buffer space")
        return found

    heard = Netlink.kinds
    monkeypatch.setattr(Netlink, "kinds", lose)

    async def until(network: str) -> None:
        async with asyncio.timeout(10):
            while network not in sh("ip", "route"):
                await asyncio.sleep(0.01)

    async def run() -> None:
        daemon = Daemon(lambda: read_configuration(file, KnownHost(frozenset({"eth0"}))), ThisKernel(tmp_path))
        running = asyncio.create_task(daemon.run())
        for network in ("10.2.0.0/16", "10.3.0.0/16"):
            await until(network)
            sh("ip", "route", "del", network)
            await until(network)
        sh("ip", "route", "del", "10.2.0.0/16")
        await asyncio.sleep(0.001)
        daemon.stop()
        await running

    with alone():
        sh("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "p0")
        for name in ("eth0", "p0"):
            sh("ip", "link", "set", name, "up")
        sh("ip", "addr", "add", "10.0.0.1/24", "dev", "eth0")
        asyncio.run(run())
        assert "keepalived" not in sh("ip", "route")
    assert RTM_NEWROUTE + 1 in lost
