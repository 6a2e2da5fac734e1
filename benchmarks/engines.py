"""The two programs that run the same keepalived.conf: our daemon, and keepalived."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Protocol

from benchmarks.lan import Lan, wait_until

PRIORITY = 100
"""Of both nodes: there is one formula for whichever takes over, and no preemption when the other comes back."""
_VRRP = (sys.executable, "-c", "from vrrp.cli.main import main; main()")


@dataclass(frozen=True, slots=True)
class Setting:
    """So many virtual routers, all alike."""

    version: int
    interval_cs: int
    count: int = 1

    def __str__(self) -> str:
        many = f"{self.count} virtual routers" if self.count > 1 else "1 virtual router"
        return f"{many}, version {self.version}, every {self.interval_cs / 100:g} s"

    @property
    def interval_ns(self) -> int:
        """Of the advertisements."""
        return self.interval_cs * 10_000_000

    def conf(self) -> str:
        """The file, the same for both nodes."""
        return "".join(
            f"vrrp_instance VI_{vrid} {{\n interface eth0\n virtual_router_id {vrid}\n version {self.version}\n"
            f" priority {PRIORITY}\n advert_int {self.interval_cs / 100:g}\n"
            f" virtual_ipaddress {{\n  10.0.1.{vrid}/32\n }}\n}}\n"
            for vrid in range(1, self.count + 1)
        )


class Engine(Protocol):
    """Starts one of the programs on a node of a LAN."""

    name: str

    def start(self, net: Lan, node: str, setting: Setting) -> None:
        """Start it, and wait until it runs."""


class OurDaemon(Engine):
    """`vrrp run`."""

    name = "vrrp run"

    def start(self, net: Lan, node: str, setting: Setting) -> None:
        """It says when it has started."""
        conf, log = net.folder / f"{node}.conf", net.log(node)
        conf.write_text(setting.conf(), encoding="ascii")
        said = log.stat().st_size if log.exists() else 0
        net.start(node, [*_VRRP, "run", "-f", conf, "--state-dir", net.folder / f"{node}.state"])
        wait_until(
            lambda: b"Startup complete" in log.read_bytes()[said:], f"vrrp run does not start: {net.last_words(node)}"
        )


class Keepalived(Engine):
    """keepalived's VRRP process, and its parent."""

    name = "keepalived"

    def start(self, net: Lan, node: str, setting: Setting) -> None:
        """It runs when its child does."""
        conf = net.folder / f"{node}.conf"
        conf.write_text(setting.conf(), encoding="ascii")
        pids = [net.folder / f"{node}.pid", net.folder / f"{node}.vrrp.pid"]
        for pid in pids:
            pid.unlink(missing_ok=True)  # a crashed one's, which would be believed
        net.start(node, ["keepalived", "-n", "-l", "-P", "-f", conf, "-p", pids[0], "-r", pids[1]])
        wait_until(pids[1].exists, f"keepalived does not start: {net.last_words(node)}")


ENGINES: tuple[Engine, ...] = (OurDaemon(), Keepalived())
