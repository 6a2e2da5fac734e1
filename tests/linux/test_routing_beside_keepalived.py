"""Routes, rules and static addresses in the kernel: the same as keepalived puts there, and none of them afterwards."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from linux.lan import VRRP
from linux.namespaces import ENVIRONMENT, alone, sh

pytestmark = [pytest.mark.root, pytest.mark.program("ip", "keepalived")]

LINES = """\
static_ipaddress {
 10.9.0.1/24 dev eth1
 10.9.1.1/24 brd + dev eth1 label eth1:s
 2001:db8:9::1/64 dev eth1
 10.0.3.1/24
}
static_routes {
 10.50.0.0/16 via 10.0.0.2 dev eth0
 10.51.0.0/16 via 10.9.0.2 dev eth1 no_track protocol static
}
static_rules {
 from 10.50.0.0/16 table 50 priority 500
 from 10.51.0.0/16 iif eth0 table 50 priority 501 no_track
}
vrrp_instance VI_1 {
 interface eth0
 virtual_router_id 51
 version 3
 priority 200
 advert_int 0.05
 virtual_ipaddress {
  10.0.0.100/24
 }
 virtual_ipaddress_excluded {
  2001:db8::5/64
 }
 virtual_routes {
  10.60.0.0/16 via 10.0.0.2
  10.60.2.0/24 dev eth0 src 10.0.0.100 metric 7
  10.60.3.0/24 via 10.0.0.2 dev eth0 table 100 protocol static no_track
  10.60.4.0/24 dev eth0 scope link mtu 1400
  10.60.5.0/24 via 10.99.0.1 dev eth0 onlink
  10.60.6.0/24 nexthop via 10.0.0.2 dev eth0 weight 2 realms 3/4 nexthop via 10.9.0.3 onlink dev eth1 weight 256
  10.60.7.0/24 nexthop dev eth0 nexthop dev eth1
  blackhole 10.60.8.0/24
  unreachable 10.60.9.0/24 metric 3
  prohibit 10.60.10.0/24
  throw 10.60.11.0/24 table 0x64
  local 10.60.12.0/24 dev eth0 scope host
  anycast 10.60.13.1 dev eth0 scope link
  multicast 224.1.0.0/16 dev eth0
  local 10.60.14.0/24 dev eth0
  10.60.15.7/24 via 10.0.0.2 dev eth0
  10.60.16.0/24 via 10.0.0.2 or 10.0.0.3
  10.60.17.0/24 dev eth0 or 10.0.0.3
  10.60.18.0/24 or 10.0.0.3
  10.61.0.0/24 via 10.0.0.2 dev eth0 tos 0x10 advmss lock 1300 hoplimit 33 initcwnd 10 initrwnd 12 window 100
  10.61.1.0/24 via 10.0.0.2 dev eth0 reordering 4 ssthresh lock 6 quickack 1 cwnd lock 8 fastopen_no_cookie 1
  10.61.2.0/24 via 10.0.0.2 dev eth0 rtt 100ms rttvar 2s rto_min 300ms
  10.61.3.0/24 via 10.0.0.2 dev eth0 rtt 20000 rttvar lock 2000 rto_min 500
  10.61.4.0/24 via 10.0.0.2 dev eth0 rtt lock 1.5s rttvar 3 rto_min lock 1s
  10.61.5.0/24 via 10.0.0.2 dev eth0 mtu lock 1300 congctl lock reno features ecn
  10.61.6.0/24 via 10.0.0.2 dev eth0 realms 3/4
  10.61.7.0/24 via 10.0.0.2 dev eth0 realms cosmos/9 dsfield 16
  10.61.8.0/24 via 10.0.0.2 dev eth0 realms 7 table local
  10.61.9.0/24 via 10.0.0.2 dev eth0 encap ip id 5 dst 10.1.1.1 src 10.0.0.1 ttl 9 tos 3
  10.61.10.0/24 via 10.0.0.2 dev eth0 window lock 5
  10.61.11.0/24 via 10.0.0.2 dev eth0 protocol 99 no_track
  10.61.12.0/24 via 10.0.0.2 dev eth0 protocol boot
  10.61.13.0/24 via 10.0.0.2 dev eth0 scope site ttl-propagate disabled
  10.61.14.0/24 via 10.0.0.2 dev eth0 table unspec
  default via 10.0.0.2 metric 77
  all dev eth0 table 97
  2001:db8:60::/48 dev eth0
  2001:db8:61::/48 via 2001:db8::2 dev eth0 metric 55 pref high
  2001:db8:62::/48 via 2001:db8::2 src 2001:db8::5 mtu 1300
  2001:db8:63::/48 nexthop via 2001:db8::2 dev eth0 weight 2 nexthop via fe80::3 dev eth0
  2001:db8:64::/48 dev eth0 expires 500 pref low
  2001:db8:65::/48 from 2001:db8:77::/48 dev eth0
  blackhole 2001:db8:66::/48
  2001:db8:67::/48 dev eth0 encap ip6 id 7 dst 2001:db8::9 hoplimit 4 tc 8
  2001:db8:68::/48 dev eth0 table 77 dsfield 4
  default6 via 2001:db8::2
  default via fe80::7 dev eth0 metric 5
 }
 virtual_rules {
  from 10.60.0.0/16 table 100 priority 600
  to 10.61.0.0/16 lookup main priority 601 tos 0x10
  iif eth0 fwmark 5/0xff table 100 priority 602
  oif eth0 from 10.1.2.3/8 blackhole priority 603
  not from 10.2.0.0/16 table 300 priority 604
  from 10.3.0.0/16 goto 700 priority 605
  from all nop priority 700
  from 10.4.0.0/16 prohibit priority 606
  from 10.5.0.0/16 unreachable
  from 10.6.0.0/16 table 100 realms 3/4 priority 607
  from 10.7.0.0/16 table 100 suppress_prefixlength 16 priority 608
  from 10.8.0.0/16 table 100 suppress_ifgroup default priority 609
  from 10.9.0.0/16 ipproto tcp sport 10-20 dport 30-40 table 100 priority 610
  uidrange 5-10 table 100 priority 611 suppress_ifgroup 1
  from 10.11.0.0/16 table 100 protocol 4 no_track priority 612
  from 10.12.0.0/16 table 100 protocol 4 priority 613
  from 10.13.0.0/16 table 100 no_track priority 614
  l3mdev priority 615
  from all fwmark 0 table default priority 616 ipproto 17
  from 2001:db8::/32 table 100 priority 617
  inet6 x fwmark 7 table 100 priority 618 dsfield 4
 }
}
"""
SHOWN = ("ip -j -d route show table all", "ip -6 -j -d route show table all", "ip -j rule", "ip -6 -j rule")
ADDRESSES = "ip -j -d addr"
Kernel: TypeAlias = tuple[dict[str, list[str]], list[str]]
"""What each command of `SHOWN` shows, and the addresses."""


def wires() -> None:
    for number in (0, 1):
        ends = [f"02:00:00:00:00:{number}{side}" for side in (1, 2)]
        peer = ("peer", f"p{number}", "address", ends[1])
        sh("ip", "link", "add", f"eth{number}", "address", ends[0], "type", "veth", *peer)
        for name in ("eth", "p"):
            sh("ip", "link", "set", f"{name}{number}", "addrgenmode", "none")
            sh("ip", "link", "set", f"{name}{number}", "up")
    sh("ip", "addr", "add", "10.0.0.1/24", "dev", "eth0")
    sh("ip", "addr", "add", "2001:db8::1/64", "dev", "eth0")
    sh("ip", "rule", "add", "from", "10.1.0.0/16", "table", "9", "priority", "600")
    sh("ip", "route", "add", "10.60.0.0/16", "via", "10.0.0.9")


def shown() -> dict[str, list[str]]:
    """Routes and rules as `ip` has them; of those that end, not when."""
    found = {command: json.loads(sh(*command.split())) for command in SHOWN}
    for routes in found.values():
        for one in routes:
            one.pop("expires", None)
    return {command: sorted(map(json.dumps, lines)) for command, lines in found.items()}


def addresses() -> list[str]:
    return re.findall(r'"local":"([^"]*)","prefixlen":(\d+)', sh(*ADDRESSES.split()).replace(" ", ""))


def until(what: Callable[[], bool], log: Path) -> None:
    end = time.monotonic() + 20
    while not what():
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.05)


def what_it_puts_there(folder: Path, *words: object) -> tuple[Kernel, Kernel, Kernel]:
    """What the kernel has before a daemon runs, while it is master, and when it is gone."""
    log = folder / f"{words[0]}.log".replace("/", "_")
    with log.open("w") as file, alone():
        wires()
        time.sleep(0.5)  # until the kernel has all of its own
        before = shown(), addresses()
        command = list(map(str, words))
        process = subprocess.Popen(command, stdout=file, stderr=file, env=ENVIRONMENT, cwd=folder)
        try:
            until(lambda: '"priority":618' in sh("ip", "-6", "-j", "rule").replace(" ", ""), log)
            time.sleep(0.2)
            found = shown(), addresses()
        finally:
            process.terminate()
            process.wait(20)
        return before, found, (shown(), addresses())


def test_the_same_as_keepalived_puts_there(tmp_path: Path) -> None:
    file = tmp_path / "k.conf"
    file.write_text(LINES)
    pids = ("-p", tmp_path / "k.pid", "-r", tmp_path / "v.pid")
    theirs = what_it_puts_there(tmp_path, "keepalived", "-n", "-l", "-D", "-P", "-f", file, *pids)
    ours = what_it_puts_there(tmp_path, *VRRP, "run", "-f", file, "--state-dir", tmp_path / "state")
    for command in SHOWN:
        assert ours[1][0][command] == theirs[1][0][command]
    assert ours[1][1] == theirs[1][1]
    assert len(theirs[1][0][SHOWN[0]]) > 60
    assert ours[2] == ours[0]
