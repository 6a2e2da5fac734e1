"""FRR's vrrpd on a node of a LAN, with the zebra and the macvlans that it needs."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from linux.lan import Lan
from vrrp.wire.ethernet import virtual_mac

FOLDER = Path("/usr/lib/frr")
_STATE = re.compile(r"\[VRID \d+\] \[IPv[46]\] \w+ -> (\w+)$", re.MULTILINE)


@dataclass
class Frr:
    """The vrrpd of one node; its `folder` is one that its user may enter, with a path short enough for sockets."""

    net: Lan
    name: str
    folder: Path
    ready: bool = False

    def start(self, vrid: int, address: str, *, priority: int, interval_ms: int, version: int = 3) -> None:
        """Start it, the first time with its macvlan, on which the address stays whatever becomes of the process."""
        if not self.ready:
            self._prepare(vrid, address)
            self.ready = True
        family = "ipv6" if ":" in address else "ip"
        file = self.folder / "vrrpd.conf"
        file.write_text(
            f"""\
log stdout debugging
debug vrrp
interface eth0
 vrrp {vrid} version {version}
 vrrp {vrid} priority {priority}
 vrrp {vrid} advertisement-interval {interval_ms}
 vrrp {vrid} {family} {address}
"""
        )
        self.net.program(self.name, *self._program("vrrpd", file))

    def _prepare(self, vrid: int, address: str) -> None:
        device = f"vrrp-{vrid}"
        width = 16 if ":" in address else 4
        mac = virtual_mac(vrid, width).hex(":")
        ip = self.net.ip
        ip(self.name, "link", "add", device, "link", "eth0", "address", mac, "type", "macvlan", "mode", "bridge")
        ip(self.name, "link", "set", device, "addrgenmode", "random" if width == 16 else "none")
        ip(
            self.name,
            "addr",
            "add",
            f"{address}/{64 if width == 16 else 24}",
            "dev",
            device,
            *["nodad"] * (width == 16),
        )
        ip(self.name, "link", "set", device, "up")
        file = self.folder / "zebra.conf"
        file.write_text("log stdout informational\n")
        self.net.program(self.name, *self._program("zebra", file))
        self.net.until((self.folder / "zserv").exists)

    def _program(self, program: str, file: Path) -> list[str]:
        return [
            str(FOLDER / program),
            *("-f", str(file), "-i", str(self.folder / f"{program}.pid")),
            *("-z", str(self.folder / "zserv")),
            *("--vty_socket", str(self.folder)),
            *("-A", "127.0.0.1", "-P", "0"),
        ]

    @property
    def state(self) -> str:
        """The last state that its log tells of; Initialize before."""
        found = _STATE.findall(self.net.log(self.name).read_text())
        return found[-1] if found else "Initialize"


@contextmanager
def frr(net: Lan, name: str) -> Iterator[Frr]:
    """FRR on this node, not started yet."""
    with tempfile.TemporaryDirectory(prefix="frr") as folder:
        shutil.chown(folder, "frr", "frr")
        yield Frr(net, name, Path(folder))
