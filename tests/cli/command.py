"""The command line in this process and in another; files for it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from vrrp.cli.main import run

CONF = """\
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    priority PRIORITY
    virtual_ipaddress {
        10.0.0.100/24
    }
}
"""

SCENARIO = """\
title = "Two routers"
duration = "20s"

[segments.lan]
delay = "50us"

[nodes.a]
keepalived = "a.conf"
interfaces.eth0 = { segment = "lan", addresses = ["10.0.0.11/24"] }

[nodes.b]
keepalived = "b.conf"
interfaces.eth0 = { segment = "lan", addresses = ["10.0.0.12/24"] }

[clients.c]
interfaces.eth0 = { segment = "lan", addresses = ["10.0.0.200/24"] }
target = "10.0.0.100:80"

[[events]]
at = "10s"
node = "a"
action = "power-off"
"""


@dataclass(frozen=True)
class Outcome:
    """What a command left."""

    code: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The one line of a command that was given bad input: nothing on standard output, status 2."""
        assert (self.code, self.out) == (2, "")
        assert self.err.endswith("\n")
        line = self.err[:-1]
        assert line.isprintable(), self.err
        assert "Traceback" not in line
        return line


class Vrrp:
    """`vrrp`, in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: object) -> Outcome:
        self._capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        out, err = self._capsys.readouterr()
        return Outcome(code, out, err)


def spawn(*arguments: str | Path, stdout: int = subprocess.PIPE) -> subprocess.Popen[str]:
    """`vrrp`, as a process that Ctrl-C reaches, also where the tests run in the background."""
    heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    program = [sys.executable, "-c", f"{heed}; from vrrp.cli.main import main; main()"]
    return subprocess.Popen(
        [*program, *map(str, arguments)],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
    )


def finished(process: subprocess.Popen[str]) -> Outcome:
    out, err = process.communicate(timeout=60)
    return Outcome(process.returncode, out or "", err)


def conf_files(folder: Path, *priorities: int) -> list[Path]:
    """a.conf, b.conf … with these priorities."""
    files = []
    for name, priority in zip("abcdef", priorities, strict=False):
        files.append(folder / f"{name}.conf")
        files[-1].write_text(CONF.replace("PRIORITY", str(priority)))
    return files


def scenario_file(folder: Path, text: str = SCENARIO) -> Path:
    """x.toml with a.conf (101) and b.conf (100) beside it."""
    conf_files(folder, 101, 100)
    file = folder / "x.toml"
    file.write_text(text)
    return file
