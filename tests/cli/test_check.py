"""`vrrp check`: what it prints, what it gives to machines, how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.command import CONF, Vrrp, conf_files

BAD = CONF.replace("PRIORITY", "300")
WITH_VARIABLE = CONF.replace("PRIORITY", "${PRIO}")


def test_nothing_to_find(tmp_path: Path, vrrp: Vrrp) -> None:
    (file,) = conf_files(tmp_path, 100)
    outcome = vrrp("check", file)
    assert (outcome.code, outcome.out, outcome.err) == (0, "1 file read, no findings\n", "")


def test_several_files(tmp_path: Path, vrrp: Vrrp) -> None:
    assert vrrp("check", "--no-proof", *conf_files(tmp_path, 100, 99, 98)).out == "3 files read, no findings\n"


def test_findings_are_told_with_file_and_line_and_status_1(tmp_path: Path, vrrp: Vrrp) -> None:
    file = tmp_path / "bad.conf"
    file.write_text(BAD)
    outcome = vrrp("check", file)
    assert (outcome.code, outcome.err) == (1, "")
    first, source, *words, summary = outcome.out.splitlines()
    assert first.startswith(f"{file}:4: warning VRRP-W007 ")
    assert source == "     4 | priority 300"
    assert [line[:6].strip() for line in words] == ["why", "mend", ""]
    assert summary == "1 file read, 1 finding: 1 warning"


def test_findings_for_machines(tmp_path: Path, vrrp: Vrrp) -> None:
    file = tmp_path / "bad.conf"
    file.write_text(BAD)
    outcome = vrrp("check", file, "--json", "-")
    assert outcome.code == 1
    (found,) = json.loads(outcome.out)["findings"]
    assert list(found)[:5] == ["file", "line", "severity", "message", "instead"]
    assert (found["file"], found["line"]) == (str(file), 4)
    assert found["severity"] in {"error", "warning"}
    text = vrrp("check", file).out.splitlines()[0]
    assert text == f"{file}:4: {found['severity']} {found['rule']} {found['message']}; {found['instead']}"


def test_json_into_a_file_beside_the_text(tmp_path: Path, vrrp: Vrrp) -> None:
    (file,) = conf_files(tmp_path, 100)
    outcome = vrrp("check", file, "--json", tmp_path / "c.json")
    assert outcome.out == "1 file read, no findings\n"
    assert json.loads((tmp_path / "c.json").read_text())["findings"] == []


def test_what_the_installed_release_lacks(vrrp: Vrrp, tmp_path: Path) -> None:
    file = tmp_path / "k.conf"
    file.write_text("global_defs {\nauth_hmac\nvrrp_startup_delay 1\nvrrp_delay_after_boot 3\n}\n", encoding="utf-8")
    found = vrrp("check", file, "--keepalived-version", "2.0", "--format", "concise", "--no-proof")
    assert found.code == 1
    assert [line.split()[0].split(":")[1] for line in found.out.splitlines()[:-1]] == ["2", "3", "4"]
    assert "needs keepalived 2.0.14" in found.out
    assert vrrp("check", file, "--keepalived-version", "v2.4.3", "--no-proof").code == 0
    told = vrrp("check", file, "--keepalived-version", "2.9")
    assert (told.code, told.out) == (2, "")
    assert told.err.endswith("the keywords of keepalived 2.9 are not known; the nearest release is 2.4.3\n")


def test_environment_fills_placeholders(tmp_path: Path, vrrp: Vrrp) -> None:
    file = tmp_path / "e.conf"
    file.write_text(WITH_VARIABLE)
    assert vrrp("check", file, "--env", "PRIO=100").code == 0
    assert vrrp("check", file, "-e", "PRIO=300", "-e", "X=").code == 1
    assert vrrp("check", file).code == 1


@pytest.mark.parametrize("pair", ["PRIO", "=100", ""])
def test_what_is_no_environment(pair: str, tmp_path: Path, vrrp: Vrrp) -> None:
    said = vrrp("check", *conf_files(tmp_path, 100), "--env", pair).complaint
    assert said == f"vrrp check: {pair!r} is no NAME=VALUE (see vrrp check --help)"


@pytest.mark.parametrize(
    ("name", "what"),
    [("none.conf", "no such file or directory"), (".", "is a directory"), ("a.conf/x", "not a directory")],
)
def test_files_that_cannot_be_read(name: str, what: str, tmp_path: Path, vrrp: Vrrp) -> None:
    (good,) = conf_files(tmp_path, 100)
    assert vrrp("check", good, tmp_path / name).complaint == f"vrrp: {tmp_path / name}: {what}"


@pytest.mark.parametrize("raw", [b"", b"\0\xff\xfe", b"{{{{", b"vrrp_instance {", b"}" * 100, b"\xe9\n"])
def test_any_file_is_read_to_some_end(raw: bytes, tmp_path: Path, vrrp: Vrrp) -> None:
    file = tmp_path / "any.conf"
    file.write_bytes(raw)
    outcome = vrrp("check", file)
    assert outcome.code in {0, 1}
    assert outcome.err == ""
