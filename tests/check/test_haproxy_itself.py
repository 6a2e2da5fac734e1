"""What the rules say HAProxy does with a file, HAProxy does."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from check.confs import files
from conftest import PROGRAM_PATH
from vrrp.check.inputs import Kind, kind_of, read_inputs
from vrrp.check.lint import lint
from vrrp.check.rule import catalogue
from vrrp.check.static import CHECKS

pytestmark = pytest.mark.program("haproxy")

# What an example leaves out, so that nothing else is wrong with it.
TIMEOUTS = "defaults\n    timeout connect 5s\n    timeout client 5s\n    timeout server 5s\n"
LISTENER = "listen unrelated\n    bind 127.0.0.1:1024\n"
WHOLE = "global\n    log 127.0.0.1 local0\n" + TIMEOUTS + LISTENER
REFUSING = ("VRRP-E136", "VRRP-E139", "VRRP-E140", "VRRP-E141", "VRRP-E147")


def verdict(text: str, tmp_path: Path) -> tuple[bool, str]:
    """Whether `haproxy -c` takes it, and what it says."""
    file = tmp_path / "haproxy.cfg"
    file.write_text(text)
    program = shutil.which("haproxy", path=PROGRAM_PATH)
    assert program is not None
    done = subprocess.run([program, "-c", "-f", str(file)], capture_output=True, text=True, timeout=30, check=False)
    return done.returncode == 0, done.stderr + done.stdout


def configuration(example: str) -> str:
    (text,) = (text for name, text in files(example).items() if name in {"haproxy.cfg", "a.conf"})
    return text


@pytest.mark.parametrize("rule", REFUSING)
def test_haproxy_does_not_start(rule: str, tmp_path: Path) -> None:
    one = catalogue()[rule]
    taken, _ = verdict(WHOLE + configuration(one.bad), tmp_path)
    assert not taken
    good = configuration(one.good)
    if "${PORT}" in good:
        return  # the variable is not set here
    taken, said = verdict(WHOLE + good, tmp_path)
    assert taken, said


@pytest.mark.parametrize(
    ("rule", "complaint"),
    [
        ("VRRP-W132", "missing timeouts|no timeout|Missing"),
        ("VRRP-W135", "without 'option httpchk'"),
        ("VRRP-W142", "mode http"),
    ],
)
def test_haproxy_warns(rule: str, complaint: str, tmp_path: Path) -> None:
    one = catalogue()[rule]
    before = "" if rule == "VRRP-W132" else WHOLE
    taken, said = verdict(before + one.bad, tmp_path)
    assert taken, said
    assert re.search(complaint, said, re.IGNORECASE)
    taken, said = verdict(before + one.good, tmp_path)
    assert taken, said
    assert not re.search(complaint, said, re.IGNORECASE)


SILENT = ("W131", "W133", "E134", "W137", "W143", "N270", "W271", "W272", "E273", "W274")


@pytest.mark.parametrize("rule", [f"VRRP-{rule}" for rule in SILENT])
def test_haproxy_does_not_say_a_word(rule: str, tmp_path: Path) -> None:
    taken, said = verdict(WHOLE + catalogue()[rule].bad, tmp_path)
    assert taken, said
    assert "WARNING" not in said


def test_every_capture_that_haproxy_takes_has_no_error_of_a_file_it_would_refuse(shared: Path, tmp_path: Path) -> None:
    seen = 0
    for path in sorted((shared / "captures").rglob("*.cfg")):
        text = path.read_text(errors="surrogateescape")
        if kind_of(text) is not Kind.HAPROXY:
            continue
        found = lint(read_inputs([path]).clusters(), checks=CHECKS, select=REFUSING)
        if found:
            taken, said = verdict(text, tmp_path)
            assert not taken, (path, found, said)
            seen += 1
    assert seen
