"""What a run has put into the kernel, after a crash."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from vrrp.linux.journal_file import JournalFile, here

PLACE = "vrrp boot-1 4026531840"


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
