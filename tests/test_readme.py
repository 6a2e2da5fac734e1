"""The README's example prints what the README says, and its Python does what it says."""

import re

import pytest

from conftest import ROOT
from vrrp.cli.main import run

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_example_prints_what_stands_there(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    console = re.search(r"```console\n\$ vrrp (.+)\n((?:.*\n)*?)```", README)
    assert console is not None
    assert run(console[1].split()) == 0
    printed = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert printed == console[2].splitlines()


def test_the_library_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    source = re.search(r"```python\n((?:.*\n)*?)```", README)
    assert source is not None
    exec(compile(source[1], "README.md", "exec"), {})
    assert "MASTER" in capsys.readouterr().out
