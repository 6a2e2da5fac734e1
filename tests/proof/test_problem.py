"""What is wrong in a trial, from trials made by hand; and the smallest combinations that show it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sim.proof.failure import Failure, Kind
from sim.proof.problem import Wrong, problems, smallest
from sim.proof.table import combination_text, table_data, table_lines
from sim.proof.trial import Fate, Plan, Stage, Trial

VIP = "10.0.0.100"
A, B = Failure(Kind.CRASH, "a"), Failure(Kind.SCRIPT, "b", "chk")
WELL = Fate(("a",), ("a", "b"), 0, 0, (), ())


def stage(fate: Fate, *broken: Failure, settled: bool = True) -> Stage:
    return Stage(broken, 0, 0, 0, settled, None, {VIP: fate})


def trial(*stages: Stage, at_once: bool = False) -> Trial:
    broken = max((one.broken for one in stages), key=len, default=())
    return Trial(Plan(broken, at_once=at_once), (stage(WELL), *stages), (), 0)


@pytest.mark.parametrize(
    ("last", "wrong"),
    [
        (stage(replace(WELL, masters=("b",), usable=("b",)), A), []),
        (stage(replace(WELL, masters=(), usable=()), A, B), []),
        (stage(replace(WELL, masters=("a",), usable=()), A), []),  # nobody could serve it: let it be anywhere
        (stage(replace(WELL, masters=(), usable=("b",)), A), [Wrong.NOBODY]),
        (stage(replace(WELL, masters=("a", "b"), usable=("b",)), A), [Wrong.TWO]),
        (stage(replace(WELL, masters=("a",), usable=("b",)), A), [Wrong.STAYS]),
        (stage(replace(WELL, masters=("b",), usable=("b",), racers=("b", "c")), A), [Wrong.RACE]),
        (stage(replace(WELL, masters=("a", "b")), A, settled=False), [Wrong.RESTLESS]),
        (stage(replace(WELL, masters=("b",))), [Wrong.AWAY]),
        (stage(replace(WELL, racers=("a", "b"))), []),  # when all is mended a race is the election's
        (stage(WELL), []),
    ],
)
def test_one_stage(last: Stage, wrong: list[Wrong]) -> None:
    assert [problem.wrong for problem in problems(trial(last))] == wrong


def test_an_elected_state_is_taken_to_be_well() -> None:
    assert list(problems(Trial(Plan(()), (stage(replace(WELL, masters=())),), (), 0))) == []


def test_pairs_are_left_out_where_a_part_of_them_does_it() -> None:
    stays = replace(WELL, usable=("b",))
    alone, after = trial(stage(stays, A)), trial(stage(stays, A, B))
    other = trial(stage(replace(WELL, masters=()), B, A))
    found = smallest([after, other, alone])
    assert [problem.trial for problem in found[Wrong.STAYS, VIP]] == [alone]
    assert [problem.trial for problem in found[Wrong.NOBODY, VIP]] == [other]
    assert set(found) == {(Wrong.STAYS, VIP), (Wrong.NOBODY, VIP)}


def test_in_words() -> None:
    both = stage(WELL, A, B)
    assert combination_text(trial(both)) == "a crashes, then b: script chk fails"
    assert combination_text(trial(both, at_once=True)) == "a crashes and at the same moment b: script chk fails"
    assert str(Failure(Kind.HANG, "b", "chk")) == "b: script chk hangs"
    assert str(Failure(Kind.PARTITION, "b", "lan")) == "b: cut off from lan"


def test_a_table_of_nothing() -> None:
    assert table_lines([]) == ["failure  best  typical  worst  unnoticed  then held by"]
    assert table_data([]) == []
