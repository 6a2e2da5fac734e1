"""The daemon, on a kernel that keeps what it is asked for."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from pathlib import Path

import pytest

from linux.kernels import CONF, FakeKernel, make_daemon, until
from vrrp.linux.daemon import Daemon
from vrrp.linux.held_signals import held_signals
from vrrp.protocol.effects import Effect, StateChanged
from vrrp.protocol.state import State
from vrrp.protocol.virtual_router import VirtualRouter

MASTER = ["send VI_1 200", "acquire 10.0.0.100", "announce 10.0.0.100 5"]


def test_from_start_to_sigterm(tmp_path: Path) -> None:
    kernel = FakeKernel()
    daemon = make_daemon(tmp_path / "k.conf", kernel)
    heard: list[str] = []

    def listen(now_ns: int, virtual_router: VirtualRouter | None, effect: Effect) -> None:
        if isinstance(effect, StateChanged):
            heard.append(f"{effect.old.value} -> {effect.new.value}")

    daemon.listeners.append(listen)

    async def live() -> None:
        running = asyncio.create_task(daemon.run())
        await until(kernel, MASTER[-1])
        os.kill(os.getpid(), signal.SIGTERM)
        await running

    asyncio.run(live())
    assert kernel.asked[:6] == ["open", "attach VI_1", "sweep", *MASTER]
    assert kernel.asked[-3:] == ["send VI_1 0", "release 10.0.0.100", "close"]
    assert heard == ["INITIALIZE -> BACKUP", "BACKUP -> MASTER", "MASTER -> INITIALIZE"]


def test_advertisements_go_before_whatever_else_is_to_do(tmp_path: Path) -> None:
    kernel = FakeKernel()
    second = CONF.replace("VI_1", "VI_2").replace("id 51", "id 52").replace(".100", ".101")
    daemon = make_daemon(tmp_path / "k.conf", kernel, text=CONF + second)

    async def live() -> None:
        running = asyncio.create_task(daemon.run())
        await until(kernel, "announce 10.0.0.101 5")
        daemon.stop()
        await running

    asyncio.run(live())
    assert kernel.asked[3:9] == [
        "send VI_1 200",
        "send VI_2 200",
        *MASTER[1:],
        "acquire 10.0.0.101",
        "announce 10.0.0.101 5",
    ]


def test_a_link_is_lost_and_returns(tmp_path: Path) -> None:
    kernel = FakeKernel()
    daemon = make_daemon(tmp_path / "k.conf", kernel)

    async def live() -> None:
        running = asyncio.create_task(daemon.run())
        await until(kernel, MASTER[-1])
        kernel.down.add("eth0")
        daemon.interface_changed("eth0")
        assert daemon.router.virtual_routers[0].state.value == "FAULT"
        assert kernel.asked[-1] == "release 10.0.0.100"
        kernel.down.clear()
        daemon.interface_changed("eth0")
        assert daemon.router.virtual_routers[0].state.value == "BACKUP"
        daemon.stop()
        await running

    asyncio.run(live())


def test_reload_takes_over_what_changed_and_keeps_what_runs_otherwise(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kernel = FakeKernel()
    file = tmp_path / "k.conf"
    daemon = make_daemon(file, kernel)
    told: list[str] = []
    daemon.reloaded.append(lambda: told.append(daemon.config.config.instances[0].name))

    async def live() -> None:
        running = asyncio.create_task(daemon.run())
        await until(kernel, MASTER[-1])
        file.write_text(CONF.replace("10.0.0.100/24", "10.0.0.101/24").replace("VI_1", "VI_A"))
        del kernel.asked[:]
        os.kill(os.getpid(), signal.SIGHUP)
        await until(kernel, "announce 10.0.0.101 5")
        for broken in ("vrrp_instance VI_1 {\n}\n", "", CONF.replace("priority 200", "priority 200\n interface eth7")):
            file.write_text(broken)
            daemon.reload()
        assert daemon.router.virtual_routers[0].config.name == "VI_A"
        file.unlink()
        daemon.reload()
        daemon.stop()
        await running

    asyncio.run(live())
    wanted = ["attach VI_A", "release 10.0.0.100", "acquire 10.0.0.101", "announce 10.0.0.101 5"]
    assert [one for one in kernel.asked if not one.startswith("send")][:4] == wanted
    assert told == ["VI_A"]
    complaints = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(complaints) == 4
    assert all(one.endswith("; the running configuration is kept") for one in complaints)
    assert complaints[-1].startswith(f"{file}: no such file or directory")


class Recorded:
    """A service that says when it is started and stopped."""

    def __init__(self, name: str, told: list[str], fault: str = "") -> None:
        self.name = name
        self.told = told
        self.fault = fault

    async def start(self, daemon: Daemon) -> None:
        if self.fault:
            raise OSError(self.fault)
        self.told.append(f"start {self.name}")

    async def stop(self) -> None:
        self.told.append(f"stop {self.name}")


def test_services_start_before_the_router_and_stop_in_reverse(tmp_path: Path) -> None:
    kernel = FakeKernel()
    told = kernel.asked
    daemon = make_daemon(tmp_path / "k.conf", kernel, Recorded("a", told), Recorded("b", told))

    async def live() -> None:
        running = asyncio.create_task(daemon.run())
        await until(kernel, "send VI_1 200")
        daemon.stop()
        await running

    asyncio.run(live())
    without = [one for one in told if not one.startswith(("send", "acquire", "announce", "release"))]
    assert without == ["open", "attach VI_1", "sweep", "start a", "start b", "stop b", "stop a", "close"]


class Signalled:
    """A service that gets signals while it starts."""

    def __init__(self, *numbers: signal.Signals) -> None:
        self._numbers = numbers

    async def start(self, daemon: Daemon) -> None:
        for number in self._numbers:
            signal.raise_signal(number)
        await asyncio.sleep(0.01)
        assert daemon.router.virtual_routers[0].state is State.INITIALIZE

    async def stop(self) -> None:
        pass


def test_signals_that_come_while_it_starts_wait_until_it_runs(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "vrrp")  # an earlier test of this process may have left it lower
    kernel = FakeKernel()
    twice = (signal.SIGHUP, signal.SIGHUP, signal.SIGINT, signal.SIGINT)
    with held_signals():
        for number in (signal.SIGHUP, signal.SIGTERM):
            signal.raise_signal(number)  # of this thread: only its signals are held
        daemon = make_daemon(tmp_path / "k.conf", kernel, Signalled(*twice))
        asyncio.run(daemon.run())
    assert kernel.asked.count("attach VI_1") == 2  # at the start, and at one reload
    assert kernel.asked[-1] == "close"
    assert caplog.records == []


def test_a_storm_of_reloads_is_one(tmp_path: Path) -> None:
    kernel = FakeKernel()
    daemon = make_daemon(tmp_path / "k.conf", kernel)

    async def live() -> None:
        running = asyncio.create_task(daemon.run())
        await until(kernel, MASTER[-1])
        for _ in range(100):
            os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.sleep(0.1)
        os.kill(os.getpid(), signal.SIGTERM)
        await running

    asyncio.run(live())
    assert 2 <= kernel.asked.count("attach VI_1") <= 4
    assert "release 10.0.0.100" not in kernel.asked[: kernel.asked.index("send VI_1 0")]


def test_a_service_that_cannot_start_keeps_the_daemon_from_it(tmp_path: Path) -> None:
    kernel = FakeKernel()
    told = kernel.asked
    services = Recorded("a", told), Recorded("b", told, "port in use"), Recorded("c", told)
    daemon = make_daemon(tmp_path / "k.conf", kernel, *services)
    with pytest.raises(OSError, match="port in use"):
        asyncio.run(daemon.run())
    assert told == ["open", "attach VI_1", "sweep", "start a", "stop a", "close"]
