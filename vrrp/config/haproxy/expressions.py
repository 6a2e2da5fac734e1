"""Regular expressions: whether one is whole, as far as brackets and parentheses tell."""

from __future__ import annotations

from vrrp.config.haproxy.diagnostics import RefusedError


def check_expression(pattern: str, keyword: str) -> None:
    """An expression that HAProxy's library takes; what it refuses for other reasons passes.

    Raises:
        RefusedError: a bracket or parenthesis is open, or what repeats has nothing to repeat.
    """
    depth, bracket, at = 0, False, 0
    while at < len(pattern):
        char = pattern[at]
        if char == "\\":
            at += 1
        elif bracket:
            bracket = char != "]"
        elif char == "[":
            bracket = True
            # A ] that stands first is one of the characters.
            at += pattern.startswith(("]", "^]"), at + 1) + pattern.startswith("^]", at + 1)
        else:
            depth += (char == "(") - (char == ")")
        if depth < 0:
            break
        at += 1
    if depth or bracket or pattern[:1] in {"*", "+", "?"}:
        raise RefusedError("bad-value", f"{keyword}: {pattern!r} is no regular expression")
