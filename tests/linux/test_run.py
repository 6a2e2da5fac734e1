"""`vrrp run` on a machine (network namespace) of its own: what it does to it, and leaves behind."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from linux.lan import VRRP, Lan, lan
from linux.namespaces import sh

pytestmark = [pytest.mark.root, pytest.mark.program("ip", "tcpdump")]

VIP = "10.0.0.100/24"


def conf(*addresses: str, more: str = "", top: str = "", interface: str = "eth0") -> str:
    lines = "\n".join(f"  {one}" for one in addresses or (VIP,))
    return (
        f"{top}\nvrrp_instance VI_1 {{\n interface {interface}\n virtual_router_id 51\n version 3\n priority 200\n"
        f" advert_int 0.05\n {more}\n virtual_ipaddress {{\n{lines}\n }}\n}}\n"
    )


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Lan]:
    with lan(tmp_path, "a") as made:
        yield made


def told(net: Lan) -> str:
    return net.log("a").read_text()


def test_an_address_that_a_crash_left_is_gone_before_anything_else_happens(net: Lan) -> None:
    net.vrrp("a", conf(VIP, "10.0.0.101/24"))
    net.until_holder("10.0.0.101", "a")
    net.crash("a")
    assert {VIP, "10.0.0.101/24"} < net.addresses("a")
    net.vrrp("a", conf(VIP, more="advert_int 5"))
    assert net.addresses("a") == {"10.0.0.1/24", "fe80::1/64"}
    for address in ("10.0.0.100", "10.0.0.101"):
        assert f"removing {address} from eth0, where an earlier run left it" in told(net)
    assert net.stop("a") == 0
    assert list((net.folder / "a.state").iterdir()) == []


def test_what_keepalived_left_goes_as_well_but_not_what_an_owner_has(net: Lan) -> None:
    net.ip("a", "addr", "add", "10.0.0.100/32", "dev", "eth0")
    net.vrrp("a", conf())
    net.until(lambda: VIP in net.addresses("a"))
    assert "10.0.0.100/32" not in net.addresses("a")
    net.stop("a")
    owner = conf("10.0.0.1/24").replace("priority 200", "priority 255\n state MASTER")
    net.vrrp("a", owner)
    time.sleep(0.3)
    assert {one.source for one in net.adverts() if one.advertisement.priority == 255} == {"10.0.0.1"}
    assert net.stop("a") == 0
    assert net.addresses("a") == {"10.0.0.1/24", "fe80::1/64"}


def test_what_was_left_is_no_address_to_send_from_unless_there_is_no_other(net: Lan) -> None:
    net.ip("a", "addr", "add", "fe80::100/64", "dev", "eth0", "nodad")
    net.vrrp("a", conf("fe80::100/64"))
    net.until_holder("fe80::100", "a")
    net.stop("a")
    assert {one.source for one in net.adverts()} == {"fe80::1"}
    net.ip("a", "addr", "flush", "dev", "eth0")
    net.ip("a", "addr", "add", VIP, "dev", "eth0")
    net.vrrp("a", conf())
    time.sleep(0.5)
    assert {one.source for one in net.adverts()} == {"fe80::1", "10.0.0.100"}
    assert net.stop("a") == 0
    assert net.addresses("a") == {VIP}


FLOOD = """
import socket, time
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
out.bind(("br0", 0))
head = bytes.fromhex("01005e000012" "020000000099" "0800" "45c0002000000000ff7000000a000063e0000012")
total = sum(int.from_bytes(head[n:n + 2], "big") for n in range(14, 34, 2)) % 0xFFFF
head = head[:24] + (0xFFFF - total).to_bytes(2, "big") + head[26:]
frames = [head + bytes((version << 4 | 1, vrid, 50, 1, 0, 5, 7, 7, 10, 0, 0, 100))
          for version in (2, 3, 9) for vrid in (0, 51, 99)]
begun = time.monotonic()
for n in range(12_000):
    out.send(frames[n % len(frames)])
    while time.monotonic() < begun + n / 10_000:
        time.sleep(0.0005)
"""


def test_ten_thousand_bad_packets_a_second_do_not_keep_it_from_its_timers(net: Lan) -> None:
    net.vrrp("a", conf())
    net.until_holder("10.0.0.100", "a")
    begun = len(net.adverts())
    sh(*net.inside("lan"), sys.executable, "-c", FLOOD)
    time.sleep(0.2)
    status = sh(*net.inside("a"), *VRRP, "status", "--state-dir", net.folder / "a.state", "--json", "-")
    assert sum(json.loads(status)["daemon"]["strangers"].values()) > 4_000  # some may find no room
    ours = net.heard_from("02:00:00:00:00:01")[begun:]
    gaps = [(after - before) / 1e6 for before, after in pairwise(ours)]
    assert len(ours) > 15
    assert sorted(gaps)[len(gaps) // 2] < 60, gaps
    assert max(gaps) < 1_000, gaps  # of a machine that does much else
    assert net.stop("a") == 0


def test_a_reload_changes_what_changed_and_a_broken_one_nothing(net: Lan) -> None:
    process = net.vrrp("a", conf(VIP, "10.0.0.101/24"))
    net.until_holder("10.0.0.101", "a")
    (net.folder / "a.conf").write_text(conf("10.0.0.100/32", "10.0.0.102/24"))
    net.hang_up("a")
    net.until_holder("10.0.0.102", "a")
    assert net.addresses("a") == {"10.0.0.1/24", "10.0.0.100/32", "10.0.0.102/24", "fe80::1/64"}
    for broken, says in (
        (conf(interface="eth7"), "interface eth7 for vrrp_instance VI_1 doesn't exist"),
        (conf().replace(" virtual_router_id 51\n", ""), "the virtual router id must be set"),
        ("", "there is no vrrp_instance and no virtual_server in it"),
    ):
        (net.folder / "a.conf").write_text(broken)
        net.hang_up("a")
        net.until(lambda says=says: says in told(net))  # type: ignore[misc]  # mypy cannot type a default
    assert told(net).count("; the running configuration is kept") == 3
    assert process.poll() is None
    assert "10.0.0.102/24" in net.addresses("a")
    masters = [one.advertisement.priority for one in net.adverts()]
    assert set(masters) == {200}
    assert net.stop("a") == 0
    assert net.addresses("a") == {"10.0.0.1/24", "fe80::1/64"}


def test_an_interface_without_an_address_waits_for_one(net: Lan) -> None:
    net.ip("a", "addr", "del", "10.0.0.1/24", "dev", "eth0")
    net.vrrp("a", conf())
    assert told(net).count("eth0 has no address to send from") == 1
    time.sleep(0.5)
    assert not net.holds("a", "10.0.0.100")
    net.ip("a", "addr", "add", "10.0.0.7/24", "dev", "eth0")
    net.until_holder("10.0.0.100", "a")
    net.ip("a", "addr", "del", "10.0.0.7/24", "dev", "eth0")
    net.until(lambda: not net.holds("a", "10.0.0.100"))
    net.ip("a", "addr", "add", "10.0.0.8/24", "dev", "eth0")
    net.until_holder("10.0.0.100", "a")
    time.sleep(0.1)
    assert [one.source for one in net.adverts()][-1] == "10.0.0.8"
    assert {one.source for one in net.adverts()} == {"10.0.0.7", "10.0.0.8"}


def test_an_interface_that_comes_later_goes_and_comes_again(net: Lan) -> None:
    def plug() -> None:
        net.ip("a", "link", "add", "eth5", "type", "veth", "peer", "name", "peer5")
        net.ip("a", "link", "set", "peer5", "up")
        net.ip("a", "addr", "add", "10.5.0.1/24", "dev", "eth5")
        net.ip("a", "link", "set", "eth5", "up")

    net.vrrp("a", conf("10.5.0.100/24", interface="eth5", top="global_defs {\n dynamic_interfaces\n}"))
    for _ in range(2):
        plug()
        net.until(lambda: "10.5.0.100/24" in net.addresses("a", "eth5"))
        net.ip("a", "link", "del", "eth5")
    assert net.stop("a") == 0


def test_what_somebody_removes_is_put_back(net: Lan) -> None:
    net.vrrp("a", conf())
    net.until_holder("10.0.0.100", "a")
    net.ip("a", "addr", "del", VIP, "dev", "eth0")
    net.until_holder("10.0.0.100", "a")
    net.until(lambda: "(VI_1) somebody removed 10.0.0.100 from eth0: put back" in told(net))


def test_the_interface_of_an_address_is_followed_unless_it_says_no_track(net: Lan) -> None:
    net.ip("a", "link", "add", "eth5", "type", "veth", "peer", "name", "peer5")
    for name in ("eth5", "peer5"):
        net.ip("a", "link", "set", name, "up")
    net.vrrp("a", conf(VIP, "10.0.0.105/24 dev eth5"))
    net.until(lambda: "10.0.0.105/24" in net.addresses("a", "eth5"))
    net.ip("a", "link", "set", "peer5", "down")
    net.until(lambda: not net.holds("a", "10.0.0.100"))
    (net.folder / "a.conf").write_text(conf(VIP, "10.0.0.105/24 dev eth5 no_track"))
    net.hang_up("a")
    net.until_holder("10.0.0.100", "a")


def test_the_startup_delay_is_kept(net: Lan) -> None:
    net.vrrp("a", conf(top="global_defs {\n vrrp_startup_delay 1\n}"))
    begun = time.monotonic()
    net.until_holder("10.0.0.100", "a")
    assert 0.9 < time.monotonic() - begun < 8


def test_a_second_one_with_the_same_directory_is_refused(net: Lan) -> None:
    process = net.vrrp("a", conf())
    second = net.start("a", "run", "-f", net.folder / "a.conf", "--state-dir", net.folder / "a.state")
    assert second.wait(timeout=30) == 2
    assert told(net).splitlines()[-1] == (
        f"vrrp: {net.folder}/a.state/vrrp.pid: vrrp runs already, as process {process.pid}"
    )


def test_without_the_rights_it_says_which(net: Lan) -> None:
    (net.folder / "a.conf").write_text(conf())
    net.start("a", "run", "-f", net.folder / "a.conf", under=("setpriv", "--bounding-set", "-net_raw,-net_admin"))
    net.until(lambda: "vrrp run needs root, or the capabilities CAP_NET_ADMIN and CAP_NET_RAW" in told(net))


def test_what_it_would_do(net: Lan) -> None:
    file = net.folder / "a.conf"
    file.write_text(conf(VIP, "10.0.0.105/24 dev lo", more="auth_pas x"))
    shown = net.start("a", "run", "--check", "-f", file)
    assert shown.wait(timeout=30) == 0
    assert told(net).splitlines() == [
        "VI_1: VRID 51 version 3 priority 200 on eth0, from 10.0.0.1 to 224.0.0.18 every 50ms;"
        " takes over after 0.160938 s of silence",
        "VI_1: as master, 10.0.0.100/24 on eth0",
        "VI_1: as master, 10.0.0.105/24 on lo",
        f"{file}:8: warning: Unknown keyword 'auth_pas'; keepalived ignores the line",
    ]
