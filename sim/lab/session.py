"""From a scenario to what was measured, and nothing left behind: however it ends, the laboratories are taken down."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from sim.inputs import Inputs
from sim.lab.assignment import Assignment
from sim.lab.comparison import Comparison, compare
from sim.lab.course import conduct
from sim.lab.engine import require
from sim.lab.haproxy import PROGRAM as HAPROXY
from sim.lab.laboratory import Laboratory
from sim.lab.looking import NEEDS as CURL
from sim.lab.looking import gets_urls
from sim.lab.namespace import PROGRAM_PATH, LabError
from sim.lab.prediction import predict, start_ups
from sim.lab.services import steps_of
from sim.lab.site import Site, open_site
from vrrp.whole_file import write_text

HAPROXY_FILES = ("haproxy.cfg", "haproxy.log")
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Measured:
    """What a session gives: each run beside its prediction, and one line for each thing that was found left over."""

    comparisons: tuple[Comparison, ...]
    left: tuple[str, ...]


def require_machine(assignments: Sequence[Assignment]) -> None:
    """LabError, one line, when this machine or this user cannot run these."""
    if not hasattr(os, "sched_setscheduler") or not Path("/proc/self/ns/net").exists():
        raise LabError("the laboratory needs Linux: it is built of network namespaces")
    if os.geteuid() != 0:
        raise LabError("the laboratory needs root: it makes network namespaces; try sudo")
    if shutil.which("ip", path=PROGRAM_PATH) is None:
        raise LabError("the laboratory needs the program ip (iproute2), which is not installed")
    for engine in dict.fromkeys(engine for one in assignments for engine in one.engines.values()):
        require(engine)


def require_programs(inputs: Inputs) -> None:
    """LabError, one line, when a program is missing that runs beside the engines."""
    needs = {}
    for name, spec in inputs.scenario.nodes.items():
        if spec.haproxy is not None:
            needs[HAPROXY] = f"{name} runs it"
        if gets_urls(steps_of(inputs, name)):
            needs[CURL] = f"check scripts of {name} get URLs"
    for program, why in needs.items():
        if shutil.which(program, path=PROGRAM_PATH) is None:
            raise LabError(f"the laboratory needs the program {program}, which is not installed: {why}")


def run_session(
    inputs: Inputs,
    assignments: Sequence[Assignment],
    *,
    keep: Path | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Measured:
    """Run a scenario once with each assignment, all at the same time.

    Args:
        inputs: checked: the simulator takes it.
        assignments: which engines run, one at least.
        keep: a folder for captures, logs and configurations.
        progress: hears how far the scenario has come (ns).

    Raises:
        LabError: what prevents it; KeyboardInterrupt, or SystemExit for SIGTERM, when it is ended before it is over.
            Nothing is left in any case.
    """
    require_machine(assignments)
    require_programs(inputs)
    with _ending_by_exception(), _cleared_site() as (site, left):
        laboratories = [Laboratory(inputs, one, site, number) for number, one in enumerate(assignments)]
        try:
            for lab in laboratories:
                lab.build()
            conduct(laboratories, progress)
        finally:
            with _undisturbed(), ExitStack() as stack:
                for lab in laboratories:
                    if keep is not None:
                        stack.callback(_keep, lab, keep / lab.assignment.name)
                    stack.callback(lab.end)
        comparisons = [_compared(inputs, lab) for lab in laboratories]
    return Measured(tuple(comparisons), tuple(left))


def _compared(inputs: Inputs, lab: Laboratory) -> Comparison:
    return compare(lab.assignment.name, predict(inputs, lab), lab.result(inputs.notes), start_ups(lab))


def _keep(lab: Laboratory, folder: Path) -> None:
    """The captures of the segments, for each node what its programs read and wrote, the requests of each client."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, wire in lab.wires.items():
        wire.save(folder / f"{_plain(name)}.pcap")
    for name, node in lab.nodes.items():
        files = [node.log, *sorted(node.engine.folder.glob("*.conf"))]
        files += [
            path for path in (node.engine.folder / one for one in HAPROXY_FILES) if name in lab.services.balancers
        ]
        _copy(files, folder, name)
    for name, client in lab.clients.items():
        _copy([client.rows], folder, name)


def _copy(files: Sequence[Path], folder: Path, name: str) -> None:
    """Those that are there, under the name of their station."""
    for source in files:
        if source.exists():
            write_text(folder / f"{_plain(name)}.{source.name}", source.read_text(encoding="utf-8", errors="replace"))


def _plain(name: str) -> str:
    return name.replace("/", "_").lstrip(".") or "_"


@contextmanager
def _cleared_site() -> Iterator[tuple[Site, list[str]]]:
    """A site that is cleared at the end, and what a killed laboratory had left before."""
    site, left = open_site()
    try:
        yield site, left
    finally:
        with _undisturbed():
            site.clear()


@contextmanager
def _ending_by_exception() -> Iterator[None]:
    """SIGTERM and SIGHUP end the block as Ctrl-C does, through every `finally`."""

    def end(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread gets signals
        return
    before = {what: signal.signal(what, end) for what in _ENDING if what is not signal.SIGINT}
    try:
        yield
    finally:
        for what, handler in before.items():
            signal.signal(what, handler)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """A second Ctrl-C has to wait until what the block clears away is gone."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
