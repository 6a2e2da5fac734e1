"""What `haproxy -c` says of a file, and what we say, in the same form."""

from __future__ import annotations

import ipaddress
import re
import shutil
import socket
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from conftest import PROGRAM_PATH
from vrrp.config.diagnostics import Severity, Voice
from vrrp.config.haproxy import ParsedHaproxy, read_haproxy
from vrrp.config.values import Address

ENVIRONMENT = {"PATH": PROGRAM_PATH}

# What it says before it ends, and not of a line.
_ENDINGS = ("Error(s) found in configuration file", "Fatal errors found in configuration")


@dataclass(frozen=True)
class Verdict:
    """How it ends, and how often it says ALERT or WARNING of which line; line 0 is none."""

    exit_status: int
    said: Counter[tuple[str, int]]
    texts: list[str] = field(compare=False, default_factory=list)


def of_haproxy(file: Path, folder: Path | None = None) -> Verdict:
    """What HAProxy says; `folder` is where names of files begin."""
    program = shutil.which("haproxy", path=PROGRAM_PATH)
    assert program is not None
    done = subprocess.run(
        [program, "-c", "-f", str(file)], capture_output=True, cwd=folder, env=ENVIRONMENT, timeout=60, check=False
    )
    said: Counter[tuple[str, int]] = Counter()
    texts = []
    for line in done.stderr.decode("utf-8", "replace").split("\n"):
        found = re.match(r"\[(ALERT|WARNING)\]\s*\(\d+\) : (?:config : )?(.*)", line)
        if found is None or found[2].startswith(_ENDINGS):
            continue
        at = re.match(r"(?:parsing )?\[[^\]]*?:(\d+)\]", found[2], re.IGNORECASE)
        said[found[1], int(at[1]) if at else 0] += 1
        texts.append(f"{found[1]} {found[2]}")
    return Verdict(done.returncode, said, texts)


def of_us(file: Path, folder: Path | None = None) -> Verdict:
    """What we say."""
    return of_parsed(read(file.read_bytes().decode("utf-8", "surrogateescape"), file.name, folder))


def of_parsed(parsed: ParsedHaproxy) -> Verdict:
    """What we said."""
    words = {Severity.ERROR: "ALERT", Severity.WARNING: "WARNING"}
    said: Counter[tuple[str, int]] = Counter()
    texts = []
    for one in parsed.diagnostics:
        if one.voice is not Voice.OURS:
            said[words[one.severity], one.line if one.voice is Voice.LINE else 0] += 1
            texts.append(str(one))
    return Verdict(parsed.exit_status, said, texts)


def read(text: str, name: str = "haproxy.cfg", folder: Path | None = None) -> ParsedHaproxy:
    """Read as HAProxy would on this machine."""
    base = folder or Path()
    return read_haproxy(
        text,
        filename=name,
        environment=ENVIRONMENT,
        resolve=address_of,
        exists=lambda path: (base / path).exists(),
    )


def address_of(name: str) -> Address | None:
    """What this machine finds for a name; names end in .invalid where there is to be none."""
    if name.endswith(".invalid"):
        return None
    try:
        return ipaddress.ip_address(socket.getaddrinfo(name, None)[0][4][0])
    except OSError:
        return None
