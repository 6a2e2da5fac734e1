"""`vrrp timers`, beside the formulas worked by hand.

Version 2 (RFC 3768 section 6.1): Skew_Time = (256 - priority) / 256 s. Version 3 (RFC 5798, 9568 section 6.1):
(256 - priority) * interval / 256. Master_Down_Interval = 3 * interval + Skew_Time. FRR cuts to centiseconds.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli.command import Vrrp
from vrrp.protocol.profile import PROFILES


def rows(vrrp: Vrrp, *arguments: str) -> list[dict[str, Any]]:
    outcome = vrrp("timers", *arguments, "--json", "-")
    assert (outcome.code, outcome.err) == (0, "")
    loaded = json.loads(outcome.out)
    assert isinstance(loaded, list)
    return loaded


def test_the_default_is_priority_100_each_second_in_all_profiles(vrrp: Vrrp) -> None:
    found = rows(vrrp)
    assert [(row["profile"], row["version"]) for row in found] == [
        ("rfc3768", 2),
        ("rfc5798", 3),
        ("rfc9568", 3),
        ("keepalived", 2),
        ("keepalived", 3),
        ("frr", 3),
        ("frr", 2),
    ]
    assert found[0] == {
        "profile": "rfc3768",
        "version": 2,
        "priority": 100,
        "interval_s": 1.0,
        "skew_s": 0.609375,
        "master_down_s": 3.609375,
        "crash_best_s": 2.609375,
        "crash_worst_s": 3.609375,
        "goodbye_s": 0.609375,
    }
    assert {row["master_down_s"] for row in found if row["profile"] != "frr"} == {3.609375}
    assert {row["master_down_s"] for row in found if row["profile"] == "frr"} == {3.6}


@pytest.mark.parametrize(
    ("arguments", "skew_s", "down_s"),
    [
        (["-p", "1", "--profile", "rfc3768"], 0.99609375, 3.99609375),
        (["-p", "254", "--profile", "rfc3768"], 0.0078125, 3.0078125),
        (["-p", "255", "--profile", "rfc3768"], 0.00390625, 3.00390625),
        (["-p", "200", "--profile", "rfc5798"], 0.21875, 3.21875),
        (["-i", "0.01", "--profile", "rfc9568"], 0.00609375, 0.03609375),
        (["-i", "0.5", "--profile", "rfc9568"], 0.3046875, 1.8046875),
        (["-i", "5", "--profile", "rfc3768"], 0.609375, 15.609375),
        (["-i", "5", "--profile", "rfc9568"], 3.046875, 18.046875),
        (["-i", "40.95", "--profile", "rfc9568"], 24.95390625, 147.80390625),
        (["-i", "255", "--profile", "rfc3768"], 0.609375, 765.609375),
        (["-p", "200", "-i", "0.25", "--profile", "frr"], 0.05, 0.8),
    ],
)
def test_by_hand(arguments: list[str], skew_s: float, down_s: float, vrrp: Vrrp) -> None:
    row = rows(vrrp, *arguments)[0]
    assert (row["skew_s"], row["master_down_s"]) == (skew_s, down_s)
    assert row["goodbye_s"] == skew_s
    assert row["crash_worst_s"] == down_s
    assert row["crash_best_s"] == pytest.approx(down_s - row["interval_s"], abs=1e-9)


def test_several_priorities_and_profiles_keep_their_order(vrrp: Vrrp) -> None:
    found = rows(vrrp, "-p", "200", "-p", "100", "--profile", "rfc9568", "--profile", "rfc3768")
    assert [(row["profile"], row["priority"]) for row in found] == [
        ("rfc9568", 200),
        ("rfc9568", 100),
        ("rfc3768", 200),
        ("rfc3768", 100),
    ]


@pytest.mark.parametrize(
    ("interval", "versions"),
    [("0.5", {3}), ("1.5", {3}), ("2", {2, 3}), ("41", {2}), ("40.95", {3}), ("255", {2}), ("0.01", {3})],
)
def test_a_version_that_cannot_state_the_interval_is_left_out(interval: str, versions: set[int], vrrp: Vrrp) -> None:
    assert {row["version"] for row in rows(vrrp, "-i", interval)} == versions


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["-i", "0"], "0"),
        (["-i", "-1"], "-1"),
        (["-i", "0.001"], "0.001"),
        (["-i", "1.005"], "1.005"),
        (["-i", "256"], "256"),
        (["-i", "0.5", "--profile", "rfc3768"], "0.5"),
        (["-i", "1e300"], "1e+300"),
        (["-i", "inf"], "inf"),
        (["-i", "nan"], "nan"),
    ],
)
def test_an_interval_nobody_can_state(arguments: list[str], shown: str, vrrp: Vrrp) -> None:
    said = vrrp("timers", *arguments).complaint
    assert said == f"vrrp timers: no profile of these can advertise each {shown} s (see vrrp timers --help)"


@pytest.mark.parametrize("columns", ["80", "200"])
def test_the_table_is_whole_on_a_terminal_of_any_width(
    columns: str, vrrp: Vrrp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    outcome = vrrp("timers", "-p", "100", "-p", "200")
    assert (outcome.code, outcome.err) == (0, "")
    assert "Skew_Time" in outcome.out
    assert "\u2026" not in outcome.out
    lines = [line.split() for line in outcome.out.splitlines()]
    assert [line[0] for line in lines if line and line[0] in PROFILES] == [
        name for name in PROFILES for _ in PROFILES[name].versions for _ in range(2)
    ]
    keepalived = next(line for line in outcome.out.splitlines() if line.startswith("keepalived"))
    assert keepalived.split()[1:3] == ["2", "100"]
    for number in ("1 s", "609.375 ms", "3.609375 s", "2.609", "3.609", "0.609 s"):
        assert number in keepalived


def test_json_into_a_file_beside_the_table(tmp_path: Path, vrrp: Vrrp) -> None:
    outcome = vrrp("timers", "--json", tmp_path / "t.json")
    assert outcome.code == 0
    assert "3.609375 s" in outcome.out
    assert json.loads((tmp_path / "t.json").read_text()) == rows(vrrp)


@pytest.mark.parametrize("name", ["none/t.json", "."])
def test_a_file_that_cannot_be_written(name: str, tmp_path: Path, vrrp: Vrrp) -> None:
    said = vrrp("timers", "--json", tmp_path / name).complaint
    assert str(tmp_path / name) in said
