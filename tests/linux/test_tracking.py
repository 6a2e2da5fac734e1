"""Track files and track processes of a daemon."""

from __future__ import annotations

import asyncio
import os
import shutil
import struct
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from linux.kernels import CONF, FakeKernel, make_daemon
from vrrp.config import parse
from vrrp.linux import process_events, track_processes
from vrrp.linux.daemon import Daemon
from vrrp.linux.process_events import Exited, Forked, ProcessEvents, Renamed, events
from vrrp.linux.service import Service
from vrrp.linux.track_files import FileWatcher, read_number
from vrrp.linux.track_processes import Kind, ProcessWatcher


def following(block: str, names: str, kind: str) -> str:
    return block + CONF.replace("virtual_ipaddress", f"{kind} {{\n{names}\n}}\nvirtual_ipaddress")


def live(tmp_path: Path, text: str, service: Service, act: Callable[[Daemon], Awaitable[None]]) -> None:
    daemon = make_daemon(tmp_path / "k.conf", FakeKernel(), service, text=text)

    async def run() -> None:
        running = asyncio.create_task(daemon.run())
        async with asyncio.timeout(20):
            while daemon.router.virtual_routers[0].state.value != "MASTER":
                await asyncio.sleep(0.005)
            await act(daemon)
        daemon.stop()
        await running

    asyncio.run(run())


async def priority(daemon: Daemon, wanted: int) -> None:
    try:
        async with asyncio.timeout(5):
            while daemon.router.virtual_routers[0].priority != wanted:
                await asyncio.sleep(0.005)
    except TimeoutError:
        pytest.fail(f"priority {daemon.router.virtual_routers[0].priority}, not {wanted}")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("8\n", 8),
        (" 9 x", 9),
        ("zzz\n", 0),
        ("", 0),
        ("-5", -5),
        ("+7", 7),
        ("99999999999999\n", None),
        ("-2147483648", -(2**31)),
        ("9" * 500, None),
    ],
)
def test_what_a_file_says(tmp_path: Path, text: str, number: int | None) -> None:
    (tmp_path / "f").write_text(text)
    assert read_number(str(tmp_path / "f")) == number


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path, tmp_path / "missing", tmp_path / "fifo", "a\0b"):
        assert read_number(str(path)) == 0


def test_files_written_replaced_and_removed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    file = folder / "number"
    block = f"track_file number {{\nfile {file}\nweight 1\ninit_file 3\n}}\n"
    lost = f"track_file lost {{\nfile {tmp_path}/no/where\nweight 1\ninit_file 1\n}}\n"

    async def act(daemon: Daemon) -> None:
        assert file.read_text() == "3\n"
        assert file.stat().st_mode & 0o777 == 0o600
        await priority(daemon, 203)
        file.write_text("7\n")
        await priority(daemon, 207)
        (folder / "new").write_text("8")
        (folder / "new").rename(file)
        await priority(daemon, 208)
        file.write_text("99999999999999")
        while "Invalid number" not in caplog.text:
            await asyncio.sleep(0.005)
        assert daemon.router.virtual_routers[0].priority == 208
        (folder / "other").write_text("1")
        file.write_text("-5")
        await priority(daemon, 195)
        file.unlink()
        await priority(daemon, 200)
        file.write_text("4")
        await priority(daemon, 204)
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / "number").write_text("6")
        conf = tmp_path / "k.conf"
        conf.write_text(conf.read_text().replace(str(file), f"{elsewhere}/number"))
        daemon.reload()
        await priority(daemon, 206)
        (elsewhere / "number").write_text("2")
        await priority(daemon, 202)

    live(tmp_path, following(block + lost, "number\nlost", "track_file"), FileWatcher(), act)
    assert f"Invalid number read from {file} - ignoring" in caplog.text
    assert f"{tmp_path}/no: its track files cannot be followed: no such file or directory" in caplog.text
    assert f"{tmp_path}/no/where: no such file or directory" in caplog.text


def test_a_first_number_that_is_written_over_what_is_there_only_at_the_start(tmp_path: Path) -> None:
    file, other = tmp_path / "number", tmp_path / "other"
    for one in (file, other):
        one.write_text("5")
    blocks = "".join(
        f"track_file {one.name} {{\nfile {one}\nweight 1\ninit_file 3{how}\n}}\n"
        for one, how in ((file, " overwrite"), (other, ""))
    )

    async def act(daemon: Daemon) -> None:
        await priority(daemon, 208)
        file.write_text("4")
        await priority(daemon, 209)
        daemon.reload()
        await priority(daemon, 209)

    live(tmp_path, following(blocks, "number\nother", "track_file"), FileWatcher(), act)
    assert (file.read_text(), other.read_text()) == ("4", "5")


def test_events_that_were_lost_have_all_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "number"
    block = f"track_file number {{\nfile {file}\nweight 1\n}}\n"
    watcher = FileWatcher()

    async def act(daemon: Daemon) -> None:
        await priority(daemon, 200)
        overflow = struct.pack("@iIII", -1, 0x4000, 0, 0)
        with monkeypatch.context() as patch:
            patch.setattr("vrrp.linux.track_files.read_number", lambda path: 9)
            patch.setattr("vrrp.linux.track_files.os.read", lambda descriptor, size: overflow)
            watcher._read_events()
        assert daemon.router.virtual_routers[0].priority == 209
        watcher._read_events()

    live(tmp_path, following(block, "number", "track_file"), watcher, act)


def kind(lines: str) -> Kind:
    text = f"vrrp_track_process p {{\n{lines}\n}}\n"
    return Kind(parse(text + CONF).config.track_processes["p"])


@pytest.mark.parametrize(
    ("lines", "taken", "not_taken"),
    [
        ("process haproxy", [(b"haproxy", [b"/usr/sbin/haproxy"])], [(b"haprox", [b"haproxy"])]),
        ("process averyveryverylongname", [(b"averyveryverylo", [])], [(b"averyveryverylx", [])]),
        ("process /x/y\nfull_command", [(b"z", [b"/x/y"])], [(b"/x/y", [b"y"]), (b"y", [b"/x/y", b"a"]), (b"y", [])]),
        ("process p a", [(b"q", [b"p", b"a"])], [(b"p", [b"p", b"a", b"b"]), (b"p", [b"p"]), (b"p", [b"p", b"ab"])]),
        ("process p a\nparam_match partial", [(b"q", [b"p", b"a", b"b"])], [(b"p", [b"p", b"ab"]), (b"p", [b"p"])]),
        ("process p a\nparam_match initial", [(b"q", [b"p", b"ab", b"c"])], [(b"p", [b"p", b"b"]), (b"p", [b"p"])]),
    ],
)
def test_which_process_is_meant(
    lines: str, taken: list[tuple[bytes, list[bytes]]], not_taken: list[tuple[bytes, list[bytes]]]
) -> None:
    meant = kind(lines)
    assert all(meant.takes(name, line) for name, line in taken)
    assert not any(meant.takes(name, line) for name, line in not_taken)


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts processes of a name of this test's own."""
    program = tmp_path / f"vrrp-s{os.getpid() % 100_000}"
    shutil.copy(shutil.which("sleep") or "/bin/sleep", program)
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen([program, *arguments]))
        return started[-1]

    start.program = program  # type: ignore[attr-defined]  # told with it
    yield start
    for one in started:
        one.kill()
        one.wait()


def count_processes(tmp_path: Path, sleeper: Callable[..., subprocess.Popen[bytes]], watcher: ProcessWatcher) -> None:
    program: Path = sleeper.program  # type: ignore[attr-defined]  # as the fixture makes it
    first = sleeper("60")
    block = (
        f"vrrp_track_process any {{\nprocess {program.name}\nweight 10\n}}\n"
        f"vrrp_track_process whole {{\nprocess {program} 61\nweight 20\n}}\n"
    )

    async def act(daemon: Daemon) -> None:
        await priority(daemon, 210)
        second = sleeper("61")
        await priority(daemon, 230)
        first.kill()
        second.kill()
        await priority(daemon, 200)  # before anybody waits for them
        first.wait()
        second.wait()
        conf = tmp_path / "k.conf"
        third = sleeper("62")
        conf.write_text(conf.read_text().replace(f"{program} 61", f"{program} 62"))
        daemon.reload()
        await priority(daemon, 230)
        third.kill()
        conf.write_text(CONF)
        daemon.reload()
        await priority(daemon, 200)

    live(tmp_path, following(block, "any\nwhole", "track_process"), watcher, act)


def hears_processes() -> bool:
    try:
        ProcessEvents().close()
    except OSError:
        return False
    return True


@pytest.mark.root
def test_processes_by_the_kernel_s_word(tmp_path: Path, sleeper: Callable[..., subprocess.Popen[bytes]]) -> None:
    if not hears_processes():
        pytest.skip("this kernel, or network namespace, does not tell of processes")
    count_processes(tmp_path, sleeper, ProcessWatcher())


def test_processes_by_looking(
    tmp_path: Path, sleeper: Callable[..., subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> ProcessEvents:
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(track_processes, "ProcessEvents", refuse)
    monkeypatch.setattr(track_processes, "POLL_S", 0.05)
    count_processes(tmp_path, sleeper, ProcessWatcher())


def event(what: int, *numbers: int) -> bytes:
    return bytes(36) + struct.pack("=IIQ", what, 0, 0) + struct.pack(f"={len(numbers)}I", *numbers)


def test_what_the_kernel_says() -> None:
    assert list(events(event(1, 5, 4, 9, 9))) == [Forked(4, 9)]
    assert list(events(event(1, 5, 4, 9, 4))) == []
    assert list(events(event(2, 7, 7))) == [Renamed(7)]
    assert list(events(event(0x200, 7, 6))) == []
    assert list(events(event(0x80000000, 7, 7, 0, 0))) == [Exited(7)]
    assert list(events(event(0x80000000, 8, 7, 0, 0))) == []
    assert list(events(event(0, 0))) == list(events(event(4, 1, 1))) == list(events(b"short")) == []
    with pytest.raises(PermissionError):
        list(events(event(0, 1)))


class Scripted:
    """A source of events that says these, one list at a time."""

    def __init__(self, *said: object) -> None:
        self.said = list(said)
        self.descriptor = os.eventfd(1, os.EFD_NONBLOCK)

    def fileno(self) -> int:
        return self.descriptor

    def read(self) -> Iterator[process_events.ProcessEvent]:
        if not self.said:
            return
        what = self.said.pop(0)
        if isinstance(what, OSError):
            raise what
        assert isinstance(what, list)
        yield from what

    def close(self) -> None:
        os.close(self.descriptor)


def test_forks_lost_events_and_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    proc = tmp_path / "proc"
    (proc / "7").mkdir(parents=True)
    (proc / "7" / "stat").write_text("7 (a (b) c) S 1")
    (proc / "version").touch()
    scripted = Scripted([Forked(7, 8), Forked(6, 9), Exited(99)], OSError(105, "lost"), PermissionError(1, "no"))
    monkeypatch.setattr(track_processes, "ProcessEvents", lambda: scripted)
    monkeypatch.setattr(track_processes, "POLL_S", 0.02)
    block = 'vrrp_track_process p {\nprocess "a"\nquorum 2\nweight 10\n}\n'
    watcher = ProcessWatcher(proc)

    async def act(daemon: Daemon) -> None:
        while scripted.said:
            await asyncio.sleep(0.005)
        (proc / "8").mkdir()
        (proc / "8" / "stat").write_text("8 (a) Z 1")
        (proc / "7" / "stat").write_text("7 (a) S 1")
        (proc / "9").mkdir()
        (proc / "9" / "stat").write_text("9 (a) R 1")
        await priority(daemon, 210)

    live(tmp_path, following(block, "p", "track_process"), watcher, act)
