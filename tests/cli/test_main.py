"""The command itself: help, version, unknown words, and how everything that can happen ends."""

from __future__ import annotations

import importlib.metadata
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
import pytest

import vrrp as library
import vrrp.cli.main as cli_main
from cli.command import CONF, SCENARIO, Vrrp, conf_files, finished, scenario_file, spawn

SUBCOMMANDS = ("check", "sim", "timers")


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_lists_the_subcommands(option: str, vrrp: Vrrp) -> None:
    outcome = vrrp(option)
    assert (outcome.code, outcome.err) == (0, "")
    for name in SUBCOMMANDS:
        assert f"\n  {name} " in outcome.out


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_every_subcommand_has_help_in_the_promised_form(name: str, vrrp: Vrrp) -> None:
    outcome = vrrp(name, "--help")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith(f"Usage: vrrp {name} ")
    assert "--json" in outcome.out


def test_every_subcommand_is_an_entry_point() -> None:
    names = {point.name for point in importlib.metadata.entry_points(group="vrrp.commands")}
    assert set(SUBCOMMANDS) <= names


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_version(option: str, vrrp: Vrrp) -> None:
    outcome = vrrp(option)
    assert (outcome.code, outcome.out, outcome.err) == (0, f"vrrp {library.__version__}\n", "")


def test_the_version_is_the_distributions() -> None:
    assert library.__version__ == importlib.metadata.version("vrrp")


def test_alone_it_shows_its_help(vrrp: Vrrp) -> None:
    assert vrrp() == vrrp("--help")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["simm"], "vrrp: there is no command 'simm'; did you mean 'sim'? (see vrrp --help)"),
        (["tmers", "-p", "5"], "vrrp: there is no command 'tmers'; did you mean 'timers'? (see vrrp --help)"),
    ],
)
def test_an_unknown_subcommand(arguments: list[str], message: str, vrrp: Vrrp) -> None:
    assert vrrp(*arguments).complaint == message


def test_a_subcommand_like_no_other(vrrp: Vrrp) -> None:
    assert vrrp("xyzzy").complaint.startswith("vrrp: there is no command 'xyzzy'; known: audit, check, ")


@pytest.mark.parametrize(
    ("arguments", "command", "named"),
    [
        (["--jsn"], "vrrp", "--jsn"),
        (["timers", "--prio", "5"], "vrrp timers", "--priority"),
        (["timers", "-p", "0"], "vrrp timers", "1<=x<=255"),
        (["timers", "--profile", "rfc37"], "vrrp timers", "'rfc3768'"),
        (["timers", "-i", "soon"], "vrrp timers", "soon"),
        (["sim"], "vrrp sim", "SCENARIO.toml"),
        (["sim", "x.toml", "--sed", "1"], "vrrp sim", "--seed"),
        (["sim", "x.toml", "--seed", "one"], "vrrp sim", "one"),
        (["sim", "a.conf", "--profile", "cisco"], "vrrp sim", "keepalived, frr"),
        (["check"], "vrrp check", "FILES"),
    ],
)
def test_options_and_arguments_that_cannot_be(arguments: list[str], command: str, named: str, vrrp: Vrrp) -> None:
    said = vrrp(*arguments).complaint
    assert said.startswith(f"{command}: ")
    assert said.endswith(f" (see {command} --help)")
    assert named in said


def test_an_option_without_its_argument(vrrp: Vrrp) -> None:
    assert "-p" in vrrp("timers", "-p").complaint


# Whatever a subcommand does -------------------------------------------------------------------------------


class Point:
    """An entry point `sub` whose command does what it is told."""

    name = "sub"

    def __init__(self, act: Callable[[], object]) -> None:
        self._act = act

    def load(self) -> click.Command:
        return click.Command("sub", callback=self._act)


def raising(error: BaseException) -> Callable[[], object]:
    def act() -> None:
        raise error

    return act


@pytest.fixture
def sub(monkeypatch: pytest.MonkeyPatch, vrrp: Vrrp) -> Callable[[Callable[[], object]], Any]:
    def call(act: Callable[[], object]) -> Any:
        monkeypatch.setattr(cli_main, "entry_points", lambda group: [Point(act)])
        return vrrp("sub")

    return call


@pytest.mark.parametrize(("value", "code"), [(None, 0), (0, 0), (1, 1), ("text", 0)])
def test_the_status_is_what_the_subcommand_returns(value: object, code: int, sub: Any) -> None:
    assert sub(lambda: value).code == code


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (FileNotFoundError(2, "No such file or directory", "/x/y"), "vrrp: /x/y: no such file or directory"),
        (PermissionError(13, "Permission denied", b"/x"), None),
        (OSError(28, "No space left on device"), "vrrp: vrrp: no space left on device"),
        (OSError("odd"), "vrrp: vrrp: odd"),
        (click.UsageError("Some Thing."), "vrrp sub: some Thing (see vrrp sub --help)"),
        (click.ClickException("Some Thing."), "vrrp: some Thing (see vrrp --help)"),
        (click.FileError("f", "hint"), None),
    ],
)
def test_errors_are_one_line_and_status_2(error: BaseException, message: str | None, sub: Any) -> None:
    said = sub(raising(error)).complaint
    assert message in {None, said}


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_an_interruption_is_one_line_and_status_130(error: BaseException, sub: Any) -> None:
    outcome = sub(raising(error))
    assert (outcome.code, outcome.out, outcome.err) == (130, "", "vrrp: interrupted\n")


def test_main_exits_with_the_status(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli_main, "entry_points", lambda group: [Point(lambda: 1)])
    with pytest.raises(SystemExit) as caught:
        cli_main.main(["sub"])
    assert caught.value.code == 1


# As a process ---------------------------------------------------------------------------------------------


def test_the_installed_script() -> None:
    script = Path(sys.executable).parent / "vrrp"
    if not script.exists():
        pytest.skip(f"no script vrrp beside {Path(sys.executable).name}: the package is not installed")
    done = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"vrrp {library.__version__}\n"


def test_ctrl_c(tmp_path: Path) -> None:
    file = scenario_file(tmp_path, SCENARIO.replace('"20s"', '"10000h"'))
    process = spawn("sim", file, "--pcap", tmp_path / "x.pcap")
    deadline = time.monotonic() + 30
    while not list(tmp_path.glob(".x.pcap.*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=20)
    process.send_signal(signal.SIGINT)  # as people do: the first may have met Python where it can raise nothing
    outcome = finished(process)
    assert (outcome.code, outcome.out, outcome.err) == (130, "", "vrrp: interrupted\n")
    # The capture was not whole: it does not exist, nor its beginning.
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.conf", "b.conf", "x.toml"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["sim", "x.toml"],
        ["sim", "x.toml", "--json", "-"],
        ["timers"],
        ["timers", "--json", "-"],
        ["check", "a.conf"],
        ["--help"],
    ],
)
def test_a_reader_who_leaves_is_no_error_of_ours(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario_file(tmp_path)
    monkeypatch.chdir(tmp_path)
    process = spawn(*arguments)
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    outcome = finished(process)
    # 128 + SIGPIPE, as a shell would say of a program that the signal ended.
    assert (outcome.code, outcome.err) == (141, "")


def test_a_reader_who_leaves_in_the_middle(tmp_path: Path) -> None:
    """More than a pipe holds: the write itself fails."""
    file = tmp_path / "a.conf"
    file.write_text("nonsense\n" * 5000 + CONF)
    process = spawn("check", file)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    process.stdout = None
    outcome = finished(process)
    assert (outcome.code, outcome.err) == (141, "")


def test_conf_files_are_what_the_tests_think(tmp_path: Path, vrrp: Vrrp) -> None:
    assert vrrp("check", *conf_files(tmp_path, 101, 100)).code == 0
