"""Rules of which only the form is looked at: http-request, tcp-request, redirect, use_backend and their like."""

from __future__ import annotations

from vrrp.config.haproxy.arguments import Surroundings
from vrrp.config.haproxy.conditions import read_condition
from vrrp.config.haproxy.diagnostics import RefusedError
from vrrp.config.haproxy.draft import ProxyDraft
from vrrp.config.haproxy.model import Condition, UseBackend
from vrrp.config.haproxy.names import unknown
from vrrp.config.haproxy.samples import check_format
from vrrp.config.haproxy.statement import Statement
from vrrp.config.haproxy.word_lists import word_lists

ACTIONS = word_lists("actions")
"""The actions of each kind of rule: behind one that ends with * an argument in parentheses or a number may stand."""

_ORDER = (
    "tcp-request connection",
    "tcp-request session",
    "tcp-request content",
    "monitor",
    "http-request",
    "redirect",
    "use_backend",
    "use-server",
)
"""In this order HAProxy goes through the rules, wherever they stand."""

_TWO_ARGUMENTS = frozenset({"add-header", "set-header"})


def check_http_rule(words: tuple[str, ...], proxy: ProxyDraft, line: int, around: Surroundings) -> None:
    """An action and its condition. HAProxy reads no further when it does not take it.

    Raises:
        RefusedError: HAProxy does not take it.
    """
    try:
        action = _action(words, 1, words[0])
        if action in _TWO_ARGUMENTS:
            if len(words) < 4:
                raise RefusedError("missing-argument", f"{words[0]} {action} needs a name and a value")
            if len(words) > 4 and words[4] not in {"if", "unless"}:
                raise RefusedError(
                    "extra-argument", f"{words[0]} {action}: {words[4]!r} is not expected", "quote the value"
                )
        if action in {"allow", "deny"} and len(words) == 3 and words[2] not in {"if", "unless"}:
            raise RefusedError("extra-argument", f"{words[0]} {action}: {words[2]!r} is not expected")
        for word in words[2:]:
            check_format(word, f"{words[0]} {action}")
        _condition(words, 2, proxy, line, around, words[0])
    except RefusedError as why:
        why.abort = True
        raise


def read_http_rule(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    """`http-request`, `http-response`, `http-after-response`.

    Raises:
        RefusedError: HAProxy does not take it.
    """
    if statement.keyword == "http-request":
        _in_order(proxy, statement.keyword, statement.line, around)
    check_http_rule(statement.words, proxy, statement.line, around)
    proxy.lists.http_rules.setdefault(statement.keyword, statement.line)
    _rules(proxy, statement)


def read_tcp_rule(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    """`tcp-request` and `tcp-response`.

    Raises:
        RefusedError: HAProxy does not take it.
    """
    keyword, kind = statement.keyword, statement.argument(1)
    if kind == "inspect-delay":
        around.duration_ns(statement.line, statement.required(2, "a duration"), f"{keyword} inspect-delay")
        return
    name = f"{keyword} {kind}"
    if name not in ACTIONS:
        raise RefusedError("bad-value", f"{keyword!r} does not know {kind!r}")
    if kind in {"connection", "session"} and proxy.kind == "backend":
        raise RefusedError("not-here", f"{name!r} does not stand in a backend", "give it to a frontend")
    if name in _ORDER:
        _in_order(proxy, name, statement.line, around)
    _action(statement.words, 2, name)
    _condition(statement.words, 2, proxy, statement.line, around, name)
    _rules(proxy, statement)


def _rules(proxy: ProxyDraft, statement: Statement) -> None:
    proxy.rules_line = proxy.rules_line or statement.line


def _in_order(proxy: ProxyDraft, rule: str, line: int, around: Surroundings) -> None:
    """Whether a rule stands behind those that HAProxy goes through later."""
    rank = _ORDER.index(rule)
    if rank < proxy.lists.latest_rule:
        later = _ORDER[proxy.lists.latest_rule]
        around.complaints.warning(line, "rule-order", f"{rule!r} behind {later!r} is heeded before it all the same")
    proxy.lists.latest_rule = max(rank, proxy.lists.latest_rule)


def _action(words: tuple[str, ...], at: int, rule: str) -> str:
    action = words[at] if at < len(words) else ""
    known = ACTIONS[rule]
    name = action.partition("(")[0]
    if action in known or f"{name}*" in known or f"{name.rstrip('0123456789')}*" in known or name.startswith("lua."):
        return name
    raise unknown(action, known, f"{rule!r} has no action")


def _condition(
    words: tuple[str, ...], at: int, proxy: ProxyDraft, line: int, around: Surroundings, rule: str
) -> Condition | None:
    for position in range(at, len(words)):
        if words[position] in {"if", "unless"}:
            return read_condition(words[position:], proxy.lists.acl_names, line, around, rule)
    return None


def read_conditional(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    """`force-persist`, `ignore-persist` and `monitor fail`: there must be a condition.

    Raises:
        RefusedError: HAProxy does not take it.
    """
    at = 2 if statement.keyword == "monitor" else 1
    if at == 2 and statement.argument(1) != "fail":
        raise RefusedError("bad-value", f"'monitor' does not know {statement.argument(1)!r}", "it knows fail")
    if statement.argument(at) not in {"if", "unless"}:
        raise RefusedError("missing-argument", f"{' '.join(statement.words[:at])!r} needs a condition", "if or unless")
    _condition(statement.words, at, proxy, statement.line, around, statement.keyword)
    if statement.keyword == "monitor":
        _in_order(proxy, "monitor", statement.line, around)


def read_redirect(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    """`redirect location|prefix|scheme …`.

    Raises:
        RefusedError: HAProxy does not take it.
    """
    words, at, kind = statement.words, 1, ""
    while at < len(words) and words[at] not in {"if", "unless"}:
        word = words[at]
        if word in {"location", "prefix", "scheme", "code", "set-cookie", "clear-cookie"}:
            value = statement.required(at + 1, "a value")
            if word == "code" and value not in {"301", "302", "303", "307", "308"}:
                raise RefusedError("bad-value", f"redirect: {value} is no code to redirect with")
            kind = word if word in {"location", "prefix", "scheme"} else kind
            at += 2
        elif word in {"drop-query", "append-slash", "ignore-empty"}:
            at += 1
        else:
            raise RefusedError("bad-value", f"'redirect' does not know {word!r}")
    if not kind:
        raise RefusedError("missing-argument", "'redirect' needs to know where to", "location, prefix or scheme")
    _condition(words, at, proxy, statement.line, around, "redirect")
    _in_order(proxy, "redirect", statement.line, around)
    proxy.lists.http_rules.setdefault("redirect", statement.line)


def read_use_backend(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    """`use_backend NAME [if …]`.

    Raises:
        RefusedError: HAProxy does not take it.
    """
    name = statement.required(1, "the name of a backend")
    word = statement.argument(2)
    if word not in {"", "if", "unless"}:
        raise RefusedError(
            "extra-argument", f"'use_backend': {word!r} is not expected", "if or unless may stand there"
        )
    condition = _condition(statement.words, 2, proxy, statement.line, around, "use_backend")
    _in_order(proxy, "use_backend", statement.line, around)
    proxy.lists.use_backend.append(UseBackend(name, condition, statement.line))


def read_use_server(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    """`use-server NAME if …`.

    Raises:
        RefusedError: HAProxy does not take it.
    """
    name = statement.required(1, "the name of a server")
    if statement.argument(2) not in {"if", "unless"}:
        raise RefusedError("missing-argument", "'use-server' needs a condition", "if or unless")
    condition = _condition(statement.words, 2, proxy, statement.line, around, "use-server")
    _in_order(proxy, "use-server", statement.line, around)
    proxy.lists.use_server.append(UseBackend(name, condition, statement.line))
