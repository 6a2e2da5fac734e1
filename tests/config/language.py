"""The language before keywords: tables of small configurations, and generated ones, beside keepalived 2.2.7.

    python -m config.language FIRST COUNT      what differs from the installed keepalived (needs root)
    python -m config.language --record         write what it says into the tables

Both read as node "main", with the files that `FILES` names beside the configuration.
"""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from conftest import PROGRAM_PATH
from vrrp.config import ParsedConfig, Verdict, load
from vrrp.config.diagnostics import Voice
from vrrp.words import visible

TABLES = Path(__file__).parent / "data" / "language"
NODE = "main"
INTERFACES = ("eth0", "eth1")
FILES = {
    "inc.conf": "incl\n",
    "inc2.conf": "incl2 $A\n$B=from2\n",
    "d/x.conf": "include y.conf\nind\n",
    "d/y.conf": "iny {\n}\n",
    "y.conf": "wrong\n",
    "empty.conf": "",
    "script.conf": "ex\n",
    "self.conf": "include self.conf\nagain\n",
    "f{b.conf": "brace\n",
}
FOLDERS = ("folder.conf",)

_LOCATED = re.compile(r"(?:\((?:(?P<file>[^\n]*?): )?Line (?P<line>\d+)\) )?(?P<message>.*)", re.DOTALL)
_VERDICTS = {0: Verdict.CLEAN, 4: Verdict.FATAL, 5: Verdict.COMPLAINTS, 6: Verdict.SCRIPTS_UNSAFE}
# Generated texts hold enough of this: what keywords say is compared elsewhere.
_LANGUAGE = re.compile(
    r"Unknown keyword|Unexpected '\{|Extra '\}|Missing '\{|missing '\}|Unterminated|Unmatched|~SEQ|~LST"
    r"|[Cc]onfig(?:uration)? file|include_check"
)

Told = tuple[str, int, str]
"""File ("" is the first), line (0: none is named), message."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How `keepalived -t` ends, and what it says; `silent`: it crashed, or never came to an end."""

    verdict: Verdict
    told: frozenset[Told]
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """An entry of a table."""

    name: str
    text: str
    reading: Reading


def told(entry: str) -> Told:
    """FILE:LINE: MESSAGE, LINE: MESSAGE or 0: MESSAGE."""
    place, message = entry.split(": ", 1)
    file, _, line = place.rpartition(":")
    return file, int(line), message


def cases() -> list[Case]:
    """Everything in the tables."""
    found = []
    for table in sorted(TABLES.glob("*.toml")):
        for entry in tomllib.loads(table.read_text(encoding="utf-8"))["case"]:
            reading = Reading(Verdict[entry["verdict"]], frozenset(map(told, entry["told"])))
            found.append(Case(f"{table.stem}: {entry['name']}", entry["text"], reading))
    return found


def write(folder: Path, texts: Iterable[str]) -> list[Path]:
    """The configurations as files of a folder, with what they include."""
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (folder / "script.conf").chmod(0o755)
    for name in FOLDERS:
        (folder / name).mkdir(exist_ok=True)
    paths = []
    for number, text in enumerate(texts):
        paths.append(folder / f"{number}.cfg")
        paths[-1].write_bytes(text.encode("utf-8", "surrogateescape"))
    return paths


def ours(path: Path) -> tuple[ParsedConfig, Reading]:
    """What we say that keepalived says."""
    parsed = load(path, config_id=NODE)
    said = {
        (
            "" if one.file == str(path) else os.path.relpath(one.file, path.parent),
            one.line if one.voice is Voice.LINE else 0,
            one.message.strip(),
        )
        for one in parsed.diagnostics
        if one.voice is not Voice.OURS
    }
    return parsed, Reading(parsed.verdict, frozenset(said))


_RUNNER = f"""
import json, subprocess, sys
for name in json.load(sys.stdin):
    command = ["keepalived", "-t", "-i", "{NODE}", "-f", name]
    try:
        ran = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=10)
        status, output = ran.returncode, ran.stderr + ran.stdout
    except subprocess.TimeoutExpired:
        status, output = -1, b""
    print(json.dumps([status, output.decode("utf-8", "surrogateescape")]), flush=True)
"""


def theirs(paths: Sequence[Path]) -> list[Reading]:
    """What the installed keepalived says of files of one folder, in a network namespace of its own."""
    commands = [f"ip link add {name} type veth peer name {name}p" for name in INTERFACES]
    commands += ["ip address add 10.0.0.11/24 dev eth0", f"exec '{sys.executable}' -c '{_RUNNER}'"]
    ran = subprocess.run(
        ["unshare", "-n", "sh", "-c", "\n".join(commands)],
        input=json.dumps([path.name for path in paths]),
        stdout=subprocess.PIPE,
        cwd=paths[0].parent,
        text=True,
        check=True,
        env={"PATH": PROGRAM_PATH},
    )
    return [
        _their_reading(path.name, *json.loads(line)) for path, line in zip(paths, ran.stdout.splitlines(), strict=True)
    ]


def _their_reading(name: str, status: int, output: str) -> Reading:
    said = set()
    for line in output.split("\n"):
        found = _LOCATED.fullmatch(line)
        assert found is not None
        message = visible(found["message"].strip())
        if message and not message.startswith("SECURITY VIOLATION"):
            file = found["file"] or ""
            said.add(("" if file == name else file, int(found["line"] or 0), message))
    return Reading(_VERDICTS.get(status, Verdict.FATAL), frozenset(said), status < 0)


def differences(our: Reading, their: Reading) -> list[str]:
    """One line for each message that only one of both has; a line of an included file is known by its last name."""
    mine = {(Path(file).name, line, message) for file, line, message in our.told}
    keepaliveds = {(Path(file).name, line, message) for file, line, message in their.told}
    found = [f"keepalived says {one}" for one in sorted(keepaliveds) if not any(_same(other, one) for other in mine)]
    return found + [f"we say {one}" for one in sorted(mine) if not any(_same(one, other) for other in keepaliveds)]


def _same(our: Told, their: Told) -> bool:
    # Ours may name the block as well; a message that quotes a long line is cut.
    return our[:2] == their[:2] and (their[2] in our[2] or our[2].removesuffix("...") in their[2])


PIECES: tuple[str, ...] = (
    *(
        "foo",
        "bar",
        "{",
        "}",
        "{",
        "}",
        '"a b"',
        '"x',
        '"',
        "'a b'",
        "#",
        "!",
        "# c",
        "\\",
        "\\#",
        "\r",
        "=",
        "$",
        ",",
    ),
    *("$A", "${A}", "$B", "${B}", "$M", "${M}", "${N}", "${i}", "$j", "${k}${l}", "${X}", "${_HASH}", "${_BANG}"),
    *("$A=v", "$A=w x", "$B=${A}y", "$M= \\", "$M=one \\", "two \\", "${_INSTANCE}", "$N=3", "~SEQ(i,1,$N)"),
    *("~SEQ(i,1,2)", "~SEQ(i,1,2) ~SEQ(j,1,2)", "~LST(k,p,q)", "~LST({k,l},{1,2},{3,4})", "~SEQ(i,2,1,1)"),
    *("@main", "@other", "@^main", "@^other"),
    *("include inc.conf", "include inc*.conf", "includea none.conf", "include d/x.conf", "include {inc,none}.conf"),
    *("global_defs", "vrrp_instance", "VI_1", "interface", "eth0", "priority", "77", "vrrp_script", "track_interface"),
    *("virtual_ipaddress", "10.0.0.1", "vrrp_sync_group", "group", "include_check"),
)


def drawn(seed: int) -> str:
    """A text in which every part of the language stands somewhere, seldom where it should."""
    draw = random.Random(seed)
    lines = []
    for _ in range(draw.randint(1, 14)):
        words = [draw.choice(PIECES) for _ in range(draw.choice((0, 1, 1, 2, 2, 3, 4)))]
        blank = draw.choice(("", " ", " ", " "))
        end = " \\" if draw.random() < 0.15 else ""
        lines.append(draw.choice(("", " ", "\t", "")) + blank.join(words) + end)
    text = "\n".join(lines) + ("\n" if draw.random() < 0.9 else "")
    # A line that begins with an escaped # or ! looks, in keepalived's own copy of the files, like the end of a file.
    return re.sub(r"(?m)^([ \t]*)\\([#!])", r"\1\2", text)


def compare(first: int, count: int) -> tuple[int, int, list[str]]:
    """Compare generated texts with the installed keepalived.

    Args:
        first: the first seed.
        count: how many seeds.

    Returns:
        How many were compared - those at which keepalived does not crash -, of how many the same lines are complained
        of, and for each other one what differs, with the text.
    """
    texts = [drawn(seed) for seed in range(first, first + count)]
    compared = same = 0
    report = []
    with tempfile.TemporaryDirectory() as folder:
        paths = write(Path(folder), texts)
        for seed, (path, text, their) in enumerate(zip(paths, texts, theirs(paths), strict=True), first):
            if their.silent:
                continue
            compared += 1
            found = differences(_language(ours(path)[1]), _language(their))
            same += not found
            if found:
                report.append(f"seed {seed}\n{text}\n    " + "\n    ".join(found))
    return compared, same, report


def _language(reading: Reading) -> Reading:
    said = {
        (file, line, re.sub(r"\s+'$", "'", message))
        for file, line, message in reading.told
        if _LANGUAGE.search(message) and not message.startswith("No script set")
    }
    return Reading(reading.verdict, frozenset(said))


def record() -> None:
    """Write what keepalived says into the tables; the entries' names and texts stay."""
    for table in sorted(TABLES.glob("*.toml")):
        entries = tomllib.loads(table.read_text(encoding="utf-8"))["case"]
        with tempfile.TemporaryDirectory() as folder:
            readings = theirs(write(Path(folder), [entry["text"] for entry in entries]))
        parts = ["# See language.py for what the keys mean and how this is recorded.\n"]
        parts += [_entry(entry, reading) for entry, reading in zip(entries, readings, strict=True)]
        table.write_text("\n".join(parts), encoding="utf-8")


def _entry(entry: Mapping[str, str], reading: Reading) -> str:
    said = [
        json.dumps(f"{file}:{line}: {message}" if file else f"{line}: {message}", ensure_ascii=False)
        for file, line, message in sorted(reading.told)
    ]
    listed = "".join(f"  {one},\n" for one in said)
    text = json.dumps(entry["text"], ensure_ascii=False)
    return f'[[case]]\nname = {json.dumps(entry["name"])}\ntext = {text}\nverdict = "{reading.verdict.name}"\n' + (
        f"told = [\n{listed}]\n" if said else "told = []\n"
    )


if __name__ == "__main__":
    if sys.argv[1:] == ["--record"]:
        record()
    else:
        compared_count, same_count, found_differences = compare(int(sys.argv[1]), int(sys.argv[2]))
        print("\n".join([*found_differences, f"the same of {same_count} of {compared_count}"]))
