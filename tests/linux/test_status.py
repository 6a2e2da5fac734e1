"""What a daemon tells of itself: the document, the control socket, `vrrp status`."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

from linux.kernels import CONF, FakeKernel, make_daemon, until
from linux.test_log import datagram
from vrrp.cli import status as status_command
from vrrp.cli.main import run
from vrrp.linux.daemon import Daemon
from vrrp.linux.status import control
from vrrp.linux.status.columns import duration
from vrrp.linux.status.control import ControlSocket, asking
from vrrp.linux.status.document import Status

MORE = """\
vrrp_script chk {
    script "/bin/true"
    interval 1
    weight 2
}
vrrp_track_file number {
    file /var/number
}
vrrp_track_process proc {
    process nothing
}
vrrp_instance VI_2 {
    interface eth1
    virtual_router_id 52
    priority 120
    advert_int 1
    virtual_ipaddress {
        10.1.0.100/24 dev eth0 scope link
    }
    virtual_ipaddress_excluded {
        10.1.0.101
    }
    track_script {
        chk
    }
    track_file {
        number
    }
    track_process {
        proc
    }
}
"""

# What keepalived 2.2.7 wrote to keepalived.json of a version 2 instance without authentication; our own are below.
KEEPALIVED_DATA = {
    "iname": "VI_2",
    "dont_track_primary": 0,
    "skip_check_adv_addr": 0,
    "strict_mode": 0,
    "ifp_ifname": "eth1",
    "garp_delay": 5,
    "garp_refresh": 0,
    "garp_rep": 5,
    "garp_refresh_rep": 1,
    "garp_lower_prio_delay": 5,
    "garp_lower_prio_rep": 5,
    "lower_prio_no_advert": 0,
    "higher_prio_send_advert": 0,
    "vrid": 52,
    "base_priority": 120,
    "adver_int": 1,
    "master_adver_int": 1,
    "accept": 1,
    "nopreempt": False,
    "preempt_delay": 0,
    "version": 2,
    "auth_type": 0,
}
KEEPALIVED_STATS = (
    "advert_rcvd advert_sent become_master release_master packet_len_err advert_interval_err ip_ttl_err "
    "invalid_type_rcvd addr_list_err invalid_authtype authtype_mismatch auth_failure pri_zero_rcvd pri_zero_sent"
)


def told(folder: Path, act: Callable[[Daemon], Awaitable[None]], *, down: str = "") -> None:
    """Run a daemon of two virtual routers with a control socket, and `act` once one of them is master."""
    kernel = FakeKernel(eth0=["10.0.0.1"], eth1=["10.1.0.1"])
    if down:
        kernel.down.add(down)
    status = Status()
    daemon = make_daemon(folder / "k.conf", kernel, status, ControlSocket(status, folder), text=CONF + MORE)

    async def live() -> None:
        running = asyncio.create_task(daemon.run())
        await until(kernel, "send VI_1 200")
        try:
            await act(daemon)
        finally:
            daemon.stop()
            await running

    asyncio.run(live())


def document(folder: Path) -> dict[str, Any]:
    with asking(folder) as answers:
        return next(answers)


def test_the_document_has_keepalived_s_names(tmp_path: Path) -> None:
    seen: list[dict[str, Any]] = []

    async def act(daemon: Daemon) -> None:
        daemon.reports["virtual_servers"] = lambda: [{"name": "web", "state": "up"}]
        daemon.hear("eth0", datagram(10, ttl=1))
        daemon.hear("eth0", datagram(250))
        assert stat.S_IMODE((tmp_path / "control").stat().st_mode) == 0o600
        seen.append(await asyncio.to_thread(document, tmp_path))

    told(tmp_path, act, down="eth1")
    (found,) = seen
    first, second = found["vrrp"]
    assert second["data"] | KEEPALIVED_DATA == second["data"]
    assert second["data"]["vips"] == ["10.1.0.100/24 dev eth0 scope link"]
    assert second["data"]["evips"] == ["10.1.0.101 dev eth1 scope global"]
    assert list(second["stats"]) == KEEPALIVED_STATS.split()
    assert (first["data"]["state"], first["data"]["wantstate"], first["data"]["vipset"]) == (1, 1, False)
    assert first["stats"]["become_master"] == first["stats"]["release_master"] == first["stats"]["ip_ttl_err"] == 1
    assert first["data"]["adver_int"] == 0.02
    now = first["now"]
    assert (now["state"], now["master"], now["discarded"]) == ("BACKUP", "10.0.0.2", {"ttl": 1})
    assert [move["to"] for move in now["moves"]] == ["BACKUP", "MASTER", "BACKUP"]
    assert 0 <= now["for"] < 5
    assert 0 <= now["next"] < 0.1
    assert second["now"]["state"] == "FAULT"
    assert second["now"]["master"] is second["now"]["next"] is None
    assert found["track_scripts"][0]["state"] == "unknown"
    assert found["track_files"] == [{"name": "number", "value": 0}]
    assert [one["name"] for one in found["interfaces"]] == ["eth0", "eth1"]
    assert found["virtual_servers"] == [{"name": "web", "state": "up"}]
    assert not (tmp_path / "control").exists()


def test_strange_questions_and_many_clients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "_PATIENCE_S", 0.5)
    path = str(tmp_path / "control")

    def talk(said: bytes) -> bytes:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(10)
            line.connect(path)
            line.sendall(said)
            got = b""
            while part := line.recv(1 << 16):
                got += part
            return got

    def crowd() -> list[bytes]:
        lines = []
        for _ in range(33):
            line = socket.socket(socket.AF_UNIX)
            line.settimeout(10)
            line.connect(path)
            lines.append(line)
        last = lines[-1].recv(1)
        lines[0].sendall(b"status\n")
        first = lines[0].recv(10)
        for line in lines:
            line.close()
        return [first, last]

    async def act(daemon: Daemon) -> None:
        asked = await asyncio.to_thread(talk, b"shutdown\nstatus\n\xff\n")
        answers = [json.loads(line) for line in asked.splitlines()]
        assert answers[0] == {"error": "there is no question 'shutdown'; known: status"}
        assert answers[1]["daemon"]["profile"] == "vrrp"
        assert "error" in answers[2]
        assert await asyncio.to_thread(talk, b"x" * 100_000) == b""
        assert await asyncio.to_thread(talk, b"stat") == b""  # and nothing more: it is cut off
        assert await asyncio.to_thread(crowd) == [b'{"vrrp": [', b""]

    told(tmp_path, act)


def test_the_socket_of_a_crashed_run_is_replaced_and_a_bad_place_is_told(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "control"))

    async def act(daemon: Daemon) -> None:
        assert (await asyncio.to_thread(document, tmp_path))["daemon"]["pid"]

    told(tmp_path, act)
    with pytest.raises(OSError, match="No such file"):
        asyncio.run(ControlSocket(Status(), tmp_path / "nowhere").start(make_daemon(tmp_path / "k", FakeKernel())))


def test_the_command_shows_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def act(daemon: Daemon) -> None:
        daemon.reports["none"] = list
        assert await asyncio.to_thread(run, ["status", "--state-dir", str(tmp_path)]) == 1
        capsys_text = capsys.readouterr().out
        assert re.search(r"^VI_1 +51 +MASTER +\d+s +10\.0\.0\.1 +200 ", capsys_text, re.MULTILINE)
        assert "FAULT" in capsys_text
        assert "chk   unknown  no result yet" in capsys_text
        assert "none" not in capsys_text
        assert isinstance(daemon.kernel, FakeKernel)
        daemon.kernel.down.clear()
        daemon.interface_changed("eth1")
        assert await asyncio.to_thread(run, ["status", "--state-dir", str(tmp_path), "--json", "-"]) == 0
        assert json.loads(capsys.readouterr().out)["vrrp"][1]["now"]["state"] == "BACKUP"
        file = tmp_path / "status.json"
        assert await asyncio.to_thread(run, ["status", "--state-dir", str(tmp_path), "--json", str(file)]) == 0
        assert json.loads(file.read_text())["daemon"]["healthy"] is True
        assert "BACKUP" in capsys.readouterr().out

    told(tmp_path, act, down="eth1")
    assert run(["status", "--state-dir", str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        f"vrrp: {tmp_path}/control: no vrrp daemon answers; `vrrp run` is what answers there\n"
    )


def test_without_virtual_routers_it_shows_the_rest() -> None:
    daemon = {"node": "a", "version": "1", "configuration": "k.conf", "pid": 7, "started": 0}
    with (console := Console(width=200)).capture() as shown:
        console.print(
            status_command._picture({"vrrp": [], "daemon": daemon, "checks": [{"check": "PING_CHECK", "state": "up"}]})
        )
    lines = [line.split() for line in shown.get().splitlines() if line]
    assert lines[0][:4] == ["a:", "vrrp", "1,", "k.conf,"]
    assert lines[1:] == [["checks"], ["check", "state"], ["PING_CHECK", "up"]]


def test_it_can_be_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("vrrp.cli.status.time.sleep", nap)
    arguments = ["--state-dir", str(tmp_path), "--watch", "--every", "0.2"]

    async def act(daemon: Daemon) -> None:
        shown = await asyncio.to_thread(CliRunner().invoke, status_command.command, arguments)
        assert "MASTER" in shown.output

    told(tmp_path, act)
    assert naps == [0.2] * 3


ADDRESSES = {
    # As keepalived 2.2.7 writes them to keepalived.json.
    "10.0.0.101/24 brd 10.0.0.255 label eth0:api": "10.0.0.101/24 brd 10.0.0.255 dev eth0 scope global label eth0:api",
    "10.9.0.100 label eth0:x scope host no_track": "10.9.0.100 dev eth0 scope host label eth0:x no_track",
    "fe80::9": "fe80::9 dev eth0 scope global deprecated",
    "2001:db8::1/64 preferred_lft 0": "2001:db8::1/64 dev eth0 scope global deprecated",
    "2001:db8::2/64 preferred_lft 77": "2001:db8::2/64 dev eth0 scope global preferred_lft 77",
    "2001:db8::3/64": "2001:db8::3/64 dev eth0 scope global preferred_lft forever",
    "2001:db8::4 preferred_lft forever no_track": ("2001:db8::4 dev eth0 scope global no_track preferred_lft forever"),
}


def test_addresses_are_described_as_keepalived_does(tmp_path: Path) -> None:
    blocks = []
    for vrid, sign in ((1, "."), (2, ":")):
        own = "\n".join(line for line in ADDRESSES if sign in line.split(maxsplit=1)[0])
        blocks.append(
            f"vrrp_instance V{vrid} {{\n interface eth0\n virtual_router_id {vrid}\n version 3\n advert_int 0.01\n"
            f" virtual_ipaddress {{\n{own}\n }}\n}}\n"
        )
    status, kernel = Status(), FakeKernel()
    daemon = make_daemon(tmp_path / "k.conf", kernel, status, text="".join(blocks))

    async def live() -> list[str]:
        running = asyncio.create_task(daemon.run())
        await until(kernel, "send V1 100")
        await until(kernel, "send V2 100")
        found = [vip for row in status.document["vrrp"] for vip in row["data"]["vips"]]
        daemon.stop()
        await running
        return found

    assert asyncio.run(live()) == [f"{described} set" for described in ADDRESSES.values()]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0s"), (61, "1m1s"), (3600, "1h0m"), (90061, "1d1h"), (863999, "9d23h")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
