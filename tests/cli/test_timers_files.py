"""`vrrp timers` of configuration files: sums worked by hand, and what was measured of keepalived 2.2.7."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli.command import CONF, Vrrp, conf_files

EXAMPLES = Path(__file__).parents[2] / "examples"
DATA = Path(__file__).parents[1] / "proof" / "data"
FIXED = [EXAMPLES / "k8s-ha-fixed" / f"master{number}" / "keepalived.conf" for number in (1, 2, 3)]
LATE_S = 0.00028
"""keepalived's timers, measured; a run of a script that is late by so much puts off the next by as much."""


def rows(vrrp: Vrrp, *arguments: object) -> dict[str, dict[str, Any]]:
    outcome = vrrp("timers", *arguments, "--json", "-")
    assert (outcome.code, outcome.err) == (0, "")
    return {row["failure"]: row for row in json.loads(outcome.out)}


def test_a_check_that_fails_by_hand(vrrp: Vrrp) -> None:
    row = rows(vrrp, *FIXED)["script check_apiserver fails"]
    # Two more runs 2 s apart, 4 ms for the run; less up to 1 s, plus 3 s and the skew of priority 102.
    detection_s, takeover_s = 4 + 0.004 + 3 * LATE_S, 3 + 154 / 256 + LATE_S
    assert row["best_s"] == pytest.approx(detection_s + takeover_s - 1)
    assert row["worst_s"] == pytest.approx(2 + detection_s + takeover_s)
    assert row["typical_s"] == pytest.approx((row["best_s"] + row["worst_s"]) / 2)
    assert (row["master"], row["taker"], row["never"]) == ("master1", "master2", None)
    assert (row["profile"], row["vrid"], row["addresses"]) == ("keepalived", 151, ["10.0.0.162"])
    assert sum(part["worst_s"] for part in row["detection"]) == pytest.approx(2 + detection_s)
    assert sum(part["best_s"] for part in row["takeover"]) == pytest.approx(takeover_s - 1)


def test_each_failure_has_its_line_and_its_sum(vrrp: Vrrp) -> None:
    outcome = vrrp("timers", *FIXED)
    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    assert lines[0] == "10.0.0.162 (VI_1, VRID 151), profile keepalived"
    assert lines[1] == "  master1 (103) is master, before master2 (102), master3 (101)"
    for line in (
        "  crashes, loses power or is cut off  2.602 s   3.102 s   3.602 s  master2",
        "  is stopped                          0.602 s   0.602 s   0.602 s  master2",
        "  script check_apiserver fails        6.607 s   8.107 s   9.607 s  master2",
        "  script check_apiserver hangs        8.604 s  10.104 s  11.604 s  master2",
        "  ens3 loses its link                 2.602 s   3.102 s   3.602 s  master2",
    ):
        assert line in lines
    start = lines.index("  script check_apiserver fails: master2 is master after")
    assert lines[start + 1 : start + 11] == [
        "     0.000 s to 2.000 s  until the script is run again (interval 2.000 s)",
        "                4.000 s  2 more bad runs (fall 3), 2.000 s apart",
        "                0.004 s  the script itself runs (measured)",
        "                0.84 ms  the runs begin late (measured)",
        "     4.005 s to 6.005 s  = until its own node knows",
        "    -1.000 s to 0.000 s  the last advertisement is up to one interval old",
        "                3.000 s  3 advertisement intervals of 1.000 s",
        "                0.602 s  skew (256 - 102) / 256 s",
        "                0.28 ms  its timer rings late (measured)",
        "     6.607 s to 9.607 s  = in all",
    ]
    assert lines[-1] == (
        "  Clients learn of it by gratuitous ARPs, 5 for each address with the takeover; "
        "who misses them hears again 5.000 s later."
    )


# keepalived 2.2.7, recorded: the failure, and the seconds until the other router was master.
@pytest.mark.parametrize(
    ("recording", "failure", "measured_s"),
    [
        ("weight_neg_3_10_2", "script chk fails", 31.282),
        ("weight_pos", "script chk fails", 4.210),
        ("weight_zero_fault", "script chk fails", 1.625),
        ("weight_zero_fault", "script chk fails", 2.059),
        ("track_interface", "eth1 loses its link", 0.615),
        ("sync_group", "eth1 loses its link", 3.247),
        ("sync_group", "is stopped", 0.611),
        ("preempt_delay_and_a_weight", "script chk fails", 8.641),
    ],
)
def test_what_was_measured_lies_within(recording: str, failure: str, measured_s: float, vrrp: Vrrp) -> None:
    row = rows(vrrp, *sorted((DATA / recording).glob("r*.conf")))[failure]
    assert row["best_s"] - 0.005 <= measured_s <= row["worst_s"] + 0.01


def test_a_check_that_is_ignored_never_moves_anything(vrrp: Vrrp) -> None:
    files = [EXAMPLES / "k8s-ha" / f"master{number}" / "keepalived.conf" for number in (1, 2, 3)]
    row = rows(vrrp, *files)["script check_apiserver fails"]
    assert (row["taker"], row["best_s"], row["typical_s"], row["worst_s"]) == (None, None, None, None)
    assert row["never"] == "it has a weight, and master1 ignores it: priority 255"
    assert "never    never    never  it has a weight" in vrrp("timers", *files).out


def test_profiles_one_after_the_other(tmp_path: Path, vrrp: Vrrp) -> None:
    files = conf_files(tmp_path, 101, 100)
    outcome = vrrp("timers", *files, "--profile", "frr", "--profile", "rfc3768", "--json", "-")
    told = [(row["profile"], row["kind"], row["worst_s"]) for row in json.loads(outcome.out)]
    assert told == [
        ("frr", "crash", 3.6003),
        ("frr", "stop", 0.6003),
        ("frr", "link", 3.6003),
        ("rfc3768", "crash", 3.609375),
        ("rfc3768", "stop", 0.609375),
        ("rfc3768", "link", 3.609375),
    ]
    shown = vrrp("timers", *files, "--profile", "frr", "--profile", "rfc3768").out
    assert [line for line in shown.splitlines() if "profile" in line] == [
        "10.0.0.100 (VI_1, VRID 51), profile frr",
        "10.0.0.100 (VI_1, VRID 51), profile rfc3768",
    ]


def test_one_node_alone(tmp_path: Path, vrrp: Vrrp) -> None:
    outcome = vrrp("timers", *conf_files(tmp_path, 100))
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines()[1] == "  a is alone: nobody takes over; give the files of all nodes"


def test_environment_and_json_beside_the_table(tmp_path: Path, vrrp: Vrrp) -> None:
    file = tmp_path / "a.conf"
    file.write_text(CONF.replace("PRIORITY", "${PRIO}"))
    (tmp_path / "other").mkdir()
    outcome = vrrp(
        "timers", file, *conf_files(tmp_path / "other", 100), "-e", "PRIO=200", "--json", tmp_path / "t.json"
    )
    assert outcome.code == 0
    assert "(200) is master" in outcome.out
    assert json.loads((tmp_path / "t.json").read_text())[0]["kind"] == "crash"


def test_files_and_formulas_do_not_mix(tmp_path: Path, vrrp: Vrrp) -> None:
    (file,) = conf_files(tmp_path, 100)
    for arguments in (["-p", "100"], ["-i", "1"]):
        assert "-p and -i go without files" in vrrp("timers", file, *arguments).complaint
    for arguments in (["-e", "A=1"], ["--config-id", "a"]):
        assert "--env and --config-id go with CONF files" in vrrp("timers", *arguments).complaint


ONE_FILE = CONF.replace("    priority PRIORITY\n", "@lb1    priority 101\n@lb2    priority 100\n")


def test_one_file_of_several_nodes(tmp_path: Path, vrrp: Vrrp) -> None:
    file = tmp_path / "keepalived.conf"
    file.write_text(ONE_FILE)
    crash = rows(vrrp, file, "--config-id", "lb1", "--config-id", "lb2")["crashes, loses power or is cut off"]
    assert (crash["master"], crash["taker"]) == ("lb1", "lb2")
    alone = vrrp("timers", file, "--config-id", "lb2").out.splitlines()
    assert alone[1] == "  lb2 is alone: nobody takes over; give the files of all nodes"


def test_files_of_several_nodes_each(tmp_path: Path, vrrp: Vrrp) -> None:
    for site in ("east", "west"):
        (tmp_path / site).mkdir()
        (tmp_path / site / "keepalived.conf").write_text(ONE_FILE)
    files = sorted(tmp_path.glob("*/keepalived.conf"))
    out = vrrp("timers", *files, "--config-id", "lb1", "--config-id", "lb2").out
    for node in ("east@lb1", "east@lb2", "west@lb1", "west@lb2"):
        assert node in out


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", ": no vrrp_instance in it; nothing has timers"),
        ("vrrp_instance VI_1 {\n    interface eth0\n    virtual_router_id 51\n}\n", "x.conf:1: "),
        ("vrrp_instance VI_1 {\n    interface eth0\n    virtual_router_id 999\n}\n", "x.conf:1: (VI_1) "),
    ],
)
def test_files_that_have_no_timers(text: str, told: str, tmp_path: Path, vrrp: Vrrp) -> None:
    file = tmp_path / "x.conf"
    file.write_text(text)
    assert told in vrrp("timers", file).complaint


def test_a_file_that_is_not_there(tmp_path: Path, vrrp: Vrrp) -> None:
    assert "no such file" in vrrp("timers", tmp_path / "none.conf").complaint
