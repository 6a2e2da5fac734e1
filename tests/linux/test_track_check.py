"""Checks that virtual routers follow, in a daemon."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from linux.kernels import CONF, FakeKernel, make_daemon
from vrrp.linux.checks.watcher import HEADING, CheckWatcher
from vrrp.linux.daemon import Daemon

CHECK = """\
check web {{
    TCP_CHECK {{
        connect_ip 127.0.0.1
        connect_port {port}
        delay_loop 0.1
        retry 1
        delay_before_retry 0.1
        warmup 0
        {more}
    }}
}}
"""
FOLLOWING = CONF.replace("virtual_ipaddress", "track_check {\n web %s\n }\n virtual_ipaddress")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vrrp.lvs.checking.FIRST_CHECK_NS", 0)


@pytest.fixture
def server() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0), backlog=1000)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.005)


def state(daemon: Daemon) -> str:
    return daemon.router.virtual_routers[0].state.value


def daemon_of(tmp_path: Path, port: int, weight: str, more: str = "") -> Daemon:
    text = CHECK.format(port=port, more=more) + FOLLOWING % weight
    return make_daemon(tmp_path / "k.conf", FakeKernel(), CheckWatcher(), text=text)


def test_a_server_that_goes_and_comes(tmp_path: Path, server: socket.socket, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "vrrp.checks")
    port = server.getsockname()[1]
    daemon = daemon_of(tmp_path, port, "")

    async def run() -> None:
        running = asyncio.create_task(daemon.run())
        await until(lambda: state(daemon) == "MASTER")
        server.close()
        await until(lambda: state(daemon) == "FAULT")
        row = daemon.reports[HEADING]()[0]
        assert list(row.items())[:3] == [("name", "web"), ("check", "TCP_CHECK"), ("state", "down")]
        with socket.create_server(("127.0.0.1", port), backlog=1000):
            await until(lambda: state(daemon) == "MASTER")
        daemon.stop()
        await running

    asyncio.run(run())
    assert [record.getMessage() for record in caplog.records if record.name == "vrrp.checks"] == [
        "TCP connection to web success.",
        "TCP_CHECK on service web failed after 1 retries.",
        "TCP connection to web success.",
    ]


def test_weights_and_a_reload(tmp_path: Path, server: socket.socket, caplog: pytest.LogCaptureFixture) -> None:
    port = server.getsockname()[1]
    daemon = daemon_of(tmp_path, port, "weight -50", "alpha")
    file = tmp_path / "k.conf"

    async def run() -> None:
        running = asyncio.create_task(daemon.run())
        await asyncio.sleep(0)
        assert daemon.router.virtual_routers[0].priority == 150
        await until(lambda: daemon.router.virtual_routers[0].priority == 200)
        file.write_text(file.read_text().replace("weight -50", "weight 20").replace("200", "100"))
        daemon.reload()
        assert daemon.router.virtual_routers[0].priority == 120
        server.close()
        await until(lambda: daemon.router.virtual_routers[0].priority == 100)
        file.write_text(CHECK.format(port=port, more="").replace("TCP_CHECK {", "SSL_GET {\n url { path /\n }") + CONF)
        file.write_text("SSL {\n certificate /no/such\n }\n" + file.read_text())
        daemon.reload()
        assert HEADING in daemon.reports
        file.write_text(CONF)
        daemon.reload()
        assert HEADING not in daemon.reports
        daemon.stop()
        await running

    asyncio.run(run())
    assert "SSL: [Errno 2] No such file or directory; the checks go on as they were" in caplog.text


def test_a_verdict_that_comes_too_late(tmp_path: Path, server: socket.socket) -> None:
    daemon = daemon_of(tmp_path, server.getsockname()[1], "")
    watcher = daemon.services[0]
    assert isinstance(watcher, CheckWatcher)

    async def run() -> None:
        running = asyncio.create_task(daemon.run())
        await until(lambda: state(daemon) == "MASTER")
        key = watcher.checkings[0].target.key
        (tmp_path / "k.conf").write_text(CONF)
        daemon.reload()
        watcher.report(0, key, False, None, "")
        assert state(daemon) == "MASTER"
        daemon.stop()
        await running

    asyncio.run(run())
    server.close()
