"""The files around the code say the same thing as each other, and as the code."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from conftest import ROOT, SHARED

pytest_plugins = ["pytester"]

COMMANDS = ("make demo", "make test")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def targets() -> set[str]:
    """What `make` can be asked for."""
    return set(re.findall(r"^([a-z]+):", read("Makefile"), re.MULTILINE))


def requirements(pyproject: str) -> list[str]:
    """Everything that the project asks pip to install, to build it, to run it and for its extras."""
    table = tomllib.loads(pyproject)
    extras = table["project"].get("optional-dependencies", {})
    return [
        *table["build-system"]["requires"],
        *table["project"]["dependencies"],
        *(requirement for extra in extras.values() for requirement in extra),
    ]


def without_reason(pyproject: str) -> list[str]:
    """The requirements with no comment on a line of theirs, nor on the line before it."""
    lines = pyproject.splitlines()
    unexplained = []
    for requirement in requirements(pyproject):
        at = [number for number, line in enumerate(lines) if f'"{requirement}"' in line]
        explained = [
            number
            for number in at
            if re.search(r'"[^"]*"\]?,?\s*#\s*\w', lines[number]) or lines[number - 1].lstrip().startswith("#")
        ]
        if explained != at:
            unexplained.append(requirement)
    return unexplained


@pytest.mark.parametrize("command", COMMANDS)
def test_readme_names_the_two_commands(command: str, targets: set[str]) -> None:
    assert command in read("README.md")
    assert command.removeprefix("make ") in targets


def test_every_make_command_in_the_readme_exists(targets: set[str]) -> None:
    # As code: in a span, or at the start of a line of a block.
    named = set(re.findall(r"(?:`|^\s*\$?\s*)make ([a-z][\w-]*)", read("README.md"), re.MULTILINE))
    assert named <= targets


def test_ci_runs_the_test_command() -> None:
    assert re.search(r"^make test$", read(".ci/run"), re.MULTILINE)


def test_ci_can_be_started_and_stops_at_the_first_failure() -> None:
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111
    assert "\nset -euo pipefail\n" in read(".ci/run")


def test_every_dependency_has_its_reason() -> None:
    pyproject = read("pyproject.toml")
    assert requirements(pyproject)
    assert without_reason(pyproject) == []


def test_a_dependency_without_reason_is_told() -> None:
    pyproject = """\
[build-system]
requires = ["hatchling"]
[project]
dependencies = [
    "dpkt",  # frames
    # the reason of the next one
    "simpy",
    "numpy>=2",
]
optional-dependencies.bench = ["scapy"] # a peer
"""
    assert without_reason(pyproject) == ["hatchling", "numpy>=2"]


def test_changelog_has_this_version() -> None:
    version = tomllib.loads(read("pyproject.toml"))["project"]["version"]
    assert re.search(rf"^##? .*\b{re.escape(version)}\b", read("CHANGELOG.md"), re.MULTILINE)


def test_license_is_the_whole_apache_license() -> None:
    project = tomllib.loads(read("pyproject.toml"))["project"]
    text = read("LICENSE")
    assert project["license"] == "Apache-2.0"
    assert project["license-files"] == ["LICENSE"]
    assert text.split()[:5] == ["Apache", "License", "Version", "2.0,", "January"]
    assert re.findall(r"^ {3}(\d)\. ", text, re.MULTILINE) == list("123456789")
    assert "END OF TERMS AND CONDITIONS" in text


NEEDY = """
import pytest

@pytest.mark.program("sh", "no-such-program")
def test_program(): pass

@pytest.mark.program("sh")
def test_installed_program(): pass

@pytest.mark.root
def test_root(): pass
"""


@pytest.mark.parametrize("ci", [True, False])
def test_what_a_test_needs_may_be_absent_but_not_in_ci(
    ci: bool, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true" if ci else "")
    conftest = read("tests/conftest.py") + "\nos.geteuid = lambda: 1000\n"
    pytester.makeconftest(conftest)
    pytester.makepyprojecttoml(read("pyproject.toml"))
    result = pytester.runpytest_subprocess(pytester.makepyfile(NEEDY))
    result.assert_outcomes(**({"passed": 1, "errors": 2} if ci else {"passed": 1, "skipped": 2}))
    result.stdout.fnmatch_lines(["*needs the program no-such-program, which is not installed*"])
    result.stdout.fnmatch_lines(["*needs root*"])


def test_recordings_are_looked_for_beside_the_project_or_where_told(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VRRP_SHARED", str(pytester.path / "nowhere"))
    pytester.makeconftest(read("tests/conftest.py"))
    test_file = pytester.makepyfile("def test_it(shared): assert shared.is_dir()")
    pytester.runpytest_subprocess(test_file).assert_outcomes(skipped=1)
    (pytester.path / "nowhere").mkdir()
    pytester.runpytest_subprocess(test_file).assert_outcomes(passed=1)


def test_recordings_fixture_gives_the_folder(shared: Path) -> None:
    assert shared == SHARED
