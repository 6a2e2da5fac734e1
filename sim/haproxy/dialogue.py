"""What the checks of kinds other than tcp, http and tcp-check say and expect, as steps; and how results are worded."""

from __future__ import annotations

import re
from collections.abc import Mapping

from vrrp.config.haproxy.checks import CheckMethod, CheckStep, Connect, Expect, SendData

_CONNECT = Connect(default=True)
_HTTP_PASSES = Expect(kind="status", statuses=((200, 399),))

STEPS: Mapping[str, tuple[CheckStep, ...]] = {
    "smtp": (
        _CONNECT,
        Expect(kind="rstring", pattern=r"^[0-9]{3}[ \r]"),
        Expect(kind="rstring", pattern=r"^2[0-9]{2}[ \r]", error_status="L7STS"),
        SendData(data=b"EHLO localhost\r\n"),
        Expect(kind="rstring", pattern=r"^2[0-9]{2}[- \r]", error_status="L7STS"),
    ),
    "redis": (
        _CONNECT,
        SendData(data=b"*1\r\n$4\r\nPING\r\n"),
        Expect(kind="string", pattern="+PONG\r\n", error_status="L7STS"),
    ),
    "mysql": (_CONNECT, Expect(kind="rbinary", pattern="^[0-9A-F]{6}000A")),
    "pgsql": (
        _CONNECT,
        SendData(data=b"\0\3\0\0user"),
        Expect(kind="rstring", pattern="^E", negated=True, min_recv=5),
        Expect(kind="rbinary", pattern="^52", min_recv=9, error_status="L7STS"),
    ),
    "ldap": (_CONNECT, SendData(data=b"\x30\x0c\x02\x01\x01\x60"), Expect(kind="rbinary", pattern="^30", min_recv=14)),
}
"""What is expected of each is its greeting or its first answer (an approximation: nothing of what comes after)."""

FAILURES: Mapping[str, str] = {"pgsql": "PostgreSQL unknown error", "ldap": "Not LDAPv3 protocol"}
"""`last_chk` of a wrong answer; the others show its first line."""


def steps_of(method: CheckMethod) -> tuple[CheckStep, ...]:
    """The steps of a check: an http check that ends by sending expects a status 200 to 399."""
    steps = method.steps if method.kind in {"tcp", "http", "tcp-check"} else STEPS.get(method.kind, (_CONNECT,))
    if method.kind == "http" and not isinstance(steps[-1], Expect):
        return (*steps, _HTTP_PASSES)
    return steps


def place(method: CheckMethod, number: int) -> str:
    """Where in a tcp-check something failed, as `last_chk` ends: ` at step 2 of tcp-check (expect string 'x')`."""
    if method.kind != "tcp-check":
        return ""
    step = method.steps[number]
    if isinstance(step, Connect):
        if not step.line:
            return " at initial connection step of tcp-check"
        what = "connect"
    elif isinstance(step, Expect):
        what = "expect " + ("regex" if step.kind.startswith("r") else f"{step.kind} '{shown(step)}'")
    else:
        what = "send"
    return f" at step {step_number(method, number)} of tcp-check ({what})"


def step_number(method: CheckMethod, number: int) -> int:
    """As HAProxy counts: from 1, a connection that no line asks for not among them."""
    first = method.steps[0] if method.steps else None
    implied = method.kind == "tcp-check" and isinstance(first, Connect) and not first.line
    return number if implied or method.kind in {"redis", "ldap"} else number + 1


def shown(expect: Expect) -> str:
    """The pattern as messages show it."""
    if expect.kind != "binary":
        return expect.pattern
    return bytes.fromhex(expect.pattern).decode("latin-1")


def found(expect: Expect, data: bytes) -> bool:
    """Whether the pattern is in these octets."""
    if expect.kind == "string":
        return expect.pattern.encode() in data
    if expect.kind == "binary":
        return bytes.fromhex(expect.pattern) in data
    text = data.hex().upper() if expect.kind == "rbinary" else data.decode("latin-1")
    return matches(expect.pattern, text)


def matches(pattern: str, text: str) -> bool:
    """A regular expression as Python reads it (HAProxy's are PCRE); one that Python cannot read matches nothing."""
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return False
