"""keepalived itself as the judge: each router of each recording replayed from what its LAN carried.

The recordings in `data` and those that the protocol's tests keep are read everywhere, all others where they are.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest

from conftest import ROOT
from replay.recorded import MS_NS, Entry, Recording, became, lasting
from vrrp.capture.replay.replay import replay

KEPT = sorted(
    file.parent
    for folder in (ROOT / "tests" / "replay" / "data", ROOT / "tests" / "protocol" / "data")
    for file in folder.glob("*/recording.json")
)
TOLERANCE_NS = 30 * MS_NS
RACES_NS = {
    # Of r2's advertisements, one each 10 ms, none came from 5.8672 to 5.9346: the machine stood still, r1 with it,
    # whose timer had ended at 5.9036. Ours is not late, and is master for the 31 ms between.
    ("jitter_v3_10ms", "r1"): 35 * MS_NS,
}
"""A mastership shorter than this is a race: which of two timers that end together is seen first is chance."""


def states(entries: list[Entry]) -> list[tuple[str, str]]:
    return [(entry.instance, entry.state) for entry in entries]


def errors_ns(folder: Path, router: str) -> list[int]:
    """Replayed minus recorded time of each transition; fails where they are not the same transitions."""
    recording = Recording(folder)
    result = replay(recording.setup(router))
    recorded, ours = lasting(recording.entries(router), 0), lasting(became(result, recording.zero_ns), 0)
    if states(ours) != states(recorded):
        shortest_ns = RACES_NS.get((folder.name, router), TOLERANCE_NS)
        recorded, ours = lasting(recorded, shortest_ns), lasting(ours, shortest_ns)
    assert states(ours) == states(recorded), (ours, recorded)
    pairs = zip(ours, recorded, strict=True)
    return [mine.at_ns - recording.advertised_ns(result, theirs) for mine, theirs in pairs]


@pytest.mark.parametrize("folder", KEPT, ids=lambda folder: folder.name)
def test_each_router_becomes_what_it_became(folder: Path) -> None:
    for router in Recording(folder).routers:
        worst = max(map(abs, errors_ns(folder, router)), default=0)
        assert worst < TOLERANCE_NS, f"{router}: {worst / MS_NS:.1f} ms"


def test_all_recordings(shared: Path) -> None:
    folders = sorted(file.parent for file in (shared / "recordings" / "keepalived").glob("*/recording.json"))
    found = {
        (folder.name, router): errors_ns(folder, router) for folder in folders for router in Recording(folder).routers
    }
    assert len(found) >= 95
    late = {who: errors for who, errors in found.items() if any(abs(error) >= TOLERANCE_NS for error in errors)}
    assert late == {}
    assert median(abs(error) for errors in found.values() for error in errors) < MS_NS


def test_kept_recordings_are_the_shared_ones(shared: Path) -> None:
    for folder in KEPT:
        for file in folder.iterdir():
            assert file.read_bytes() == (shared / "recordings" / "keepalived" / folder.name / file.name).read_bytes()


def test_a_wrong_configuration_is_noticed() -> None:
    (folder,) = (folder for folder in KEPT if folder.name == "basic3_v2")
    recording = Recording(folder)
    recording.data["routers"]["r2"]["config"] = "r1.conf"
    entries = lasting(became(replay(recording.setup("r2")), recording.zero_ns), TOLERANCE_NS)
    assert [e.state for e in entries] != [e.state for e in lasting(recording.entries("r2"), TOLERANCE_NS)]


def test_races_are_left_out_and_nothing_else() -> None:
    def entries(*states: tuple[int, str]) -> list[Entry]:
        return [Entry(at * MS_NS, "VI_1", state) for at, state in states]

    life = entries((100, "MASTER"), (120, "BACKUP"), (200, "MASTER"), (240, "BACKUP"), (300, "MASTER"), (301, "FAULT"))
    assert lasting(life, TOLERANCE_NS) == life[2:]
    assert all(early.at_ns <= late.at_ns for early, late in pairwise(life))
