"""Settings of the kernel's that are changed for a while, in a folder that stands for /proc/sys/net."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from vrrp.linux.journal_file import JournalFile
from vrrp.linux.sysctl import Sysctl

IGNORE, FILTER = "ipv4/conf/eth0/arp_ignore", "ipv4/conf/eth0/rp_filter"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for setting, value in ((IGNORE, "0"), (FILTER, "1")):
        path = tmp_path / "net" / setting
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{value}\n")
    return tmp_path / "net"


@contextmanager
def run(root: Path) -> Iterator[Sysctl]:
    """One run of a daemon, which ends without putting anything back."""
    with closing(JournalFile(root.parent / "kernel", place="here")) as journal:
        yield Sysctl(journal, root)


def values(root: Path) -> tuple[str, str]:
    return (root / IGNORE).read_text().strip(), (root / FILTER).read_text().strip()


def test_changed_and_put_back(root: Path) -> None:
    with run(root) as sysctl:
        sysctl.settle({IGNORE: "1", FILTER: "0"})
        assert values(root) == ("1", "0")
        assert (sysctl.before(FILTER), sysctl.before(IGNORE)) == ("1", "0")
        sysctl.settle({IGNORE: "2"})
        assert values(root) == ("2", "1")
        sysctl.close()
        assert values(root) == ("0", "1")
    assert not (root.parent / "kernel").exists()


def test_what_came_anew_with_its_interface_is_known_after_a_crash(root: Path) -> None:
    with run(root) as sysctl:
        sysctl.settle({IGNORE: "1"})
        (root / IGNORE).write_text("0\n")
        sysctl.settle({IGNORE: "1"})
    with run(root) as sysctl:
        assert sysctl.before(IGNORE) == "0"
        sysctl.close()
    assert values(root) == ("0", "1")


def test_what_somebody_else_changed_since_is_left(root: Path) -> None:
    with run(root) as sysctl:
        sysctl.settle({IGNORE: "1", FILTER: "1"})
        (root / IGNORE).write_text("8\n")
        (root / FILTER).write_text("2\n")
        sysctl.close()
    assert values(root) == ("8", "2")


def test_the_run_after_a_crash_knows_what_was_before(root: Path) -> None:
    with run(root) as sysctl:
        sysctl.settle({IGNORE: "1", FILTER: "0"})
    with run(root) as sysctl:
        sysctl.settle({IGNORE: "1"})
        assert values(root) == ("1", "1")
        sysctl.close()
    assert values(root) == ("0", "1")


def test_settings_that_are_not_there(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    with run(root) as sysctl:
        sysctl.settle({"ipv4/conf/gone/arp_ignore": "1", IGNORE: "1"})
        assert sysctl.names("ipv4/conf/*/rp_filter") == [FILTER]
        (root / IGNORE).unlink()
        sysctl.close()
        with pytest.raises(OSError, match=r"cannot set .*/gone/arp_ignore to 1: no such file or directory"):
            sysctl.write("ipv4/conf/gone/arp_ignore", "1")
    assert not caplog.records


def test_a_setting_that_cannot_be_put_back_is_told(
    root: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise PermissionError(1, "Operation not permitted")

    with run(root) as sysctl:
        sysctl.settle({IGNORE: "1"})
        with monkeypatch.context() as patched, caplog.at_level(logging.ERROR):
            patched.setattr(Path, "write_text", refuse)
            sysctl.close()
    assert caplog.messages == [f"cannot set {root / IGNORE} to 0: operation not permitted"]
