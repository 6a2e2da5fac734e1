"""`acl` lines, and the conditions that name them. They are read and not evaluated."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Container

from vrrp.config.diagnostics import Voice
from vrrp.config.haproxy.arguments import Surroundings
from vrrp.config.haproxy.diagnostics import RefusedError
from vrrp.config.haproxy.expressions import check_expression
from vrrp.config.haproxy.model import Acl, Condition
from vrrp.config.haproxy.names import check_name
from vrrp.config.haproxy.samples import ADDRESSES, BOOLEANS, INTEGERS, check_sample
from vrrp.config.haproxy.statement import Statement
from vrrp.config.haproxy.word_lists import word_lists

PREDEFINED = word_lists("acls")["predefined"]
_METHODS = frozenset(["found", "bool", "int", "ip", "bin", "str", "beg", "sub", "dir", "dom", "end", "len", "reg"])
_FLAGS_ALONE = frozenset({"-i", "-n"})
_FLAGS_WITH_WORD = frozenset({"-f", "-m", "-M", "-u"})
_OPERATORS = frozenset({"eq", "ge", "gt", "le", "lt"})
_NUMBERS = re.compile(r"[0-9.]*(?:[:-][0-9.]*)?")


def read_acl(statement: Statement, around: Surroundings) -> Acl:
    """`acl NAME CRITERION [FLAGS] [PATTERNS]`.

    Raises:
        RefusedError: HAProxy does not take it.
    """
    name = statement.argument(1)
    if name.lower() == "or":
        raise RefusedError(
            "bad-name", "an acl of the name 'or' never matches", "'or' joins conditions: name it otherwise"
        )
    check_name(name, "an acl")
    words = statement.words[2:]
    check_criterion(words, statement.line, around, f"acl {name}")
    return Acl(name, words, statement.line)


def check_criterion(words: tuple[str, ...], line: int, around: Surroundings, what: str) -> None:
    """What stands behind an acl's name, or in braces.

    Raises:
        RefusedError: HAProxy does not take it.
    """
    if not words:
        raise RefusedError("bad-sample", f"{what} has no criterion")
    fetch, converted = check_sample(words[0], what, criterion=True)
    at, method, from_file = 1, "", False
    while at < len(words) and words[at].startswith("-") and words[at] != "--":
        flag = words[at]
        if flag in _FLAGS_WITH_WORD:
            value = words[at + 1] if at + 1 < len(words) else ""
            if flag == "-m" and value not in _METHODS:
                raise RefusedError("bad-value", f"{what}: there is no match method {value!r}")
            if flag == "-f":
                around.need_file(value, what)
                from_file = True
            method = value if flag == "-m" else method
            at += 2
        elif flag in _FLAGS_ALONE:
            at += 1
        else:
            raise RefusedError(
                "bad-value", f"{what}: there is no flag {flag!r}", "put -- before a pattern with a hyphen"
            )
    patterns = words[at + 1 :] if words[at : at + 1] == ("--",) else words[at:]
    if method == "reg" or fetch.endswith("_reg"):
        for pattern in patterns:
            check_expression(pattern, what)
    if method or converted:
        return
    if not patterns and not from_file and fetch not in BOOLEANS:
        around.complaints.warning(
            line, "never-matches", f"{what} compares with nothing, and never holds", "give it a pattern", Voice.PLAIN
        )
    _check_patterns(fetch, patterns, what)


def _check_patterns(fetch: str, patterns: tuple[str, ...], what: str) -> None:
    if fetch in ADDRESSES:
        for pattern in patterns:
            if not _is_network(pattern):
                raise RefusedError("bad-value", f"{what}: {pattern!r} is no address")
    elif fetch in INTEGERS:
        for pattern in patterns:
            if pattern not in _OPERATORS and not _NUMBERS.fullmatch(pattern.removeprefix("-")):
                raise RefusedError("bad-value", f"{what}: {pattern!r} is no number")


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        # It may be the name of a host, which HAProxy looks up.
        return bool(re.fullmatch(r"[A-Za-z0-9_.-]*[A-Za-z][A-Za-z0-9_.-]*\.[A-Za-z0-9_.-]+|localhost", text))
    return True


def read_condition(
    words: tuple[str, ...], known: Container[str], line: int, around: Surroundings, what: str
) -> Condition:
    """`if …` or `unless …`.

    Args:
        words: with the `if`.
        known: the acls that there are so far.
        line: where it stands.
        around: what files are held against.
        what: what has the condition.

    Raises:
        RefusedError: HAProxy does not take it.
    """
    at, body = 0, words[1:]
    while at < len(body):
        term = body[at].lstrip("!")
        if not term or term in {"or", "||", "OR", "Or", "oR"}:
            at += 1
        elif term == "{":
            end = next((position for position in range(at + 1, len(body)) if body[position] == "}"), None)
            if end is None:
                raise RefusedError("bad-condition", f"{what}: a brace is not closed", "write { CRITERION PATTERN }")
            check_criterion(body[at + 1 : end], line, around, what)
            at = end + 1
        elif term in known or term in PREDEFINED:
            at += 1
        else:
            raise RefusedError("unknown-acl", f"{what}: there is no acl {term!r} above it")
    return Condition(words[0] == "unless", body)
