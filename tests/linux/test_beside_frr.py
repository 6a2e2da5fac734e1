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

from linux.frr import FOLDER, Frr, FrrRouter, frr
from linux.lan import VRRP, Lan, lan
from vrrp.protocol.timers import master_down_ns, skew_ns

pytestmark = [
    pytest.mark.root,
    pytest.mark.program(str(FOLDER / "vrrpd"), str(FOLDER / "zebra"), "ip", "tcpdump", "nft"),
]

HIGH, LOW = 200, 100
EARLY_NS, LATE_NS = 12_000_000, 500_000_000
"""Beside the formula: FRR rounds down to centiseconds; a busy machine is late, and FRR over IPv6 by an interval."""
OURS, THEIRS = "a", "b"


@dataclass(frozen=True)
class Kind:
    """One way to speak VRRP with FRR: `vrid` and address are its own."""

    name: str
    vrid: int
    version: int = 3
    lines: str = ""
    ipv6: bool = False

    @property
    def interval_cs(self) -> int:
        """As short as both can have it."""
        return 10 if self.version == 3 else 100

    @property
    def address(self) -> str:
        """The virtual address."""
        return f"fe80::{self.vrid}" if self.ipv6 else f"10.0.0.{self.vrid}"

    @property
    def source(self) -> str:
        """The address that ours sends from; FRR's IPv6 address is made at random."""
        return "fe80::1" if self.ipv6 else "10.0.0.1"

    def conf(self, priority: int) -> str:
        """Its part of our file, or of keepalived's."""
        return f"""\
vrrp_instance {self.name} {{
 interface eth0
 virtual_router_id {self.vrid}
 version {self.version}
 priority {priority}
 advert_int {self.interval_cs / 100:g}
 {self.lines}
 virtual_ipaddress {{
  {self.address}/{64 if self.ipv6 else 24}
 }}
}}
"""

    def frr(self, priority: int) -> FrrRouter:
        """The same for FRR."""
        return FrrRouter(self.vrid, self.address, priority, 10 * self.interval_cs, self.version)


XMIT_BASE = Kind("v3-ipv4-vmac-xmit-base", 57, lines="use_vmac\n vmac_xmit_base")
KINDS = (
    Kind("v2", 51, 2),
    Kind("v3-ipv4", 52),
    Kind("v3-ipv6", 53, ipv6=True),
    Kind("v2-vmac", 54, 2, "use_vmac"),
    Kind("v3-ipv4-vmac", 55, lines="use_vmac"),
    Kind("v3-ipv6-vmac", 56, lines="use_vmac", ipv6=True),
    XMIT_BASE,
)
PASS = Kind("v2-pass", 58, 2, "authentication {\n auth_type PASS\n auth_pass s3cret\n }")


class Pair:
    """Our node and FRR's, and what they speak."""

    def __init__(self, net: Lan, other: Frr, *kinds: Kind) -> None:
        self.net = net
        self.other = other
        self.kinds = kinds

    def start(self, name: str, priority: int) -> None:
        """Start a node."""
        if name == OURS:
            self.net.vrrp(OURS, self.conf(priority))
        else:
            self.other.start(*(kind.frr(priority) for kind in self.kinds))

    def conf(self, priority: int) -> str:
        """Our file, or keepalived's."""
        return "".join(kind.conf(priority) for kind in self.kinds)

    def until_master(self, name: str) -> None:
        """Until this node alone advertises, for three intervals of each kind."""
        self.net.until(lambda: self._speakers() == {kind.name: {name} for kind in self.kinds}, 25)

    def _speakers(self) -> dict[str, set[str]]:
        now_ns = time.time_ns()
        seen = self.net.adverts()
        return {
            kind.name: {
                OURS if one.source == kind.source else THEIRS
                for one in seen
                if one.advertisement.vrid == kind.vrid
                and one.advertisement.priority
                and one.at_ns > now_ns - 3 * kind.interval_cs * 10_000_000
            }
            for kind in self.kinds
        }

    def both_masters(self) -> set[str]:
        """The kinds whose address ours, or keepalived, has while FRR is their master."""
        states = self.other.states
        return {
            kind.name
            for kind in self.kinds
            if self.net.holds(OURS, kind.address) and states.get(kind.vrid) == "Master"
        }

    def taken_over(self, old: int, new: int) -> None:
        """The last change of every kind was from a master of this priority to one of that, in time."""
        seen = self.net.adverts()
        for kind in self.kinds:
            own = [one for one in seen if one.advertisement.vrid == kind.vrid]
            place = max(number for number, one in enumerate(own) if one.source != own[-1].source)
            before, after = own[place : place + 2]
            assert (before.advertisement.priority, after.advertisement.priority) == (old, new), kind.name
            formula = skew_ns if old == 0 else master_down_ns
            late_ns = after.at_ns - before.at_ns - formula(new, kind.interval_cs, kind.version)
            assert -EARLY_NS <= late_ns <= LATE_NS, kind.name


@contextmanager
def pair(folder: Path, *kinds: Kind) -> Iterator[Pair]:
    """A LAN with two nodes, and FRR for the second."""
    with lan(folder, OURS, THEIRS) as net, frr(net, THEIRS) as other:
        yield Pair(net, other, *kinds)


@pytest.mark.parametrize("order", [(OURS, THEIRS), (THEIRS, OURS)], ids=["vrrp-over-frr", "frr-over-vrrp"])
def test_election_stop_preemption_crash_and_cable(order: tuple[str, str], tmp_path: Path) -> None:
    first, second = order
    with pair(tmp_path, *KINDS) as both:
        both.start(first, HIGH)
        both.start(second, LOW)
        both.until_master(first)

        assert both.net.stop(first) == 0
        both.until_master(second)
        both.taken_over(0, LOW)

        both.start(first, HIGH)
        both.until_master(first)
        both.net.crash(first)
        both.until_master(second)
        both.taken_over(HIGH, LOW)

        both.start(first, HIGH)
        both.until_master(first)
        both.net.plug(first, "down")
        both.until_master(second)
        # FRR does not watch its link, and stays master until it hears a better one.
        every = {kind.name for kind in KINDS}
        both.net.until(lambda: both.both_masters() == (every if first == THEIRS else set()))
        both.net.plug(first, "up")
        both.until_master(first)
        both.net.until(lambda: not both.both_masters())


def findings(both: Pair) -> str:
    """What `vrrp check` says of the files that the two run."""
    files = [both.net.folder / f"{OURS}.conf", both.other.folder / "vrrpd.conf"]
    return subprocess.run([*VRRP, "check", *files], capture_output=True, text=True, check=False).stdout


@pytest.mark.program("keepalived")
@pytest.mark.parametrize(
    ("kind", "engine", "rule"),
    [(PASS, "keepalived", "VRRP-E151"), (PASS, "vrrp", "VRRP-E151"), (XMIT_BASE, "keepalived", "VRRP-E152")],
    ids=lambda value: getattr(value, "name", value),
)
def test_a_split_brain_that_check_foretells(kind: Kind, engine: str, rule: str, tmp_path: Path) -> None:
    with pair(tmp_path, kind) as both:
        (both.net.vrrp if engine == "vrrp" else both.net.keepalived)(OURS, both.conf(LOW))
        both.start(THEIRS, HIGH)
        assert rule in findings(both)
        both.net.until(lambda: bool(both.both_masters()))
        time.sleep(2 * master_down_ns(LOW, kind.interval_cs, kind.version) / 1e9)
        assert both.both_masters()
