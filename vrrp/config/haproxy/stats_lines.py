"""`stats` lines of proxies: the page with the tables."""

from __future__ import annotations

from dataclasses import replace

from vrrp.config.diagnostics import Voice
from vrrp.config.haproxy.arguments import Surroundings
from vrrp.config.haproxy.conditions import read_condition
from vrrp.config.haproxy.diagnostics import RefusedError
from vrrp.config.haproxy.draft import ProxyDraft, StatsDraft
from vrrp.config.haproxy.rule_lines import check_http_rule
from vrrp.config.haproxy.statement import Statement

_WORDS = [
    "admin",
    "auth",
    "enable",
    "hide-version",
    "http-request",
    "realm",
    "refresh",
    "scope",
    "show-desc",
    "show-legends",
    "show-modules",
    "show-node",
    "uri",
]


def read_stats(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    """`stats WORD …`.

    Raises:
        RefusedError: HAProxy does not take it.
    """
    word, value = statement.argument(1), statement.argument(2)
    if word not in _WORDS:
        raise RefusedError("unknown-keyword", f"'stats' does not know {word!r}", f"it knows {', '.join(_WORDS)}")
    if word == "admin":
        if proxy.kind == "defaults":
            raise RefusedError("not-here", "'stats admin' does not stand in 'defaults'", "give it to a proxy")
        if value not in {"if", "unless"}:
            raise RefusedError("missing-argument", "'stats admin' needs a condition", "write `stats admin if …`")
        condition = read_condition(statement.words[2:], proxy.lists.acl_names, statement.line, around, "stats admin")
        _page(proxy, statement).admin.append(condition)
        return
    if word == "http-request":
        if proxy.kind == "defaults":
            raise RefusedError("not-here", "'stats http-request' does not stand in 'defaults'", "give it to a proxy")
        _page(proxy, statement)
        check_http_rule(statement.words[1:], proxy, statement.line, around)
        around.complaints.note(statement.line, "not-modelled", "who may see the statistics is not modelled")
        return
    if word in {"uri", "realm", "auth", "scope"}:
        statement.required(2, {"uri": "a path", "realm": "a name", "auth": "USER:PASSWORD", "scope": "a proxy"}[word])
    if word == "refresh":
        if not value:
            raise RefusedError("missing-argument", "'stats refresh' needs a duration", voice=Voice.OURS)
        refresh_ns = around.duration_ns(statement.line, value, "stats refresh", "s")
        stats = _page(proxy, statement)
        stats.page = replace(stats.page, refresh_ns=refresh_ns)
        return
    stats = _page(proxy, statement)
    text = " ".join(statement.words[2:])
    if word == "auth":
        stats.auth.append(value)
    elif word == "scope":
        stats.scopes.append(value)
    elif word == "uri":
        stats.page = replace(stats.page, uri=value)
    elif word == "realm":
        stats.page = replace(stats.page, realm=value)
    elif word == "hide-version":
        stats.page = replace(stats.page, hide_version=True)
    elif word == "show-legends":
        stats.page = replace(stats.page, show_legends=True)
    elif word == "show-modules":
        stats.page = replace(stats.page, show_modules=True)
    elif word == "show-node":
        stats.page = replace(stats.page, show_node=value)
    elif word == "show-desc":
        if not text:
            around.complaints.warning(
                statement.line, "missing-argument", "'stats show-desc' without a text shows that of global, or none"
            )
        stats.page = replace(stats.page, show_desc=text)


def _page(proxy: ProxyDraft, statement: Statement) -> StatsDraft:
    """The section's own page: the first line of a section leaves behind what `defaults` said."""
    if proxy.stats is None or proxy.stats.owner != proxy.line:
        proxy.stats = StatsDraft(proxy.line)
        proxy.stats.page = replace(proxy.stats.page, line=statement.line)
    return proxy.stats
