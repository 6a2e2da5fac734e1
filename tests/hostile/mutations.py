"""Mutated packets and captures through everything that reads them: no traceback, no hang, no growth.

    python tests/hostile/mutations.py --packets 10000000 --files 100000 --seed 1

Runs in as many processes as there are processors. Each item has a time limit; memory is looked at every so often, and
must not grow. What fails is printed with its bytes, and the exit status is 1. tests/hostile/test_mutations.py does a
little of it each time.
"""

from __future__ import annotations

import argparse
import gzip
import multiprocessing
import os
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from capture.builders import enhanced, interface, mutate, option, pcap, section  # noqa: E402  # only now to be found
from vrrp.capture.audit.auditor import Auditor  # noqa: E402  # see above
from vrrp.capture.audit.judge import conclude  # noqa: E402  # see above
from vrrp.capture.audit.meaning import meaning  # noqa: E402  # see above
from vrrp.capture.packet import Packet  # noqa: E402  # see above
from vrrp.capture.reader import CaptureError, open_capture  # noqa: E402  # see above
from vrrp.capture.text.line import Style  # noqa: E402  # see above
from vrrp.capture.text.names import Names  # noqa: E402  # see above
from vrrp.capture.text.printer import packet_text  # noqa: E402  # see above
from vrrp.capture.text.selection import selected  # noqa: E402  # see above
from vrrp.capture.tshark import fields  # noqa: E402  # see above
from vrrp.protocol.profile import KEEPALIVED  # noqa: E402  # see above
from vrrp.protocol.router import Router  # noqa: E402  # see above
from vrrp.protocol.settings import RouterConfig, VirtualRouterConfig  # noqa: E402  # see above
from vrrp.wire.frame import Datagram, parse_frame  # noqa: E402  # see above

LINKS = (1, 1, 1, 1, 1, 1, 101, 113, 276, 0)
LIMIT_S = 5
"""Longer than any item may take, on however busy a machine."""
GROWTH_MB = 60
"""What the caches may still take once all of them have been filled."""
_STYLES = (
    Style(Names(numeric=True)),
    Style(Names(numeric=True), link=True, verbose=2, characters=2),
    Style(Names(numeric=True), verbose=1, carp=True),
)


def seeds() -> list[bytes]:
    """Good packets of the recordings that stand in the project."""
    found: list[bytes] = []
    for path in sorted((ROOT / "tests").glob("*/data/*.pcap")):
        with open_capture(path) as capture:
            packets = [packet.data for packet in capture if packet.link_type == 1]
        found += packets[:: max(1, len(packets) // 20)]
    return found


@dataclass
class Reached:
    """What one process did."""

    items: int = 0
    failures: list[str] = field(default_factory=list)
    settled_mb: float = 0.0
    peak_mb: float = 0.0


def memory_mb() -> float:
    """What this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


class Hang(Exception):  # noqa: N818  # it is what happened
    """An item took longer than its limit."""


def _alarm(number: int, frame: FrameType | None) -> None:
    raise Hang


class Everything:
    """All that reads packets, with what it remembers from one to the next."""

    def __init__(self) -> None:
        config = VirtualRouterConfig(vrid=51, addresses=["10.99.0.100"], version=2, interface="eth0")
        signed = VirtualRouterConfig(vrid=52, addresses=["10.99.0.100"], version=2, interface="eth0", auth_type=2)
        interfaces = {"eth0": ["10.99.0.13"]}
        self._router = Router(
            RouterConfig(virtual_routers=(config, signed)), profile=KEEPALIVED, interfaces=interfaces
        )
        self._router.start(0)
        self._now_ns = 0

    def packet(self, data: bytes, link: int, length: int) -> None:
        """One packet through all of it."""
        self._now_ns += 1_000_000
        packet = Packet(1, self._now_ns, data, length, link)
        meaning(packet)
        if selected(link, data):
            for style in _STYLES:
                packet_text(packet, style)
            fields(packet)
        if link == 1:
            content = parse_frame(data).content
            if isinstance(content, Datagram):
                self._router.receive(self._now_ns, "eth0", content)
                self._router.expire(self._now_ns)

    def file(self, path: Path) -> None:
        """One capture through reader and audit."""
        auditor = Auditor()
        try:
            with open_capture(path) as capture:
                for batch in capture.batches():
                    auditor.feed(batch)
        except CaptureError:
            return
        conclude(auditor)


def packets(count: int, seed: int) -> Reached:
    """So many mutated packets."""
    rng = random.Random(seed)
    good = seeds()
    everything = Everything()

    def one() -> Callable[[], None]:
        data = rng.choice(good)
        kept = rng.choice((12, 12, 12, 12, 0))
        data = data[:kept] + mutate(data[kept:], rng)
        link = rng.choice(LINKS)
        length = len(data) + rng.choice((0, 0, 0, 30))
        return lambda: everything.packet(data, link, length)

    return _work(count, one)


def files(count: int, seed: int) -> Reached:
    """So many mutated captures, of every format."""
    rng = random.Random(seed)
    good = seeds()
    everything = Everything()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x"

        def one() -> Callable[[], None]:
            chosen = rng.choices(good, k=rng.randint(1, 30))
            records = [(1_700_000_000 * 10**9 + n * 10**9, data, len(data)) for n, data in enumerate(chosen)]
            kind = rng.randrange(4)
            if kind == 3:
                data = section() + interface(1, option(9, bytes((rng.randrange(256),))))
                data += b"".join(enhanced(n * 1_000_000, raw) for n, (_, raw, _) in enumerate(records))
            else:
                data = pcap(records, order="<>"[kind % 2], nanoseconds=kind == 1)
            if rng.random() < 0.1:
                data = gzip.compress(data, 1)
            path.write_bytes(mutate(data, rng))
            return lambda: everything.file(path)

        return _work(count, one)


def _work(count: int, one: Callable[[], Callable[[], None]]) -> Reached:
    reached = Reached()
    signal.signal(signal.SIGALRM, _alarm)
    settled = max(1, count // 5)
    for number in range(count):
        act = one()
        signal.setitimer(signal.ITIMER_REAL, LIMIT_S)
        try:
            act()
        except Hang:
            reached.failures.append(f"item {number}: took longer than {LIMIT_S} s")
        except Exception:  # noqa: BLE001, RUF100  # whatever it is, it is what is looked for
            reached.failures.append(f"item {number}: {traceback.format_exc()}")
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        if len(reached.failures) >= 10:
            break
        reached.items += 1
        if number == settled:
            reached.settled_mb = memory_mb()
        if number % 10_000 == 0 and number > settled:
            reached.peak_mb = max(reached.peak_mb, memory_mb())
    return reached


def run(jobs: Iterable[tuple[Callable[[int, int], Reached], int, int]]) -> list[Reached]:
    """Each job (what, how many, seed) in a process of its own."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(os.cpu_count()) as pool:
        return [waiting.get() for waiting in [pool.apply_async(what, (count, seed)) for what, count, seed in jobs]]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Mutated packets and captures through everything that reads them.")
    parser.add_argument("--packets", type=int, default=100_000)
    parser.add_argument("--files", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    begun = time.monotonic()
    parts = 4 * (os.cpu_count() or 1)
    jobs = [(packets, given.packets // parts + 1, given.seed * 1000 + n) for n in range(parts)]
    jobs += [(files, given.files // parts + 1, given.seed * 1000 + 500 + n) for n in range(parts)]
    done = run(jobs)
    failures = [failure for reached in done for failure in reached.failures]
    for failure in failures[:20]:
        print(failure)
    grown = [r for r in done if r.peak_mb and r.peak_mb - r.settled_mb > GROWTH_MB]
    for reached in grown:
        print(f"memory grew from {reached.settled_mb:.0f} to {reached.peak_mb:.0f} MB over {reached.items} items")
    print(
        f"{sum(r.items for r in done[:parts])} mutated packets and {sum(r.items for r in done[parts:])} mutated files "
        f"in {time.monotonic() - begun:.0f} s: {len(failures)} failures, {len(grown)} grown, at most "
        f"{max(max(r.peak_mb, r.settled_mb) for r in done):.0f} MB"
    )
    return int(bool(failures or grown))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
