"""Two stories of advertisements compared."""

from __future__ import annotations

import pytest

from vrrp.capture.replay.stint import MOST_STINTS, Difference, Stints, compare

S_NS = 1_000_000_000
END_NS = 100 * S_NS


def stints(*sent: tuple[float, int]) -> Stints:
    made = Stints(S_NS)
    for at, priority in sent:
        made.add(round(at * S_NS), priority)
    return made


def each(begin: float, end: float, priority: int = 100) -> list[tuple[float, int]]:
    return [(begin + second, priority) for second in range(int(end - begin) + 1)]


def found(recorded: Stints, replayed: Stints) -> list[Difference]:
    return compare("VI_1", recorded, replayed, END_NS)


def test_a_stint_ends_with_its_priority_or_with_a_silence() -> None:
    made = stints(*each(1, 3), (5, 100), (5.5, 90), (6, 0), (7, 0), (9.05, 0), (11.2, 0))
    assert [(s.priority, s.first_ns / S_NS, s.last_ns / S_NS, s.count, s.continues) for s in made.stints] == [
        (100, 1, 5, 4, False),
        (90, 5.5, 5.5, 1, True),
        (0, 6, 9.05, 3, False),
        (0, 11.2, 11.2, 1, False),
    ]
    assert [str(s) for s in made.stints[:2]] == ["priority 100 4 times", "priority 90 once"]


def test_there_is_an_end_to_them() -> None:
    made = stints(*((5 * second, 100) for second in range(MOST_STINTS + 3)))
    assert (len(made.stints), made.dropped) == (MOST_STINTS, 3)


@pytest.mark.parametrize(
    ("recorded", "replayed"),
    [
        ([], []),
        (each(1, 5), each(1.029, 5.029)),
        (each(1, 5), each(1.01, 4.01)),  # the last hangs on the phase
        ([*each(1, 5), (5.9, 90)], [*each(1, 5), (5.2, 90)]),  # so does when another priority is first said
        (each(1, 5), [*each(1, 5), (99.99, 100)]),  # too near the end to tell
        ([*each(1, 5), (99.99, 0)], each(1, 5)),
    ],
)
def test_the_same(recorded: list[tuple[float, int]], replayed: list[tuple[float, int]]) -> None:
    assert found(stints(*recorded), stints(*replayed)) == []


@pytest.mark.parametrize(
    ("recorded", "replayed", "at", "hint"),
    [
        (each(1, 5), each(1.031, 5.031), 1, ""),
        (each(1, 5), [], 1, ""),
        ([(1, 100)], [], 1, "one advertisement alone"),
        ([(1, 0)], [], 1, "it said good-bye: was it stopped"),
        ([], each(1, 5), 1, ""),
        ([], [(1, 100)], 1, "one advertisement alone"),
        ([], [(1, 0)], 1, ""),
        (each(1, 5), each(1, 9), 5, "it fell silent"),
        (each(1, 9), each(1, 5), 5, "it went on for 4.000 s"),
    ],
)
def test_a_difference(
    recorded: list[tuple[float, int]], replayed: list[tuple[float, int]], at: float, hint: str
) -> None:
    (difference,) = found(stints(*recorded), stints(*replayed))
    assert difference.at_ns == at * S_NS
    assert difference.hint.startswith(hint)
    assert bool(difference.hint) is bool(hint)
    assert (difference.recorded is None) is (recorded == [])
    assert (difference.replayed is None) is (replayed == [])


def test_differences_stand_in_the_order_of_time() -> None:
    made = found(stints(*each(1, 3), *each(50, 60)), stints(*each(20, 30)))
    assert [difference.at_ns // S_NS for difference in made] == [1, 20, 50]
