"""A million packets through `vrrp dump -n`, `vrrp audit` and `tcpdump -n`, as whole processes.

Wall seconds, since a process is what a person waits for; the three take turns, and the ratio is taken within each
round. The peak memory of ours is the kernel's own figure of the process.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from vrrp.capture.pcap import open_pcap
from vrrp.wire.address import pack
from vrrp.wire.advertisement import Advertisement, encode
from vrrp.wire.ethernet import IPV4, EthernetFrame, group_mac, virtual_mac
from vrrp.wire.ip import IpPacket, renumber

PACKETS = 1_000_000
MOST_MB = 200
"""What ours may need of memory, whatever the size of the capture."""
FLOORS = {"dump": 1.0, "audit": 5.0}
"""How many times as fast as tcpdump ours are to be at least."""
_GROUP = pack("224.0.0.18")
_PROGRAM = [sys.executable, "-c", "from vrrp.cli.main import main; main()"]


@dataclass(frozen=True, slots=True)
class ProcessStanding:
    """How one of our commands did beside tcpdump."""

    name: str
    seconds: tuple[float, ...]
    ratios: tuple[float, ...]
    """Per round, how many times as fast as tcpdump it was."""
    peak_mb: float
    floor: float

    @property
    def ratio(self) -> float:
        """The median of the ratios."""
        return median(self.ratios)

    @property
    def complaints(self) -> list[str]:
        """What was promised and not held."""
        found = []
        if self.ratio < self.floor:
            found.append(f"vrrp {self.name}: {self.ratio:.2f} x tcpdump, {self.floor:g} x promised")
        if self.peak_mb > MOST_MB:
            found.append(f"vrrp {self.name}: {self.peak_mb:.0f} MB, {MOST_MB} MB promised")
        return found


def write_capture(path: Path, packets: int = PACKETS) -> None:
    """Three masters on one LAN, an advertisement of each in turn, every 333 ms one."""
    frames = []
    for vrid, version, addresses in (
        (51, 2, ["10.0.0.100"]),
        (52, 2, ["10.0.0.101", "10.0.0.102", "10.0.0.103"]),
        (53, 3, ["10.0.0.104"]),
    ):
        advertisement = Advertisement(version, vrid, 100, 100, addresses)
        payload = encode(advertisement, source="10.0.0.2", destination="224.0.0.18")
        head = EthernetFrame(group_mac(_GROUP), virtual_mac(vrid, 4), IPV4, b"").build()
        frames.append((head, IpPacket(pack("10.0.0.2"), _GROUP, 112, payload).build()))
    with open_pcap(path, nanoseconds=False) as writer:
        for number in range(packets):
            head, packet = frames[number % 3]
            writer.write(
                1_700_000_000_000_000_000 + number * 333_123_000, head + renumber(packet, number // 3 & 0xFFFF)
            )


def measure(rounds: int, packets: int = PACKETS) -> list[ProcessStanding]:
    """Both commands beside tcpdump, in turn; an empty list where tcpdump is not installed."""
    tcpdump = shutil.which("tcpdump", path=os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin")
    if tcpdump is None:
        return []
    with _folder() as folder:
        capture = folder / "million.pcap"
        write_capture(capture, packets)
        commands: dict[str, Sequence[str]] = {
            "tcpdump": [tcpdump, "-n", "-r", str(capture)],
            "dump": [*_PROGRAM, "dump", "-n", str(capture)],
            "audit": [*_PROGRAM, "audit", str(capture)],
        }
        for name, command in commands.items():
            _run(command, folder / f"{name}.out", folder)  # compiles our modules, as installing them does
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        peaks = dict.fromkeys(commands, 0.0)
        for number in range(rounds):
            for name in commands if number % 2 == 0 else reversed(commands):
                took_s, peak_mb = _run(commands[name], folder / f"{name}.out", folder)
                seconds[name].append(took_s)
                peaks[name] = max(peaks[name], peak_mb)
        if (folder / "dump.out").read_bytes() != (folder / "tcpdump.out").read_bytes():
            raise RuntimeError("vrrp dump and tcpdump print different text")
    return [
        ProcessStanding(
            name,
            tuple(seconds[name]),
            tuple(theirs / mine for theirs, mine in zip(seconds["tcpdump"], seconds[name], strict=True)),
            peaks[name],
            floor,
        )
        for name, floor in FLOORS.items()
    ]


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


_WATCH = """
import json, os, sys, time
begun = time.perf_counter()
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(pid, 0)
took_s = time.perf_counter() - begun
print(json.dumps([took_s, usage.ru_maxrss / 1024, os.waitstatus_to_exitcode(status)]), file=sys.stderr)
"""
"""A small parent: the kernel counts the memory of whoever started a process as its own at first."""


def _run(command: Sequence[str], output: Path, compiled: Path) -> tuple[float, float]:
    """Wall seconds and peak megabytes of one run."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(compiled / "compiled")
    with output.open("wb") as out:
        watcher = [sys.executable, "-S", "-c", _WATCH, *command]
        done = subprocess.run(watcher, stdout=out, stderr=subprocess.PIPE, env=environment, check=True)
    took_s, peak_mb, status = json.loads(done.stderr.splitlines()[-1])
    if status != 0:
        raise RuntimeError(f"{command[0]} exited with {status}")
    return took_s, peak_mb


def lines(standings: Sequence[ProcessStanding]) -> list[str]:
    """For people."""
    if not standings:
        return ["tcpdump is not installed: captures were not measured"]
    return [
        f"vrrp {s.name} of {PACKETS} packets: {median(s.seconds):.2f} s, {s.ratio:.2f} x tcpdump -n "
        f"({s.floor:g} x promised), {s.peak_mb:.0f} MB at most"
        for s in standings
    ]


def entries(standings: Sequence[ProcessStanding]) -> list[dict[str, Any]]:
    """For programs."""
    return [
        {
            "name": s.name,
            "seconds": list(s.seconds),
            "ratios": list(s.ratios),
            "ratio": s.ratio,
            "floor": s.floor,
            "peak_mb": s.peak_mb,
        }
        for s in standings
    ]
