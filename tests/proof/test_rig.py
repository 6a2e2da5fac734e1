"""A cluster driven act by act: it rests when nothing more happens, and runs the same as a scenario."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from check.confs import clusters, files
from proof.rigs import rig
from sim.inputs import from_scenario
from sim.network import Network
from sim.proof.campaign import plans
from sim.proof.downtime import downtimes
from sim.proof.failure import Failure, Kind
from sim.proof.rig import Rig
from sim.proof.rulebook import RULES
from sim.proof.trial import Plan, Trial
from sim.result import Result
from sim.scenario_text import scenario_text

LATER_NS = 120_000_000_000
TWO = """\
==> a/keepalived.conf <==
vrrp_script chk {
    script "/usr/local/bin/chk"
    interval 2
    fall 3
    rise 2
    weight -20
}
vrrp_instance VI_1 {
    priority 110
    track_script {
        chk
    }
}
==> b/keepalived.conf <==
vrrp_instance VI_1 {
    priority 100
}
"""
DELAYED = TWO.replace("    priority 110\n", "    state BACKUP\n    preempt_delay 7\n    priority 110\n")
STARTED_LATE = "global_defs {\n    vrrp_startup_delay 5\n}\n"
"""A line for the top of a file."""


def replay(bed: Rig, trial: Trial, folder: Path, more_ns: int) -> Result:
    """The trial's scenario as a file, run as `vrrp sim --ideal` does, and for longer."""
    for name in bed.configs:
        conf = folder / name / "keepalived.conf"
        conf.parent.mkdir(exist_ok=True)
    file = folder / "trial.toml"
    duration_ns = trial.duration_ns + more_ns
    file.write_text(scenario_text(bed.scenario, title="trial", duration_ns=duration_ns, events=trial.events))
    inputs = from_scenario(file)
    return Network(inputs.scenario, inputs.source, dict(inputs.configs), ideal=True).run()


def some(bed: Rig) -> Iterator[Plan]:
    """All single failures, and pairs here and there."""
    everything = list(plans(bed.failures))
    yield from everything[: len(bed.failures)]
    yield from islice(everything, len(bed.failures), None, 11)


@pytest.mark.parametrize(
    "text",
    [TWO, DELAYED, *(RULES[f"VRRP-P{number:03}"].bad for number in (1, 3, 4, 6))],
    ids=["two", "delayed", "owner", "groups", "unicast", "equal"],
)
def test_what_rests_stays_at_rest_and_a_trial_is_its_scenario(text: str, tmp_path: Path) -> None:
    contents = files(text)
    for name, content in contents.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    bed = rig(text, tmp_path)
    for plan in some(bed):
        trial = bed.run(plan)
        assert all(stage.settled for stage in trial.stages)
        # Each stage alone: what comes after it is left out, and nothing happens any more.
        for count in range(1, len(trial.stages) + 1):
            until_ns = trial.stages[count - 1].to_ns
            done = [event for event in trial.events if event.at < until_ns]
            part = replace(trial, events=tuple(done), duration_ns=until_ns)
            result = replay(bed, part, tmp_path, LATER_NS if count % 2 else 0)
            changes = [t.at_ns for t in result.transitions] + [p.at_ns for p in result.priorities]
            assert max(changes) == trial.stages[count - 1].changed_ns, (str(plan), count)


def test_a_trial_repeats_and_travels() -> None:
    bed = rig(TWO)
    plan = Plan((Failure(Kind.SCRIPT, "a", "chk"), Failure(Kind.CRASH, "b")))
    first = bed.run(plan)
    assert bed.run(plan) == first
    assert pickle.loads(pickle.dumps(bed)).run(plan) == first
    assert pickle.loads(pickle.dumps(first)) == first


def test_the_stages_of_a_failed_check() -> None:
    bed = rig(TWO)
    failure = Failure(Kind.SCRIPT, "a", "chk")
    elected, failed, mended = bed.run(Plan((failure,))).stages
    address = "10.0.0.100"
    assert elected.fates[address].masters == ("a",)
    assert (failed.broken, mended.broken) == ((failure,), ())
    assert failed.fates[address].masters == failed.fates[address].usable == ("b",)
    assert failed.fates[address].takers == ("b",)
    assert mended.fates[address].masters == ("a",)
    assert mended.fates[address].without_ns == 0
    # Two bad runs after the first one, that one within an interval, and 4 ms for the script itself.
    assert failed.detected_ns is not None
    assert 4_004_000_000 <= failed.detected_ns <= 6_004_000_000
    # 3 s and the skew of priority 100, less the age of the last advertisement, which is under a second.
    assert 2_609_375_000 <= failed.fates[address].without_ns - failed.detected_ns <= 3_609_475_000


def test_at_once_is_one_act() -> None:
    bed = rig(TWO)
    both = (Failure(Kind.CRASH, "a"), Failure(Kind.CRASH, "b"))
    trial = bed.run(Plan(both, at_once=True))
    assert [stage.broken for stage in trial.stages] == [(), both, ()]
    assert trial.worst.fates["10.0.0.100"].usable == ()
    assert trial.worst.fates["10.0.0.100"].without_ns == 0  # nobody could serve it: nothing to blame
    assert [event.action for event in trial.events] == ["crash", "crash", "start", "start"]


def test_partitions_add_up_and_end_one_by_one() -> None:
    bed = rig(TWO)
    trial = bed.run(Plan((Failure(Kind.PARTITION, "a", "lan"), Failure(Kind.PARTITION, "b", "lan"))))
    assert [(event.action, event.groups) for event in trial.events] == [
        ("partition", (("a",),)),
        ("partition", (("a",), ("b",))),
        ("partition", (("b",),)),
        ("heal", None),
    ]


def test_nodes_start_together_whatever_the_scenario_says() -> None:
    bed = rig(TWO)
    late = bed.scenario.nodes["b"].model_copy(update={"start": 90_000_000_000})
    moved = bed.scenario.model_copy(update={"nodes": {**bed.scenario.nodes, "b": late}})
    assert Rig(moved, bed.source, bed.configs).run(Plan(())) == bed.run(Plan(()))


def test_a_startup_delay_is_waited_for() -> None:
    delayed = TWO.replace("keepalived.conf <==\n", f"keepalived.conf <==\n{STARTED_LATE}")
    (cluster,) = clusters(files(delayed))
    assert all(node.config.globals.startup_delay_ns for node in cluster.nodes)
    trial = rig(delayed).run(Plan((Failure(Kind.STOP, "a"),)))
    assert [stage.fates["10.0.0.100"].masters for stage in trial.stages] == [("a",), ("b",), ("a",)]


def test_a_process_that_ends_is_waited_for_as_long_as_it_is_given() -> None:
    process = "vrrp_track_process web {\n    process nginx\n    weight -20\n    terminate_delay 6\n}\n"
    tracked = TWO.replace("==> a/keepalived.conf <==\n", f"==> a/keepalived.conf <==\n{process}", 1)
    tracked = tracked.replace("    track_script {\n        chk\n", "    track_process {\n        web\n", 1)
    bed = rig(tracked)
    failure = Failure(Kind.PROCESS, "a", "web")
    assert failure in bed.failures
    assert str(failure) == "a: process web ends"
    elected, ended, mended = bed.run(Plan((failure,))).stages
    assert [stage.fates["10.0.0.100"].masters for stage in (elected, ended, mended)] == [("a",), ("b",), ("a",)]
    assert ended.fates["10.0.0.100"].usable == ("b",)
    assert ended.detected_ns is not None
    assert 6_000_000_000 <= ended.detected_ns < 6_100_000_000
    (row,) = downtimes(bed, [bed.run(Plan((failure,), mended=False))])
    assert row.worst_ns == pytest.approx(ended.detected_ns + 3_609_475_000, abs=10)
    assert row.best_ns == pytest.approx(ended.detected_ns + 2_609_475_000, abs=10)


def test_a_link_that_counts_late_is_waited_for() -> None:
    delays = "interface_up_down_delays {\n    eth1 4 7\n}\n"
    text = TWO.replace("==> a/keepalived.conf <==\n", f"==> a/keepalived.conf <==\n{delays}", 1)
    text = text.replace("    track_script {\n        chk\n", "    track_interface {\n        eth1 weight -20\n", 1)
    bed = rig(text)
    assert bed.configs["a"].link_delays
    elected, down, up = bed.run(Plan((Failure(Kind.LINK, "a", "eth1"),))).stages
    assert [stage.fates["10.0.0.100"].masters for stage in (elected, down, up)] == [("a",), ("b",), ("a",)]
