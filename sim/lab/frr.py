"""FRR's vrrpd as an engine: zebra beside it, and a macvlan with the virtual MAC and the addresses for each VRID.

What vrrpd 8.4 knows of a keepalived.conf it is given; what it does not, is left out and said.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sim.lab.engine import Engine, Entered, Program, Said
from sim.lab.site import FRR_FOLDER
from vrrp.config.model import KeepalivedConfig, VrrpInstance
from vrrp.whole_file import write_text
from vrrp.wire.address import text
from vrrp.wire.ethernet import virtual_mac

FOLDER = Path("/usr/lib/frr")
_USER = "frr"
_HIGHEST_PRIORITY = 254
_SAID = re.compile(r"\[VRID (?P<vrid>\d+)\] \[IPv(?P<family>[46])\] \w+ -> (?P<state>Initialize|Backup|Master)$")
_UNABLE: Mapping[str, str] = {
    "authentication": "authentication",
    "unicast_peers": "unicast peers",
    "track_scripts": "tracked scripts",
    "track_interfaces": "tracked interfaces",
    "track_files": "tracked files",
    "track_processes": "tracked processes",
    "track_bfd": "BFD sessions",
    "excluded_addresses": "excluded addresses",
    "preempt_delay_ns": "preempt_delay",
}
"""What vrrpd has nothing for: by the field of an instance, how a line calls it."""


class Frr(Engine):
    """zebra and vrrpd, in the pathspace that is named after the namespace."""

    name = "frr"
    profile = "frr"
    needs = (str(FOLDER / "zebra"), str(FOLDER / "vrrpd"))
    cannot: Mapping[str, str] = {
        "reload": "vrrpd reads its file once",
        "crash-parent": "vrrpd is one process; crash kills it",
        "crash-child": "vrrpd is one process; crash kills it",
        "script-fail": "vrrpd has no check scripts",
        "script-pass": "vrrpd has no check scripts",
        "script-hang": "vrrpd has no check scripts",
        "file-set": "vrrpd follows no files",
        "process-die": "vrrpd follows no processes",
        "process-start": "vrrpd follows no processes",
    }
    settings: Mapping[str, int] = {
        # As FRR's manual asks: an address on a macvlan is answered for by that device alone.
        "net.ipv4.conf.all.arp_ignore": 1,
        "net.ipv4.conf.all.arp_announce": 2,
        "net.ipv4.conf.all.rp_filter": 2,
        "net.ipv4.conf.default.rp_filter": 2,
    }

    def __init__(self, node: str, label: str, folder: Path) -> None:
        super().__init__(node, label, folder)
        self._instances: dict[tuple[int, int], str] = {}

    def able(self, config: KeepalivedConfig) -> tuple[KeepalivedConfig, list[str]]:
        """VRID, version, priority, interval, preemption and addresses."""
        notes: list[str] = []
        instances = tuple(self._able(one, notes) for one in config.instances)
        if config.sync_groups:
            notes.append(f"{self.node}: frr knows no sync groups; it runs without")
        without = replace(config, scripts={}, sync_groups=(), track_files={}, track_processes={}, link_delays=())
        return replace(without, instances=instances), notes

    def _able(self, one: VrrpInstance, notes: list[str]) -> VrrpInstance:
        where = f"{self.node}: ({one.name}) frr"
        without = [phrase for field, phrase in _UNABLE.items() if getattr(one, field)]
        if without:
            notes.append(f"{where} knows no {', no '.join(without)}; it runs without")
        if one.priority > _HIGHEST_PRIORITY:
            notes.append(f"{where} has priorities up to {_HIGHEST_PRIORITY}; it runs with that, not {one.priority}")
        return replace(
            one,
            authentication=None,
            unicast_peers=(),
            track_scripts=(),
            track_interfaces=(),
            track_files=(),
            track_processes=(),
            track_bfd=(),
            excluded_addresses=(),
            preempt_delay_ns=0,
            priority=min(one.priority, _HIGHEST_PRIORITY),
            initial_state="BACKUP",
            use_vmac=False,
        )

    def note(self, config: KeepalivedConfig) -> None:
        """Remember whose VRIDs the log will speak of."""
        self._instances = {(one.vrid, one.addresses[0].address.version): one.name for one in config.instances}

    def configure(self, config: KeepalivedConfig) -> None:
        """Write zebra's and vrrpd's files, and their folder of sockets."""
        self.note(config)
        lines = ["log stdout debugging", "debug vrrp"]
        for one in config.instances:
            begin = f" vrrp {one.vrid}"
            lines += [
                f"interface {one.interface}",
                f"{begin} version {one.version}",
                f"{begin} priority {one.priority}",
                f"{begin} advertisement-interval {one.interval_cs * 10}",
                f"{' no' if not one.preempt else ''}{begin} preempt",
            ]
            lines += [f"{begin} ip{'v6' if v.address.version == 6 else ''} {v.address}" for v in one.addresses]
        write_text(self.folder / "vrrpd.conf", "\n".join(lines) + "\n")
        write_text(self.folder / "zebra.conf", "log stdout informational\n")
        sockets = FRR_FOLDER / self.label
        sockets.mkdir(parents=True, exist_ok=True)
        for path in (sockets, self.folder, self.folder / "vrrpd.conf", self.folder / "zebra.conf"):
            shutil.chown(path, _USER, _USER)

    def devices(self, config: KeepalivedConfig) -> list[str]:
        """The macvlans: vrrpd finds each by its MAC and the device below it."""
        commands = []
        for one in config.instances:
            version = one.addresses[0].address.version
            name = f"vrrp{version}-{one.vrid}"
            mac = ":".join(f"{byte:02x}" for byte in virtual_mac(one.vrid, 4 if version == 4 else 16))
            commands += [
                f"link add {name} link {one.interface} address {mac} type macvlan mode bridge",
                f"link set {name} addrgenmode {'random' if version == 6 else 'none'}",
            ]
            for virtual in one.addresses:
                nodad = " nodad" if version == 6 else ""
                commands.append(f"address add {text(virtual.address.packed)}/{virtual.prefix} dev {name}{nodad}")
            commands.append(f"link set {name} up")
        return commands

    def programs(self) -> Sequence[Program]:
        """Zebra first: vrrpd learns of interfaces from it."""
        zebra, vrrpd = (
            (str(FOLDER / name), "-N", self.label, "-f", str(self.folder / f"{name}.conf"))
            for name in ("zebra", "vrrpd")
        )
        return [Program(zebra, FRR_FOLDER / self.label / "zserv.api"), Program(vrrpd)]

    def forget(self) -> None:
        """The socket at which zebra is known to be there."""
        (FRR_FOLDER / self.label / "zserv.api").unlink(missing_ok=True)

    def read(self, line: str) -> Said | None:
        """Its debug line for each change of state."""
        found = _SAID.search(line)
        name = found and self._instances.get((int(found["vrid"]), int(found["family"])))
        return Entered(name, found["state"].upper()) if found and name else None
