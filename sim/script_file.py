"""A check script as a file: what it looks at, if it is one of the shapes that such scripts have.

Known are lines of curl, of `nc -z`, and of `killall -0`, `pidof`, `pgrep` and `systemctl is-active`, each of which
ends the script when it fails, and `if ip addr | grep ADDRESS; then ... fi` around them. Variables are filled from the
node's environment and from assignments in the script.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import replace
from getopt import GetoptError, gnu_getopt

from sim.script import Step, connect_step, get_step
from vrrp.wire.address import pack

MAX_SCRIPT_SIZE = 64 << 10
_ASSIGNMENT = re.compile(r"(?:export\s+)?([A-Za-z_]\w*)=(\S*)$")
_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}|\$(\w+)")
_FUNCTION = re.compile(r"(?:function\s+)?(\w+)\s*(?:\(\))?\s*\{\s*(.*)$")
_HOLDING = re.compile(
    r"if\s+(?:/\S*/)?ip\s+(?:-\S+\s+)*a\S*(?:\s+[^|;]*)?\|\s*f?grep\s+(?:-\S+\s+)*(\S+?)\s*;?\s*(?:then)?$"
)
_CURL_FLAGS = ["silent", "show-error", "insecure", "fail", "fail-with-body", "location", "verbose", "head"]
_CURL_TAKES = ["output=", "max-time=", "connect-timeout=", "header=", "request=", "write-out=", "user=", "cacert="]
_CURL_OPTIONS = ("sSkfLvIo:m:H:X:w:u:A:", [*_CURL_FLAGS, *_CURL_TAKES, "cert=", "key=", "noproxy=", "user-agent="])
_SAYS_NOTHING = ("#", "set ", "exit 0", "true", "echo ", "then", "return 0", ":")


class ScriptFileError(ValueError):
    """A script that is of no known shape: `line` (from 1) and what stands there."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(f"{text!r} is not understood")
        self.line = line


def read_script(text: str, environment: Mapping[str, str]) -> tuple[Step, ...]:
    """What a script looks at, in its order. ScriptFileError at the first line that is not understood."""
    values = dict(environment)
    steps: list[Step] = []
    holding: bytes | None = None
    depth = 0
    for number, raw in _lines(text):
        line = raw
        if depth or (_FUNCTION.match(line) and not line.startswith(("if ", "curl "))):
            # A function says how to fail, and is called where something did.
            depth += line.count("{") - line.count("}")
            continue
        assigned = _ASSIGNMENT.match(line)
        if assigned:
            values[assigned[1]] = _filled(assigned[2].strip("\"'"), values)
            continue
        line = _filled(line, values)
        condition = _HOLDING.match(line)
        if condition and holding is None:
            holding = _address(condition[1], number)
        elif line == "fi":
            holding = None
        elif not line.startswith(_SAYS_NOTHING):
            steps.append(replace(_step(line, number), when_holding=holding))
    return tuple(steps)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Logical lines with their numbers: continued ones joined, comments and empty ones left out."""
    begun, joined = 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        begun = begun or number
        joined += line.removesuffix("\\")
        if not line.endswith("\\"):
            if (stripped := joined.strip()) and not stripped.startswith("#"):
                yield begun, stripped
            begun, joined = 0, ""


def _filled(text: str, values: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        return values.get(match[1] or match[3], match[2] or "" if match[1] else match[0])

    return _VARIABLE.sub(value, text)


def _address(word: str, number: int) -> bytes:
    try:
        return pack(word.strip("\"'").replace("\\.", ".").split("/")[0])
    except ValueError as error:
        raise ScriptFileError(number, word) from error


def _step(line: str, number: int) -> Step:
    """A command that fails the script when it fails."""
    command = re.split(r"\|\||;|&&|\d?>", line, maxsplit=1)[0].strip()
    try:
        words = shlex.split(command)
        name = words[0].rpartition("/")[2] if words else ""
        if name == "curl":
            return _curl(words[1:])
        if name == "nc":
            return _nc(words[1:])
        if name in {"killall", "pidof", "pgrep", "systemctl"}:
            return Step(process=words[-1].removesuffix(".service"))
    except (ValueError, OverflowError, GetoptError) as error:
        raise ScriptFileError(number, line) from error
    raise ScriptFileError(number, line)


def _curl(words: list[str]) -> Step:
    options, urls = gnu_getopt(words, *_CURL_OPTIONS)
    if len(urls) != 1:
        raise ValueError("one URL at a time")
    given = dict(options)
    fails = not given.keys().isdisjoint({"-f", "--fail", "--fail-with-body"})
    return get_step(urls[0], timeout_ns=_seconds(given.get("-m", given.get("--max-time"))), fails_on_status=fails)


def _nc(words: list[str]) -> Step:
    options, targets = gnu_getopt(words, "zvnw:q:")
    if len(targets) != 2:
        raise ValueError("a host and a port")
    return connect_step(":".join(targets), timeout_ns=_seconds(dict(options).get("-w")))


def _seconds(word: str | None) -> int | None:
    return None if word is None else round(float(word) * 1_000_000_000)
