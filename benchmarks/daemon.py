"""Our daemon beside keepalived: crashes and many virtual routers, on LANs of network namespaces."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import load, takeover
from benchmarks.engines import OurDaemon, Setting
from benchmarks.lan import ENVIRONMENT
from benchmarks.load import Load
from benchmarks.takeover import Takeovers
from vrrp.linux.rights import missing_rights

PROGRAMS = ("ip", "tcpdump", "keepalived")
CRASHED = (Setting(2, 100), Setting(3, 10))
CRASHES = 20
LOADED = (Setting(3, 100, 255), Setting(3, 1, 20))
LOADED_S = 20.0


@dataclass(frozen=True, slots=True)
class DaemonStanding:
    """Both programs, everywhere; `busy` is the machine's load average before and after."""

    takeovers: tuple[Takeovers, ...]
    loads: tuple[Load, ...]
    keepalived: str
    busy: tuple[float, float]

    @property
    def complaints(self) -> list[str]:
        """What is promised of ours and was not held."""
        both: tuple[Takeovers | Load, ...] = (*self.takeovers, *self.loads)
        return [complaint for one in both if one.engine == OurDaemon.name for complaint in one.complaints]


def hindrance() -> str | None:
    """Why the daemon cannot be measured here, in one line."""
    missing = [name for name in PROGRAMS if shutil.which(name, path=ENVIRONMENT["PATH"]) is None]
    if missing:
        return f"the daemon was not measured: {' and '.join(missing)} not installed"
    if os.geteuid() != 0 or missing_rights():
        return "the daemon was not measured: it needs root"
    return None


def measure(progress: Callable[[str], None], crashes: int = CRASHES, seconds: float = LOADED_S) -> DaemonStanding:
    """Everything. LanError for what prevents it."""
    said = subprocess.run(["keepalived", "--version"], capture_output=True, text=True, check=True, env=ENVIRONMENT)
    version = re.search(r"v(\d[\d.]*)", said.stderr + said.stdout)
    before = os.getloadavg()[0]
    found: list[Takeovers] = []
    loads: list[Load] = []
    with tempfile.TemporaryDirectory() as name:
        for number, setting in enumerate(CRASHED):
            found += takeover.measure(Path(name, f"crashed{number}"), setting, crashes, progress)
        for number, setting in enumerate(LOADED):
            loads += load.measure(Path(name, f"loaded{number}"), setting, seconds, progress)
    busy = before, os.getloadavg()[0]
    return DaemonStanding(tuple(found), tuple(loads), version[1] if version else "of unknown version", busy)


def lines(standing: DaemonStanding) -> Iterator[str]:
    """For people: Markdown, as it is kept in benchmarks/daemon.md."""
    release = platform.release().partition("-")[0]
    yield "# The daemon beside keepalived"
    yield ""
    yield f"`python -m benchmarks --only daemon`, {datetime.now(UTC):%Y-%m-%d}: keepalived {standing.keepalived},"
    yield f"Python {platform.python_version()}, {_processor()}, Linux {release}; load average"
    yield "{:.1f} before and {:.1f} after.".format(*standing.busy)
    yield ""
    yield "## Crashes of the master"
    yield ""
    yield "Takeover less the formula: from its last advertisement on the wire to the first of the other, less"
    yield "Master_Down_Interval. The programs are crashed in turn. Promised of ours: median under"
    yield f"{takeover.MOST_MEDIAN_MS:g} ms, worst under {takeover.MOST_WORST_MS:g} ms, two masters for no more than"
    yield f"{takeover.MOST_DUAL_MS:g} ms."
    yield ""
    yield from _table(
        ("", "", "takeovers", "median ms", "worst ms", "two masters ms"),
        [
            (
                str(one.setting),
                one.engine,
                f"{len(one.late_ns)} of {one.crashes}",
                f"{one.median_ms:.2f}",
                f"{one.worst_ms:.2f}",
                f"{one.dual_ns / 1e6:.2f}",
            )
            for one in standing.takeovers
        ],
    )
    yield ""
    yield "## Many virtual routers"
    yield ""
    yield "CPU in milliseconds for each second; the peak of memory is that of all its processes. Late: by how much the"
    yield "gap between two advertisements of a virtual router is longer than its interval; missed: by an interval or"
    yield "more (promised of ours: none). The last takeover: the latest of all when the master is crashed, less the"
    yield "formula."
    yield ""
    yield from _table(
        (
            "",
            "",
            "master CPU",
            "backup CPU",
            "master MB",
            "sent in s",
            "late: median ms",
            "worst ms",
            "missed",
            "last takeover ms",
        ),
        [
            (
                str(one.setting),
                one.engine,
                f"{one.master.cpu_ms:.1f}",
                f"{one.backup.cpu_ms:.1f}",
                f"{one.master.peak_mb:.1f}",
                f"{one.sent} in {one.seconds:.0f}",
                f"{one.median_ms:.2f}",
                f"{one.worst_ms:.2f}",
                str(one.missed),
                "-" if one.last_takeover_ns is None else f"{one.last_takeover_ns / 1e6:.1f}",
            )
            for one in standing.loads
        ],
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    texts = 2  # the columns that are words; figures stand to the right
    yield "| " + " | ".join(head) + " |"
    yield "| " + " | ".join("---" if number < texts else "---:" for number in range(len(head))) + " |"
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def _processor() -> str:
    """How many processors of which kind."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    named = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return f"{os.cpu_count()} x {named[1].strip() if named else platform.machine()}"


def entries(standing: DaemonStanding) -> dict[str, Any]:
    """For programs."""
    return {
        "keepalived": standing.keepalived,
        "load_average": list(standing.busy),
        "takeovers": [asdict(one) for one in standing.takeovers],
        "loads": [asdict(one) | {"missed": one.missed} for one in standing.loads],
    }
