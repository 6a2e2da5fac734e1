"""FRR's vrrpd on a node of a LAN, with the zebra and the macvlans that it needs."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from linux.lan import Lan
from vrrp.wire.ethernet import virtual_mac

FOLDER = Path("/usr/lib/frr")
_STATE = re.compile(r"\[VRID (\d+)\] \[IPv[46]\] \w+ -> (\w+)$", re.MULTILINE)


@dataclass(frozen=True)
class FrrRouter:
    """A virtual router of FRR's on eth0."""

    vrid: int
    address: str
    priority: int
    interval_ms: int
    version: int = 3

    @property
    def device(self) -> str:
        """Its macvlan, on which the address stays whatever becomes of the process."""
        return f"vrrp-{self.vrid}"

    def lines(self) -> str:
        """Its part of vrrpd.conf."""
        family = "ipv6" if ":" in self.address else "ip"
        return f"""\
 vrrp {self.vrid} version {self.version}
 vrrp {self.vrid} priority {self.priority}
 vrrp {self.vrid} advertisement-interval {self.interval_ms}
 vrrp {self.vrid} {family} {self.address}
"""


@dataclass
class Frr:
    """The vrrpd of one node; its `folder` is one that its user may enter, with a path short enough for sockets."""

    net: Lan
    name: str
    folder: Path
    ready: bool = False

    def start(self, *routers: FrrRouter) -> None:
        """Start it, the first time with zebra and the macvlans."""
        if not self.ready:
            self._prepare(routers)
            self.ready = True
        file = self.folder / "vrrpd.conf"
        file.write_text("log stdout debugging\ndebug vrrp\ninterface eth0\n" + "".join(one.lines() for one in routers))
        self.net.program(self.name, *self._program("vrrpd", file))

    def _prepare(self, routers: Sequence[FrrRouter]) -> None:
        ip = self.net.ip
        for one in routers:
            width = 16 if ":" in one.address else 4
            mac = virtual_mac(one.vrid, width).hex(":")
            kind = ("type", "macvlan", "mode", "bridge")
            ip(self.name, "link", "add", one.device, "link", "eth0", "address", mac, *kind)
            ip(self.name, "link", "set", one.device, "addrgenmode", "random" if width == 16 else "none")
            address = f"{one.address}/{64 if width == 16 else 24}"
            ip(self.name, "addr", "add", address, "dev", one.device, *["nodad"] * (width == 16))
            ip(self.name, "link", "set", one.device, "up")
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
    def states(self) -> dict[int, str]:
        """The last state of each VRID that its log tells of."""
        return {int(vrid): state for vrid, state in _STATE.findall(self.net.log(self.name).read_text())}


@contextmanager
def frr(net: Lan, name: str) -> Iterator[Frr]:
    """FRR on this node, not started yet."""
    with tempfile.TemporaryDirectory(prefix="frr") as folder:
        shutil.chown(folder, "frr", "frr")
        yield Frr(net, name, Path(folder))
