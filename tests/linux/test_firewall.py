"""Rules as nft is told them; what the real nft makes of them is tested with the virtual MAC."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from vrrp.linux.firewall import Firewall, FirewallError, nft
from vrrp.linux.journal_file import JournalFile
from vrrp.wire.address import pack

VIP = (pack("10.0.0.100"), 3)
LINK_LOCAL = (pack("fe80::100"), 4)


class FakeNft:
    """Takes scripts; from now on fails with those that contain `fails`."""

    def __init__(self) -> None:
        self.scripts: list[str] = []
        self.fails = ""

    def __call__(self, script: str) -> None:
        self.scripts.append(script)
        if self.fails and self.fails in script:
            raise FirewallError("nft: no")


@contextmanager
def make(folder: Path) -> Iterator[tuple[Firewall, FakeNft]]:
    """One run of a daemon, which ends without taking anything away."""
    run = FakeNft()
    with closing(JournalFile(folder / "kernel", place="here")) as journal:
        yield Firewall(journal, run), run


def test_nothing_to_do_runs_nothing(tmp_path: Path) -> None:
    with make(tmp_path) as (wall, run):
        wall.settle([], {})
        wall.close()
        assert not run.scripts


def test_the_same_again_runs_nothing_and_less_takes_the_tables_away(tmp_path: Path) -> None:
    with make(tmp_path) as (wall, run):
        wall.settle([VIP, LINK_LOCAL], {5: 2})
        accept, reports = run.scripts
        assert accept.startswith("table inet vrrp\ndelete table inet vrrp\n")
        assert "ip daddr { 10.0.0.100 } drop" in accept
        assert "ip6 daddr . iif { fe80::100 . 4 } drop" in accept
        assert "dup to ip daddr device oif map { 5 : 2 } drop" in reports
        wall.settle([VIP, LINK_LOCAL], {5: 2})
        assert len(run.scripts) == 2
        wall.settle([], {})
        assert run.scripts[2].count("delete table") == 3
        wall.close()
        assert len(run.scripts) == 3
    assert not (tmp_path / "kernel").exists()


def test_what_a_crash_left_goes(tmp_path: Path) -> None:
    with make(tmp_path) as (wall, _):
        wall.settle([VIP], {})
    with make(tmp_path) as (wall, run):
        wall.settle([], {})
        assert run.scripts[0].count("delete table") == 3


def test_addresses_that_cannot_be_barred_are_an_error(tmp_path: Path) -> None:
    with make(tmp_path) as (wall, run):
        run.fails = "daddr"
        with pytest.raises(FirewallError, match="no_accept and strict mode need a packet filter: nft: no"):
            wall.settle([VIP], {})


def test_reports_and_removals_that_fail_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with make(tmp_path) as (wall, run), caplog.at_level(logging.WARNING):
        run.fails = "igmp"
        wall.settle([], {5: 2})
        run.fails = "delete"
        wall.close()
    assert caplog.messages == [
        "multicast groups are reported with the virtual MAC: nft: no",
        "cannot remove the tables named vrrp: nft: no",
    ]


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (FileNotFoundError(), "there is no program nft"),
        (subprocess.TimeoutExpired("nft", 10), "nft: Command 'nft' timed out after 10 seconds"),
        (subprocess.CompletedProcess([], 1, "", "Error: this\nand that\n"), "nft: Error: this"),
        (subprocess.CompletedProcess([], 0, "", ""), None),
    ],
)
def test_what_becomes_of_the_program(outcome: object, told: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: object, **__: object) -> object:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(subprocess, "run", run)
    if told is None:
        nft("")
    else:
        with pytest.raises(FirewallError) as raised:
            nft("")
        assert str(raised.value) == told
