"""This machine, as a configuration finds it."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from vrrp.config import load
from vrrp.config.host import Program
from vrrp.linux.machine import ThisMachine, kernel_settings


def test_users_and_groups_by_name() -> None:
    machine = ThisMachine()
    own = pwd.getpwuid(os.getuid())
    assert machine.user_id(own.pw_name) == own.pw_uid
    assert machine.group_id("root") == 0
    assert machine.user_id("no-such-user") is None
    assert machine.group_id("no-such-group") is None
    assert machine.user_id("a\0b") is None


def test_interfaces_are_those_given_or_any() -> None:
    assert ThisMachine().has_interface("eth9")
    assert ThisMachine(["eth0"]).has_interface("eth0")
    assert not ThisMachine(["eth0"]).has_interface("eth9")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that only its owner may write; those above are not this test's business."""
    inner = tmp_path / "bin"
    inner.mkdir(mode=0o755)
    return inner


def test_programs(folder: Path) -> None:
    machine = ThisMachine(search_path=[str(folder), "/bin"])
    program = folder / "chk"
    assert machine.program(str(program)) is Program.MISSING
    assert machine.program("chk") is Program.MISSING
    assert machine.program("sh") is Program.FOUND
    assert machine.program(str(folder)) is Program.NO_FILE
    assert machine.program("x\0y") is Program.MISSING
    program.write_text("")
    program.chmod(0o755)
    assert machine.program("chk") is machine.program(str(program)) is Program.FOUND
    program.chmod(0o777)
    assert machine.program("chk") is Program.UNSAFE
    program.chmod(0o755)
    folder.chmod(0o777)
    assert machine.program("chk") is Program.UNSAFE
    folder.chmod(0o1777)
    assert machine.program("chk") is Program.FOUND


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
