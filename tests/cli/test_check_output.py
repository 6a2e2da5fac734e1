"""`vrrp check`: its outputs, its choice of rules, comments that silence, and what it mends."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from cli.command import CONF, Vrrp, conf_files
from vrrp.check.rule import catalogue

SLAVE = CONF.replace("PRIORITY", "100").replace("{\n", "{\n    state SLAVE\n", 1)
SECRET = CONF.replace("PRIORITY", "100").replace(
    "    virtual_ip", "    authentication {\n        auth_type PASS\n        auth_pass PASSWORD\n    }\n    virtual_ip"
)


@pytest.fixture
def slave(tmp_path: Path) -> Path:
    file = tmp_path / "slave.conf"
    file.write_text(SLAVE)
    return file


def rules(outcome: str) -> list[str]:
    return re.findall(r"VRRP-[A-Z]\d{3}", outcome)


def test_a_finding_as_people_read_it(slave: Path, vrrp: Vrrp) -> None:
    assert vrrp("check", slave).out == (
        f"{slave}:2: warning VRRP-W003 (VI_1) unknown state 'SLAVE', defaulting to BACKUP; "
        "keepalived knows MASTER and BACKUP, in capitals\n"
        "     2 | state SLAVE\n"
        "   why: keepalived knows MASTER and BACKUP, in capitals, and takes anything else for BACKUP: it does what "
        "was\n"
        "        most likely meant, but complains at every start, and `keepalived -t` fails.\n"
        "  mend: Write `state BACKUP`.\n"
        "   fix: --fix does it\n"
        "\n"
        "1 file read, 1 finding: 1 warning; --fix mends 1\n"
    )


def test_a_reason_is_told_once_and_the_other_nodes_lines_beside_it(tmp_path: Path, vrrp: Vrrp) -> None:
    a, b, c = conf_files(tmp_path, 101, 100, 100)
    for file in (b, c):
        file.write_text(file.read_text().replace("{\n", "{\n    state SLAVE\n", 1))
    out = vrrp("check", a, b, c, "--no-proof").out
    assert out.count("VRRP-W003") == 2
    assert out.count("takes anything else for BACKUP") == 1
    race = out.partition("VRRP-W060")[2].splitlines()
    assert race[1:3] == ["     5 | priority 100", f"        {b}:5: priority 100"]


def test_colour_on_a_terminal_only(slave: Path, vrrp: Vrrp) -> None:
    assert "\x1b" not in vrrp("check", slave).out


def test_one_line_each(slave: Path, vrrp: Vrrp) -> None:
    first, summary = vrrp("check", slave, "--format", "concise").out.splitlines()
    assert first.startswith(f"{slave}:2: warning VRRP-W003 ")
    assert summary.startswith("1 file read, 1 finding")


def test_annotations_for_github(tmp_path: Path, vrrp: Vrrp) -> None:
    file = tmp_path / "a,b.conf"
    file.write_text(SLAVE)
    (line,) = vrrp("check", file, "--format", "github").out.splitlines()
    start = f"::warning file={tmp_path}/a%2Cb.conf,line=2,title=VRRP-W003::(VI_1) unknown state 'SLAVE'"
    assert line.startswith(start)
    assert line.endswith("%0AWrite `state BACKUP`.")


def test_sarif(slave: Path, vrrp: Vrrp) -> None:
    outcome = vrrp("check", slave, "--sarif", "-")
    assert outcome.code == 1
    log = json.loads(outcome.out)
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["VRRP-W003"]
    (result,) = run["results"]
    assert (result["ruleId"], result["ruleIndex"], result["level"]) == ("VRRP-W003", 0, "warning")


def test_json_has_the_clusters_and_why(tmp_path: Path, vrrp: Vrrp) -> None:
    a, b = conf_files(tmp_path, 101, 100)
    (cluster,) = json.loads(vrrp("check", a, b, "--no-proof", "--json", "-").out)["clusters"]
    assert cluster["files"] == [str(a), str(b)]
    (router,) = cluster["virtual_routers"]
    assert router["how"] == "the same VRID 51 and 10.0.0.100"
    assert [member["instance"] for member in router["members"]] == ["VI_1", "VI_1"]


def test_json_of_a_rule_of_ours_says_what_happens_instead(tmp_path: Path, vrrp: Vrrp) -> None:
    a, b = conf_files(tmp_path, 100, 100)
    (found,) = json.loads(vrrp("check", a, b, "--no-proof", "--json", "-").out)["findings"]
    assert found["rule"] == "VRRP-W060"
    assert found["instead"] == found["why"]
    assert found["related"] == [{"file": str(a), "line": 4, "says": "priority 100"}]


# What the files say makes two warnings (W003, W004) of line 2 and line 7.
BOTH = SECRET.replace("PASSWORD", "verylongsecret").replace("{\n", "{\n    state SLAVE\n", 1)


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ([], ["VRRP-W003", "VRRP-W004"]),
        (["--select", "VRRP-W003"], ["VRRP-W003"]),
        (["--select", "w004,e"], ["VRRP-W004"]),
        (["--select", "W003", "--select", "W004"], ["VRRP-W003", "VRRP-W004"]),
        (["--select", "E"], []),
        (["--ignore", "W"], []),
        (["--ignore", "W004"], ["VRRP-W003"]),
        (["--ignore", "all"], []),
        (["--select", "W", "--ignore", "W003"], ["VRRP-W004"]),
        (["--select", "W003", "--ignore", "W"], ["VRRP-W003"]),
    ],
)
def test_rules_are_chosen_by_prefix_and_the_closer_wins(
    options: list[str], found: list[str], tmp_path: Path, vrrp: Vrrp
) -> None:
    file = tmp_path / "a.conf"
    file.write_text(BOTH)
    outcome = vrrp("check", file, "--format", "concise", *options)
    assert rules(outcome.out) == found
    assert outcome.code == int(bool(found))


@pytest.mark.parametrize(("fail_on", "code"), [("error", 0), ("warning", 1), ("note", 1), ("never", 0)])
def test_what_makes_it_fail(fail_on: str, code: int, slave: Path, vrrp: Vrrp) -> None:
    assert vrrp("check", slave, "--fail-on", fail_on).code == code


def test_notes_alone_are_no_reason_for_status_1(tmp_path: Path, vrrp: Vrrp) -> None:
    (file,) = conf_files(tmp_path, 255)
    outcome = vrrp("check", file)
    assert outcome.code == 0
    assert outcome.out.splitlines()[-1] == "1 file read, 1 finding: 1 note"
    assert vrrp("check", file, "--fail-on", "note").code == 1


def test_advice_is_given_when_asked_for(tmp_path: Path, vrrp: Vrrp) -> None:
    (file,) = conf_files(tmp_path, 100)
    assert rules(vrrp("check", file).out) == []
    assert rules(vrrp("check", file, "--advice").out) == ["VRRP-N104"]
    assert rules(vrrp("check", file, "--select", "N104").out) == ["VRRP-N104"]
    assert rules(vrrp("check", file, "--select", "N").out) == []


@pytest.mark.parametrize(
    ("edit", "found"),
    [
        (("state SLAVE", "state SLAVE # vrrp-check: ignore"), ["VRRP-W004"]),
        (("state SLAVE", "state SLAVE ! VRRP-Check: ignore[VRRP-W003]"), ["VRRP-W004"]),
        (("state SLAVE", "state SLAVE # vrrp-check: ignore[W004]"), ["VRRP-W003", "VRRP-W004"]),
        (("state SLAVE", "# vrrp-check: ignore[W003, W001]\n\n# why\nstate SLAVE"), ["VRRP-W004"]),
        (("state SLAVE", "# vrrp-check: ignore\n    interface eth0\nstate SLAVE"), ["VRRP-W003", "VRRP-W004"]),
        (("state SLAVE", "state SLAVE\n# vrrp-check: ignore-file[W004]"), ["VRRP-W003"]),
        (("state SLAVE", "state SLAVE\n# vrrp-check: ignore-file"), []),
    ],
)
def test_comments_silence(edit: tuple[str, str], found: list[str], tmp_path: Path, vrrp: Vrrp) -> None:
    file = tmp_path / "a.conf"
    file.write_text(BOTH.replace(*edit))
    assert rules(vrrp("check", file, "--format", "concise").out) == found


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("    state SLAVE\n", "    state BACKUP\n"),
        ("    state backup  # first\r\n", "    state BACKUP  # first\r\n"),
        ("    state master\n", None),  # keepalived takes it for BACKUP: what was meant is another thing
        # In quotes it would be another password on the wire than that of the nodes that are not mended yet.
        ("    authentication {\n    auth_type PASS\n    auth_pass a#b\n    }\n", None),
        (
            "    authentication {\n    auth_type PASS\n    auth_pass verylongsecret\n    }\n",
            "    auth_pass verylong\n",
        ),
        ('    authentication {\n    auth_type PASS\n    auth_pass "very long secret"\n    }\n', None),
    ],
)
def test_what_is_mended(before: str, after: str | None, tmp_path: Path, vrrp: Vrrp) -> None:
    file = tmp_path / "a.conf"
    text = CONF.replace("PRIORITY", "100").replace("{\n", "{\n" + before, 1)
    file.write_bytes(text.encode())
    file.chmod(0o640)
    vrrp("check", file, "--fix")
    now = file.read_bytes().decode()
    if after is None:
        assert now == text
    else:
        assert now != text
        assert after in now
        assert sum(one != two for one, two in zip(now.split("\n"), text.split("\n"), strict=True)) == 1
    assert file.stat().st_mode & 0o777 == 0o640


def test_mending_is_told_and_leaves_what_it_cannot_mend(tmp_path: Path, vrrp: Vrrp) -> None:
    file = tmp_path / "a.conf"
    file.write_text(SLAVE.replace("priority 100", "priority 300"))
    outcome = vrrp("check", file, "--fix")
    assert (outcome.code, outcome.err) == (1, f"mended {file}\n")
    assert rules(outcome.out) == ["VRRP-W007"]


def test_a_difference_changes_nothing(slave: Path, vrrp: Vrrp) -> None:
    out = vrrp("check", slave, "--diff").out.splitlines()
    assert out[:2] == [f"--- {slave}", f"+++ {slave}"]
    assert [line for line in out[2:] if line[0] in "+-"] == ["-    state SLAVE", "+    state BACKUP"]
    assert slave.read_text() == SLAVE


def test_mending_keeps_bytes_that_are_no_utf8_and_follows_links(tmp_path: Path, vrrp: Vrrp) -> None:
    file = tmp_path / "real.conf"
    file.write_bytes(b"# caf\xe9\n" + SLAVE.encode())
    link = tmp_path / "link.conf"
    link.symlink_to(file)
    vrrp("check", link, "--fix")
    assert link.is_symlink()
    assert file.read_bytes() == b"# caf\xe9\n" + SLAVE.replace("SLAVE", "BACKUP").encode()


def test_every_rule_is_explained(vrrp: Vrrp) -> None:
    for rule in catalogue().values():
        outcome = vrrp("check", "--explain", rule.id)
        assert (outcome.code, outcome.err) == (0, "")
        assert outcome.out.startswith(f"{rule.id} {rule.title} ({rule.severity.value})\n")
    assert vrrp("check", "--explain", "w012").out == vrrp("check", "--explain", "VRRP-W012").out


def test_all_rules_are_listed(vrrp: Vrrp) -> None:
    listed = vrrp("check", "--explain", "all").out.splitlines()
    assert [line.split()[0] for line in listed] == list(catalogue())


def test_a_rule_there_is_not(vrrp: Vrrp) -> None:
    assert vrrp("check", "--explain", "VRRP-W01").complaint.startswith(
        "vrrp check: there is no rule 'VRRP-W01'; did you"
    )


def test_interfaces_of_this_machine(tmp_path: Path, vrrp: Vrrp, monkeypatch: pytest.MonkeyPatch) -> None:
    (file,) = conf_files(tmp_path, 100)
    monkeypatch.setattr("vrrp.cli.check.local_interfaces", lambda: {"eth0": ()})
    assert vrrp("check", "--interfaces", file).code == 0
    monkeypatch.setattr("vrrp.cli.check.local_interfaces", lambda: {"lo": (), "eth1": ()})
    outcome = vrrp("check", "--interfaces", file)
    assert outcome.code == 1
    assert outcome.out.splitlines()[0] == (
        f"{file}:2: warning VRRP-W030 (VI_1) this machine has no interface eth0; "
        "the instance stays in FAULT; did you mean 'eth1'?"
    )
    assert vrrp("check", file).code == 0


def test_kernel_settings(tmp_path: Path, vrrp: Vrrp) -> None:
    (file,) = conf_files(tmp_path, 100)
    cfg = tmp_path / "haproxy.cfg"
    cfg.write_text("frontend web\n    bind 10.0.0.100:80\n    timeout client 5s\n")
    said = {
        value: [
            line.split()[1:3] for line in vrrp("check", file, cfg, "--format", "concise", *options).out.splitlines()
        ]
        for value, options in {
            None: [],
            "0": ["--sysctl", "net.ipv4.ip_nonlocal_bind=0"],
            "1": ["--sysctl", "net.ipv4.ip_nonlocal_bind=1"],
        }.items()
    }
    assert ["warning", "VRRP-W130"] in said[None]
    assert ["error", "VRRP-W130"] in said["0"]
    assert not any("VRRP-W130" in row for row in said["1"])


def test_hostile_names_cannot_steer_the_terminal(tmp_path: Path, vrrp: Vrrp) -> None:
    file = tmp_path / "a.conf"
    file.write_text(CONF.replace("PRIORITY", "255").replace("VI_1", "V\x1b[31mX\x07"))
    for form in ("text", "concise", "github"):
        out = vrrp("check", file, "--format", form, "--advice").out
        assert "VRRP-N070" in out
        assert "\x1b" not in out
        assert "\x07" not in out


def test_included_files_are_told_silenced_and_mended(tmp_path: Path, vrrp: Vrrp) -> None:
    file, part = tmp_path / "keepalived.conf", tmp_path / "part.conf"
    file.write_text("include part.conf\n")
    part.write_text(SLAVE)
    out = vrrp("check", file).out.splitlines()
    assert out[0].startswith(f"{part}:2: warning VRRP-W003 ")
    assert out[1] == "     2 | state SLAVE"
    part.write_text(SLAVE.replace("SLAVE", "SLAVE # vrrp-check: ignore"))
    assert rules(vrrp("check", file).out) == []
    part.write_text(SLAVE)
    assert rules(vrrp("check", file, "--fix").out) == []
    assert part.read_text() == SLAVE.replace("SLAVE", "BACKUP")
    assert file.read_text() == "include part.conf\n"


def test_an_included_line_of_ours_is_told_where_it_stands(tmp_path: Path, vrrp: Vrrp) -> None:
    file, part = tmp_path / "keepalived.conf", tmp_path / "part.conf"
    file.write_text("\n\ninclude part.conf\n")
    part.write_text(CONF.replace("PRIORITY", "255"))
    (found,) = json.loads(vrrp("check", file, "--json", "-").out)["findings"]
    assert (found["rule"], found["file"], found["line"]) == ("VRRP-N070", str(part), 4)


ONE_FILE = CONF.replace(
    "    priority PRIORITY\n", "@lb1    priority 100\n@lb2    priority OTHER\n@lb2    advert_int 2\n"
)


def test_one_file_of_several_nodes(tmp_path: Path, vrrp: Vrrp) -> None:
    file = tmp_path / "keepalived.conf"
    file.write_text(ONE_FILE.replace("OTHER", "99"))
    assert rules(vrrp("check", file, "--config-id", "lb1").out) == []
    out = vrrp("check", file, "-i", "lb1", "-i", "lb2", "--no-proof").out.splitlines()
    assert out[0] == f"{file}:6: error VRRP-E042 (VI_1) advert_int 2 s here, advert_int 1 s on lb1"
    file.write_text(ONE_FILE.replace("OTHER", "100").replace("@lb2    advert_int 2\n", ""))
    (found,) = json.loads(vrrp("check", file, "-i", "lb1", "-i", "lb2", "--no-proof", "--json", "-").out)["findings"]
    assert (found["rule"], found["line"]) == ("VRRP-W060", 5)
    assert found["message"].startswith("(VI_1) lb1, lb2 both have priority 100")
    assert found["related"] == [{"file": str(file), "line": 4, "says": "priority 100"}]


def test_several_files_of_several_nodes_have_both_names(tmp_path: Path, vrrp: Vrrp) -> None:
    a, b = tmp_path / "a.conf", tmp_path / "b.conf"
    a.write_text(ONE_FILE.replace("OTHER", "99").replace("@lb2    advert_int 2\n", ""))
    b.write_text(CONF.replace("PRIORITY", "98").replace("51", "52").replace("0.100", "0.101"))
    text = vrrp("check", a, b, "-i", "lb1", "-i", "lb2", "--no-proof", "--json", "-").out
    assert [one["message"] for one in json.loads(text)["findings"]] == [
        "(VI_1) b@lb1, b@lb2 both have priority 98: they take over at the same moment, and the loser's gratuitous ARP "
        "may come last: 5 s more without service"
    ]


def test_what_was_not_compared_is_told(tmp_path: Path, vrrp: Vrrp) -> None:
    a, b = conf_files(tmp_path, 101, 100)
    assert vrrp("check", a, b, "--no-proof").out == "2 files read, no findings\n"
    b.write_text(b.read_text().replace("51", "52").replace("0.100", "0.101"))
    said = vrrp("check", a, b, "--no-proof").out
    assert said == "2 files read, no findings; 2 clusters that share no virtual router\n"


def test_files_for_this_machine(tmp_path: Path, vrrp: Vrrp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vrrp.cli.check.local_interfaces", lambda: {"eth0": ("10.0.0.100",)})
    file = tmp_path / "a.conf"
    file.write_text(
        f'vrrp_script chk {{\n    script "{tmp_path}/missing"\n}}\n'
        + CONF.replace("PRIORITY", "100").replace(
            "    virtual_ip", "    track_script {\n        chk\n    }\n    virtual_ip"
        )
    )
    options = ["--format", "concise", "--ignore", "W085"]  # it stands in a folder that everybody may write
    assert rules(vrrp("check", file, *options).out) == ["VRRP-W027"]
    outcome = vrrp("check", file, "--local", *options)
    assert rules(outcome.out) == ["VRRP-W027", "VRRP-N031"]
    assert "since not found/accessible" in outcome.out


def test_a_file_given_twice_is_one_node(tmp_path: Path, vrrp: Vrrp) -> None:
    (file,) = conf_files(tmp_path, 100)
    assert vrrp("check", file, file, "--no-proof").out == "2 files read, no findings\n"
