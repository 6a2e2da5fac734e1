"""Whether a script may be run, and what keepalived itself says of the same files."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import PROGRAM_PATH
from vrrp.config.script_security import ROOT, Identity
from vrrp.linux.child import Command
from vrrp.linux.vetting import vet

NOBODY = Identity(65534, 65534)
FILES = {
    "ok": 0o755,
    "group-writes": 0o775,
    "others-write": 0o757,
    "sticky-file": 0o1757,
    "not-executable": 0o644,
    "of-nobody": 0o755,
    "of-another-group": 0o755,
    "for-another-group": 0o775,
    "group-executes": 0o750,
    "open/s": 0o755,
    "sticky/s": 0o755,
    "nobodys/s": 0o755,
    "anothers/s": 0o755,
    "missing": None,
    "folder": None,
    "link": None,
    "link-to-open": None,
    "link-of-nobody": None,
}


@pytest.fixture
def files() -> Iterator[Path]:
    """Below the root directory, for the way to a temporary folder is not everywhere root's alone."""
    folder = Path(tempfile.mkdtemp(prefix="vrrp-vetting", dir="/"))
    try:
        folder.chmod(0o755)
        for inner, mode in (
            ("open", 0o777),
            ("sticky", 0o1777),
            ("nobodys", 0o755),
            ("anothers", 0o775),
            ("folder", 0o755),
        ):
            (folder / inner).mkdir()
            (folder / inner).chmod(mode)
        for name, bits in FILES.items():
            if bits is not None:
                (folder / name).write_text("#!/bin/sh\n")
                (folder / name).chmod(bits)
        for name in ("of-nobody", "nobodys"):
            os.chown(folder / name, NOBODY.user, 0)
        for name in ("of-another-group", "for-another-group", "anothers"):
            os.chown(folder / name, 0, NOBODY.group)
        (folder / "for-another-group").chmod(0o775)
        (folder / "link").symlink_to("ok")
        (folder / "link-to-open").symlink_to("others-write")
        (folder / "link-of-nobody").symlink_to("ok")
        os.lchown(folder / "link-of-nobody", NOBODY.user, 0)
        yield folder
    finally:
        shutil.rmtree(folder)


def conf(folder: Path, secure: bool, user: str) -> str:
    scripts = "".join(f'vrrp_script {name.replace("/", "_")} {{\nscript "{folder / name} a b"\n}}\n' for name in FILES)
    security = "enable_script_security\n" if secure else ""
    names = "\n".join(name.replace("/", "_") for name in FILES)
    instance = f"interface lo\nvirtual_router_id 5\nvirtual_ipaddress {{\n10.0.0.1\n}}\ntrack_script {{\n{names}\n}}\n"
    return f"global_defs {{\nscript_user {user}\n{security}}}\n{scripts}vrrp_instance V {{\n{instance}}}\n"


def complaints(text: str) -> list[str]:
    said = [re.sub(r"^.*?\d\d:\d\d:\d\d \d{4}: ", "", line) for line in text.splitlines()]
    return [one for one in said if re.search(r"cannot be accessed|file type|Unsafe|not executable", one)]


@pytest.mark.root
@pytest.mark.program("keepalived")
@pytest.mark.parametrize("secure", [True, False], ids=["secure", "open"])
@pytest.mark.parametrize(("user", "identity"), [("root", ROOT), ("nobody", NOBODY)])
def test_the_same_as_keepalived(files: Path, tmp_path: Path, secure: bool, user: str, identity: Identity) -> None:
    file = tmp_path / "k.conf"
    file.write_text(conf(files, secure, user))
    # It ends by itself: no instance can run on lo. (With -t it would crash for another user than root.)
    words: list[str | Path] = [
        "unshare",
        "-n",
        "keepalived",
        "-n",
        "-l",
        "-D",
        "-f",
        file,
        "-p",
        tmp_path / "p",
        "-r",
        tmp_path / "r",
    ]
    environment = os.environ | {"PATH": PROGRAM_PATH}
    started = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)
    try:
        out, _ = started.communicate(timeout=3)
    except subprocess.TimeoutExpired:
        started.terminate()
        out, _ = started.communicate(timeout=20)
    ours = [vet(Command.of(f"{files / name} a b", identity), secure) for name in FILES]
    assert sorted(one.message for one in ours if one.message) == sorted(complaints(out)), out
    assert {name for name, one in zip(FILES, ours, strict=True) if one.runs} >= {
        "ok",
        "group-writes",
        "sticky/s",
        "link",
    }
    assert not vet(Command.of(str(files / "missing"), identity), secure).runs


def test_without_keepalived(tmp_path: Path) -> None:
    assert not vet(Command.of(str(tmp_path), ROOT), secure=True).runs
    assert "cannot be accessed" in vet(Command.of(str(tmp_path / "x"), ROOT), secure=True).message
    assert vet(Command.of("/bin/sh -c true", ROOT), secure=True).runs
