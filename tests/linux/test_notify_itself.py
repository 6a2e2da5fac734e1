"""What `vrrp run` tells others, and when, beside keepalived in a namespace like it through the same events."""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from conftest import open_to_all
from linux.namespaces import Cable, cable, sh

USER = pwd.getpwuid(os.geteuid()).pw_name
STATES = ("master", "backup", "fault", "stop")


def member(name: str, vrid: int, priority: int, told: Path) -> str:
    own = "\n".join(f'notify_{state} "{told} {name}-{state}"' for state in STATES)
    return f"""\
vrrp_instance {name} {{
    interface eth0
    virtual_router_id {vrid}
    version 3
    priority {priority}
    advert_int 0.2
    virtual_ipaddress {{
        10.0.0.{vrid}/24
    }}
    notify "{told} {name} 'two words'"
    {own}
}}
"""


def configuration(folder: Path) -> str:
    told = folder / "tell"
    group = "\n".join(f'notify_{state} "{told} G1-{state}"' for state in STATES)
    return f"""\
global_defs {{
    script_user {USER}
    vrrp_notify_fifo {folder}/fifo
    vrrp_notify_priority_changes true
}}
vrrp_script chk {{
    script "{folder}/check"
    interval 1
    weight 5
}}
vrrp_sync_group G1 {{
    group {{
        VI_1
        VI_2
    }}
    notify "{told} G1"
    {group}
    track_script {{
        chk
    }}
}}
{member("VI_1", 51, 200, told)}
{member("VI_2", 52, 100, told)}
"""


def script(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


def wait(true: Callable[[], bool], what: str, seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, what
        time.sleep(0.02)


def lived(folder: Path, start: Callable[[Path, Cable], object]) -> tuple[list[str], list[str]]:
    """What a program tells on a cable of its own."""
    with cable() as wires:
        sh("ip", "-n", wires.one, "address", "add", "10.0.0.1/24", "dev", "eth0")
        return told(folder, wires, start)


def told(folder: Path, wires: Cable, start: Callable[[Path, Cable], object]) -> tuple[list[str], list[str]]:
    """The lines of the FIFO, and the calls of the scripts in the order of the alphabet, for they run side by side."""
    folder.mkdir()
    script(folder / "tell", f'printf "%s|" "$@" >> "$(mktemp {folder}/call.XXXXXXXX)"')
    script(folder / "check", f"exit $(cat {folder}/status)")
    (folder / "status").write_text("0")
    (folder / "k.conf").write_text(configuration(folder))
    os.mkfifo(folder / "fifo")
    reader = os.open(folder / "fifo", os.O_RDWR | os.O_NONBLOCK)
    seen = ""

    def come(*lines: str) -> bool:
        nonlocal seen
        with contextlib.suppress(BlockingIOError):
            seen += os.read(reader, 65536).decode()
        return all(f"{line}\n" in seen.rpartition("--\n")[2] for line in lines)

    def phase(*lines: str) -> None:
        nonlocal seen
        wait(lambda: come(*lines), f"{lines} in {seen}")
        time.sleep(0.3)
        come()
        seen += "--\n"

    try:
        start(folder, wires)
        phase('INSTANCE "VI_2" MASTER 105', 'GROUP "G1" MASTER 0')
        (folder / "status").write_text("3")
        phase('INSTANCE "VI_1" MASTER_PRIORITY 200', 'INSTANCE "VI_2" MASTER_PRIORITY 100')
        sh("ip", "-n", wires.other, "link", "set", "eth0", "down")
        phase('INSTANCE "VI_2" FAULT 100', 'GROUP "G1" FAULT 0')
        sh("ip", "-n", wires.other, "link", "set", "eth0", "up")
        phase('INSTANCE "VI_2" MASTER 100', 'GROUP "G1" MASTER 0')
        running = wires.processes[-1]
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=20)
        come()
    finally:
        os.close(reader)
    calls = sorted(path.read_text() for path in folder.glob("call.*"))
    return seen.splitlines(), [call.replace(str(folder), "") for call in calls]


def settled(lines: list[str]) -> list[str]:
    """The lines in which both have no choice: members by name, between what tells of the group."""
    parts = itertools.groupby(lines, key=lambda line: line.startswith("INSTANCE"))
    return [line for members, part in parts for line in (sorted(part) if members else part)]


@pytest.mark.root
@pytest.mark.program("keepalived")
def test_the_same_lines_and_calls_as_keepalived(tmp_path: Path) -> None:
    open_to_all(tmp_path)

    def keepalived(folder: Path, wires: Cable) -> None:
        pids = ("-p", folder / "p", "-r", folder / "r")
        wires.run(wires.one, "keepalived", "-n", "-l", "-D", "-P", "-f", folder / "k.conf", *pids)

    def vrrp(folder: Path, wires: Cable) -> None:
        wires.vrrp(wires.one, "run", "-f", folder / "k.conf", "--state-dir", folder / "state")

    with ThreadPoolExecutor() as both:
        first = both.submit(lived, tmp_path / "theirs", keepalived)
        ours, our_calls = both.submit(lived, tmp_path / "ours", vrrp).result()
        theirs, their_calls = first.result()
    assert settled(ours) == settled(theirs), (ours[-6:], theirs[-6:])
    assert our_calls == their_calls
