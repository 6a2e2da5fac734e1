"""The daemon under systemd: what it is told, and that three capabilities are enough."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from conftest import PROGRAM_PATH, ROOT
from linux.kernels import CONF, FakeKernel, make_daemon, until
from linux.namespaces import cable, sh
from vrrp.linux.status.control import asking
from vrrp.linux.status.service_manager import ServiceManager

UNIT = ROOT / "examples" / "vrrp.service"
CAPABILITIES = {"CAP_NET_ADMIN": 12, "CAP_NET_RAW": 13, "CAP_NET_BROADCAST": 11}
NOBODY = 65534


class Manager:
    """systemd's end of the socket."""

    def __init__(self, path: Path | str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(os.fspath(path))
        self.socket.settimeout(20)
        self.heard: list[str] = []

    def until(self, wanted: str) -> None:
        while not any(wanted in message for message in self.heard):
            self.heard.append(self.socket.recv(4096).decode())

    def drain(self) -> list[str]:
        self.socket.setblocking(False)
        try:
            while True:
                self.heard.append(self.socket.recv(4096).decode())
        except BlockingIOError:
            return self.heard


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    opened = Manager(tmp_path / "notify")
    yield opened
    opened.socket.close()


def live(tmp_path: Path, environment: dict[str, str], act: Callable[[], None]) -> None:
    kernel = FakeKernel()
    daemon = make_daemon(tmp_path / "k.conf", kernel, ServiceManager(environment))

    async def run() -> None:
        running = asyncio.create_task(daemon.run())
        await until(kernel, "send VI_1 200")
        await asyncio.sleep(0.12)
        act()
        await running

    asyncio.run(run())


def test_what_is_told(tmp_path: Path, manager: Manager) -> None:
    path = str(tmp_path / "notify")

    def act() -> None:
        os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGTERM)

    live(tmp_path, {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "100000", "WATCHDOG_PID": str(os.getpid())}, act)
    heard = manager.drain()
    assert heard[0] == f"READY=1\nSTATUS=BACKUP: VI_1\nMAINPID={os.getpid()}"
    assert heard[1] == "WATCHDOG=1"
    assert "STATUS=MASTER: VI_1" in heard
    assert 2 <= heard.count("WATCHDOG=1") < 20
    reloading = next(at for at, message in enumerate(heard) if message.startswith("RELOADING=1\nMONOTONIC_USEC="))
    assert "READY=1\nSTATUS=MASTER: VI_1" in heard[reloading + 1 :]
    assert heard[-1] == "STOPPING=1"
    assert abs(int(heard[reloading].partition("USEC=")[2]) * 1000 - time.monotonic_ns()) < 10**10


def test_an_abstract_socket_and_another_process_watchdog(tmp_path: Path) -> None:
    name = f"vrrp-{os.getpid()}"
    manager = Manager(f"\0{name}")
    live(
        tmp_path,
        {"NOTIFY_SOCKET": f"@{name}", "WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"},
        lambda: os.kill(os.getpid(), signal.SIGTERM),
    )
    heard = manager.drain()
    manager.socket.close()
    assert heard[0].startswith("READY=1")
    assert "WATCHDOG=1" not in heard


def test_a_manager_that_goes_away_holds_nothing_up(tmp_path: Path, manager: Manager) -> None:
    def act() -> None:
        manager.socket.close()
        os.kill(os.getpid(), signal.SIGTERM)

    live(tmp_path, {"NOTIFY_SOCKET": str(tmp_path / "notify")}, act)


def test_no_manager_and_no_such_socket(tmp_path: Path) -> None:
    live(tmp_path, {}, lambda: os.kill(os.getpid(), signal.SIGTERM))
    service = ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "none")})
    with pytest.raises(OSError, match="No such file") as told:
        asyncio.run(make_daemon(tmp_path / "k.conf", FakeKernel(), service).run())
    assert told.value.filename == f"NOTIFY_SOCKET {tmp_path / 'none'}"


def directives() -> dict[str, str]:
    lines = UNIT.read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and line[0] not in "#[")


def test_the_unit_gives_three_capabilities() -> None:
    unit = directives()
    assert set(unit["AmbientCapabilities"].split()) == set(unit["CapabilityBoundingSet"].split()) == set(CAPABILITIES)
    assert (unit["Type"], unit["NoNewPrivileges"], unit["RuntimeDirectory"]) == ("notify", "yes", "vrrp")


@pytest.mark.program("systemd-analyze")
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "vrrp.service"
    unit.write_text(UNIT.read_text().replace("/usr/local/bin/vrrp", sys.executable))
    words = ["systemd-analyze", "verify", "--man=no", str(unit)]
    said = subprocess.run(words, capture_output=True, text=True, check=False, env={"PATH": PROGRAM_PATH})
    ours = [line for line in said.stderr.splitlines() if "vrrp.service" in line and "keepalived" not in line]
    assert (said.returncode, ours) == (0, [])
    words = ["systemd-analyze", "security", "--offline=true", str(unit)]
    said = subprocess.run(words, capture_output=True, text=True, check=False, env={"PATH": PROGRAM_PATH})
    level = said.stdout.rstrip().splitlines()[-1]
    assert "OK" in level, level


def opened(path: Path) -> str:
    """Shell commands with which, in a mount namespace of one's own, anyone can reach a path below a private folder."""
    closed = next((one for one in reversed(path.parents) if not one.stat().st_mode & 1), None)
    if closed is None:
        return ""
    return (
        f"mount --bind {path} /mnt && mount -t tmpfs -o mode=755 none {closed} && mkdir -p {path} && "
        f"mount --bind /mnt {path} && "
    )


@pytest.mark.root
@pytest.mark.program("setpriv")
def test_three_capabilities_are_enough() -> None:
    """As systemd would start it: another user, ambient capabilities, and none that it could gain."""
    folder = Path(tempfile.mkdtemp(prefix="vrrp-", dir="/tmp"))
    manager = Manager(folder / "notify")
    (folder / "k.conf").write_text(CONF)
    for path in (folder, folder / "notify", folder / "k.conf"):
        os.chown(path, NOBODY, NOBODY)
    given = ",".join("+" + name.removeprefix("CAP_").lower() for name in CAPABILITIES)
    run = (
        f"setpriv --reuid {NOBODY} --regid {NOBODY} --clear-groups --no-new-privs --bounding-set=-all,{given} "
        f"--inh-caps=-all,{given} --ambient-caps=-all,{given} {sys.executable} -c "
        f"'from vrrp.cli.main import main; main()' run -f {folder}/k.conf --state-dir {folder}/state"
    )
    variables = {"NOTIFY_SOCKET": f"{folder}/notify", "WATCHDOG_USEC": "200000"}
    words = [f"{name}={value}" for name, value in variables.items()]
    try:
        with cable() as ends:
            sh("ip", "-n", ends.one, "addr", "add", "10.0.0.1/24", "dev", "eth0")
            script = f"{opened(Path(sys.base_prefix))}exec {run}"
            running = ends.run(ends.one, "env", *words, "unshare", "-m", "sh", "-c", script)
            manager.until("READY=1")
            process = int(manager.heard[0].rpartition("MAINPID=")[2])
            manager.until("STATUS=MASTER: VI_1")
            status = dict(
                line.split(":\t", 1)
                for line in Path(f"/proc/{process}/status").read_text().splitlines()
                if ":\t" in line
            )
            mask = sum(1 << bit for bit in CAPABILITIES.values())
            assert status["Uid"].split() == [str(NOBODY)] * 4
            assert {int(status[f"Cap{kind}"], 16) for kind in ("Eff", "Prm", "Bnd", "Amb", "Inh")} == {mask}
            assert "10.0.0.100/24" in sh("ip", "-n", ends.one, "addr", "show", "dev", "eth0")
            with asking(folder / "state") as answers:
                assert next(answers)["vrrp"][0]["now"]["state"] == "MASTER"
            os.kill(process, signal.SIGHUP)
            manager.until("RELOADING=1")
            manager.until("WATCHDOG=1")
            os.kill(process, signal.SIGTERM)
            out, err = running.communicate(timeout=20)
            assert running.returncode == 0, out + err
            assert "STOPPING=1" in manager.drain()
            assert "10.0.0.100" not in sh("ip", "-n", ends.one, "addr", "show", "dev", "eth0")
    finally:
        manager.socket.close()
        shutil.rmtree(folder)
