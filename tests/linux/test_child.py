"""Scripts as processes: real ones, short and of no consequence."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import open_to_all
from vrrp.config.script_security import Identity
from vrrp.linux import child
from vrrp.linux.child import Children, Command

OWN = Identity(os.geteuid(), os.getegid())
NOBODY = Identity(65534, 65534)


def own(text: str) -> Command:
    return Command.of(text, OWN)


def script(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(("#!/bin/sh", *lines, "")))
    path.chmod(0o755)
    return path


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def outcome(command: Command) -> int:
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[int] = loop.create_future()
    Children(loop).run(command, ended.set_result)
    async with asyncio.timeout(10):
        return await ended


def test_words_not_a_shell_unless_asked_for() -> None:
    assert Command.of("/bin/x 'a b' $HOME;").words == ("/bin/x", "a b", "$HOME;")
    assert Command.of("</dev/tcp/127.0.0.1/80").words == ("/bin/sh", "-c", "</dev/tcp/127.0.0.1/80")
    assert Command.of("true now").words[0].endswith("/true")
    assert Command.of("no-such-program x").words == ("no-such-program", "x")
    assert Command.of("/bin/x").with_arguments("a", "b").words == ("/bin/x", "a", "b")


@pytest.mark.parametrize(("line", "status"), [("exit 0", 0), ("exit 3", 3), ("kill -USR1 $$", -signal.SIGUSR1)])
def test_how_it_ended(tmp_path: Path, line: str, status: int) -> None:
    assert asyncio.run(outcome(own(str(script(tmp_path / "s", line))))) == status


def test_its_group_its_output_and_what_it_makes(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    path = script(
        tmp_path / "s", "echo noise; echo noise >&2", f'ls -l /proc/$$/fd > "{seen}"', f'echo "$$" >> "{seen}"'
    )
    pgid = script(tmp_path / "p", f'cut -d" " -f5 /proc/$$/stat > "{seen}.pgid"; echo $$ >> "{seen}.pgid"')
    os.environ["NOTIFY_SOCKET"] = "/nowhere"
    envy = script(tmp_path / "e", f'env > "{seen}.env"')
    try:
        for one in (path, pgid, envy):
            assert asyncio.run(outcome(own(str(one)))) == 0
    finally:
        del os.environ["NOTIFY_SOCKET"]
    assert " 0 -> /dev/null" in seen.read_text()
    assert " 2 -> /dev/null" in seen.read_text()
    assert stat.S_IMODE(seen.stat().st_mode) == 0o600
    group, number = Path(f"{seen}.pgid").read_text().split()
    assert group == number
    assert "NOTIFY_SOCKET" not in Path(f"{seen}.env").read_text()
    assert "PATH=" in Path(f"{seen}.env").read_text()


def test_killed_with_all_that_it_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "KILL_DELAY_S", 0.2)
    pids = tmp_path / "pids"
    deaf = script(
        tmp_path / "deaf",
        "trap '' TERM",
        "sleep 30 &",
        f'echo $$ $! > "{pids}.new"',
        f'mv "{pids}.new" "{pids}"',
        "wait",
    )
    told: list[int] = []

    async def live() -> float:
        children = Children(asyncio.get_running_loop())
        running = children.run(own(str(deaf)), told.append)
        async with asyncio.timeout(10):
            while not pids.exists():
                await asyncio.sleep(0.01)
        begun = time.monotonic()
        running.kill()
        running.kill()
        await children.close(5)
        return time.monotonic() - begun

    took = asyncio.run(live())
    assert 0.15 < took < 3
    assert told == []
    for number in pids.read_text().split():
        deadline = time.monotonic() + 5
        while alive(int(number)):
            assert time.monotonic() < deadline, f"{number} lives on"
            time.sleep(0.01)


def test_close_waits_then_ends(tmp_path: Path) -> None:
    quick, slow = script(tmp_path / "q", "sleep 0.1"), script(tmp_path / "s", "exec sleep 30")

    async def live(path: Path, patience_s: float) -> tuple[float, int]:
        children = Children(asyncio.get_running_loop())
        children.run(own(str(path)))
        begun = time.monotonic()
        await children.close(patience_s)
        return time.monotonic() - begun, len(children)

    took, left = asyncio.run(live(quick, 5))
    assert (took < 4, left) == (True, 0)
    took, left = asyncio.run(live(slow, 0.1))
    assert (took < 2, left) == (True, 0)


def test_what_cannot_be_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = tmp_path / "plain"
    plain.write_text("")

    async def live() -> None:
        children = Children(asyncio.get_running_loop())
        for words in ((str(tmp_path / "missing"),), (str(plain),), ("/bin/true", "a\0b")):
            with pytest.raises(OSError, match=r"No such file|Permission denied|null byte"):
                children.run(Command(words, OWN))
        monkeypatch.setattr(child, "MOST_CHILDREN", 0)
        with pytest.raises(OSError, match="0 scripts are running already"):
            children.run(own("/bin/true"))
        await children.close(0)

    asyncio.run(live())


@pytest.mark.program("setpriv")
def test_they_end_with_the_daemon_however_it_dies(tmp_path: Path) -> None:
    told = tmp_path / "told"
    lines = ("trap 'echo term >> " + f"{told}; exit' TERM", f"echo start >> {told}", "while :; do sleep 0.05; done")
    deaf = script(tmp_path / "deaf", *lines)
    parent = f"""
import asyncio
from vrrp.linux.child import Children, Command
from vrrp.config.script_security import Identity
async def live():
    Children(asyncio.get_running_loop()).run(Command(({str(deaf)!r},), Identity({OWN.user}, {OWN.group})))
    await asyncio.sleep(60)
asyncio.run(live())
"""
    with subprocess.Popen([sys.executable, "-c", parent]) as daemon:
        for wanted in ("start\n", "start\nterm\n"):
            deadline = time.monotonic() + 10
            while not told.exists() or told.read_text() != wanted:
                assert time.monotonic() < deadline
                time.sleep(0.02)
            daemon.kill()


def test_executable_by_whom(tmp_path: Path) -> None:
    path = script(tmp_path / "s")
    found = path.stat()
    group, other = Identity(found.st_uid + 1, found.st_gid), Identity(found.st_uid + 1, found.st_gid + 1)
    for mode, who, wanted in (
        (0o755, OWN, True),
        (0o644, OWN, False),
        (0o710, group, True),
        (0o701, group, False),
        (0o701, other, True),
        (0o770, other, False),
        (0o100, Identity(found.st_uid or 7, 0), not found.st_uid or None),
    ):
        path.chmod(mode)
        if wanted is not None and not (mode == 0o100 and not found.st_uid):
            assert Command((str(path),), who).executable is wanted
    assert Command((str(tmp_path / "missing"),), OWN).executable


@pytest.mark.root
@pytest.mark.parametrize("setpriv", ["setpriv", "no-such-program"])
def test_as_somebody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setpriv: str) -> None:
    monkeypatch.setattr(child, "_SETPRIV", setpriv)
    open_to_all(tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    out.chmod(0o777)
    path = script(tmp_path / "s", f'(id -u; id -g; id -G; grep CapEff /proc/self/status) > "{out}/who"')
    assert asyncio.run(outcome(Command.of(str(path), NOBODY))) == 0
    assert (out / "who").read_text().split() == ["65534"] * 3 + ["CapEff:", "0" * 16]
    path.chmod(0o700)
    with pytest.raises(PermissionError):
        asyncio.run(outcome(Command.of(str(path), NOBODY)))
    path.unlink()
    with pytest.raises(FileNotFoundError):
        asyncio.run(outcome(Command.of(str(path), NOBODY)))
