"""What a run has put into the kernel, after a crash."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest

from linux.namespaces import small_disk
from vrrp.linux.journal_file import JournalFile, here

PLACE = "vrrp boot-1 4026531840"


def disk_free(disk: Path) -> int:
    found = os.statvfs(disk)
    return found.f_bavail * found.f_bsize


def left_over(file: Path) -> tuple[str, ...]:
    with closing(JournalFile(file, place=PLACE)) as journal:
        return journal.left_over


def test_what_was_not_struck_out_is_left_over(tmp_path: Path) -> None:
    file = tmp_path / "kernel"
    crashed = JournalFile(file, place=PLACE)
    assert crashed.left_over == ()
    crashed.add("address eth0 10.0.0.100/24")
    crashed.add("address eth0 10.0.0.101/24")
    crashed.strike("address eth0 10.0.0.100/24")
    crashed.strike("address eth0 10.0.0.99/24")
    after = JournalFile(file, place=PLACE)
    assert after.left_over == ("address eth0 10.0.0.101/24",)
    after.close()
    again = JournalFile(file, place=PLACE)
    assert again.left_over == after.left_over
    again.strike("address eth0 10.0.0.101/24")
    again.close()
    assert not file.exists()
    crashed.close()


@pytest.mark.parametrize(
    "text",
    ["", "\n", "vrrp boot-2 4026531840\n+ address eth0 10.0.0.1/24\n", "\x00\x01", "+ address eth0 10.0.0.1/24\n"],
)
def test_another_boot_and_no_journal_at_all(tmp_path: Path, text: str) -> None:
    file = tmp_path / "kernel"
    file.write_text(text)
    journal = JournalFile(file, place=PLACE)
    assert journal.left_over == ()
    journal.close()


def test_bytes_that_are_no_text_and_lines_that_say_nothing(tmp_path: Path) -> None:
    file = tmp_path / "kernel"
    file.write_bytes(b"\xff\xfe")
    assert left_over(file) == ()
    file.write_text(f"{PLACE}\nnonsense\n- never there\n+ a b\n")
    journal = JournalFile(file, place=PLACE)
    assert journal.left_over == ("a b",)
    journal.close()


def test_it_does_not_grow(tmp_path: Path) -> None:
    file = tmp_path / "kernel"
    journal = JournalFile(file, place=PLACE)
    journal.add("kept")
    for _ in range(5000):
        journal.add("come and gone")
        journal.strike("come and gone")
    assert len(file.read_text().splitlines()) < 600
    assert left_over(file) == ("kept",)
    journal.close()


@pytest.mark.root
def test_a_full_disk_is_told_once_and_holds_nothing_up(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with small_disk(tmp_path) as disk:
        file, filler = disk / "kernel", disk / "filler"
        journal = JournalFile(file, place=PLACE)
        journal.add("before")
        filler.write_bytes(bytes(disk_free(disk) - 8192))
        for number in range(2000):
            journal.add(f"entry {number}")
        assert [record.getMessage() for record in caplog.records] == [
            f"{file}: no space left on device; a crash now would leave more behind"
        ]
        filler.unlink()
        journal.strike("entry 0")
        assert left_over(file) == ("before", *(f"entry {number}" for number in range(1, 2000)))
        filler.write_bytes(bytes(disk_free(disk)))
        with pytest.raises(OSError, match="No space left on device") as raised:
            JournalFile(disk / "another", place=PLACE * 1000)
        assert raised.value.filename == str(disk / "another")
        journal.close()


def test_one_that_is_far_too_large_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "kernel"
    with file.open("wb") as out:
        out.truncate(1 << 25)
    assert left_over(file) == ()


def test_here_is_this_boot_and_this_namespace() -> None:
    assert here() == here()
    word, boot, inode = here().split()
    assert (word, len(boot)) == ("vrrp", 36)
    assert inode.isdecimal()
