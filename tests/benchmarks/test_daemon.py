"""The daemon's benchmark: what is read off the wire, what is promised, and that both programs are really run."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from benchmarks import __main__ as program
from benchmarks import daemon, load
from benchmarks.daemon import DaemonStanding
from benchmarks.engines import Setting
from benchmarks.lan import Sent
from benchmarks.load import Cost, Load, latest_takeover, punctuality
from benchmarks.takeover import Takeovers, takeovers

MS = 1_000_000
SETTING = Setting(3, 10)
GOOD = Takeovers("vrrp run", SETTING, 2, (1 * MS, 0), 0)
QUIET = Load("vrrp run", SETTING, 20.0, Cost(1.0, 40.0), Cost(0.5, 39.0), 200, (0, MS), 0, 3 * MS)


def sent(text: str, vrid: int = 1) -> list[Sent]:
    """ "100 one" is an advertisement of node one after 100 ms."""
    words = text.split()
    return [Sent(int(at) * MS, node, vrid, 100) for at, node in zip(words[::2], words[1::2], strict=True)]


# The wire -----------------------------------------------------------------------------------------------


def test_a_takeover_is_late_by_what_exceeds_the_formula() -> None:
    wire = sent("0 one 100 one 462 two 562 two 925 one")
    assert takeovers(wire, 361 * MS) == ((1 * MS, 2 * MS), 0)


def test_an_early_takeover_is_early_and_no_dual_master() -> None:
    assert takeovers(sent("0 one 300 two"), 361 * MS) == ((-61 * MS,), 0)


@pytest.mark.parametrize(
    ("wire", "dual_ms"),
    [
        ("0 one 100 one 150 two 200 one 250 two", 50),
        ("0 one 100 two 110 one 120 two 130 one 530 two", 20),
        ("0 one 10 two 20 one", 0),
    ],
)
def test_two_masters_are_two_nodes_that_go_on_speaking(wire: str, dual_ms: int) -> None:
    assert takeovers(sent(wire), 361 * MS)[1] == dual_ms * MS


def test_punctuality_is_of_each_virtual_router_and_of_one_node() -> None:
    wire = sorted(
        [*sent("0 one 101 one 199 one 150 two 151 two"), *sent("50 one 160 one", vrid=2)], key=lambda one: one.at_ns
    )
    assert sorted(punctuality(wire, "one", 100 * MS)) == [-2 * MS, 1 * MS, 10 * MS]


def test_the_latest_takeover_counts_only_when_all_were_taken_over() -> None:
    both = sorted([*sent("0 one 365 two 465 two"), *sent("5 one 367 two", vrid=2)], key=lambda one: one.at_ns)
    assert latest_takeover(both, 2, 361 * MS) == 4 * MS
    assert latest_takeover(both, 3, 361 * MS) is None
    assert latest_takeover(both[:3], 2, 361 * MS) is None


# What is promised ---------------------------------------------------------------------------------------


def test_what_is_promised_of_takeovers() -> None:
    what = "vrrp run, 1 virtual router, version 3, every 0.1 s"
    assert GOOD.complaints == []
    assert replace(GOOD, late_ns=(2 * MS, 2 * MS)).complaints == [f"{what}: median 2.000 ms, 1 ms promised"]
    assert replace(GOOD, late_ns=(0, 0, 16 * MS), crashes=3).complaints == [f"{what}: worst 16.000 ms, 15 ms promised"]
    assert replace(GOOD, dual_ns=6 * MS).complaints == [f"{what}: dual master 6.000 ms, 5 ms promised"]
    assert replace(GOOD, late_ns=()).complaints == [
        f"{what}: 0 takeovers after 2 crashes",
        f"{what}: median inf ms, 1 ms promised",
        f"{what}: worst inf ms, 15 ms promised",
    ]


def test_what_is_promised_of_many_virtual_routers() -> None:
    what = "vrrp run, 1 virtual router, version 3, every 0.1 s"
    assert QUIET.complaints == []
    assert replace(QUIET, late_ns=(99 * MS,)).complaints == []
    assert replace(QUIET, late_ns=(100 * MS,)).complaints == [f"{what}: 1 of 200 advertisements missed"]
    assert replace(QUIET, intruders=1, last_takeover_ns=None).complaints == [
        f"{what}: the backup took over while its master was there (1 advertisements)",
        f"{what}: not every virtual router was taken over after the crash",
    ]


def test_nothing_is_promised_of_keepalived() -> None:
    theirs = replace(GOOD, engine="keepalived", late_ns=())
    standing = DaemonStanding(
        (GOOD, theirs), (QUIET, replace(QUIET, engine="keepalived", intruders=1)), "2.2.7", (0, 0)
    )
    assert standing.complaints == []


# The program --------------------------------------------------------------------------------------------


def test_the_tables_are_markdown_and_have_a_row_for_each() -> None:
    standing = DaemonStanding((GOOD,), (QUIET, replace(QUIET, last_takeover_ns=None)), "2.2.7", (0.25, 0.5))
    lines = list(daemon.lines(standing))
    rows = [line for line in lines if line.startswith("| 1 virtual router")]
    assert [row.removeprefix("| 1 virtual router, version 3, every 0.1 s | vrrp run | ") for row in rows] == [
        "2 of 2 | 0.50 | 1.00 | 0.00 |",
        "1.0 | 0.5 | 40.0 | 200 in 20 | 0.50 | 1.00 | 0 | 3.0 |",
        "1.0 | 0.5 | 40.0 | 200 in 20 | 0.50 | 1.00 | 0 | - |",
    ]
    for row in rows:
        head = next(line for line in lines if line.count("|") == row.count("|") and "ms |" in line)
        assert lines[lines.index(head) + 1].replace("-", "").replace(":", "").strip("| ") == ""


def test_a_promise_that_is_not_held_fails_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = DaemonStanding((replace(GOOD, dual_ns=6 * MS),), (QUIET,), "2.2.7", (0.0, 0.0))
    monkeypatch.setattr(daemon, "hindrance", lambda: None)
    monkeypatch.setattr(daemon, "measure", lambda progress: slow)
    outcome = CliRunner().invoke(program.command, ["--only", "daemon"])
    assert outcome.exit_code == 1
    assert outcome.stdout.startswith("# The daemon beside keepalived\n")
    assert outcome.stderr.endswith("dual master 6.000 ms, 5 ms promised\n")
    outcome = CliRunner().invoke(program.command, ["--only", "daemon", "--json", "-"])
    written = json.loads(outcome.stdout)["daemon"]
    assert written["takeovers"][0]["late_ns"] == [MS, 0]
    assert written["loads"][0]["missed"] == 0


def test_what_is_missing_to_measure_it_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name, path: None if name == "keepalived" else name)
    outcome = CliRunner().invoke(program.command, ["--only", "daemon"])
    assert (outcome.exit_code, outcome.stderr) == (0, "the daemon was not measured: keepalived not installed\n")
    monkeypatch.setattr("shutil.which", lambda name, path: name)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    outcome = CliRunner().invoke(program.command, ["--only", "daemon"])
    assert (outcome.exit_code, outcome.stderr) == (0, "the daemon was not measured: it needs root\n")


@pytest.mark.root
@pytest.mark.program("keepalived", "ip", "tcpdump")
def test_both_programs_are_run_and_crashed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon, "CRASHED", (Setting(3, 10),))
    monkeypatch.setattr(daemon, "LOADED", (Setting(3, 20, 3),))
    monkeypatch.setattr(load, "SETTLED_S", 0.5)
    assert daemon.hindrance() is None
    told: list[str] = []
    standing = daemon.measure(told.append, crashes=2, seconds=1)
    assert standing.keepalived[0].isdigit()
    for one in standing.takeovers:
        assert (len(one.late_ns), one.dual_ns) == (2, 0), one
    for each in standing.loads:
        assert each.sent > 0
        assert each.master.cpu_ms > 0
        assert each.master.peak_mb > 1
        assert each.last_takeover_ns is not None
    for results in (standing.takeovers, standing.loads):
        assert [one.engine for one in results] == ["vrrp run", "keepalived"]
    assert told[0] == "1 virtual router, version 3, every 0.1 s: crash 1 of vrrp run"
