"""Sample expressions, such as req.hdr(host),lower: whether they name what there is. They are not evaluated."""

from __future__ import annotations

import re

from vrrp.config.haproxy.diagnostics import RefusedError
from vrrp.config.haproxy.names import unknown
from vrrp.config.haproxy.word_lists import word_lists

_LISTS = word_lists("samples")
BOOLEANS, INTEGERS, ADDRESSES = _LISTS["booleans"], _LISTS["integers"], _LISTS["addresses"]
FETCHES = BOOLEANS | INTEGERS | ADDRESSES | _LISTS["texts"]
CRITERIA = _LISTS["criteria"]
CONVERTERS = _LISTS["converters"]

_SAMPLE = re.compile(r"%(?:\{[^{}]*\})?\[([^\]]*)\]")
_NAME = re.compile(r"[^\s(),]*")


def check_sample(text: str, what: str, criterion: bool = False) -> tuple[str, bool]:
    """A fetch and its converters.

    Args:
        text: the expression.
        what: where it stands.
        criterion: whether it is an acl's, which knows more fetches.

    Returns:
        The fetch's name, and whether converters follow it.

    Raises:
        RefusedError: HAProxy does not know a name in it, or a parenthesis is open.
    """
    known = FETCHES | CRITERIA if criterion else FETCHES
    fetch, at = _called(text, 0, what)
    if not fetch:
        raise RefusedError("bad-sample", f"{what}: {text!r} begins with no sample fetch")
    if fetch not in known and not fetch.startswith("lua."):
        raise unknown(fetch, known, f"{what}: there is no sample fetch")
    converted = False
    while at < len(text):
        if text[at] != ",":
            raise RefusedError("bad-sample", f"{what}: {text[at]!r} is not expected behind {text[:at]!r}")
        converter, behind = _called(text, at + 1, what)
        if not converter and behind == at + 1:
            at = behind
            continue
        if converter not in CONVERTERS and not converter.startswith("lua."):
            raise unknown(converter, CONVERTERS, f"{what}: there is no converter")
        at, converted = behind, True
    return fetch, converted


def _called(text: str, at: int, what: str) -> tuple[str, int]:
    """A name and its arguments: the name, and the position behind it all."""
    found = _NAME.match(text, at)
    assert found is not None  # the pattern takes nothing as well
    at = found.end()
    if text[at : at + 1] != "(":
        return found[0], at
    at += 1
    while at < len(text) and text[at] != ")":
        if text[at] == "\\":
            at += 1
        elif text[at] in "\"'":
            at = text.find(text[at], at + 1)
            if at < 0:
                break
        at += 1
    if not 0 <= at < len(text):
        raise RefusedError("bad-sample", f"{what}: a parenthesis behind {found[0]!r} is not closed")
    return found[0], at + 1


def check_format(text: str, what: str) -> None:
    """The samples in a log-format string, such as %[src] or %{+Q}[src].

    Raises:
        RefusedError: HAProxy does not know a name in one.
    """
    for found in _SAMPLE.finditer(text):
        check_sample(found[1], what)
