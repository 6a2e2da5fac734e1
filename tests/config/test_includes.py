"""Includes beyond what the tables of language.py have: names, bounds, and what our reader alone has to say."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from config.confs import ADDRESS, BASE
from vrrp.config import Severity, Verdict, load, parse
from vrrp.config.diagnostics import Voice
from vrrp.config.language import includes, open_files
from vrrp.config.language.includes import Check, find_files, read_include, read_include_check
from vrrp.config.language.line import Line, file_of, order_of

INSTANCE = f"vrrp_instance VI_1 {{\n{BASE}{ADDRESS}include part.conf\n}}\n"


def write(folder: Path, **texts: str) -> Path:
    """Files NAME.conf of a folder, and the path of main.conf."""
    for name, text in texts.items():
        (folder / f"{name}.conf").write_text(text, encoding="utf-8")
    return folder / "main.conf"


def test_lines_know_their_files(tmp_path: Path) -> None:
    path = write(tmp_path, main=INSTANCE, part="\npriority 77\ngarbage\n")
    parsed = load(path)
    (one,) = parsed.config.instances
    part = str(tmp_path / "part.conf")
    assert one.priority == 77
    assert (one.line, file_of(one.line, "?")) == (1, str(path))
    assert (one.lines["priority"], file_of(one.lines["priority"], "?")) == (2, part)
    (told,) = parsed.diagnostics
    assert str(told).startswith(f"{part}:3: warning: Unknown keyword 'garbage'")
    assert parsed.texts == {str(path): INSTANCE, part: "\npriority 77\ngarbage\n"}


def test_a_line_is_a_number() -> None:
    line = Line(7, "a.conf", 12)
    assert line == 7
    assert f"{line}" == "7"
    assert (file_of(line, "?"), order_of(line)) == ("a.conf", 12)
    assert (file_of(3, "?"), order_of(3)) == ("?", 3)
    again = pickle.loads(pickle.dumps(line))
    assert (again, again.file, again.order) == (7, "a.conf", 12)


def test_diagnostics_stand_in_the_order_of_the_files(tmp_path: Path) -> None:
    path = write(tmp_path, main="a\ninclude part.conf\nb\n", part="c\n")
    told = [(Path(one.file).name, int(one.line)) for one in load(path).diagnostics]
    assert told == [("main.conf", 1), ("main.conf", 3), ("part.conf", 1)]


def test_a_text_with_a_folder(tmp_path: Path) -> None:
    write(tmp_path, part="priority 77\n")
    (one,) = parse(INSTANCE, folder=tmp_path).config.instances
    assert one.priority == 77
    assert parse(INSTANCE).config.instances[0].priority == 100


def test_a_missing_file_that_is_looked_for(tmp_path: Path) -> None:
    parsed = load(write(tmp_path, main="includem none.conf\nvrrp_instance {\n}\n"))
    assert parsed.refused
    assert parsed.verdict is Verdict.SCRIPTS_UNSAFE
    first, second = parsed.diagnostics
    assert (first.line, first.voice, first.severity) == (1, Voice.LINE, Severity.ERROR)
    # keepalived does not come to it any more.
    assert (second.line, second.voice) == (2, Voice.OURS)


def test_a_missing_file_that_nobody_looks_for(tmp_path: Path) -> None:
    parsed = load(write(tmp_path, main="include none.conf\n"))
    assert (parsed.refused, parsed.verdict) == (False, Verdict.CLEAN)
    (one,) = parsed.diagnostics
    assert (one.severity, one.instead) == (Severity.WARNING, "keepalived goes on without it")


def test_bytes_of_an_included_file(tmp_path: Path) -> None:
    path = write(tmp_path, main="include part.conf\n")
    (tmp_path / "part.conf").write_bytes(b"\n! caf\xe9\n")
    (one,) = load(path).diagnostics
    assert str(one).startswith(f"{tmp_path / 'part.conf'}:2: warning: byte 0xe9 is not UTF-8")


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, main="includer part.conf\na\n", part="b\n")
    opened = Path.open

    def refuse(self: Path, mode: str) -> Any:
        if self.name == "part.conf":
            raise PermissionError(13, "Permission denied")
        return opened(self, mode)

    monkeypatch.setattr(Path, "open", refuse)
    first, *_ = load(path).diagnostics
    assert first.message == "Configuration file 'part.conf' open problem (Permission denied) - skipping"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("LARGEST_FILE", 30, "all files together are larger than 16 MiB"),
        ("MOST_FILES", 1, "more than 1 files are included"),
        ("DEEPEST", 1, "Configuration file 'part.conf' open problem (Too many open files) - skipping"),
    ],
)
def test_bounds(name: str, value: int, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, main="include part.conf\ninclude part.conf\n", part="! 3456789012345678\n")
    assert load(path).diagnostics == ()
    monkeypatch.setattr(open_files, name, value)
    assert message in {one.message for one in load(path).diagnostics}


@pytest.mark.parametrize(("name", "pattern"), [("MOST_MATCHES", "{a,b,*}*"), ("MOST_SCANNED", "*/*")])
def test_bounds_of_patterns(name: str, pattern: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("a", "b", "c"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.conf").touch()
    assert not find_files(pattern, tmp_path).cut
    monkeypatch.setattr(includes, name, 2)
    assert find_files(pattern, tmp_path).cut
    path = write(tmp_path, main=f"include {pattern}\n")
    assert f"include {pattern} looks at too many files" in {one.message for one in load(path).diagnostics}


def test_many_braces_are_not_all_expanded(tmp_path: Path) -> None:
    assert find_files("{a,b}" * 100, tmp_path).cut


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("*.conf", ["a.conf", "b.conf"]),
        ("{b,a}.conf", ["b.conf", "a.conf"]),
        ("{a,{b,c}}.conf", ["a.conf", "b.conf"]),
        ("{a}.conf", ["a.conf"]),
        ("{}.conf", ["{}.conf"]),
        ("{a.conf", []),
        ("sub/*", ["sub/c.conf"]),
        ("*/", ["sub/"]),
        ("su?", ["sub/"]),
        ("sub//c.conf", ["sub/c.conf"]),
        (".h*", [".hidden.conf"]),
        ("\\a.conf", ["a.conf"]),
        ("\\*.conf", []),
        ("", []),
        ("none/*", []),
        ("a.conf/*", []),
    ],
)
def test_patterns(pattern: str, names: list[str], tmp_path: Path) -> None:
    for name in ("a.conf", "b.conf", ".hidden.conf", "{}.conf"):
        (tmp_path / name).touch()
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "c.conf").touch()
    found = find_files(pattern, tmp_path).names
    assert [name for name in found if pattern != "*.conf" or name != "{}.conf"] == names
    absolute = f"{tmp_path}/{pattern}" if pattern else ""
    assert [name.removeprefix(f"{tmp_path}/") for name in find_files(absolute, Path("/")).names] == found


def test_the_root() -> None:
    assert find_files("/", Path()).names == ["//"]


def test_what_an_include_is() -> None:
    assert read_include("includeb \t a b") is not None
    assert read_include("include") is None
    assert read_include("includes x") is None


def test_include_checks() -> None:
    assert read_include_check(Check.NONE, ()) == (Check.ALL, [])
    assert read_include_check(Check.ALL, ("-match", "+read")) == (Check.ALL & ~Check.MATCH, [])
    assert read_include_check(Check.ALL, ("match",)) == (Check.MATCH | Check.READABLE, [])
    assert read_include_check(Check.ALL, ("+x", "match")) == (
        Check.ALL,
        ["Unknown include_check type 'x' - ignoring", "Duplicate include_check 'match' specified - ignoring"],
    )
