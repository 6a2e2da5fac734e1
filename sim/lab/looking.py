"""A check script's steps as lines of shell: what the simulator takes a script to look at, done for real."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from sim.script import Step
from vrrp.wire.address import text

SECOND_NS = 1_000_000_000
NEEDS = "curl"
"""The program that gets URLs."""
_CURL = ("curl", "--silent", "--insecure", "--noproxy", "*", "--output", "/dev/null")


def looking(steps: Sequence[Step], processes: Path) -> str:
    """Lines of sh that end with status 1 at the first step that fails.

    `processes` is the folder in which whatever runs on the node has its process id, in a file named after it.
    """
    return "".join(f"{line}\n" for step in steps for line in _lines(step, processes))


def _lines(step: Step, processes: Path) -> Iterable[str]:
    line = f"{_command(step, processes)} || exit 1"
    if step.when_holding is None:
        return [line]
    there = f"ip -o -4 address show | grep -q -F ' {text(step.when_holding)}/'"
    return [f"if {there}; then", f"    {line}", "fi"]


def _command(step: Step, processes: Path) -> str:
    if step.process is not None:
        return f"kill -0 $(cat {shlex.quote(str(processes / f'{step.process}.pid'))} || echo none) 2> /dev/null"
    assert step.address is not None  # it is no process that it looks for
    timeout_s = None if step.timeout_ns is None else step.timeout_ns / SECOND_NS
    where = f"{text(step.address)}:{step.port}"
    if step.path is None:
        connect = f"exec 3<> /dev/tcp/{where.replace(':', '/')}"
        limit = [] if timeout_s is None else ["timeout", f"{timeout_s:g}"]
        return f"{shlex.join([*limit, 'bash', '-c', connect])} 2> /dev/null"
    words = [*_CURL, *(["--fail"] if step.fails_on_status else [])]
    words += [] if timeout_s is None else ["--max-time", f"{timeout_s:g}"]
    return shlex.join([*words, f"{'https' if step.tls else 'http'}://{where}{step.path}"])


def gets_urls(scripts: Mapping[str, Sequence[Step]]) -> bool:
    """Whether any of these scripts needs the program that gets URLs."""
    return any(step.path is not None for steps in scripts.values() for step in steps)
