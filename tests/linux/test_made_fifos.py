"""FIFOs that a run made and could not remove, for it was killed."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from linux.kernels import CONF, FakeKernel, make_daemon
from linux.lan import lan
from linux.namespaces import sh, small_disk
from vrrp.config.script_security import Identity
from vrrp.linux.fifo import Fifo
from vrrp.linux.made_fifos import MadeFifos

OWN = Identity(os.geteuid(), os.getegid())


def started(folder: Path, *names: str) -> MadeFifos:
    """What a run with this state directory begins with, whose configuration names these FIFOs."""
    keywords = ("notify_fifo", "vrrp_notify_fifo", "lvs_notify_fifo")
    lines = "\n".join(f"{keyword} {folder}/{name}" for keyword, name in zip(keywords, names, strict=False))
    daemon = make_daemon(folder / "k.conf", FakeKernel(), text=f"global_defs {{\n{lines}\n}}\n{CONF}")
    (folder / "state").mkdir(exist_ok=True)
    made = MadeFifos(folder / "state")
    asyncio.run(made.start(daemon))
    return made


@contextmanager
def run(folder: Path, *names: str) -> Iterator[MadeFifos]:
    """The same, and its end in good order."""
    made = started(folder, *names)
    yield made
    asyncio.run(made.stop())


def crashed(folder: Path, *names: str) -> None:
    """A run that made FIFOs and was killed."""
    made = started(folder, *names)
    for name in names:
        os.close(Fifo(str(folder / name), OWN, made)._descriptor)
    made._journal._file.close()  # type: ignore[union-attr]  # the kernel does so, of a process that is killed


def test_what_is_named_still_is_taken_over_and_what_is_not_goes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    kept, gone, never = (tmp_path / name for name in ("kept", "gone \u00e4\u2028%", "never"))
    crashed(tmp_path, *(one.name for one in (kept, gone, never)))
    before = kept.stat().st_ino
    with run(tmp_path, "kept", "never") as made:
        assert not gone.exists()
        fifo = Fifo(str(kept), OWN, made)
        again = Fifo(str(kept), OWN, made)  # another service writes to it too
        assert kept.stat().st_ino == before
        again.close()
        assert kept.exists()
        fifo.close()
        assert not kept.exists()
        assert never.exists()
    assert not never.exists()
    assert list((tmp_path / "state").iterdir()) == []
    assert caplog.messages == [f"removing the FIFO {one}, which an earlier run left" for one in (gone, never)]


def test_what_is_another_s_stays(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "theirs")
    with run(tmp_path, "theirs") as made:
        Fifo(str(tmp_path / "theirs"), OWN, made).close()
    assert (tmp_path / "theirs").exists()
    crashed(tmp_path, "file", "nothing")
    for name in ("file", "nothing"):
        (tmp_path / name).unlink()
    (tmp_path / "file").write_text("somebody's")
    with run(tmp_path, "file") as made:
        with pytest.raises(FileExistsError, match="this is no FIFO"):
            Fifo(str(tmp_path / "file"), OWN, made)
        with pytest.raises(FileNotFoundError):
            Fifo(str(tmp_path / "no/folder"), OWN, made)
        assert made.add(tmp_path / "file")  # it is in nobody's mind any more
        made.forget(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "somebody's"
    assert list((tmp_path / "state").iterdir()) == []


@pytest.mark.root
@pytest.mark.program("mount")
def test_what_cannot_be_removed_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with small_disk(tmp_path) as disk:
        crashed(tmp_path, f"{disk.name}/fifo")
        sh("mount", "-o", "remount,ro", disk)
        with run(tmp_path):
            pass
        assert [line.partition(": ")[0] for line in caplog.messages] == [f"cannot remove the FIFO {disk}/fifo"]
        assert (disk / "fifo").exists()


@pytest.mark.root
@pytest.mark.program("ip", "tcpdump")
def test_after_kill_9_the_next_run_removes_it(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    text = f"global_defs {{\n notify_fifo {fifo}\n}}\n{CONF}"
    with lan(tmp_path, "a") as net:
        net.vrrp("a", text)
        net.crash("a")
        assert fifo.exists()
        net.vrrp("a", text)
        assert net.stop("a") == 0
        assert not fifo.exists()
        assert list((tmp_path / "a.state").iterdir()) == []
