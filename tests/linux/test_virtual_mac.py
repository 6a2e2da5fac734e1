"""use_vmac and no_accept on this kernel, beside what the real keepalived makes of the same file."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from linux.lan import VRRP, Lan, lan
from linux.namespaces import ENVIRONMENT, sh

pytestmark = [pytest.mark.root, pytest.mark.program("ip", "tcpdump", "nft")]

CONF = """\
vrrp_instance V4 {
 interface eth0
 virtual_router_id 5
 version 3
 priority 200
 advert_int 0.1
 use_vmac
 LINES
 virtual_ipaddress {
  10.0.0.100/24
  10.0.0.101/24 dev eth0
 }
}
vrrp_instance V6 {
 interface eth0
 virtual_router_id 5
 priority 200
 advert_int 0.1
 use_vmac
 LINES
 virtual_ipaddress {
  fe80::100/64
  fd00::100/64
 }
}
vrrp_instance NAMED {
 interface eth0
 virtual_router_id 7
 version 3
 advert_int 0.1
 use_vmac other 02:00:00:00:00:77
 virtual_ipaddress {
  10.0.0.107/24
 }
}
"""
DEVICES = ("vrrp.5", "vrrp6.5", "other")
HELD = {"10.0.0.100/24", "10.0.0.101/24"}


def conf(lines: str = "") -> str:
    return CONF.replace("LINES", lines)


def settings(net: Lan, name: str) -> dict[str, str]:
    """All settings of all interfaces in a node's namespace."""
    told = sh(
        "ip", "netns", "exec", net.space(name), "sh", "-c", "cd /proc/sys/net; grep -rs . ipv4/conf ipv6/conf || true"
    )
    found = dict(line.split(":", 1) for line in told.splitlines())
    return {setting: value for setting, value in found.items() if not setting.endswith("/stable_secret")}


def devices(net: Lan, name: str) -> dict[str, object]:
    """What the kernel tells of each interface but eth0 and lo: its kind, mode, MAC, addresses and so on."""
    found: dict[str, object] = {}
    for one in json.loads(net.ip(name, "-j", "-d", "address")):
        if one["ifname"] not in {"lo", "eth0"}:
            info = one["linkinfo"]
            addresses = {(that["local"], that["prefixlen"], that["scope"]) for that in one["addr_info"]}
            # This node's own link-local address ends in its number.
            own = {that for that in addresses if that[0] in {"fe80::1", "fe80::2"}}
            told = one["address"], one["link"], one["flags"], info["info_kind"], info["info_data"]["mode"]
            found[one["ifname"]] = (*told, addresses - own, len(own))
    return found


def tables(net: Lan, name: str) -> str:
    return sh("ip", "netns", "exec", net.space(name), "nft", "list", "ruleset")


def reach(net: Lan, name: str, address: str) -> str:
    """What becomes of a TCP connection to a port where nobody listens, for a node."""
    program = (
        "import socket, sys\n"
        "try: socket.create_connection((sys.argv[1], 9), 1)\n"
        "except OSError as error: print(type(error).__name__)"
    )
    return sh("ip", "netns", "exec", net.space(name), sys.executable, "-c", program, address).strip()


def until_held(net: Lan, name: str, device: str = "vrrp.5") -> None:
    net.until(lambda: device in net.ip(name, "-br", "link") and net.addresses(name, device) >= HELD)


@pytest.mark.program("keepalived")
def test_the_same_devices_and_settings_as_keepalived_makes(tmp_path: Path) -> None:
    with lan(tmp_path, "a", "b") as net:
        for name in "ab":
            for where in ("all", "eth0", "default"):
                setting = f"/proc/sys/net/ipv4/conf/{where}/rp_filter"
                sh("ip", "netns", "exec", net.space(name), "sh", "-c", f"echo 1 > {setting}")
        before = settings(net, "b")
        net.plug("b", "down")  # each is master by itself
        net.keepalived("a", conf())
        until_held(net, "a")
        net.until(lambda: "10.0.0.107/24" in net.addresses("a", "other"))
        # Ours beyond keepalived's: what the kernel asks by ARP for the sake of a virtual address carries another one.
        theirs = devices(net, "a"), settings(net, "a") | {"ipv4/conf/eth0/arp_announce": "2"}
        net.stop("a")
        net.plug("a", "down")
        net.plug("b", "up")
        net.vrrp("b", conf())
        until_held(net, "b")
        net.until(lambda: "10.0.0.107/24" in net.addresses("b", "other"))
        assert devices(net, "b") == theirs[0]
        assert settings(net, "b").items() ^ theirs[1].items() == set()
        assert net.stop("b") == 0
        assert not devices(net, "b")
        assert settings(net, "b").items() ^ before.items() == set()
        assert not tables(net, "b")


def test_a_crash_leaves_what_the_next_run_takes_away(tmp_path: Path) -> None:
    with lan(tmp_path, "a", "b") as net:
        before = settings(net, "a")
        net.vrrp("a", conf("no_accept"))
        until_held(net, "a")
        net.crash("a")
        assert set(devices(net, "a")) == set(DEVICES)
        assert "table inet vrrp" in tables(net, "a")
        net.vrrp(
            "a", "vrrp_instance V {\n interface eth0\n virtual_router_id 9\n virtual_ipaddress {\n 10.0.0.9\n }\n}"
        )
        assert not devices(net, "a")
        assert not tables(net, "a")
        assert settings(net, "a").items() ^ before.items() == set()
        net.stop("a")


def test_a_crash_whose_notes_are_lost_is_no_hindrance(tmp_path: Path) -> None:
    with lan(tmp_path, "a", "b") as net:
        net.vrrp("a", conf())
        until_held(net, "a")
        net.crash("a")
        (tmp_path / "a.state" / "kernel").unlink()
        net.vrrp("a", conf())
        assert set(devices(net, "a")) == set(DEVICES)
        until_held(net, "a")
        assert net.stop("a") == 0
        assert not devices(net, "a")


def test_a_macvlan_that_somebody_removes_is_made_again(tmp_path: Path) -> None:
    with lan(tmp_path, "a", "b") as net:
        net.vrrp("a", conf())
        until_held(net, "a")
        net.ip("a", "link", "del", "vrrp.5")
        until_held(net, "a")
        net.until(lambda: reach(net, "b", "10.0.0.100") == "ConnectionRefusedError")


@pytest.mark.parametrize(
    ("lines", "what"),
    [("", "ConnectionRefusedError"), ("no_accept", "TimeoutError"), ("strict_mode on", "TimeoutError")],
)
def test_what_a_master_accepts_and_which_mac_answers(lines: str, what: str, tmp_path: Path) -> None:
    with lan(tmp_path, "a", "b") as net:
        net.vrrp("a", conf(lines))
        until_held(net, "a")
        net.until(lambda: any(one.startswith("fd00::100/") for one in net.addresses("a", "vrrp6.5")))
        net.ip("b", "addr", "add", "fd00::2/64", "dev", "eth0", "nodad")
        assert [reach(net, "b", address) for address in ("10.0.0.100", "fd00::100")] == [what, what]
        assert reach(net, "b", "10.0.0.1") == "ConnectionRefusedError"
        neighbors = {
            line.split()[0]: line.split()[4] for line in net.ip("b", "neigh").splitlines() if "lladdr" in line
        }
        assert neighbors["10.0.0.100"] == "00:00:5e:00:01:05"
        assert neighbors["fd00::100"] == "00:00:5e:00:02:05"
        assert neighbors["10.0.0.1"] == "02:00:00:00:00:01"


def test_a_switch_does_not_learn_the_virtual_mac_from_a_backup(tmp_path: Path) -> None:
    with lan(tmp_path, "a", "b") as net:
        net.vrrp("a", conf())
        until_held(net, "a")
        net.vrrp("b", conf().replace("priority 200", "priority 100"))
        net.until(lambda: set(devices(net, "b")) == set(DEVICES))
        net.until(lambda: "Startup complete" in net.log("b").read_text())
        learned = json.loads(sh("ip", "netns", "exec", net.space("lan"), "bridge", "-j", "fdb", "show", "br", "br0"))
        ports = {one["mac"]: one["ifname"] for one in learned if one["mac"].startswith("00:00:5e")}
        assert ports["00:00:5e:00:01:05"] == ports["00:00:5e:00:02:05"] == "pa"


def test_a_reload_moves_addresses_to_the_macvlan_and_back(tmp_path: Path) -> None:
    def run(text: str) -> None:
        (tmp_path / "a.conf").write_text(text)
        net.hang_up("a")

    plain, virtual = conf().replace(" use_vmac\n", ""), conf("no_accept")
    with lan(tmp_path, "a", "b") as net:
        net.vrrp("a", plain)
        net.until(lambda: net.addresses("a") >= HELD)
        assert reach(net, "b", "10.0.0.100") == "ConnectionRefusedError"
        run(virtual)
        until_held(net, "a")
        assert not net.addresses("a") & HELD
        assert reach(net, "b", "10.0.0.100") == "TimeoutError"
        net.until(lambda: "10.0.0.100 dev eth0 lladdr 00:00:5e:00:01:05" in net.ip("b", "neigh"))
        run(plain)
        net.until(lambda: net.addresses("a") >= HELD and set(devices(net, "a")) == {"other"})
        net.until(lambda: reach(net, "b", "10.0.0.100") == "ConnectionRefusedError")


def test_addresses_of_both_families_on_one_macvlan(tmp_path: Path) -> None:
    excluded = "virtual_ipaddress_excluded {\n  fd00::107/64\n }"
    with lan(tmp_path, "a", "b") as net:
        net.vrrp("a", conf().replace("use_vmac other 02:00:00:00:00:77", f"use_vmac other\n {excluded}"))
        net.until(lambda: net.addresses("a", "other") == {"10.0.0.107/24", "fd00::107/64"})


def test_a_base_that_comes_later_and_goes(tmp_path: Path) -> None:
    text = "global_defs {\n dynamic_interfaces\n}\n" + conf().replace("eth0", "eth1")
    with lan(tmp_path, "a", "b") as net:
        net.vrrp("a", text)
        assert not devices(net, "a")
        for _ in range(2):
            net.ip("a", "link", "add", "eth1", "type", "veth", "peer", "name", "peer1")
            net.ip("a", "link", "set", "peer1", "up")
            net.ip("a", "addr", "add", "10.0.0.11/24", "dev", "eth1")
            net.ip("a", "link", "set", "eth1", "up")
            until_held(net, "a")
            net.ip("a", "link", "del", "eth1")
            net.until(lambda: "vrrp.5" not in net.ip("a", "-br", "link"))


@pytest.mark.parametrize(
    ("lines", "path", "complaint"),
    [
        ("use_vmac lo", None, "interface lo is there already and is not what use_vmac would make"),
        ("no_accept", "/nonexistent", "no_accept and strict mode need a packet filter: there is no program nft"),
    ],
)
def test_what_prevents_it_is_told_in_one_line(lines: str, path: str | None, complaint: str, tmp_path: Path) -> None:
    text = CONF.partition("vrrp_instance V6")[0].replace("use_vmac", lines).replace("LINES", "")
    (tmp_path / "a.conf").write_text(text)
    environment = ENVIRONMENT | ({"PATH": path} if path is not None else {})
    words = [shutil.which("ip", path=ENVIRONMENT["PATH"]) or "ip", "netns", "exec"]
    with lan(tmp_path, "a", "b") as net:
        state = tmp_path / "a.state"
        words += [net.space("a"), *VRRP, "run", "-f", str(tmp_path / "a.conf"), "--state-dir", str(state)]
        done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment, timeout=30)
        assert done.returncode == 2
        assert done.stderr.splitlines()[-1].endswith(complaint)
        assert "Traceback" not in done.stderr
        assert not devices(net, "a")
