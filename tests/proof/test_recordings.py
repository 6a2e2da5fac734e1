"""What is proved, beside what real keepalived processes did: each recorded failure of a whole cluster.

The recordings were made with keepalived 2.2.7. A recorded failure came at whatever phase it came, so its time has to
lie between the best and the worst that are proved for it; a real process is late by some milliseconds, never early.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from fidelity.recording import MS_NS, SECOND_NS, Entry, Recording
from sim.inputs import from_scenario
from sim.proof.campaign import campaign
from sim.proof.downtime import Downtime, downtimes
from sim.proof.failure import Failure, Kind
from sim.proof.problem import Wrong, problems, smallest
from sim.proof.rig import Rig
from sim.proof.trial import Plan, Trial
from vrrp.config import load

TESTS = Path(__file__).parent.parent
FOLDERS = sorted([*(TESTS / "fidelity" / "data").iterdir(), *(TESTS / "proof" / "data").iterdir()])
EARLY_NS, LATE_NS = 10 * MS_NS, 60 * MS_NS
"""Late are the processes, and early is whoever follows a master that was late with its last advertisement."""
KINDS = {"crash": Kind.CRASH, "stop": Kind.STOP, "script-fail": Kind.SCRIPT, "link-down": Kind.LINK}
MENDS = {"script-pass", "link-up", "start"}
STOPPED_NS = 9 * SECOND_NS
"""How long after a stop a takeover still belongs to it; the recording's next event may come sooner."""


@dataclass(frozen=True)
class Measured:
    """One failure of a whole cluster, and after how long another router was master; None: never while it lasted."""

    failure: Failure
    instance: str
    after_ns: int | None
    lasted_ns: int


def rig_of(recording: Recording) -> Rig:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "recording.toml"
        file.write_text(recording.scenario(), encoding="utf-8")
        inputs = from_scenario(file)
    ignored = {
        name: load(Path(node.keepalived)).config.ignored_scripts for name, node in inputs.scenario.nodes.items()
    }
    return Rig(inputs.scenario, inputs.source, inputs.configs, ignored)


def measured(recording: Recording, bed: Rig) -> Iterator[Measured]:
    """The failures that came while all was whole and at rest, with what came of them."""
    events = sorted(recording.events, key=lambda event: event["t"])
    broken: set[str] = set()
    quiet_ns = 0
    rises = [script.rise * script.interval_ns for config in bed.configs.values() for script in config.scripts]
    rise_ns = max(rises, default=0)
    for index, event in enumerate(events):
        at_ns, action, node = round(event["t"] * SECOND_NS), event["action"], event.get("router", "")
        whole = not broken and at_ns > quiet_ns + 4 * bed.settling.interval_ns
        if action in MENDS:
            broken.discard(node)
        elif action in KINDS:
            broken.add(node)
        elif action not in {"stopped", "remove-addresses", "other"}:
            return
        quiet_ns = at_ns + (rise_ns if action == "script-pass" else 0)
        if not whole or action not in KINDS:
            continue
        until_ns = round(events[index + 1]["t"] * SECOND_NS) if index + 1 < len(events) else recording.end_ns
        if action == "stop":
            until_ns = at_ns + STOPPED_NS
        for failure in bed.failures:
            if failure.node != node or failure.kind is not KINDS[action]:
                continue
            if failure.kind is Kind.LINK and failure.what != event["interface"]:
                continue
            for instance in dict.fromkeys(entry.instance for entry in recording.entries):
                if masters_at(recording.entries, instance, at_ns) == {node}:
                    after_ns = taken_ns(recording.entries, instance, node, at_ns, until_ns)
                    yield Measured(failure, instance, after_ns, until_ns - at_ns)


def masters_at(entries: list[Entry], instance: str, at_ns: int) -> set[str]:
    state = {entry.node: entry.state for entry in entries if entry.instance == instance and entry.at_ns < at_ns}
    return {node for node, last in state.items() if last == "MASTER"}


def taken_ns(entries: list[Entry], instance: str, node: str, at_ns: int, until_ns: int) -> int | None:
    times = [
        entry.at_ns - at_ns
        for entry in entries
        if entry.instance == instance and entry.state == "MASTER" and entry.node != node
        if at_ns < entry.at_ns < until_ns
    ]
    return min(times, default=None)


@cache
def compare(folder: Path) -> int:
    """Hold what is proved beside a recording; how many failures it has to compare."""
    recording = Recording(folder)
    bed = rig_of(recording)
    compared = 0
    trials: dict[Failure, Trial] = {}
    times: dict[Failure, dict[str, Downtime]] = {}
    for one in measured(recording, bed):
        if one.failure not in trials:
            trials[one.failure] = bed.run(Plan((one.failure,)))
            times[one.failure] = {row.address: row for row in downtimes(bed, [trials[one.failure]])}
        trial, rows = trials[one.failure], times[one.failure]
        addresses = [
            address
            for address, providers in bed.providers.items()
            if any(p.node == one.failure.node and p.instance == one.instance for p in providers)
        ]
        for address in addresses:
            if trial.elected.fates[address].masters != (one.failure.node,):
                continue  # who started first is master, and does not give it back: another cluster
            row = rows.get(address)
            said = f"{folder.name}: {one.failure}: {one.after_ns} ns, proved {row}"
            if one.after_ns is None:
                assert row is None or one.lasted_ns < (row.worst_ns or one.lasted_ns + 1), said
            else:
                assert row is not None, said
                assert row.best_ns is not None, said
                assert row.worst_ns is not None, said
                assert row.best_ns - EARLY_NS <= one.after_ns <= row.worst_ns + LATE_NS, said
            compared += 1
    return compared


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_recorded_failure_lies_within_what_is_proved(folder: Path) -> None:
    compare(folder)


def test_there_is_enough_to_compare() -> None:
    assert sum(compare(folder) for folder in FOLDERS) >= 15


def test_all_recordings_lie_within_what_is_proved(shared: Path) -> None:
    found = sorted(file.parent for file in (shared / "recordings" / "keepalived").glob("*/recording.json"))
    assert sum(compare(folder) for folder in found) >= 60


def test_the_much_copied_recipe_never_moves_for_its_script() -> None:
    recording = Recording(TESTS / "proof" / "data" / "seed_k8s_backup")
    bed = rig_of(recording)
    script = Failure(Kind.SCRIPT, "r1", "check_apiserver")
    assert [(one.failure, one.after_ns) for one in measured(recording, bed)] == [(script, None)]
    done = campaign(bed, 60)
    assert done.complete
    stays = smallest(done.trials)[Wrong.STAYS, "10.0.0.162"]
    assert [problem.failures for problem in stays] == [{script}]
    assert stays[0].stage.fates["10.0.0.162"].masters == ("r1",)


def test_a_pair_after_which_real_keepalived_stays_too() -> None:
    recording = Recording(TESTS / "proof" / "data" / "equal_after_a_weight")
    bed = rig_of(recording)
    trial = bed.run(Plan((Failure(Kind.STOP, "r2"), Failure(Kind.SCRIPT, "r1", "chk"))))
    assert trial.worst.fates["10.0.0.100"].masters == ("r1",)
    assert [problem.wrong for problem in problems(trial) if problem.stage is trial.worst] == [Wrong.STAYS]
    assert masters_at(recording.entries, "VI_1", recording.end_ns) == {"r1"}


def test_a_sync_group_cut_on_one_side_leaves_nobody_as_in_reality() -> None:
    recording = Recording(TESTS / "proof" / "data" / "sync_group_cut_on_one_side")
    bed = rig_of(recording)
    trial = bed.run(Plan((Failure(Kind.PARTITION, "r1", "lan0"),)))
    assert trial.worst.fates["10.0.0.100"].masters == ()
    assert [problem.wrong for problem in problems(trial)] == [Wrong.NOBODY]
    # Who is cut off goes on being master where nobody hears it; the other one waits.
    assert masters_at(recording.entries, "VI_1", recording.end_ns) == {"r1"}


def test_preempt_delay_is_counted_from_the_first_lower_advertisement() -> None:
    recording = Recording(TESTS / "proof" / "data" / "preempt_delay_and_a_weight")
    (one,) = measured(recording, rig_of(recording))
    assert one.after_ns is not None
    # A run within a second, an advertisement within another, 4 s in which it is taken, 3 s and the skew of 100.
    assert 4 + 3.609 <= one.after_ns / SECOND_NS <= 1 + 1 + 4 + 3.609 + 0.05
