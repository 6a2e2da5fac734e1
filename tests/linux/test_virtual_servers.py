"""Virtual servers in a daemon: what IPVS is told, who is told of failures, what is shown, and keepalived beside it."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import re
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from linux.kernels import CONF, FakeKernel, make_daemon, until
from linux.namespaces import Cable, cable
from vrrp.linux.configuration import read_configuration
from vrrp.linux.daemon import Daemon
from vrrp.linux.lvs.messages import Change, command_line
from vrrp.linux.lvs.virtual_servers import Programmable, VirtualServers
from vrrp.linux.machine import ThisMachine
from vrrp.linux.made_fifos import MadeFifos
from vrrp.linux.plan import plan
from vrrp.linux.service import Service
from vrrp.linux.status.document import Status
from vrrp.linux.status.metrics import metrics

VS = "[10.0.0.100]:tcp:80"


class FakeIpvs:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def carry_out(self, change: Change) -> None:
        self.told.append(command_line(change).removeprefix("ipvsadm ").replace("-t 10.0.0.100:80", "VS"))

    def flush(self) -> None:
        self.told.append("-C")

    def close(self) -> None:
        self.told.append("closed")


def script(path: Path, line: str) -> Path:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)
    return path


def block(folder: Path, *servers: str, head: str = "sorry_server 10.0.0.9 80") -> str:
    """A virtual server whose real servers are up as long as there is no file of their number."""
    lines = []
    for number, extra in enumerate(servers, 1):
        check = script(folder / f"check{number}", f"test ! -e {folder}/{number}")
        lines.append(
            f"real_server 10.0.0.{number} 80 {{\n weight {number}\n notify_down '{folder}/tell down {number}'\n"
            f" notify_up '{folder}/tell up {number}'\n {extra}\n"
            f" MISC_CHECK {{\n misc_path {check}\n retry 0\n warmup 0\n delay_loop 0.1\n }}\n }}\n"
        )
    script(folder / "tell", f'echo "$@" >> {folder}/told')
    return (
        f"virtual_server 10.0.0.100 80 {{\n lvs_sched rr\n lvs_method NAT\n protocol TCP\n {head}\n"
        f" quorum_up '{folder}/tell quorum up'\n quorum_down '{folder}/tell quorum down'\n{''.join(lines)}}}\n"
    )


def top(*lines: str) -> str:
    return "\n".join(["global_defs {", " script_user root", *lines, "}\n"])


def services(folder: Path, ipvs: Callable[[], Programmable]) -> tuple[Service, ...]:
    made = MadeFifos(folder)
    return made, VirtualServers(made, ipvs)


Life = Callable[[Daemon], Awaitable[None]]


def live(daemon: Daemon, life: Life) -> None:
    async def living() -> None:
        running = asyncio.create_task(daemon.run())
        try:
            await life(daemon)
        finally:
            daemon.stop()
            await running

    asyncio.run(living())


async def come(true: Callable[[], bool], what: object) -> None:
    until = time.monotonic() + 10
    while not true():
        assert time.monotonic() < until, what
        await asyncio.sleep(0.01)


def words(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def test_servers_go_and_come_back(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    ipvs = FakeIpvs()
    os.mkfifo(tmp_path / "fifo")
    reader = os.open(tmp_path / "fifo", os.O_RDWR | os.O_NONBLOCK)
    text = top(f"lvs_notify_fifo {tmp_path}/fifo", "lvs_flush") + CONF + block(tmp_path, "", "")
    status = Status()
    daemon = make_daemon(
        tmp_path / "k.conf",
        FakeKernel(),
        status,
        *services(tmp_path, lambda: ipvs),
        text=text,
        host=ThisMachine(["eth0"]),
    )

    async def life(daemon: Daemon) -> None:
        (tmp_path / "1").touch()
        await come(lambda: "down 1" in words(tmp_path / "told"), ipvs.told)
        (tmp_path / "2").touch()
        await come(lambda: "quorum down" in words(tmp_path / "told"), ipvs.told)
        document = status.document
        (virtual,) = document["virtual_servers"]
        assert virtual == {
            "virtual_server": VS,
            "state": "down",
            "scheduler": "rr",
            "weight": 0,
            "quorum": 1,
            "serves": "sorry server [10.0.0.9]:tcp:80",
            "ipvs": True,
        }
        assert document["real_servers"][0] == {
            "virtual_server": VS,
            "real_server": "[10.0.0.1]:tcp:80",
            "state": "down",
            "method": "NAT",
            "weight": 1,
            "in_pool": False,
            "failing": "1/1",
        }
        assert [row["state"] for row in document["checks"]] == ["down", "down"]
        shown = metrics(document).splitlines()
        assert f'vrrp_virtual_server_up{{virtual_server="{VS}"}} 0' in shown
        assert f'vrrp_real_server_up{{virtual_server="{VS}",real_server="[10.0.0.1]:tcp:80"}} 0' in shown
        (tmp_path / "1").unlink()
        await come(lambda: words(tmp_path / "told").count("quorum up") == 2, ipvs.told)

    try:
        live(daemon, life)
        fifo = os.read(reader, 65536).decode().splitlines()
    finally:
        os.close(reader)
    assert ipvs.told == [
        "-C",
        "-A VS -s rr",
        "-a VS -r 10.0.0.1:80 -m -w 1",
        "-a VS -r 10.0.0.2:80 -m -w 2",
        "-d VS -r 10.0.0.1:80",
        "-d VS -r 10.0.0.2:80",
        "-a VS -r 10.0.0.9:80 -m -w 1",
        "-d VS -r 10.0.0.9:80",
        "-a VS -r 10.0.0.1:80 -m -w 1",
        "-d VS -r 10.0.0.1:80",
        "-D VS",
        "closed",
    ]
    assert fifo == [
        f"VS {VS} UP",
        f"RS [10.0.0.1]:tcp:80 {VS} DOWN",
        f"RS [10.0.0.2]:tcp:80 {VS} DOWN",
        f"VS {VS} DOWN",
        f"RS [10.0.0.1]:tcp:80 {VS} UP",
        f"VS {VS} UP",
    ]
    assert sorted(words(tmp_path / "told")) == ["down 1", "down 2", "quorum down", "quorum up", "quorum up", "up 1"]
    assert f"Lost quorum 1-0=1 > 0 for VS {VS}" in caplog.messages


def no_ipvs() -> FakeIpvs:
    raise FileNotFoundError(errno.ENOENT, "No such file or directory")


def test_without_ipvs_it_says_so_once_and_what_it_would_have_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    daemon = make_daemon(
        tmp_path / "k.conf", FakeKernel(), *services(tmp_path, no_ipvs), text=CONF + block(tmp_path, "")
    )

    async def life(daemon: Daemon) -> None:
        await come(lambda: "Startup complete" in caplog.messages, caplog.messages)
        (tmp_path / "k.conf").write_text(CONF + block(tmp_path, "", ""))
        daemon.reload()
        (tmp_path / "k.conf").write_text(CONF)
        daemon.reload()

    live(daemon, life)
    assert caplog.messages.count("this kernel has no IPVS: what it would be told is only logged") == 1
    told = [line.partition("ipvsadm ")[2] for line in caplog.messages if line.startswith("IPVS would be told: ")]
    assert told == [
        "-A -t 10.0.0.100:80 -s rr",
        "-a -t 10.0.0.100:80 -r 10.0.0.1:80 -m -w 1",
        "-a -t 10.0.0.100:80 -r 10.0.0.2:80 -m -w 2",
        "-d -t 10.0.0.100:80 -r 10.0.0.1:80",
        "-d -t 10.0.0.100:80 -r 10.0.0.2:80",
        "-D -t 10.0.0.100:80",
    ]


def test_without_a_virtual_router_and_with_one_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    ipvs, kernel, file = FakeIpvs(), FakeKernel(), tmp_path / "k.conf"
    servers = block(tmp_path, "")
    daemon = make_daemon(file, kernel, *services(tmp_path, lambda: ipvs), text=servers)

    async def life(daemon: Daemon) -> None:
        (tmp_path / "1").touch()
        await come(lambda: "down 1" in words(tmp_path / "told"), ipvs.told)
        file.write_text(CONF + servers)
        daemon.reload()
        await until(kernel, "acquire 10.0.0.100")
        file.write_text(servers)
        daemon.reload()
        assert kernel.asked[-1] == "release 10.0.0.100"
        (tmp_path / "1").unlink()
        await come(lambda: "up 1" in words(tmp_path / "told"), ipvs.told)

    live(daemon, life)
    lines = list(plan(read_configuration(file, ThisMachine(["eth0"])), {"eth0": []}))
    assert lines[0] == f"{VS}: balanced by rr while real servers of weight 1 are up; sorry server [10.0.0.9]:tcp:80"


@pytest.mark.parametrize(("flush", "last"), [("", ["-C"]), ("VS", ["-D VS"])])
def test_flushing_at_the_end(tmp_path: Path, flush: str, last: list[str], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    ipvs = FakeIpvs()
    text = top(f"lvs_flush_on_stop {flush}") + CONF + block(tmp_path, "", head="omega")
    daemon = make_daemon(tmp_path / "k.conf", FakeKernel(), *services(tmp_path, lambda: ipvs), text=text)

    async def life(daemon: Daemon) -> None:
        await come(lambda: "Startup complete" in caplog.messages, caplog.messages)

    live(daemon, life)
    assert ipvs.told == ["-A VS -s rr", "-a VS -r 10.0.0.1:80 -m -w 1", *last, "closed"]
    assert sorted(words(tmp_path / "told")) == ["quorum down", "quorum up"]
    assert not any(line.startswith("Shutting down") for line in caplog.messages)


def test_checkers_rest_while_the_address_is_not_here(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    text = CONF + block(tmp_path, "", head="ha_suspend")
    daemon = make_daemon(tmp_path / "k.conf", FakeKernel(), *services(tmp_path, FakeIpvs), text=text)

    async def life(daemon: Daemon) -> None:
        await come(lambda: any(line.startswith("Activating") for line in caplog.messages), caplog.messages)

    live(daemon, life)
    about = f"healthchecker for service [10.0.0.1]:tcp:80 for VS {VS}"
    told = [line for line in caplog.messages if "healthchecker" in line]
    assert told[:2] == [f"Deactivating {about}", f"Activating {about}"]


def test_an_ssl_block_that_cannot_be_used_leaves_the_checkers_as_they_were(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    daemon = make_daemon(
        tmp_path / "k.conf", FakeKernel(), *services(tmp_path, FakeIpvs), text=CONF + block(tmp_path, "")
    )
    ssl = "SSL {\n ca /no/such\n certificate /no/such\n key /no/such\n}\n"

    async def life(daemon: Daemon) -> None:
        await come(lambda: "Startup complete" in caplog.messages, caplog.messages)
        secured = block(tmp_path, "SSL_GET {\n url {\n path /\n }\n }")
        (tmp_path / "k.conf").write_text(CONF + ssl + secured)
        daemon.reload()

    live(daemon, life)
    assert any(line.endswith("; the checkers go on as they were") for line in caplog.messages)


def test_what_would_be_balanced_is_said_beforehand(tmp_path: Path) -> None:
    file = tmp_path / "k.conf"
    file.write_text(CONF + block(tmp_path, "", "lvs_method DR"))
    lines = list(plan(read_configuration(file, ThisMachine(["eth0"])), {"eth0": []}))
    assert lines[2:5] == [
        f"{VS}: balanced by rr while real servers of weight 1 are up; sorry server [10.0.0.9]:tcp:80",
        f"{VS}: [10.0.0.1]:tcp:80 by NAT with weight 1, checked by MISC_CHECK",
        f"{VS}: [10.0.0.2]:tcp:80 by DR with weight 2, checked by MISC_CHECK",
    ]


PHRASES = re.compile(
    r"(Gained|Lost|Starting with) quorum|(Adding|Removing|Enabling|Disabling) |Shutting down|Activating health"
)
STORY = (("touch", "1"), ("touch", "2"), ("rm", "1"), ("rm", "2"))


def lived(folder: Path, wires: Cable, side: str, *command: object) -> tuple[list[str], list[str], list[str]]:
    """The phrases of the log, the FIFO's lines and the scripts' calls, of a program that lives the story."""
    fifo = os.open(folder / "fifo", os.O_RDWR | os.O_NONBLOCK)
    process = wires.run(side, *command)
    try:
        for number, (act, name) in enumerate(STORY):
            time.sleep(0.1 if number else 1.6)
            (folder / name).touch() if act == "touch" else (folder / name).unlink()
            until = time.monotonic() + 10
            wanted = f"{'down' if act == 'touch' else 'up'} {name}"
            while wanted not in words(folder / "told"):
                assert time.monotonic() < until, words(folder / "told")
                time.sleep(0.02)
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=20)
        lines = [line.split(": ", 1)[-1] for line in (out + err).splitlines()]
        told = os.read(fifo, 65536).decode().splitlines()
    finally:
        os.close(fifo)
    return [line for line in lines if PHRASES.match(line)], told, sorted(words(folder / "told"))


@pytest.mark.root
@pytest.mark.program("keepalived")
def test_the_same_lines_in_the_same_order_as_keepalived(tmp_path: Path) -> None:
    folders = [tmp_path / "theirs", tmp_path / "ours"]
    for folder in folders:
        folder.mkdir()
        os.mkfifo(folder / "fifo")
        servers = block(folder, "inhibit_on_failure", "", head="omega\n quorum 3\n sorry_server 10.0.0.9 80")
        (folder / "k.conf").write_text(top(f"lvs_notify_fifo {folder}/fifo") + CONF + servers)
    theirs, ours = folders
    no_ipvs = Path(__file__).with_name("no_ipvs.py")
    files = ("-p", theirs / "pid", "-c", theirs / "checkers.pid")
    keepalived = (sys.executable, no_ipvs, "keepalived", "-C", "-n", "-l", "-D", "-f", theirs / "k.conf", *files)
    with cable() as wires, ThreadPoolExecutor() as both:
        for side in (wires.one, wires.other):
            wires.run(side, "ip", "address", "add", "10.0.0.5/24", "dev", "eth0").communicate()
        first = both.submit(lived, theirs, wires, wires.one, *keepalived)
        vrrp = ("from vrrp.cli.main import main; main()", "run", "-f", ours / "k.conf", "--state-dir", ours / "state")
        second = both.submit(lived, ours, wires, wires.other, sys.executable, "-c", *vrrp)
        for mine, its in zip(second.result(), first.result(), strict=True):
            assert mine == its
        assert len(second.result()[0]) == 15
