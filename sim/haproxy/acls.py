"""Conditions: what `if` and `unless` say of a request, by acls, named and anonymous, of what is simulated.

Known are path, url, base, method, src, dst_port, hdr(host), cookies and the predefined acls of methods and TRUE; with
the ways of matching str, beg, end, sub, dir, dom, reg, len, found. What else a condition asks for does not hold, and
`unknown_lines` says so.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sim.flow.message import Request
from vrrp.config.haproxy.model import Acl, Condition


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What conditions may ask about: the client's packed address, the port it came in at, and of HTTP the request."""

    source: bytes
    port: int
    request: Request | None = None
    host: str = ""


Test: TypeAlias = "tuple[str, str, str, bool, tuple[str, ...]]"
"""A fetch, its argument, how it is matched, whether case is ignored, and the patterns."""

_WAYS = frozenset({"str", "beg", "end", "sub", "dir", "dom", "reg", "len", "found", "ip", "int"})
_FETCH = re.compile(r"(?:req\.|capture\.req\.)?(\w+?)(?:_(beg|end|sub|dir|dom|reg|len|found))?(?:\(([^()]*)\))?$")
_FETCHES = frozenset({"path", "url", "base", "method", "src", "dst_port", "hdr", "cook", "cookie", "always_true"})
_PREDEFINED: dict[str, tuple[str, ...]] = {
    "TRUE": ("always_true",),
    "HTTP": ("always_true",),
    "METH_GET": ("method", "GET", "HEAD"),
    **{f"METH_{one}": ("method", one) for one in ("HEAD", "POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "TRACE")},
    "LOCALHOST": ("src", "127.0.0.1/8"),
}


class Rules:
    """The acls of a proxy."""

    def __init__(self, acls: Sequence[Acl]) -> None:
        self._tests: dict[str, list[Test | None]] = {}
        for acl in acls:
            self._tests.setdefault(acl.name, []).append(_test(acl.words))
        for name, words in _PREDEFINED.items():
            self._tests.setdefault(name, [_test(words)])

    def hold(self, condition: Condition | None, of: Circumstances) -> bool:
        """Whether a condition holds; None always does."""
        if condition is None:
            return True
        held = any(all(self._holds(*term, of) for term in terms) for terms in _alternatives(condition.words))
        return held is not condition.negated

    def _holds(self, negated: bool, name: str, words: tuple[str, ...], of: Circumstances) -> bool:
        tests = self._tests.get(name, []) if name else [_test(words)]
        if not name or tests:
            known = [test for test in tests if test is not None]
            return bool(known) and any(_matches(test, of) for test in known) is not negated
        return False


Term: TypeAlias = "tuple[bool, str, tuple[str, ...]]"


def _alternatives(words: Sequence[str]) -> Iterator[list[Term]]:
    """Terms that all have to hold, for each alternative (`||`, `or`)."""
    terms: list[Term] = []
    rest = iter(words)
    negated = False
    for word in rest:
        if word in {"||", "or"}:
            yield terms
            terms = []
            continue
        name = word.lstrip("!")
        negated = negated is not bool((len(word) - len(name)) % 2)
        if name == "{":
            inside = []
            for one in rest:
                if one == "}":
                    break
                inside.append(one)
            terms.append((negated, "", tuple(inside)))
        elif name:
            terms.append((negated, name, ()))
        else:
            continue
        negated = False
    yield terms


def _test(words: Sequence[str]) -> Test | None:
    """What an acl looks at; None where that is not simulated."""
    fetched = _FETCH.match(words[0]) if words else None
    if fetched is None:
        return None
    fetch, way, argument = fetched[1], fetched[2] or "", fetched[3] or ""
    rest = list(words[1:])
    ignores = False
    while rest and rest[0].startswith("-"):
        flag = rest.pop(0)
        if flag == "--":
            break
        if flag == "-i":
            ignores = True
        elif flag == "-m" and rest:
            way = rest.pop(0)
        else:
            return None
    if fetch not in _FETCHES or (way and way not in _WAYS) or (fetch == "hdr" and argument.lower() != "host"):
        return None
    return fetch, argument, way, ignores, tuple(rest)


def _matches(test: Test, of: Circumstances) -> bool:
    fetch, argument, way, ignores, patterns = test
    if fetch == "always_true":
        return True
    if fetch == "src":
        source = ipaddress.ip_address(of.source)
        return any(_within(source, pattern) for pattern in patterns)
    if fetch == "dst_port":
        return any(pattern == str(of.port) for pattern in patterns)
    value = _value(fetch, argument, of)
    if value is None:
        return False
    if way == "found":
        return True
    if ignores:
        value, patterns = value.lower(), tuple(pattern.lower() for pattern in patterns)
    return any(_fits(way, value, pattern) for pattern in patterns)


def _value(fetch: str, argument: str, of: Circumstances) -> str | None:
    request = of.request
    if request is None:
        return None
    if fetch == "method":
        return request.method
    if fetch == "hdr":
        return of.host
    if fetch in {"cook", "cookie"}:
        return request.cookies.get(argument)
    if fetch == "base":
        return of.host + request.path.partition("?")[0]
    return request.path if fetch == "url" else request.path.partition("?")[0]


def _within(source: ipaddress.IPv4Address | ipaddress.IPv6Address, pattern: str) -> bool:
    try:
        return source in ipaddress.ip_network(pattern, strict=False)
    except ValueError:
        return False


def _fits(way: str, value: str, pattern: str) -> bool:
    if way == "beg":
        return value.startswith(pattern)
    if way == "end":
        return value.endswith(pattern)
    if way == "sub":
        return pattern in value
    if way == "dir":
        return f"/{pattern.strip('/')}/" in f"/{value.strip('/')}/"
    if way == "dom":
        return f".{pattern.strip('.')}." in f".{value.partition(':')[0]}."
    if way == "len":
        return pattern == str(len(value))
    if way == "reg":
        return _found(pattern, value)
    return value == pattern


def _found(pattern: str, value: str) -> bool:
    try:
        return re.search(pattern, value) is not None
    except re.error:
        return False


def unknown_lines(acls: Iterable[Acl]) -> Iterator[tuple[int, str]]:
    """Lines of acls that are not simulated, and what stands there."""
    yield from ((acl.line, " ".join(acl.words)) for acl in acls if _test(acl.words) is None)
