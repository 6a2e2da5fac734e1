"""The READMEs of the examples: their commands print what stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from conftest import ROOT
from vrrp.cli.main import run

READMES = sorted((ROOT / "examples").glob("*/README.md"))
CONSOLES = [
    (readme.parent.name, command, shown)
    for readme in READMES
    for command, shown in re.findall(r"```console\n\$ vrrp (.+)\n((?:.*\n)*?)```", readme.read_text(encoding="utf-8"))
]
CUT = "…"


def test_there_are_some() -> None:
    assert {folder for folder, _, _ in CONSOLES} == {"cookies", "k8s-api", "two-proxies"}


@pytest.mark.parametrize(("command", "shown"), [one[1:] for one in CONSOLES], ids=[one[1] for one in CONSOLES])
def test_it_prints_these_lines_in_this_order(
    command: str, shown: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where lines are left out stands a line of its own; those between two of them follow each other."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    run(command.split())
    printed = "\n" + "".join(f"{line.rstrip()}\n" for line in capsys.readouterr().out.splitlines())
    at = 0
    for piece in re.split(rf"^{CUT}\n", shown, flags=re.MULTILINE):
        at = printed.find(f"\n{piece}", at) + 1
        assert at, f"{piece}\nis not in\n{printed}"
