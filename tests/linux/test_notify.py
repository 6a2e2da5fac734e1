"""Notify scripts and FIFOs of a daemon."""

from __future__ import annotations

import asyncio
import logging
import os
import pwd
import signal
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from linux.kernels import FakeKernel, make_daemon
from vrrp.config.script_security import Identity
from vrrp.linux.daemon import Daemon
from vrrp.linux.fifo import Fifo
from vrrp.linux.machine import ThisMachine
from vrrp.linux.made_fifos import MadeFifos
from vrrp.linux.notify import Notifier
from vrrp.wire.address import pack
from vrrp.wire.advertisement import Advertisement, encode
from vrrp.wire.frame import Datagram

OWN = Identity(os.geteuid(), os.getegid())
USER = pwd.getpwuid(os.geteuid()).pw_name
KEYWORDS = ("notify", "notify_master", "notify_backup", "notify_fault", "notify_stop", "notify_deleted")


def instance(name: str, vrid: int, log: Path, own: str = "") -> str:
    notify = "\n".join(f"{keyword} \"{log}.sh {keyword} 'of {name}'\"" for keyword in KEYWORDS)
    return f"""\
vrrp_instance {name} {{
    interface eth0
    virtual_router_id {vrid}
    version 3
    priority 200
    advert_int 0.02
    virtual_ipaddress {{
        10.0.0.{vrid}/24
    }}
    {notify}
    {own}
}}
"""


def configuration(log: Path, *, fifo: str = "", group: bool = False, three: bool = True, own: str = "") -> str:
    grouped = "\n".join(f'{keyword} "{log}.sh group {keyword}"' for keyword in KEYWORDS[:-1])
    return (
        f"global_defs {{\nscript_user {USER}\n{fifo}\n}}\n"
        + (f"vrrp_sync_group G1 {{\ngroup {{\nVI_1\nVI_2\n}}\n{grouped}\n}}\n" if group else "")
        + instance("VI_1", 1, log, own)
        + (instance("VI_2", 2, log) if group else "")
        + (instance("VI_3", 3, log) if three else "")
    )


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """What the scripts write to; LOG.sh is the script."""
    path = tmp_path / "log"
    path.touch()
    sh = Path(f"{path}.sh")
    sh.write_text(f'#!/bin/sh\nIFS=,; echo "$*" >> "{path}"\n')
    sh.chmod(0o755)
    return path


Act = Callable[[Daemon, FakeKernel], Awaitable[None]]


def live(tmp_path: Path, text: str, act: Act) -> Notifier:
    made, kernel = MadeFifos(tmp_path), FakeKernel()
    notifier = Notifier(made)
    daemon = make_daemon(tmp_path / "k.conf", kernel, made, notifier, text=text, host=ThisMachine())

    async def run() -> None:
        running = asyncio.create_task(daemon.run())
        async with asyncio.timeout(20):
            await act(daemon, kernel)
        os.kill(os.getpid(), signal.SIGTERM)
        await running

    asyncio.run(run())
    return notifier


async def all_are(daemon: Daemon, state: str) -> None:
    while any(one.state.value != state for one in daemon.router.virtual_routers):
        await asyncio.sleep(0.005)


def test_scripts_and_their_arguments(tmp_path: Path, log: Path) -> None:
    async def act(daemon: Daemon, kernel: FakeKernel) -> None:
        await all_are(daemon, "MASTER")
        kernel.down.add("eth0")
        daemon.interface_changed("eth0")

    live(tmp_path, configuration(log, three=False), act)
    wanted = ("BACKUP", "MASTER", "FAULT", "STOP")
    own = {f"notify_{state.lower()},of VI_1" for state in wanted}
    general = {f"notify,of VI_1,INSTANCE,VI_1,{state},200" for state in wanted}
    lines = log.read_text().splitlines()
    assert set(lines) == own | general
    assert len(lines) == 8


def read(path: Path) -> list[str]:
    return path.read_text().splitlines()


def test_fifo_lines_come_in_keepalived_s_order(tmp_path: Path, log: Path) -> None:
    fifo, seen = tmp_path / "fifo", tmp_path / "seen"
    reader = tmp_path / "reader"
    reader.write_text(f'#!/bin/sh\necho "$#" "$1" "$2" >> {seen}.args\nexec cat "$2" >> {seen}\n')
    reader.chmod(0o755)

    async def act(daemon: Daemon, kernel: FakeKernel) -> None:
        await all_are(daemon, "MASTER")
        assert stat.S_IMODE(fifo.stat().st_mode) == 0o600
        kernel.down.add("eth0")
        daemon.interface_changed("eth0")
        kernel.down.clear()
        daemon.interface_changed("eth0")
        (tmp_path / "k.conf").write_text(configuration(log, fifo=setting, group=True, three=False))
        daemon.reload()

    setting = f"vrrp_notify_fifo {fifo}\nvrrp_notify_fifo_script \"{reader} 'a b'\""
    live(tmp_path, configuration(log, fifo=setting, group=True), act)
    assert not fifo.exists()
    assert Path(f"{seen}.args").read_text() == f"2 a b {fifo}\n"
    lines = read(seen)
    assert lines[:4] == [
        'GROUP "G1" BACKUP 0',
        'INSTANCE "VI_1" BACKUP 200',
        'INSTANCE "VI_2" BACKUP 200',
        'INSTANCE "VI_3" BACKUP 200',
    ]
    grouped = [line for line in lines if "VI_3" not in line]
    assert grouped[3:6] == ['INSTANCE "VI_2" MASTER 200', 'INSTANCE "VI_1" MASTER 200', 'GROUP "G1" MASTER 0'] or (
        grouped[3:6] == ['INSTANCE "VI_1" MASTER 200', 'INSTANCE "VI_2" MASTER 200', 'GROUP "G1" MASTER 0']
    )
    assert grouped[6:9] == ['INSTANCE "VI_1" FAULT 200', 'INSTANCE "VI_2" FAULT 200', 'GROUP "G1" FAULT 0']
    assert grouped[9:12] == ['INSTANCE "VI_1" BACKUP 200', 'INSTANCE "VI_2" BACKUP 200', 'GROUP "G1" BACKUP 0']
    assert grouped[-3:] == ['INSTANCE "VI_1" STOP 200', 'INSTANCE "VI_2" STOP 200', 'GROUP "G1" STOP 0']
    assert [line for line in lines if "VI_3" in line][-1] == 'INSTANCE "VI_3" DELETED 200'
    told = read(log)
    assert "notify_deleted,of VI_3" in told
    assert "notify_stop,of VI_3" not in told
    assert "group,notify,GROUP,G1,STOP,0" in told
    assert "group,notify_master" in told


def weaker(priority: int) -> Datagram:
    source, destination = pack("10.0.0.9"), pack("224.0.0.18")
    packet = Advertisement(version=3, vrid=1, priority=priority, interval_cs=2, addresses=["10.0.0.1"])
    payload = encode(packet, source=source, destination=destination)
    return Datagram(source, destination, 255, payload)


def test_weaker_masters_and_priorities(tmp_path: Path, log: Path) -> None:
    fifo, number = tmp_path / "fifo", tmp_path / "number"
    os.mkfifo(fifo)
    lines: list[bytes] = []

    async def act(daemon: Daemon, kernel: FakeKernel) -> None:
        await all_are(daemon, "MASTER")
        for priority in (0, 100, 201):
            daemon.hear("eth0", weaker(priority))
        daemon.learn(lambda now_ns: daemon.router.set_file(now_ns, "number", 5))
        await all_are(daemon, "MASTER")
        daemon.learn(lambda now_ns: daemon.router.set_file(now_ns, "number", -300))
        lines.append(os.read(opened, 65536))

    opened = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
    own = f'notify_master_rx_lower_pri "{log}.sh rx"\nnotify_priority_changes on\ntrack_file {{\nnumber weight 1\n}}'
    text = f"track_file number {{\nfile {number}\n}}\n" + configuration(
        log, fifo=f"notify_fifo {fifo}", three=False, own=own
    )
    live(tmp_path, text, act)
    os.close(opened)
    assert fifo.exists()
    assert lines[0].decode().splitlines() == [
        'INSTANCE "VI_1" BACKUP 200',
        'INSTANCE "VI_1" MASTER 200',
        'INSTANCE "VI_1" MASTER_RX_LOWER_PRI 200',
        'INSTANCE "VI_1" BACKUP 200',
        'INSTANCE "VI_1" BACKUP_PRIORITY 205',
        'INSTANCE "VI_1" MASTER 205',
        'INSTANCE "VI_1" MASTER_PRIORITY 200',
        'INSTANCE "VI_1" FAULT 200',
    ]
    assert read(log).count("rx") == 1


def test_a_fifo_that_nobody_reads_is_full_in_the_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = MadeFifos(tmp_path)
    asyncio.run(made.start(make_daemon(tmp_path / "k.conf", FakeKernel())))
    fifo = Fifo(str(tmp_path / "fifo"), OWN, made)
    for _ in range(70_000 // 100 + 100):
        fifo.write("x" * 99)
    fifo.close()
    asyncio.run(made.stop())
    assert caplog.text.count("nobody reads it, lines are dropped") == 1
    assert not (tmp_path / "fifo").exists()


def test_what_is_no_fifo(tmp_path: Path, log: Path) -> None:
    kernel = FakeKernel()
    text = configuration(log, fifo=f"notify_fifo {tmp_path}/fifo\nvrrp_notify_fifo {log}")
    made = MadeFifos(tmp_path)
    daemon = make_daemon(tmp_path / "k.conf", kernel, made, Notifier(made), text=text, host=ThisMachine())
    with pytest.raises(FileExistsError, match="this is no FIFO"):
        asyncio.run(daemon.run())
    assert not (tmp_path / "fifo").exists()


def test_scripts_that_may_not_or_cannot_run(tmp_path: Path, log: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    missing = f"notify {tmp_path}/missing"
    text = configuration(log, three=False).replace('notify "', f'{missing}\nnotify "')
    fifo = f"notify_fifo {tmp_path}/fifo\nnotify_fifo_script {tmp_path}/missing"
    text = text.replace("script_user", f"{fifo}\nscript_user")
    sh = Path(f"{log}.sh")

    async def act(daemon: Daemon, kernel: FakeKernel) -> None:
        await all_are(daemon, "MASTER")
        sh.unlink()

    live(tmp_path, text, act)
    assert f"Script {tmp_path}/missing cannot be accessed - No such file or directory" in caplog.text
    assert f"Script {sh} cannot be run: no such file or directory" in caplog.text
    assert not [line for line in read(log) if line.startswith("notify,")]


def test_a_reader_that_ends_is_told_and_fifos_change_at_reload(
    tmp_path: Path, log: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def act(daemon: Daemon, kernel: FakeKernel) -> None:
        await all_are(daemon, "MASTER")
        while "ended with status 0" not in caplog.text:
            await asyncio.sleep(0.005)
        (tmp_path / "k.conf").write_text(configuration(log, fifo=f"notify_fifo {tmp_path}/b", three=False))
        daemon.reload()
        assert not (tmp_path / "a").exists()
        assert (tmp_path / "b").exists()

    setting = f"notify_fifo {tmp_path}/a\nnotify_fifo_script {log}.sh"
    live(tmp_path, configuration(log, fifo=setting, three=False), act)
    assert not (tmp_path / "b").exists()
