"""This machine, as a configuration finds it."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from vrrp.config import load
from vrrp.config.host import Program
from vrrp.linux import machine
from vrrp.linux.machine import ThisMachine, kernel_settings


def test_users_and_groups_by_name() -> None:
    this = ThisMachine()
    own = pwd.getpwuid(os.getuid())
    assert this.user_id(own.pw_name) == own.pw_uid
    assert this.group_id("root") == 0
    assert this.user_id("no-such-user") is None
    assert this.group_id("no-such-group") is None
    assert this.user_id("a\0b") is None


def test_interfaces_are_those_given_or_any() -> None:
    assert ThisMachine().has_interface("eth9")
    assert ThisMachine(["eth0"]).has_interface("eth0")
    assert not ThisMachine(["eth0"]).has_interface("eth9")


def test_network_namespaces_are_those_of_iproute2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_NETWORK_NAMESPACES", str(tmp_path))
    (tmp_path / "low").touch()
    assert ThisMachine().has_network_namespace("low")
    assert not ThisMachine().has_network_namespace("high")
    assert not ThisMachine().has_network_namespace("")
    assert not ThisMachine().has_network_namespace("a\0b")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that only its owner may write; those above are not this test's business."""
    inner = tmp_path / "bin"
    inner.mkdir(mode=0o755)
    return inner


def test_programs(folder: Path) -> None:
    this = ThisMachine(search_path=[str(folder), "/bin"])
    program = folder / "chk"
    assert this.program(str(program)) is Program.MISSING
    assert this.program("chk") is Program.MISSING
    assert this.program("sh") is Program.FOUND
    assert this.program(str(folder)) is Program.NO_FILE
    assert this.program("x\0y") is Program.MISSING
    program.write_text("")
    program.chmod(0o755)
    assert this.program("chk") is this.program(str(program)) is Program.FOUND
    program.chmod(0o777)
    assert this.program("chk") is Program.UNSAFE
    program.chmod(0o755)
    folder.chmod(0o777)
    assert this.program("chk") is Program.UNSAFE
    folder.chmod(0o1777)
    assert this.program("chk") is Program.FOUND


def test_a_script_that_is_missing_is_told(tmp_path: Path) -> None:
    file = tmp_path / "a.conf"
    file.write_text(
        f'vrrp_script chk {{\n script "{tmp_path}/missing"\n}}\nvrrp_instance A {{\n interface eth0\n'
        " virtual_router_id 1\n virtual_ipaddress {\n 10.0.0.1\n }\n track_script {\n chk\n }\n}\n"
    )
    told = [one.message for one in load(file, host=ThisMachine()).diagnostics]
    assert "Disabling track script chk since not found/accessible" in told


def test_kernel_settings_are_those_of_proc() -> None:
    found = kernel_settings()
    for name, value in found.items():
        assert Path("/proc/sys", *name.split(".")).read_text().strip() == value
    assert set(found.values()) <= {"0", "1"}


def test_processors() -> None:
    assert ThisMachine().processors() == (os.cpu_count() or 1)
