"""`vrrp lab`: what is wrong is told before anything is built."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cli.command import Vrrp, scenario_file


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--engine", "keepalive"], "--engine: there is no engine 'keepalive'; did you mean 'keepalived'?"),
        (["--engine", "a=keepalived"], "--engine: b has no engine; add b=keepalived, say"),
        (["--engine", "c=keepalived"], "--engine: 'c=keepalived': there is no node 'c'; known: a, b"),
        (["--engine", "sim"], "--engine: the simulator alone is `vrrp sim`; name an engine beside it"),
        (["--within", "often"], "--within: 'often' is no duration"),
        (["--plot", "x.gif"], "x.gif: .gif is no picture format; use .png, .svg or .pdf"),
    ],
)
def test_what_is_wrong_with_the_options(tmp_path: Path, vrrp: Vrrp, arguments: list[str], complaint: str) -> None:
    assert complaint in vrrp("lab", scenario_file(tmp_path), *arguments).complaint


def test_what_is_wrong_with_the_scenario(tmp_path: Path, vrrp: Vrrp) -> None:
    file = scenario_file(tmp_path)
    file.write_text(file.read_text().replace('action = "power-off"', 'action = "explode"'))
    assert f"{file}:22: there is no action 'explode'" in vrrp("lab", file).complaint
    assert "no such file" in vrrp("lab", tmp_path / "none.toml").complaint


def test_it_needs_root(tmp_path: Path, vrrp: Vrrp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    complaint = vrrp("lab", scenario_file(tmp_path)).complaint
    assert complaint == "vrrp: the laboratory needs root: it makes network namespaces; try sudo"


def test_it_needs_the_program(tmp_path: Path, vrrp: Vrrp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr("sim.lab.session.PROGRAM_PATH", str(tmp_path))
    assert "needs the program ip (iproute2), which is not installed" in vrrp("lab", scenario_file(tmp_path)).complaint
    monkeypatch.undo()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr("sim.lab.engine.PROGRAM_PATH", str(tmp_path))
    complaint = vrrp("lab", scenario_file(tmp_path)).complaint
    assert complaint == "vrrp: engine keepalived needs the program keepalived, which is not installed"
