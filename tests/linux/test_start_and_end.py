"""startup_script and shutdown_script: when they run, and what becomes of one that fails or hangs."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from linux.lan import lan
from vrrp.config import parse
from vrrp.linux import child
from vrrp.linux.start_and_end import SHUTDOWN, STARTUP, run_script, timeout_s


def script(path: Path, line: str) -> Path:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)
    return path


def said(caplog: pytest.LogCaptureFixture, settings: str, keyword: str = STARTUP) -> list[str]:
    caplog.set_level("INFO")
    asyncio.run(run_script(parse(f"global_defs {{\n{settings}\nscript_user root\n}}\n").config.globals, keyword))
    return [record.getMessage() for record in caplog.records if "permissions" not in record.getMessage()]


@pytest.mark.parametrize(
    ("line", "how"),
    [("true", "succeeded"), ("exit 3", "failed, status 3"), ("kill -9 $$", "failed, due to signal 9")],
)
def test_how_it_ends_is_told(line: str, how: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = script(tmp_path / "s", line)
    told = said(caplog, f"script_user root\nstartup_script '{path} x'")
    assert told == [f"Running startup script {path}", f"startup script script {how}"]


def test_one_that_hangs_is_ended(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = script(tmp_path / "s", f"trap 'echo > {tmp_path}/ended; exit' TERM\nsleep 30 & wait")
    began = time.monotonic()
    told = said(caplog, f"script_user root\nshutdown_script {path}\nshutdown_script_timeout 1", SHUTDOWN)
    assert told == [f"Running shutdown script {path}", "shutdown script timed out"]
    assert 1 <= time.monotonic() - began < 5
    assert (tmp_path / "ended").exists()


def test_what_cannot_be_run_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s"
    assert said(caplog, f"script_user root\nstartup_script {path}") == [
        f"Script {path} cannot be accessed - No such file or directory"
    ]
    caplog.clear()
    script(path, "true")
    monkeypatch.setattr(child, "MOST_CHILDREN", 0)
    assert said(caplog, f"script_user root\nstartup_script {path}")[1:] == [
        "startup script cannot be run: 0 scripts are running already"
    ]
    caplog.clear()
    assert said(caplog, "") == []


def test_how_long_it_may_take() -> None:
    for line, seconds in (("", 10), ("startup_script_timeout 7", 7), ("startup_script_timeout 7000", 10)):
        assert timeout_s(parse(f"global_defs {{\n{line}\n}}\n").config.globals, STARTUP) == seconds


@pytest.mark.root
@pytest.mark.program("ip", "tcpdump")
def test_one_runs_before_anything_else_and_one_after_all(tmp_path: Path) -> None:
    for when in ("startup", "shutdown"):
        script(tmp_path / when, f"sleep 0.3; ip -br addr > {tmp_path}/{when}.seen")
    lines = "\n".join(f"{when}_script {tmp_path}/{when}" for when in ("startup", "shutdown"))
    with lan(tmp_path, "a") as net:
        net.vrrp(
            "a",
            f"global_defs {{\nscript_user root\n{lines}\n}}\nstatic_ipaddress {{\n10.7.0.1/24 dev eth0\n}}\n"
            "vrrp_instance V {\ninterface eth0\nvirtual_router_id 5\nversion 3\nadvert_int 0.05\n"
            "virtual_ipaddress {\n10.0.0.100/24\n}\n}\n",
        )
        assert "10.0.0.1/24" in (tmp_path / "startup.seen").read_text()
        net.until_holder("10.0.0.100", "a")
        assert net.stop("a") == 0
    for when in ("startup", "shutdown"):
        seen = (tmp_path / f"{when}.seen").read_text()
        assert "10.0.0.1/24" in seen
        assert "10.7.0.1" not in seen
        assert "10.0.0.100" not in seen
