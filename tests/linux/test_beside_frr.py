"""Our daemon and FRR's vrrpd on one LAN: who is master, and when the other takes over; and what cannot go well.

What is expected of FRR is what 8.4.4 was measured to do: it rounds its skew to centiseconds, does not watch its link,
and over IPv6 leaves out the first advertisement of a new master.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from linux.frr import FOLDER, Frr, frr
from linux.lan import VRRP, Lan, Seen, lan
from vrrp.protocol.timers import master_down_ns, skew_ns

pytestmark = [
    pytest.mark.root,
    pytest.mark.program(str(FOLDER / "vrrpd"), str(FOLDER / "zebra"), "ip", "tcpdump", "nft"),
]

VRID = 5
HIGH, LOW = 200, 100
EARLY_NS, LATE_NS = 12_000_000, 500_000_000
"""Beside the formula: FRR rounds down to centiseconds; a busy machine is late, and FRR over IPv6 by an interval."""


@dataclass(frozen=True)
class Kind:
    """One way to speak VRRP with FRR."""

    name: str
    version: int = 3
    lines: str = ""
    address: str = "10.0.0.100"

    @property
    def interval_cs(self) -> int:
        """As short as both can have it."""
        return 10 if self.version == 3 else 100

    def conf(self, priority: int) -> str:
        """Our file, or keepalived's."""
        return f"""\
vrrp_instance VI_1 {{
 interface eth0
 virtual_router_id {VRID}
 version {self.version}
 priority {priority}
 advert_int {self.interval_cs / 100:g}
 {self.lines}
 virtual_ipaddress {{
  {self.address}/{64 if ":" in self.address else 24}
 }}
}}
"""

    def start_frr(self, one: Frr, priority: int) -> None:
        """The same for FRR."""
        one.start(VRID, self.address, priority=priority, interval_ms=10 * self.interval_cs, version=self.version)


IPV6 = "fe80::100"
KINDS = (
    Kind("v2", 2),
    Kind("v3-ipv4"),
    Kind("v3-ipv6", address=IPV6),
    Kind("v2-vmac", 2, "use_vmac"),
    Kind("v3-ipv4-vmac", lines="use_vmac"),
    Kind("v3-ipv6-vmac", address=IPV6, lines="use_vmac"),
    Kind("v3-ipv4-vmac-xmit-base", lines="use_vmac\n vmac_xmit_base"),
)
BY_NAME = {kind.name: kind for kind in KINDS}
OURS, THEIRS = "a", "b"


@contextmanager
def pair(folder: Path) -> Iterator[tuple[Lan, Frr]]:
    """A LAN with two nodes, and FRR for the second."""
    with lan(folder, OURS, THEIRS) as net, frr(net, THEIRS) as other:
        yield net, other


def source(kind: Kind, name: str) -> str:
    """The address that a node sends from; FRR's IPv6 address is made at random."""
    number = (OURS, THEIRS).index(name) + 1
    return f"fe80::{number}" if kind.address == IPV6 else f"10.0.0.{number}"


def speakers(net: Lan, kind: Kind, since_ns: int) -> set[str]:
    """The nodes that have advertised as masters since a time."""
    ours = source(kind, OURS)
    return {
        OURS if one.source == ours else THEIRS
        for one in net.adverts()
        if one.at_ns > since_ns and one.advertisement.priority
    }


def until_master(net: Lan, kind: Kind, name: str) -> None:
    """Until this node alone advertises, for three intervals."""
    quiet_s = 3 * kind.interval_cs / 100
    net.until(lambda: speakers(net, kind, time.time_ns() - round(quiet_s * 1e9)) == {name})


def both_masters(net: Lan, other: Frr, kind: Kind) -> bool:
    """Whether ours, or keepalived, has the address while FRR is master."""
    device = "vrrp.5" if "use_vmac" in kind.lines else "eth0"
    there = device in net.ip(OURS, "-br", "link")
    return there and f"{kind.address}/24" in net.addresses(OURS, device) and other.state == "Master"


def takeover(kind: Kind, seen: list[Seen]) -> tuple[Seen, Seen]:
    """The last advertisement before the last change of master, and the first after it."""
    last = seen[-1].source
    place = max(number for number, one in enumerate(seen) if one.source != last)
    return seen[place], seen[place + 1]


def near(measured_ns: int, formula_ns: int) -> bool:
    return formula_ns - EARLY_NS <= measured_ns <= formula_ns + LATE_NS


def start(net: Lan, other: Frr, kind: Kind, name: str, priority: int) -> None:
    if name == OURS:
        net.vrrp(OURS, kind.conf(priority))
    else:
        kind.start_frr(other, priority)


@pytest.mark.parametrize("order", [(OURS, THEIRS), (THEIRS, OURS)], ids=["vrrp-over-frr", "frr-over-vrrp"])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_election_stop_preemption_and_crash(kind: Kind, order: tuple[str, str], tmp_path: Path) -> None:
    first, second = order
    with pair(tmp_path) as (net, other):
        start(net, other, kind, first, HIGH)
        start(net, other, kind, second, LOW)
        until_master(net, kind, first)

        assert net.stop(first) == 0
        until_master(net, kind, second)
        before, after = takeover(kind, net.adverts())
        assert (before.advertisement.priority, after.advertisement.priority) == (0, LOW)
        assert near(after.at_ns - before.at_ns, skew_ns(LOW, kind.interval_cs, kind.version))

        start(net, other, kind, first, HIGH)
        until_master(net, kind, first)
        net.crash(first)
        until_master(net, kind, second)
        before, after = takeover(kind, net.adverts())
        assert (before.advertisement.priority, after.advertisement.priority) == (HIGH, LOW)
        assert near(after.at_ns - before.at_ns, master_down_ns(LOW, kind.interval_cs, kind.version))


@pytest.mark.parametrize("kind", [BY_NAME["v3-ipv4"], BY_NAME["v3-ipv4-vmac"]], ids=lambda kind: kind.name)
def test_frrs_cable_is_pulled_and_it_stays_master_until_it_hears_a_better_one(kind: Kind, tmp_path: Path) -> None:
    with pair(tmp_path) as (net, other):
        start(net, other, kind, THEIRS, HIGH)
        start(net, other, kind, OURS, LOW)
        until_master(net, kind, THEIRS)
        net.plug(THEIRS, "down")
        until_master(net, kind, OURS)
        assert both_masters(net, other, kind)
        net.plug(THEIRS, "up")
        until_master(net, kind, THEIRS)
        net.until(lambda: not both_masters(net, other, kind))


@pytest.mark.parametrize("kind", [BY_NAME["v3-ipv4"], BY_NAME["v3-ipv4-vmac"]], ids=lambda kind: kind.name)
def test_our_cable_is_pulled_and_put_back(kind: Kind, tmp_path: Path) -> None:
    with pair(tmp_path) as (net, other):
        start(net, other, kind, OURS, HIGH)
        start(net, other, kind, THEIRS, LOW)
        until_master(net, kind, OURS)
        net.plug(OURS, "down")
        until_master(net, kind, THEIRS)
        net.until(lambda: not both_masters(net, other, kind))
        net.plug(OURS, "up")
        until_master(net, kind, OURS)
        net.until(lambda: other.state == "Backup")


def findings(net: Lan, other: Frr) -> str:
    """What `vrrp check` says of the files that the two run."""
    files = [net.folder / f"{OURS}.conf", other.folder / "vrrpd.conf"]
    return subprocess.run([*VRRP, "check", *files], capture_output=True, text=True, check=False).stdout


PASS = Kind("v2-pass", 2, "authentication {\n auth_type PASS\n auth_pass s3cret\n }")


@pytest.mark.program("keepalived")
@pytest.mark.parametrize(
    ("kind", "engine", "rule"),
    [
        (PASS, "keepalived", "VRRP-E151"),
        (PASS, "vrrp", "VRRP-E151"),
        (BY_NAME["v3-ipv4-vmac-xmit-base"], "keepalived", "VRRP-E152"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_a_split_brain_that_check_foretells(kind: Kind, engine: str, rule: str, tmp_path: Path) -> None:
    with pair(tmp_path) as (net, other):
        (net.vrrp if engine == "vrrp" else net.keepalived)(OURS, kind.conf(LOW))
        start(net, other, kind, THEIRS, HIGH)
        assert rule in findings(net, other)
        net.until(lambda: both_masters(net, other, kind))
        time.sleep(2 * master_down_ns(LOW, kind.interval_cs, kind.version) / 1e9)
        assert both_masters(net, other, kind)
