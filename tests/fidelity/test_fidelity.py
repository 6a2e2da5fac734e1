"""keepalived itself as the judge of whole runs: its configurations and mishaps simulated, masters compared over time.

The recordings in `data` were made with keepalived 2.2.7 in network namespaces. All others are read where they are.
"""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from statistics import median

import pytest

from fidelity.record import RECORDINGS
from fidelity.recording import MS_NS, Entry, Recording
from fidelity.story import S_NS, never_surprised, recorded
from fidelity.verdict import Verdict, compare
from sim.inputs import from_scenario
from sim.network import Network

DATA = Path(__file__).parent / "data"


def judge(recording: Recording, file: Path, profile: str = "keepalived") -> Verdict:
    """Simulate the recording's scenario, written to `file`, and compare."""
    file.write_text(recording.scenario(profile), encoding="utf-8")
    inputs = from_scenario(file)
    network = Network(inputs.scenario, inputs.source, dict(inputs.configs), reloads=inputs.reloads)
    never_surprised(network)
    result = network.run()
    predicted = [Entry(t.at_ns, t.node, t.instance, t.new) for t in result.transitions]
    return compare(recording.entries, predicted, recording.ends, recording.end_ns)


LATE = {"garp_interval", "weight_neg_1_1_1"}
"""Recorded while the machine kept keepalived waiting, which no model knows of; see below."""
NAMES = sorted(folder.name for folder in DATA.iterdir() if not Recording(folder).foreign)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in LATE])
def test_masters_are_those_of_the_recording(name: str, tmp_path: Path) -> None:
    verdict = judge(Recording(DATA / name), tmp_path / f"{name}.toml")
    assert verdict.good, str(verdict)


def test_weight_neg_1_1_1_the_addresses_took_64_ms_to_be_set() -> None:
    """From the first advertisement to its gratuitous ARPs: 0.1 to 0.5 ms elsewhere. The next ones are late, too."""
    story = recorded("weight_neg_1_1_1")
    first, second, *_ = story.from_router("r1", before_ns=12 * S_NS)
    assert (story.announced("r1")[0].at_ns - first.at_ns) / MS_NS == pytest.approx(63.9, abs=0.1)
    assert (second.at_ns - first.at_ns) / MS_NS == pytest.approx(1065.1, abs=0.1)
    assert max(story.gaps_ns("r1", second.at_ns, 12 * S_NS)) < 1002 * MS_NS


def test_garp_interval_twelve_advertisements_were_late_by_100_ms_together() -> None:
    """One of them by 50 ms. The other router's takeover, from the last it heard, is on time."""
    story = recorded("garp_interval")
    late_ms = [gap_ns / MS_NS - 1000 for gap_ns in story.gaps_ns("r2", before_ns=10_800 * MS_NS)]
    assert sum(late_ms) == pytest.approx(87.4, abs=0.1)
    assert max(late_ms) == pytest.approx(49.8, abs=0.1)


def test_the_judge_notices_a_router_that_does_not_watch_its_link(tmp_path: Path) -> None:
    verdict = judge(Recording(DATA / "vmac_link"), tmp_path / "frr.toml", "frr")
    assert not verdict.good
    assert re.fullmatch(
        r"4 takeovers, \d of them predicted, worst by [+-]\d+\.\d ms; "
        r"other masters for \d{4}\.\d ms; the same at the end",
        str(verdict),
    )


def test_all_recordings_are_predicted(shared: Path, tmp_path: Path) -> None:
    folders = sorted(file.parent for file in (shared / "recordings" / "keepalived").glob("*/recording.json"))
    recordings = [recording for recording in map(Recording, folders) if not recording.foreign]
    verdicts = {recording.folder.name: judge(recording, tmp_path / "it.toml") for recording in recordings}
    bad = {name: str(verdict) for name, verdict in verdicts.items() if not verdict.good}
    assert bad.keys() <= LATE, bad
    assert len(verdicts) >= 44
    assert median(abs(error) for verdict in verdicts.values() for error in verdict.errors_ns) < 2 * MS_NS


def test_kept_copies_are_the_shared_ones(shared: Path) -> None:
    recordings = shared / "recordings" / "keepalived"
    copied = [folder for folder in DATA.iterdir() if (recordings / folder.name).is_dir()]
    assert len(copied) >= 39
    for folder in copied:
        for file in folder.iterdir():
            kept = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
            assert kept == (recordings / folder.name / file.name.removesuffix(".gz")).read_bytes()


def test_what_is_said_to_be_recorded_is_there() -> None:
    assert len(RECORDINGS) >= 45
    for name in RECORDINGS:
        recording = Recording(DATA / name)
        assert all(capture.stat().st_size > 24 for capture in recording.captures)
        assert recording.captures
