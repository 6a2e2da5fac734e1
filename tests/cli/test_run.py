"""`vrrp run`, as far as it goes on a machine that is not its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.command import Vrrp, conf_files


def test_check_says_what_would_be_done_and_does_nothing(
    vrrp: Vrrp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (file,) = conf_files(tmp_path, 150)
    monkeypatch.setattr("vrrp.interfaces.local_interfaces", lambda: {"eth0": ("10.0.0.1",)})
    outcome = vrrp("run", "--check", "-f", file)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines() == [
        "VI_1: VRID 51 version 2 priority 150 on eth0, from 10.0.0.1 to 224.0.0.18 every 1s;"
        " takes over after 3.41406 s of silence",
        "VI_1: as master, 10.0.0.100/24 on eth0",
    ]


def test_what_is_wrong_with_the_file_is_one_line(vrrp: Vrrp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vrrp.interfaces.local_interfaces", lambda: {"lo": ("127.0.0.1",)})
    (file,) = conf_files(tmp_path, 150)
    for options in ([], ["--check"]):
        assert vrrp("run", *options, "-f", file).complaint.startswith(
            f"vrrp: {file}:2: interface eth0 for vrrp_instance"
        )
    assert vrrp("run", "-f", tmp_path / "none.conf").complaint == (
        f"vrrp: {tmp_path}/none.conf: no such file or directory"
    )


def test_without_the_rights_nothing_is_begun(vrrp: Vrrp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vrrp.interfaces.local_interfaces", lambda: {"eth0": ("10.0.0.1",)})
    monkeypatch.setattr("vrrp.linux.rights.missing_rights", lambda: ("CAP_NET_RAW",))
    (file,) = conf_files(tmp_path, 150)
    outcome = vrrp("run", "-f", file, "--state-dir", tmp_path / "state")
    assert outcome.complaint == "vrrp: vrrp run needs root, or the capabilities CAP_NET_RAW"
    assert not (tmp_path / "state").exists()


def test_a_directory_that_cannot_be_made(vrrp: Vrrp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vrrp.interfaces.local_interfaces", lambda: {"eth0": ("10.0.0.1",)})
    monkeypatch.setattr("vrrp.linux.rights.missing_rights", lambda: ())
    (file,) = conf_files(tmp_path, 150)
    complaint = vrrp("run", "-f", file, "--state-dir", file / "state").complaint
    assert complaint == f"vrrp: {file}/state: not a directory"
