"""The README's example prints what the README says, and its Python does what it says."""

import re

import pytest

from conftest import ROOT
from vrrp.cli.main import run

README = (ROOT / "README.md").read_text(encoding="utf-8")


CONSOLES = re.findall(r"```console\n\$ vrrp (.+)\n((?:.*\n)*?)```", README)
STATUS = {"sim": 0, "audit": 1, "check": 1}


def test_there_are_examples() -> None:
    assert [command.split()[0] for command, _ in CONSOLES] == ["sim", "sim", "audit", "check"]


def words(command: str) -> list[str]:
    """As the shell has them: a pattern is the files that it matches, in order."""
    return [
        name
        for word in command.split()
        for name in (sorted(str(path.relative_to(ROOT)) for path in ROOT.glob(word)) if "*" in word else [word])
    ]


@pytest.mark.parametrize(("command", "shown"), CONSOLES, ids=[command for command, _ in CONSOLES])
def test_the_example_prints_what_stands_there(
    command: str, shown: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    assert run(words(command)) == STATUS[command.split(maxsplit=1)[0]]
    printed = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert printed == shown.splitlines()


def test_the_library_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    source = re.search(r"```python\n((?:.*\n)*?)```", README)
    assert source is not None
    exec(compile(source[1], "README.md", "exec"), {})
    assert "MASTER" in capsys.readouterr().out
