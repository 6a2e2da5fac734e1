"""`vrrp sim`: what it runs, what it writes, how it ends."""

from __future__ import annotations

import csv
import json
import struct
from pathlib import Path
from typing import Any

import pytest
import rich.console

import sim.cli.sim
from cli.command import CONF, SCENARIO, Outcome, Vrrp, conf_files, finished, scenario_file, spawn

# a 101, b 100, version 2, 1 s: Master_Down_Interval 3 s + (256 - priority)/256 s; the lan of the scenario: 50 us.
MDI_A, MDI_B = 3_605_468_750, 3_609_375_000
TAKEN = MDI_A + 6_000_000_000 + 50_000 + MDI_B
"""b is master after a's last advertisement before 10 s."""


def data(outcome: Outcome, code: int = 0) -> dict[str, Any]:
    assert (outcome.code, outcome.err) == (code, "")
    loaded = json.loads(outcome.out)
    assert isinstance(loaded, dict)
    return loaded


def masters(found: dict[str, Any]) -> list[tuple[int, str]]:
    """Who became master, and when in nanoseconds."""
    return [(round(t["t"] * 10**9), t["node"]) for t in found["transitions"] if t["to"] == "MASTER"]


def test_a_scenario_is_told_on_standard_output(tmp_path: Path, vrrp: Vrrp) -> None:
    outcome = vrrp("sim", scenario_file(tmp_path), "--ideal")
    assert (outcome.code, outcome.err) == (0, "")
    for words in ("Two routers", "power off", "power lost", "MASTER", "10.0.0.100", "13.215"):
        assert words in outcome.out


def test_json_on_standard_output_is_all_there(tmp_path: Path, vrrp: Vrrp) -> None:
    found = data(vrrp("sim", scenario_file(tmp_path), "--ideal", "--json", "-"))
    assert masters(found) == [(MDI_A, "a"), (TAKEN, "b")]
    assert found["outages"] == [
        {
            "address": "10.0.0.100",
            "from": 10.0,
            "to": TAKEN / 10**9,
            "duration": (TAKEN - 10**10) / 10**9,
            "nodes": ["a"],
        }
    ]


PROMISED: dict[str, Any] = {
    "title": str,
    "seed": int,
    "duration_s": float,
    "transitions": [{"t": float, "node": str, "instance": str, "from": str, "to": str, "reason": str}],
    "ownership": [{"address": str, "node": str, "from": float, "to": float}],
    "outages": [{"address": str, "from": float, "to": float, "duration": float}],
    "dual_masters": [{"address": str, "from": float, "to": float, "duration": float}],
}


def test_json_has_the_promised_keys_types_and_seconds(tmp_path: Path, vrrp: Vrrp) -> None:
    text = SCENARIO + '\n[[events]]\nat = "15s"\nnode = "a"\naction = "start"\n'
    found = data(vrrp("sim", scenario_file(tmp_path, text), "--json", "-", "--until", "30s"))
    for key, kind in PROMISED.items():
        if isinstance(kind, list):
            assert found[key], key
            for row in found[key]:
                assert {name: type(row[name]) for name in kind[0]} == kind[0]
        else:
            assert type(found[key]) is kind
    assert found["duration_s"] == 30.0
    assert {t["instance"] for t in found["transitions"]} == {"VI_1"}
    assert {t["to"] for t in found["transitions"]} <= {"INITIALIZE", "BACKUP", "MASTER", "FAULT"}
    story = found["clients"]["c"]
    assert {key: type(value) for key, value in story.items()} == {
        "sent": int,
        "ok": int,
        "failed": int,
        "longest_gap": float,
        "gaps": list,
        "errors": dict,
        "latency": dict,
        "seconds": list,
    }
    assert sum(story["errors"].values()) == story["failed"]
    assert set(story["latency"]) == {"p50", "p99", "max"}
    assert sum(one["sent"] for one in story["seconds"]) == story["sent"]
    assert story["sent"] == story["ok"] + story["failed"]
    assert {key: type(value) for key, value in story["gaps"][0].items()} == dict.fromkeys(
        ("from", "to", "duration"), float
    )
    assert story["longest_gap"] == max(gap["duration"] for gap in story["gaps"])
    assert found["nodes"]["b"]["VI_1"]["sent"] > 0


def test_every_request_as_csv(tmp_path: Path, vrrp: Vrrp) -> None:
    file = scenario_file(tmp_path)
    outcome = vrrp("sim", file, "--requests", tmp_path / "out.csv", "--json", "-")
    story = json.loads(outcome.out)["clients"]["c"]
    with (tmp_path / "out.csv").open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert list(rows[0]) == ["kind", "seq", "t_start", "t_end", "tcp_connect_s", "result", "node"]
    assert sum(row["result"] == "ok" for row in rows) == story["ok"]
    assert {row["kind"] for row in rows} == {"new"}
    assert {row["node"] for row in rows if row["result"] == "ok"} <= {"a", "b"}


def test_json_into_a_file_beside_the_timeline(tmp_path: Path, vrrp: Vrrp) -> None:
    file = scenario_file(tmp_path)
    outcome = vrrp("sim", file, "--json", tmp_path / "out.json")
    assert outcome.code == 0
    assert "Two routers" in outcome.out
    text = (tmp_path / "out.json").read_text()
    assert text == vrrp("sim", file, "--json", "-").out
    assert text.endswith("}\n")
    assert text.isascii()


def test_all_the_outputs_at_once(tmp_path: Path, vrrp: Vrrp) -> None:
    outputs = {name: tmp_path / f"out.{name}" for name in ("json", "pcap", "png", "html")}
    outcome = vrrp(
        "sim",
        scenario_file(tmp_path),
        *("--json", outputs["json"], "--pcap", outputs["pcap"], "--plot", outputs["png"]),
        *("--report", outputs["html"]),
    )
    assert (outcome.code, outcome.err) == (0, "")
    starts = {"json": b"{", "pcap": bytes.fromhex("4d3cb2a1"), "png": b"\x89PNG", "html": b"<!DOCTYPE html>"}
    for name, file in outputs.items():
        assert file.read_bytes().lower().startswith(starts[name].lower()), name
    assert "10.0.0.100" in outputs["html"].read_text()


@pytest.mark.parametrize("suffix", ["svg", "pdf"])
def test_other_pictures(suffix: str, tmp_path: Path, vrrp: Vrrp) -> None:
    assert vrrp("sim", scenario_file(tmp_path), "--plot", tmp_path / f"p.{suffix}").code == 0
    assert (tmp_path / f"p.{suffix}").stat().st_size > 1000


def test_status_1_when_it_does_not_end_well(tmp_path: Path, vrrp: Vrrp) -> None:
    file = scenario_file(tmp_path)
    assert vrrp("sim", file, "--until", "12s").code == 1
    assert vrrp("sim", file, "--until", "14s").code == 0
    split = SCENARIO.replace(
        'node = "a"\naction = "power-off"', 'segment = "lan"\naction = "partition"\ngroups = [["a"], ["b"]]'
    )
    outcome = vrrp("sim", scenario_file(tmp_path, split), "--json", "-")
    assert data(outcome, 1)["healthy_at_end"] is False


def test_until_seed_and_ideal(tmp_path: Path, vrrp: Vrrp) -> None:
    jitter = 'delay = { distribution = "uniform", low = "1us", high = "1ms" }'
    file = scenario_file(tmp_path, SCENARIO.replace('delay = "50us"', jitter))

    def run(*options: str) -> dict[str, Any]:
        return data(vrrp("sim", file, "--json", "-", *options))

    plain = run()
    assert (plain["seed"], plain["duration_s"]) == (1, 20.0)
    assert run("--seed", "1") == plain
    other = run("--seed", "2")
    assert other["seed"] == 2
    assert masters(other) != masters(plain)
    assert run("--until", "14.5s")["duration_s"] == 14.5
    # keepalived wakes late, by 0.28 ms as a rule.
    at_ns, node = masters(plain)[0]
    assert node == "a"
    assert 50_000 < at_ns - MDI_A <= 10_000_000
    assert masters(run("--ideal"))[0] == (MDI_A, "a")


def test_a_run_of_no_time_can_be_drawn_all_the_same(tmp_path: Path, vrrp: Vrrp) -> None:
    outcome = vrrp(
        "sim", scenario_file(tmp_path), "--until", "0s", "--plot", tmp_path / "p.png", "--report", tmp_path / "r.html"
    )
    assert (outcome.code, outcome.err) == (1, "")


def test_configuration_files_alone(tmp_path: Path, vrrp: Vrrp) -> None:
    files = conf_files(tmp_path, 101, 100)
    # Without a scenario a frame takes 100 us.
    found = data(vrrp("sim", *files, "--event", "10s a crash", "--ideal", "--json", "-"))
    assert masters(found) == [(MDI_A, "a"), (TAKEN + 50_000, "b")]
    assert (found["title"], found["duration_s"]) == ("a b", 30.0)
    assert found["events"] == [{"t": 10.0, "node": "a", "text": "crash (SIGKILL, its addresses stay)"}]


def test_several_events_profile_and_environment(tmp_path: Path, vrrp: Vrrp) -> None:
    files = conf_files(tmp_path, 101, 100)
    for file in files:
        file.write_text("global_defs {\n  vrrp_version 3\n}\n" + file.read_text().replace("priority", "${WORD}"))
    found = data(
        vrrp(
            *("sim", *files, "--event", "10s a stop", "--event", "15s a start", "-e", "WORD=priority"),
            *("--profile", "frr", "--ideal", "--json", "-"),
        )
    )
    # FRR: 3 s and 0.60 s; the skew of 155/256 s is 60 centiseconds too. After the good-bye 100 us and the skew.
    assert masters(found) == [
        (3_600_000_000, "a"),
        (3_600_000_000, "b"),
        (10_600_100_000, "b"),
        (18_600_000_000, "a"),
    ]


def test_diagnostics_are_notes(tmp_path: Path, vrrp: Vrrp) -> None:
    (file,) = conf_files(tmp_path, 100)
    file.write_text(file.read_text() + "nonsense here\n")
    found = data(vrrp("sim", file, "--json", "-"))
    assert any(note.startswith(f"{file}:9: ") for note in found["notes"])
    assert f"{file}:9: " in vrrp("sim", file).out.replace("\n", "")


def test_a_bar_on_a_terminal_for_a_long_run(tmp_path: Path, vrrp: Vrrp, monkeypatch: pytest.MonkeyPatch) -> None:
    real = rich.console.Console
    monkeypatch.setattr(
        sim.cli.sim, "Console", lambda stderr=False: real(stderr=stderr, force_terminal=stderr, width=200)
    )
    file = scenario_file(tmp_path, SCENARIO.replace("target = ", 'every = "2s"\ntarget = '))
    outcome = vrrp("sim", file, "--until", "600s", "--json", "-")
    assert "simulating" in outcome.err
    assert json.loads(outcome.out)["duration_s"] == 600.0
    assert vrrp("sim", file, "--until", "599s", "--json", "-").err == ""


def test_a_capture_has_every_frame(tmp_path: Path, vrrp: Vrrp) -> None:
    file = scenario_file(tmp_path)
    assert vrrp("sim", file, "--pcap", tmp_path / "x.pcap", "--ideal").code == 0
    raw = (tmp_path / "x.pcap").read_bytes()
    seconds, fraction_ns = struct.unpack_from("<II", raw, 24)
    # The client's first question is the first frame.
    assert (seconds, fraction_ns) == (0, 0)
    assert len(raw) > 10_000


def test_as_a_process_it_is_the_same(tmp_path: Path, vrrp: Vrrp) -> None:
    file = scenario_file(tmp_path)
    here = vrrp("sim", file, "--json", "-")
    assert finished(spawn("sim", file, "--json", "-")) == here
    assert finished(spawn("sim", file, "--until", "12s")).code == 1


def test_standard_output_that_knows_ascii_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    outcome = finished(spawn("sim", scenario_file(tmp_path)))
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.isascii()


def test_devices_can_be_written_to(tmp_path: Path, vrrp: Vrrp) -> None:
    assert vrrp("sim", scenario_file(tmp_path), "--json", "/dev/null", "--pcap", "/dev/null").code == 0


# Bad input ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('duration = "20s"', "duration = 20s", ":2: not valid TOML: "),
        ('title = "Two', 'titel = "Two', ":1: unknown key 'titel'; did you mean 'title'?"),
        ('"20s"', '"20"', ":2: duration: '20' is no duration; write a number with a unit: 100us, 10ms, 1.5s, 2m, 1h"),
        ('node = "a"', 'node = "aa"', ":21: there is no node 'aa'; did you mean 'a'?"),
        ('"power-off"', '"poweroff"', ":22: there is no action 'poweroff'; did you mean 'power-off'?"),
        ('keepalived = "a.conf"', 'keepalived = "none.conf"', ":8: {folder}/none.conf: no such file or directory"),
    ],
)
def test_scenarios_that_cannot_be(old: str, new: str, message: str, tmp_path: Path, vrrp: Vrrp) -> None:
    assert old in SCENARIO
    file = scenario_file(tmp_path, SCENARIO.replace(old, new, 1))
    said = vrrp("sim", file).complaint
    assert said.startswith(f"vrrp: {file}{message}".format(folder=tmp_path))


def test_files_that_cannot_be(tmp_path: Path, vrrp: Vrrp) -> None:
    (tmp_path / "empty.conf").write_text("")
    for name, what in (
        ("none.toml", "no such file or directory"),
        ("none.conf", "no such file or directory"),
        (".", "is a directory"),
        ("empty.conf", "no vrrp_instance in it; nothing to run"),
    ):
        assert vrrp("sim", tmp_path / name).complaint == f"vrrp: {tmp_path / name}: {what}"
    (tmp_path / "dir.toml").mkdir()
    assert vrrp("sim", tmp_path / "dir.toml").complaint == f"vrrp: {tmp_path}/dir.toml: is a directory"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["x.toml", "y.toml"], "one scenario at a time; y.toml is one file too many"),
        (["x.toml", "a.conf"], "one scenario at a time; a.conf is one file too many"),
        (
            ["x.toml", "--event", "1s a crash"],
            "--event, --env and --profile go with CONF files; a scenario has its own",
        ),
        (["x.toml", "-e", "A=B"], "--event, --env and --profile go with CONF files; a scenario has its own"),
        (["x.toml", "--profile", "frr"], "--event, --env and --profile go with CONF files; a scenario has its own"),
        (
            ["x.toml", "--until", "soon"],
            "--until: 'soon' is no duration; write a number with a unit: 100us, 10ms, 1.5s, 2m, 1h",
        ),
        (
            ["x.toml", "--until", "-1s"],
            "--until: '-1s' is no duration; write a number with a unit: 100us, 10ms, 1.5s, 2m, 1h",
        ),
        (
            ["x.toml", "--until", "1e9h"],
            "--until: '1e9h' is no duration; write a number with a unit: 100us, 10ms, 1.5s, 2m, 1h",
        ),
        (["a.conf", "-e", "A"], "'A' is no NAME=VALUE"),
    ],
)
def test_usage(
    arguments: list[str], message: str, tmp_path: Path, vrrp: Vrrp, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario_file(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert vrrp("sim", *arguments).complaint == f"vrrp sim: {message} (see vrrp sim --help)"


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ("10s crash", "--event: '10s crash': write time, node and action, like \"10s a crash\""),
        ("10s a crahs", "--event: there is no action 'crahs'; did you mean 'crash'?"),
        ("10s lb2 crash", "--event: there is no node 'lb2'; known: a, b"),
        ("soon a crash", "--event: 'soon' is no duration; write a number with a unit: 100us, 10ms, 1.5s, 2m, 1h"),
    ],
)
def test_events_that_cannot_be(event: str, message: str, tmp_path: Path, vrrp: Vrrp) -> None:
    assert vrrp("sim", *conf_files(tmp_path, 101, 100), "--event", event).complaint == f"vrrp: {message}"


def test_a_node_is_suggested(tmp_path: Path, vrrp: Vrrp) -> None:
    for name in ("haproxy1", "haproxy2"):
        (tmp_path / f"{name}.conf").write_text(CONF.replace("PRIORITY", "100"))
    files = sorted(tmp_path.glob("*.conf"))
    said = vrrp("sim", *files, "--event", "10s haprox1 crash").complaint
    assert said == "vrrp: --event: there is no node 'haprox1'; did you mean 'haproxy1'?"


@pytest.mark.parametrize("option", ["--json", "--pcap", "--plot", "--report"])
@pytest.mark.parametrize("folder", ["none", "a.conf"])
def test_outputs_that_cannot_be_written_are_told_by_their_name(
    option: str, folder: str, tmp_path: Path, vrrp: Vrrp
) -> None:
    out = tmp_path / folder / "out.png"
    said = vrrp("sim", scenario_file(tmp_path), option, out).complaint
    what = "no such file or directory" if folder == "none" else "not a directory"
    assert said == f"vrrp: {out}: {what}"


@pytest.mark.parametrize("option", ["--json", "--pcap", "--plot", "--report"])
def test_an_output_that_is_a_folder(option: str, tmp_path: Path, vrrp: Vrrp) -> None:
    assert str(tmp_path) in vrrp("sim", scenario_file(tmp_path), option, tmp_path).complaint


@pytest.mark.parametrize("name", ["p.txt", "p", "p.PNGX"])
def test_a_picture_of_unknown_kind_is_told_before_anything_is_written(name: str, tmp_path: Path, vrrp: Vrrp) -> None:
    said = vrrp(
        "sim", scenario_file(tmp_path), "--plot", tmp_path / name, "--json", "-", "--pcap", tmp_path / "x.pcap"
    ).complaint
    assert said.startswith(f"vrrp: {tmp_path / name}: ")
    assert ".png" in said
    assert not (tmp_path / "x.pcap").exists()


def test_names_that_would_steer_a_terminal_are_spelled_out(tmp_path: Path, vrrp: Vrrp) -> None:
    text = SCENARIO.replace("[nodes.b]", '[nodes."b\\u001b[2J\\n"]').replace('"10.0.0.12/24"', '"10.0.0.11/24"')
    vrrp("sim", scenario_file(tmp_path, text)).complaint  # noqa: B018  # it checks that it is one printable line


def test_a_missing_file_whose_name_has_a_line_break(tmp_path: Path, vrrp: Vrrp) -> None:
    assert vrrp("sim", tmp_path / "a\nb.toml").complaint
    assert vrrp("check", tmp_path / "a\nb.conf").complaint
