"""What keepalived 2.2.7 says of a configuration, beside what we say: its verdict, and the lines it complains about.

    python -m config.oracle                      every file of ../shared against what was recorded there
    python -m config.oracle --keepalived FILES…  any files against the keepalived that is installed (needs root)

The second way gives keepalived a network namespace with all interfaces that the files name.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from conftest import PROGRAM_PATH, SHARED
from vrrp.config import ParsedConfig, Verdict, load
from vrrp.config.diagnostics import Voice
from vrrp.config.host import Host, KnownHost, Program
from vrrp.linux.machine import ThisMachine

RECORDED = Path("captures", "_oracle", "keepalived-2.2.7-config-test.jsonl")
# The recording stops after so many messages.
MOST_RECORDED = 40
PROGRAMS = Path(__file__).parent / "data" / "debian_12_programs.txt"
USERS = (
    "root daemon bin sys sync games man lp mail news uucp proxy www-data backup list irc _apt nobody systemd-network"
    " messagebus"
)
GROUPS = " adm tty disk dialout fax voice cdrom floppy tape sudo audio dip operator src shadow utmp video nogroup"
ADDRESSES = {"eth0": "192.168.200.11/24", "eth1": "10.0.0.11/24"}

_LOCATED = re.compile(r"(?:L(\d+):|\((?:[^()]*: )?Line (\d+)\)) (.*)", re.DOTALL)
_INTERFACE = re.compile(
    r"(?:^|[\s{])(?:interface|dev|default_interface|vrf|lvs_sync_daemon|lvs_sync_daemon_interface|track_interface)"
    r"\s*\{?\s*\"?([A-Za-z0-9][\w.:@-]{0,14})(?=[\s\"{}]|$)",
    re.MULTILINE,
)
_TRACKED = re.compile(
    r"(?:track_interface|interfaces|linkbeat_interfaces|interface_up_down_delays)\s*\{([^{}]*)\}", re.DOTALL
)
_VERDICTS = {0: Verdict.CLEAN, 4: Verdict.FATAL, 5: Verdict.COMPLAINTS, 6: Verdict.SCRIPTS_UNSAFE}


@dataclass(frozen=True, slots=True)
class Reading:
    """What somebody says of a file: `told` has (line, message), line 0 where none is named; `cut`: not all of it."""

    verdict: Verdict | int
    told: frozenset[tuple[int, str]]
    cut: bool = False

    @property
    def lines(self) -> frozenset[int]:
        """The lines complained about."""
        return frozenset(line for line, _ in self.told if line)


def reading(status: int, messages: Sequence[str]) -> Reading:
    """What keepalived says, from its exit status and its output."""
    told = set()
    for message in messages:
        found = _LOCATED.fullmatch(message)
        told.add((int(found[1] or found[2]), found[3]) if found else (0, message))
    return Reading(_VERDICTS.get(status, Verdict.FATAL), frozenset(told), len(messages) >= MOST_RECORDED)


def our_reading(parsed: ParsedConfig) -> Reading:
    """What we say that keepalived says."""
    told = {
        (one.line if one.voice is Voice.LINE else 0, one.message)
        for one in parsed.diagnostics
        if one.voice is not Voice.OURS
    }
    return Reading(parsed.verdict, frozenset(told))


def recorded(shared: Path) -> dict[str, Reading]:
    """What was recorded for each file under ../shared/captures."""
    rows = (json.loads(line) for line in (shared / RECORDED).read_text(encoding="utf-8").splitlines())
    return {row["file"]: reading(row["rc"], row["messages"]) for row in rows if "file" in row}


def named_interfaces(text: str) -> set[str]:
    """The interfaces that a configuration seems to name."""
    names = set(_INTERFACE.findall(text))
    for block in _TRACKED.findall(text):
        for line in block.splitlines():
            words = line.split("#")[0].split()
            if words and re.fullmatch(r"[A-Za-z0-9][\w.:@-]{0,14}", words[0]):
                names.add(words[0])
    return names - {"lo", "all", "default"}


# Runs inside the namespace: keepalived on each file of the list on standard input, results as JSON. There are files at
# which it never comes to an end.
_RUNNER = """
import json, subprocess, sys
for name in json.load(sys.stdin):
    command = ["timeout", "-s", "KILL", "20", "keepalived", "-t", "-f", name]
    ran = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True)
    lines = [line for line in (ran.stderr + ran.stdout).decode("utf-8", "replace").splitlines() if line]
    print(json.dumps([ran.returncode, lines]))
"""


def measured(files: Sequence[Path], interfaces: Iterable[str]) -> list[Reading]:
    """What the installed keepalived says of each file where there are these interfaces."""
    commands = [f"ip tuntap add dev '{name}' mode tap" for name in sorted({*interfaces, *ADDRESSES})]
    commands += [f"ip address add {address} dev {name}" for name, address in ADDRESSES.items()]
    commands += [f"exec '{sys.executable}' -c '{_RUNNER}'"]
    ran = subprocess.run(
        ["unshare", "-n", "sh", "-c", "\n".join(commands)],
        input=json.dumps([os.fspath(file) for file in files]),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env={"PATH": PROGRAM_PATH},
    )
    return [replace(reading(*json.loads(line)), cut=False) for line in ran.stdout.splitlines()]


def differences(ours: Reading, theirs: Reading, *, texts: bool = True) -> list[str]:
    """One line for each thing in which we differ from keepalived."""
    found = []
    if ours.verdict != theirs.verdict:
        found.append(f"verdict {ours.verdict}, keepalived's {theirs.verdict}")
    missing = theirs.lines - ours.lines
    extra = set() if theirs.cut else ours.lines - theirs.lines
    found += [f"keepalived complains of line {line}, we do not" for line in sorted(missing)]
    found += [f"we complain of line {line}, keepalived does not" for line in sorted(extra)]
    if texts:
        said = sorted(theirs.told)
        found += [
            f"keepalived says {line}: {message}"
            for line, message in said
            if not any(line == at and message.strip() in text for at, text in ours.told)
        ]
        if not theirs.cut:
            found += [
                f"we say {line}: {message}"
                for line, message in sorted(ours.told)
                if not any(line == at and text.strip() in message for at, text in said)
            ]
    return found


@dataclass(slots=True)
class Totals:
    """How many files agree."""

    files: int = 0
    verdicts: int = 0
    lines: int = 0
    texts: int = 0

    def add(self, ours: Reading, theirs: Reading) -> None:
        """Count one file."""
        self.files += 1
        self.verdicts += ours.verdict == theirs.verdict
        self.lines += ours.lines == theirs.lines or (theirs.cut and ours.lines >= theirs.lines)
        self.texts += not differences(ours, theirs)

    def __str__(self) -> str:
        """The counts, and the lines as a part of the whole."""
        part = 100 * self.lines / max(1, self.files)
        return (
            f"verdict {self.verdicts} of {self.files}; same lines {self.lines} of {self.files} = {part:.1f} %;"
            f" same texts {self.texts} of {self.files}"
        )


class Namespace(ThisMachine):
    """This machine where no interface is but those that it was given, and nobody to ask for a name."""

    def __init__(self, interfaces: Iterable[str]) -> None:
        self._taken = frozenset(interfaces)
        super().__init__(self._taken)

    def is_taken(self, name: str) -> bool:
        """Whether it was given."""
        return name in self._taken

    def resolves(self, name: str) -> bool:
        """What the machine knows by itself."""
        return name == "localhost"


def debian_12(interfaces: Iterable[str]) -> KnownHost:
    """A Debian 12 with little more than keepalived on it."""
    programs: dict[str, Program] = {}
    folder = ""
    for line in PROGRAMS.read_text(encoding="utf-8").splitlines():
        if line.startswith("/"):
            folder = line
        programs |= {f"{folder}/{name}": Program.FOUND for name in line.split() if not line.startswith("/")}
    return KnownHost(
        interfaces=frozenset(interfaces),
        users=dict.fromkeys(USERS.split(), 1) | {"root": 0},
        groups=dict.fromkeys((USERS + GROUPS).split(), 1) | {"root": 0},
        programs=programs,
        processor_count=2,
        links={"/bin": "/usr/bin", "/sbin": "/usr/sbin"},
    )


def main() -> None:
    """Compare, and print what differs and the totals."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--keepalived", action="store_true", help="ask the installed keepalived")
    options = parser.parse_args()
    if options.keepalived:
        interfaces = {
            name for file in options.files for name in named_interfaces(file.read_text("utf-8", "surrogateescape"))
        }
        theirs = dict(zip(options.files, measured(options.files, interfaces), strict=True))
        host: Host = Namespace(interfaces | set(ADDRESSES))
    else:
        shared = SHARED / "captures"
        theirs = {shared / name: found for name, found in recorded(SHARED).items()}
        host = debian_12(corpus_interfaces(theirs))
    totals = Totals()
    for file, expected in theirs.items():
        ours = our_reading(load(file, host=host))
        totals.add(ours, expected)
        found = differences(ours, expected)
        if found:
            print(file)
            for difference in found:
                print("   ", difference)
    print(totals)


def corpus_interfaces(files: Iterable[Path]) -> frozenset[str]:
    """The interfaces that the recording's machine had: those named in any of its files."""
    names = {name for file in files for name in named_interfaces(file.read_text("utf-8", "surrogateescape"))}
    return frozenset(names | set(ADDRESSES))


if __name__ == "__main__":
    main()
