"""All single and double failures: which there are, in what order, on how many processes, in how much time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from pathlib import Path

import pytest

from proof.rigs import rig
from proof.test_rig import TWO
from proof.test_sums import CLUSTERS, TRACKED, cluster
from sim.proof import campaign as module
from sim.proof.campaign import campaign, plans
from sim.proof.failure import Failure, Kind
from sim.proof.rig import OutOfTimeError
from sim.proof.trial import Plan

THREE_NODES_TWO_SCRIPTS = cluster(("110", TRACKED), ("109", TRACKED), ("108", TRACKED))


def test_the_single_failures_of_a_node() -> None:
    assert [str(failure) for failure in rig(TWO).failures] == [
        "a: script chk fails",
        "a crashes",
        "a loses power",
        "a is stopped",
        "a: eth0 loses its link",
        "a: cut off from lan",
        "b crashes",
        "b loses power",
        "b is stopped",
        "b: eth0 loses its link",
        "b: cut off from lan",
    ]


def test_a_tracked_interface_fails_and_nobody_is_cut_off_where_he_is_alone() -> None:
    failures = rig(CLUSTERS["links"]).failures
    assert {failure.what for failure in failures if failure.kind is Kind.LINK} == {"eth0", "eth1", "eth2"}
    assert {failure.what for failure in failures if failure.kind is Kind.PARTITION} == {"lan"}


def test_every_pair_in_both_orders_and_at_once_but_for_what_excludes_itself() -> None:
    failures = rig(TWO).failures
    everything = list(plans(failures))
    singles, pairs, at_once = (
        [plan for plan in everything if len(plan.failures) == count and plan.at_once is together]
        for count, together in ((1, False), (2, False), (2, True))
    )
    # Of each node's three ends of the process, no two: three pairs a node.
    possible = len(failures) * (len(failures) - 1) // 2 - 2 * 3
    assert (len(singles), len(pairs), len(at_once)) == (len(failures), 2 * possible, possible)
    assert everything == singles + pairs + at_once
    assert len(set(everything)) == len(everything)
    assert Plan((Failure(Kind.CRASH, "a"), Failure(Kind.STOP, "a"))) not in everything


def test_three_nodes_with_two_scripts_take_less_than_twenty_seconds() -> None:
    bed = rig(THREE_NODES_TWO_SCRIPTS)
    began = time.process_time()
    done = campaign(bed, 60, processes=1)
    assert (done.complete, done.planned) == (True, 624)
    assert time.process_time() - began < 20


def test_processes_change_nothing() -> None:
    bed = rig(TWO)
    assert campaign(bed, 60, processes=2) == campaign(bed, 60, processes=1)


def test_many_trials_ask_for_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def pooled(_: object, chunks: list[list[Plan]], processes: int) -> Iterator[list[object]]:
        asked.append(processes)
        yield []
        raise BrokenProcessPool

    monkeypatch.setattr(module, "_pooled", pooled)
    monkeypatch.setattr(module, "_POOL_PAYS", 10)
    monkeypatch.setattr("os.cpu_count", lambda: 3)
    bed = rig(TWO)
    done = campaign(bed, 60)
    assert asked == [3]
    # What the broken pool did not give, this process did: all but the first chunk.
    assert done.planned - len(done.trials) == module._CHUNK


def test_time_that_is_over_is_told() -> None:
    bed = rig(TWO)
    done = campaign(bed, 0.0)
    assert not done.complete
    assert done.trials == ()
    with pytest.raises(OutOfTimeError):
        bed.run(Plan(()))


def test_what_was_run_before_the_time_was_over_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    bed = rig(TWO)
    first = [bed.run(plan) for plan in islice(plans(bed.failures), 3)]
    run, left = bed.run, iter(range(3))

    def slow(plan: Plan) -> object:
        if next(left, None) is None:
            bed.until_s = 0.0
        return run(plan)

    monkeypatch.setattr(bed, "run", slow)
    done = campaign(bed, 60)
    assert list(done.trials) == first
    assert not done.complete


def test_a_rig_needs_no_files(tmp_path: Path) -> None:
    assert rig(TWO, tmp_path / "nowhere").run(Plan(())) == rig(TWO).run(Plan(()))


def test_what_takes_too_long_alone_is_left_out_of_all_pairs() -> None:
    # Two weeks until the script is found to fail: hours for the simulator.
    bed = rig(TWO.replace("fall 3", "fall 600000"))
    failure = Failure(Kind.SCRIPT, "a", "chk")
    done = campaign(bed, 4, processes=1)
    assert bed.slow == {failure}
    assert not done.complete
    assert {one for trial in done.trials for one in trial.plan.failures} == set(bed.failures) - {failure}
    assert len(done.trials) == len(list(plans([one for one in bed.failures if one != failure])))
