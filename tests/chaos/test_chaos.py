"""A little of tests/chaos/run.py and tests/chaos/memory.py each time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from chaos.memory import GROWTH_BLOCKS, load
from chaos.run import once_whole, run

pytestmark = [pytest.mark.root, pytest.mark.program("ip", "tcpdump", "nft")]

EVENTS, SEED = 25, 25


def test_a_few_random_events() -> None:
    outcome = run(EVENTS, SEED, nodes=3, burst=(8, 9), look=once_whole)
    assert len(outcome.events) == EVENTS
    assert outcome.faults == [], outcome.events


def test_a_stepped_clock_is_only_the_wall_clock(tmp_path: Path) -> None:
    file = tmp_path / "clock"
    file.write_text("-3600")
    program = (
        "import sys, time; from pathlib import Path; sys.path.insert(0, sys.argv[1]);"
        " before = time.time(), time.monotonic(); from chaos.stepped import step_by; step_by(Path(sys.argv[2]));"
        " from time import time_ns;"
        " print(*(round(now) for now in (time.time() - before[0], time_ns() / 1e9 - before[0],"
        " time.monotonic() - before[1])))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(Path(__file__).parent.parent), str(file)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["-3600", "-3600", "0"]


def test_memory_does_not_grow(tmp_path: Path) -> None:
    with load(tmp_path, 1) as made:
        made.send(2.5, bad=4000)  # no cache of a daemon's has room for so many
        samples = [made.sample()]
        for _ in range(4):  # a busy machine is later to fill them; what leaks grows each time
            made.send(1.5, bad=4000)
            samples.append(made.sample())
            if samples[-1].blocks < samples[-2].blocks * (1 + GROWTH_BLOCKS):
                break
        first, last = samples[-2:]
    assert made.course.sent > 16_000
    assert last.blocks < first.blocks * (1 + GROWTH_BLOCKS), made.course
