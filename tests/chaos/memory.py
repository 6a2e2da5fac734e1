"""The memory of a daemon under a hundred times the load that one virtual router is, for as long as is wanted.

    python tests/chaos/memory.py --minutes 30

One virtual router hears one advertisement a second. Here are 255 of them, each with a master that is heard, another
hundred damaged packets a second, no two alike, a tenth of the masters silent in turn so that those virtual routers
become master and backup again, the status asked for each second, and a reload each half minute. Prints memory
(resident, and blocks that Python gave out) each minute, then the first and last figures; exits with 1 when it grew.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from chaos.damage import GROUPS, damaged, frame  # noqa: E402  # only now can it be found
from linux.lan import Lan, lan  # noqa: E402  # see above
from sim.lab.namespace import Namespace  # noqa: E402  # see above
from vrrp.linux.status.control import asking  # noqa: E402  # see above
from vrrp.wire.address import pack  # noqa: E402  # see above
from vrrp.wire.advertisement import Advertisement, encode  # noqa: E402  # see above
from vrrp.wire.checksum import PROTOCOL  # noqa: E402  # see above
from vrrp.wire.ip import IpPacket  # noqa: E402  # see above

VRIDS = range(1, 256)
BAD_A_SECOND = 100
_TICKS = 100
"""A second."""
_SILENT_S = 5
"""Longer than Master_Down_Interval."""
_PARTS = 10
GROWTH_MB, GROWTH_BLOCKS = 2.0, 0.01
"""What the last samples may have more than the first: of the allocator's own keeping; a share."""


def _address(vrid: int) -> str:
    return f"10.1.0.{vrid}"


def conf() -> str:
    """A virtual router for each VRID."""
    return "".join(
        f"vrrp_instance VI_{vrid} {{\n interface eth0\n virtual_router_id {vrid}\n version 3\n priority 100\n"
        f" advert_int 1\n virtual_ipaddress {{\n  {_address(vrid)}/32\n }}\n}}\n"
        for vrid in VRIDS
    )


def advertisement(vrid: int) -> bytes:
    """What the master of a virtual router says each second."""
    said = Advertisement(version=3, vrid=vrid, priority=200, interval_cs=100, addresses=[_address(vrid)])
    source = pack("10.0.0.2")
    return frame(IpPacket(source, GROUPS[4], PROTOCOL, encode(said, source=source, destination=GROUPS[4])))


def in_turn(second: int, vrid: int) -> bool:
    """A tenth of the masters is silent, then the next; then there is rest for as long."""
    return vrid % _PARTS == second // _SILENT_S % (2 * _PARTS)


def together(second: int, vrid: int) -> bool:
    """All masters are silent, then none is: what a daemon remembers of the past is soon as much as ever."""
    return second % (_SILENT_S + 2) < _SILENT_S


@dataclass(frozen=True)
class Sample:
    """What a daemon holds: resident MB, and Python's blocks."""

    resident_mb: float
    blocks: int


@dataclass
class Course:
    """What was measured."""

    samples: list[Sample] = field(default_factory=list)
    sent: int = 0
    became_master: int = 0
    discarded: int = 0

    def ends(self) -> tuple[Sample, Sample]:
        """The medians of the first and the last fifth of the samples, one sample at least."""
        some = max(1, len(self.samples) // 5)
        return _median(self.samples[:some]), _median(self.samples[-some:])

    def grew(self) -> bool:
        """Whether there is more in the end."""
        first, last = self.ends()
        return last.resident_mb - first.resident_mb > GROWTH_MB or last.blocks > first.blocks * (1 + GROWTH_BLOCKS)

    def __str__(self) -> str:
        first, last = self.ends()
        return (
            f"{self.sent} packets sent, {self.discarded} discarded, {self.became_master} times master;"
            f" first {first.resident_mb:.1f} MB and {first.blocks} blocks,"
            f" last {last.resident_mb:.1f} MB and {last.blocks} blocks"
        )


def _median(samples: list[Sample]) -> Sample:
    return Sample(
        statistics.median(one.resident_mb for one in samples), round(statistics.median(one.blocks for one in samples))
    )


class Load:
    """A daemon on one node, and everything that is sent to it from the bridge.

    Args:
        net: with one node, "a", on which it runs.
        out: a packet socket bound to the bridge.
        seed: of the damage.
    """

    def __init__(self, net: Lan, out: socket.socket, seed: int) -> None:
        self._net = net
        self._out = out
        self._rng = random.Random(seed)
        self._good = {vrid: advertisement(vrid) for vrid in VRIDS}
        self._told = net.folder / "blocks"
        self._pid = 0
        self.course = Course()

    def begin(self) -> None:
        """Start the daemon."""
        file = self._net.folder / "a.conf"
        file.write_text(conf())
        words = (sys.executable, ROOT / "tests/chaos/watched.py", self._told)
        self._pid = self._net.program("a", *words, "run", "-f", file, "--state-dir", self._net.folder / "state").pid
        self._net.until(lambda: "Startup complete" in self._net.log("a").read_text(), 60)

    def send(
        self,
        seconds: float,
        bad: int = BAD_A_SECOND,
        silent: Callable[[int, int], bool] = lambda second, vrid: False,
        each: Callable[[int], None] = lambda second: None,
    ) -> None:
        """The whole load for so long.

        `bad` are the damaged packets a second, `silent` whether a master is in a second, `each` is called with the
        number of each second.
        """
        begun = time.monotonic()
        bad_done = 0
        for tick in range(round(seconds * _TICKS)):
            second, part = divmod(tick, _TICKS)
            frames = [one for vrid, one in self._good.items() if vrid % _TICKS == part and not silent(second, vrid)]
            bad_due = (tick + 1) * bad // _TICKS
            frames += [damaged(self._rng, VRIDS) for _ in range(bad_due - bad_done)]
            bad_done = bad_due
            for one in frames:
                self._out.send(one)
            self.course.sent += len(frames)
            if part == 0:
                each(second)
            time.sleep(max(0.0, begun + (tick + 1) / _TICKS - time.monotonic()))

    def trouble(self, second: int) -> None:
        """What else is asked of it."""
        with asking(self._net.folder / "state") as answers:
            status = next(answers)
        self.course.became_master = sum(one["stats"]["become_master"] for one in status["vrrp"])
        self.course.discarded = sum(status["daemon"]["strangers"].values()) + sum(
            sum(one["now"]["discarded"].values()) for one in status["vrrp"]
        )
        if second % 30 == 29:
            self._net.hang_up("a")

    def sample(self) -> Sample:
        """What it holds now, kept in the course."""
        before = self._told.read_text() if self._told.exists() else ""
        self._net.running["a"].send_signal(signal.SIGUSR1)
        self._net.until(lambda: self._told.exists() and self._told.read_text() > before, 30)
        lines = Path(f"/proc/{self._pid}/status").read_text(encoding="ascii").splitlines()
        resident_kb = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
        found = Sample(resident_kb / 1024, int(self._told.read_text().split()[-1]))
        self.course.samples.append(found)
        return found


@contextmanager
def load(folder: Path, seed: int) -> Iterator[Load]:
    """A loaded daemon in namespaces of its own; it must not have complained in the end."""
    with lan(folder, "a") as net:
        with Namespace(net.space("lan")).entered():
            out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            out.bind(("br0", 0))
        with out:
            made = Load(net, out, seed)
            made.begin()
            yield made
        assert net.stop("a") == 0
        said = net.log("a").read_text()
        assert "Traceback" not in said, said[said.index("Traceback") :][:4000]


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--warm-up", type=float, default=3, help="minutes")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vrrp-memory-") as folder, load(Path(folder), chosen.seed) as made:
        made.send(chosen.warm_up * 60, silent=together, each=made.trouble)
        begun = time.monotonic()
        while (so_far := (time.monotonic() - begun) / 60) < chosen.minutes:
            print(f"{so_far:5.1f} min  {json.dumps(vars(made.sample()))}", flush=True)
            made.send(min(60, (chosen.minutes - so_far) * 60), silent=in_turn, each=made.trouble)
        made.sample()
        print(made.course)
    return int(made.course.grew())


if __name__ == "__main__":
    sys.exit(main())
