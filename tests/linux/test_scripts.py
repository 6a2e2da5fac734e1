"""Track scripts of a daemon, as real processes."""

from __future__ import annotations

import asyncio
import logging
import os
import pwd
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from linux.kernels import CONF, FakeKernel, make_daemon
from vrrp.linux.daemon import Daemon
from vrrp.linux.machine import ThisMachine
from vrrp.linux.scripts import ScriptRunner

FOLLOWING = CONF.replace("virtual_ipaddress", "track_script {\n chk\n}\nvirtual_ipaddress")

MINE = f"global_defs {{\nscript_user {pwd.getpwuid(os.geteuid()).pw_name}\n}}\n"


def script(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(("#!/bin/sh", *lines, "")))
    path.chmod(0o755)
    return path


def live(
    tmp_path: Path, block: str, act: Callable[[Daemon, ScriptRunner], Awaitable[None]], conf: str = FOLLOWING
) -> None:
    """Run a daemon with this vrrp_script until `act` is done."""
    runner = ScriptRunner()
    text = f"{MINE}vrrp_script chk {{\n{block}\n}}\n{conf}"
    daemon = make_daemon(tmp_path / "k.conf", FakeKernel(), runner, text=text, host=ThisMachine())

    async def run() -> None:
        running = asyncio.create_task(daemon.run())
        async with asyncio.timeout(20):
            while not daemon.router.scripts["chk"].wake_ns < 2**62:
                await asyncio.sleep(0.002)
            await act(daemon, runner)
        daemon.stop()
        await running
        assert not runner.running

    asyncio.run(run())


async def until(true: Callable[[], bool]) -> None:
    while not true():
        await asyncio.sleep(0.005)


def state(daemon: Daemon) -> str:
    return daemon.router.virtual_routers[0].state.value


def test_success_failure_and_what_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "vrrp.scripts")
    (tmp_path / "status").write_text("0")
    chk = script(tmp_path / "chk", f"exit $(cat {tmp_path}/status)")

    async def act(daemon: Daemon, runner: ScriptRunner) -> None:
        await until(lambda: state(daemon) == "MASTER")
        (tmp_path / "status").write_text("3")
        await until(lambda: state(daemon) == "FAULT")
        (tmp_path / "status").write_text("0")
        await until(lambda: state(daemon) == "MASTER")

    live(tmp_path, f'script "{chk}"\ninterval 1', act)
    said = [record.getMessage() for record in caplog.records if record.name == "vrrp.scripts"]
    assert said == [
        "VRRP_Script(chk) succeeded",
        "Script `chk` now returning 3",
        "VRRP_Script(chk) failed (exited with status 3)",
        "Script `chk` now returning 0",
        "VRRP_Script(chk) succeeded",
    ]


def test_a_signal_is_failure(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "vrrp.scripts")
    chk = script(tmp_path / "chk", "kill -USR1 $$")

    async def act(daemon: Daemon, runner: ScriptRunner) -> None:
        await until(lambda: daemon.router.scripts["chk"].up is False)
        assert state(daemon) == "FAULT"

    live(tmp_path, f'script "{chk}"\ninterval 1', act)
    assert "VRRP_Script(chk) failed (due to signal 10)" in caplog.text


def test_one_that_hangs_is_killed_and_overlaps(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "vrrp.scripts")
    chk = script(tmp_path / "chk", f"echo $$ >> {tmp_path}/pids", "exec sleep 60")

    async def act(daemon: Daemon, runner: ScriptRunner) -> None:
        await until(lambda: runner.running.get("chk") == 2)
        await until(lambda: "timed_out" in caplog.text)

    live(tmp_path, f'script "{chk}"\ninterval 1\ntimeout 2', act)
    assert "Track script chk is already running, expect idle - skipping run" in caplog.text
    pids = (tmp_path / "pids").read_text().split()
    assert len(pids) >= 2
    assert not [pid for pid in pids if Path("/proc", pid).exists()]


def test_what_is_gone_counts_as_success_as_in_keepalived(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    chk = script(tmp_path / "chk", "exit 1")

    async def act(daemon: Daemon, runner: ScriptRunner) -> None:
        await until(lambda: daemon.router.scripts["chk"].up is False)
        chk.unlink()
        await until(lambda: daemon.router.scripts["chk"].up is True)

    live(tmp_path, f'script "{chk}"\ninterval 1', act)
    assert "Script `chk` cannot be run: no such file or directory" in caplog.text


def test_what_is_not_executable_is_never_run(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    chk = script(tmp_path / "chk", f"touch {tmp_path}/ran")
    chk.chmod(0o644)

    async def act(daemon: Daemon, runner: ScriptRunner) -> None:
        await until(lambda: daemon.router.scripts["chk"].up is False)

    live(tmp_path, f'script "{chk}"\ninterval 1', act)
    assert (
        f"WARNING - script '{chk}' is not executable for uid:gid {os.geteuid()}:{os.getegid()} - disabling."
        in caplog.text
    )
    assert not (tmp_path / "ran").exists()


def test_reload_begins_anew(tmp_path: Path) -> None:
    chk, other = script(tmp_path / "chk", "exec sleep 60"), script(tmp_path / "other", "exit 0")

    async def act(daemon: Daemon, runner: ScriptRunner) -> None:
        await until(lambda: runner.running == {"chk": 1})
        file = tmp_path / "k.conf"
        file.write_text(file.read_text().replace(str(chk), str(other)))
        daemon.reload()
        await until(lambda: daemon.router.scripts["chk"].up is True)
        file.write_text(MINE + CONF)
        daemon.reload()
        await asyncio.sleep(0.05)
        assert not daemon.router.scripts

    live(tmp_path, f'script "{chk}"\ninterval 5', act)
