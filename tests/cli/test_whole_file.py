"""Files that are whole or not there."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from vrrp.whole_file import replacing, write_text


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_when_the_block_ends(tmp_path: Path) -> None:
    file = tmp_path / "x"
    with replacing(file) as out:
        out.write(b"half")
        out.flush()
        assert not file.exists()
        out.write(b" and half")
    assert file.read_bytes() == b"half and half"
    assert names(tmp_path) == ["x"]


def test_an_old_file_stays_until_then(tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_bytes(b"old")
    with replacing(file) as out:
        out.write(b"new")
        assert file.read_bytes() == b"old"
    assert file.read_bytes() == b"new"


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt()])
@pytest.mark.parametrize("old", [b"old", None])
def test_what_breaks_off_leaves_no_trace(error: BaseException, old: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "x"
    if old is not None:
        file.write_bytes(old)

    def write() -> None:
        with replacing(file) as out:
            out.write(b"half")
            raise error

    with pytest.raises(type(error)):
        write()
    assert names(tmp_path) == ["x"] * (old is not None)
    assert old is None or file.read_bytes() == old


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_it_has_the_permissions_of_any_new_file(umask: int, tmp_path: Path) -> None:
    before = os.umask(umask)
    try:
        write_text(tmp_path / "x", "text")
        assert os.umask(umask) == umask
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o666 & ~umask


def test_a_folder_that_is_not_there_is_told_by_the_name_that_was_given(tmp_path: Path) -> None:
    file = tmp_path / "none" / "x"
    with pytest.raises(FileNotFoundError) as caught, replacing(file):
        pass
    assert caught.value.filename == str(file)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError), replacing(tmp_path):
        pass


def test_a_device_is_written_to(tmp_path: Path) -> None:
    write_text(Path("/dev/null"), "text")
    assert not Path("/dev/null").is_file()


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    write_text(pipe, "text")
    reader.join(timeout=10)
    assert read == ["text"]
    assert names(tmp_path) == ["pipe"]


def test_text_is_utf_8_and_a_dash_is_standard_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_text(tmp_path / "x", "200 \u2192 80\n")
    assert (tmp_path / "x").read_bytes() == "200 \u2192 80\n".encode()
    write_text(Path("-"), "out")
    assert capsys.readouterr().out == "out"
