from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from sim.lab.comparison import Comparison, compare
from sim.lab.sheet import on_one_sheet
from sim.lab.side_by_side import print_side_by_side
from sim.result import ClientStory, Result, Sent, Span, Transition

MS, S = 1_000_000, 1_000_000_000
WITHIN_NS = 50 * MS
VIP = "10.0.0.100"


def result(
    *moves: tuple[float, str, str, str], sent: Sequence[tuple[float, str]] = (), outages: Sequence[Span] = ()
) -> Result:
    """Transitions as (milliseconds, node, old, new), advertisements as (milliseconds, node)."""
    return Result(
        title="t",
        seed=1,
        duration_ns=10 * S,
        nodes=("a", "b"),
        instances={"VI_1": (VIP,)},
        transitions=tuple(Transition(round(at * MS), node, "VI_1", old, new, "") for at, node, old, new in moves),
        priorities=(),
        sent=tuple(Sent(round(at * MS), node, "VI_1", 100) for at, node in sent),
        events=(),
        ownership=(),
        outages=tuple(outages),
        dual_masters=(),
        clients={"c": ClientStory(f"{VIP}:80", 10, 9, 1, ((S, 2 * S),))},
        counters={},
    )


def compared(predicted: Result, measured: Result, starts: dict[str, list[int | None]] | None = None) -> Comparison:
    return compare("keepalived", predicted, measured, starts or {})


START = (0.0, "a", "INITIALIZE", "BACKUP")


def test_what_belongs_together_is_compared() -> None:
    one = compared(
        result(START, (3600, "a", "BACKUP", "MASTER")),
        result(START, (3610, "a", "BACKUP", "MASTER")),
    )
    assert [pair.difference_ns for pair in one.pairs] == [0, 10 * MS]
    assert one.complaints(WITHIN_NS) == []
    assert one.complaints(9 * MS) == ["a: (VI_1) BACKUP → MASTER at 3.600 s is +10.0 ms off"]
    assert one.worst_takeover_ns == 10 * MS


def test_that_scripts_are_waited_for_at_the_start_is_written_by_no_engine() -> None:
    waiting = (0.0, "a", "INITIALIZE", "FAULT")
    told = compared(result(waiting, (2000, "a", "FAULT", "BACKUP")), result((2010, "a", "INITIALIZE", "BACKUP")))
    assert told.complaints(WITHIN_NS) == []


def test_a_phase_that_drifted_is_not_the_takeovers_fault() -> None:
    """The master's timer was 400 ms later; the backup waited as long as it should."""
    one = compared(
        result((3600, "b", "BACKUP", "MASTER"), sent=[(0, "a"), (3700, "a")]),
        result((4002, "b", "BACKUP", "MASTER"), sent=[(400, "a"), (4002, "b")]),
    )
    assert one.worst_takeover_ns == 2 * MS
    alone = compared(result((3600, "b", "BACKUP", "MASTER"), sent=[(0, "a")]), result((4002, "b", "BACKUP", "MASTER")))
    assert alone.worst_takeover_ns == 402 * MS


def test_what_one_side_has_alone_is_told() -> None:
    one = compared(
        result(START, (3600, "a", "BACKUP", "MASTER")),
        result(START, (5000, "a", "BACKUP", "FAULT")),
    )
    assert one.complaints(WITHIN_NS) == [
        "a: (VI_1) BACKUP → MASTER at 3.600 s was predicted, and did not happen",
        "a: (VI_1) BACKUP → FAULT at 5.000 s was not predicted",
    ]
    assert one.worst_takeover_ns is None


def test_who_is_first_by_a_millisecond_is_chance() -> None:
    blip = result(START, (3600, "a", "BACKUP", "MASTER"), (3604, "a", "MASTER", "BACKUP"))
    for one in (compared(blip, result(START)), compared(result(START), blip)):
        assert one.complaints(WITHIN_NS) == []
        assert len(one.complaints(3 * MS)) == 2
        assert len(one.pairs) == 3


def test_a_chance_at_the_beginning_does_not_shift_what_follows() -> None:
    later = [(10600, "a", "BACKUP", "MASTER"), (34600, "a", "MASTER", "BACKUP")]
    blip = [(3600, "a", "BACKUP", "MASTER"), (3604, "a", "MASTER", "BACKUP")]
    with_blip, without = result(START, *blip, *later), result(START, *later)
    for one in (compared(with_blip, without), compared(without, with_blip)):
        assert one.complaints(WITHIN_NS) == []
        assert one.worst_takeover_ns == 0
        assert len(one.pairs) == 5


def test_an_engine_that_never_spoke_is_told() -> None:
    assert compared(result(), result(), {"a": [5 * MS, None], "b": [MS]}).complaints(WITHIN_NS) == [
        "a: its engine did not begin to run VRRP"
    ]


def test_json_has_both_sides() -> None:
    one = compared(result(START, (3600, "a", "BACKUP", "MASTER")), result((10, *START[1:])), {"a": [10 * MS, None]})
    told = one.to_json(WITHIN_NS)
    assert told["transitions"] == [
        {
            "node": "a", "instance": "VI_1", "from": "INITIALIZE", "to": "BACKUP",
            "predicted": 0.0, "measured": 0.01, "difference_ms": 10.0,
        },
        {
            "node": "a", "instance": "VI_1", "from": "BACKUP", "to": "MASTER",
            "predicted": 3.6, "measured": None, "difference_ms": None,
        },
    ]  # fmt: skip
    assert told["start_ups"] == {"a": [0.01, None]}
    assert told["worst_takeover_ms"] is None
    assert len(told["complaints"]) == 2


def test_words() -> None:
    console = Console(record=True, width=200)
    gone = Span(VIP, 2 * S, 5 * S, ("a",))
    one = compared(
        result(START, (3600, "a", "BACKUP", "MASTER"), outages=[gone]),
        result(START, (3601, "a", "BACKUP", "MASTER")),
        {"a": [2 * MS]},
    )
    print_side_by_side([one], result(START), WITHIN_NS, console)
    lines = [" ".join(line.split()) for line in console.export_text().splitlines()]
    assert "keepalived: predicted and measured (s)" in lines
    assert "0.000 0.000 0.000 +0.0 ms a INITIALIZE → BACKUP" in lines
    assert "— 3.600 3.601 +1.0 ms a BACKUP → MASTER" in lines
    assert "a 0.002 s" in lines
    assert "10.0.0.100 2.000 3.000 s —" in lines
    assert "Never two masters for 1 ms or longer." in lines
    assert "c 10.0.0.100:80 measured 10 9 1 1.000 s —" in lines
    assert "keepalived: as predicted" in lines
    assert "1 takeover, the worst 1.0 ms off." in lines


def test_the_runs_stand_beneath_each_other() -> None:
    sheet = on_one_sheet({"sim": result(START, sent=[(1, "a")]), "frr": result((5, *START[1:]))})
    assert sheet.instances == {"VI_1 (sim)": (f"{VIP} (sim)",), "VI_1 (frr)": (f"{VIP} (frr)",)}
    assert [(one.instance, one.at_ns) for one in sheet.transitions] == [("VI_1 (sim)", 0), ("VI_1 (frr)", 5 * MS)]
    assert [one.instance for one in sheet.sent] == ["VI_1 (sim)"]
