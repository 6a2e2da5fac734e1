"""The lines of `defaults`, `frontend`, `listen` and `backend`: which keyword goes where, and is read by whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

from vrrp.config.haproxy.addresses import endpoint
from vrrp.config.haproxy.arguments import Surroundings
from vrrp.config.haproxy.balance_lines import read_balance, read_cookie, read_hash_balance_factor, read_hash_type
from vrrp.config.haproxy.bind_line import read_bind
from vrrp.config.haproxy.check_lines import read_http_check, read_tcp_check
from vrrp.config.haproxy.conditions import read_acl
from vrrp.config.haproxy.diagnostics import RefusedError
from vrrp.config.haproxy.draft import ProxyDraft
from vrrp.config.haproxy.kept_lines import read_kept
from vrrp.config.haproxy.keywords import (
    ABOLISHED,
    ABOLISHED_TIMEOUTS,
    KINDS,
    PLACES,
    TIMEOUTS,
)
from vrrp.config.haproxy.log_lines import choose_log_format, read_log
from vrrp.config.haproxy.model import Mode
from vrrp.config.haproxy.names import unknown
from vrrp.config.haproxy.options import read_option, warn_of_place
from vrrp.config.haproxy.rule_lines import (
    read_conditional,
    read_http_rule,
    read_redirect,
    read_tcp_rule,
    read_use_backend,
    read_use_server,
)
from vrrp.config.haproxy.server_line import read_default_server, read_server, read_source, read_template
from vrrp.config.haproxy.statement import Statement
from vrrp.config.haproxy.stats_lines import read_stats
from vrrp.config.haproxy.values import forgiving, strict

Handler = Callable[[Statement, ProxyDraft, Surroundings], None]

_RETRYABLE = frozenset(["conn-failure", "empty-response", "junk-response", "response-timeout", "0rtt-rejected"])
_RETRYABLE_CODES = frozenset(["401", "403", "404", "408", "425", "500", "501", "502", "503", "504"])


NUMBERS = frozenset({"backlog", "fullconn", "maxconn", "retries"})
"""Lines of one number, read forgivingly."""

# What changes nothing that is modelled: it is not worth a word.
_SILENT = frozenset({"description", "log-tag", "error-log-format", "bind-process"})


def read_proxy_line(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> bool:
    """Read a line of a proxy.

    Returns:
        Whether it is modelled.

    Raises:
        RefusedError: HAProxy does not take it.
    """
    keyword = statement.keyword
    if keyword in ABOLISHED:
        raise RefusedError("abolished", f"{keyword!r} is no more", ABOLISHED[keyword])
    if keyword == "usesrc":
        raise RefusedError("missing-argument", "'usesrc' only stands behind 'source ADDRESS'")
    if keyword not in PLACES:
        raise unknown(keyword, PLACES, f"{proxy.kind} has no keyword")
    _check_place(statement, proxy, around)
    handler = HANDLERS.get(keyword)
    if handler is not None:
        handler(statement, proxy, around)
        return keyword not in _KEPT
    if keyword in NUMBERS:
        text = statement.required(1, "a number")
        statement.no_more_than(1)
        proxy.numbers[keyword] = forgiving(text)
        return True
    read_kept(statement, proxy, around)
    if keyword == "bind-process":
        around.complaints.warning(statement.line, "deprecated", "'bind-process' does nothing", "take it away")
    return keyword in _SILENT


def _check_place(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    keyword = statement.keyword
    place = PLACES[keyword][KINDS.index(proxy.kind)]
    if place == "-" or (place == "n" and not proxy.name):
        where = f"an anonymous {proxy.kind}" if place == "n" else f"a section {proxy.kind}"
        raise RefusedError("not-here", f"{keyword!r} does not stand in {where}")
    # These say it themselves.
    if place == "w" and keyword not in {"log-format", "log-format-sd"}:
        warn_of_place(PLACES[keyword], keyword, statement, proxy, around)


def _mode(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    mode = statement.argument(1)
    if mode == "health":
        raise RefusedError("abolished", "mode health is no more", "write `http-request return status 200`")
    if mode not in {"tcp", "http"}:
        raise RefusedError("bad-value", f"there is no mode {mode!r}", "it is tcp or http")
    statement.no_more_than(1)
    proxy.mode = cast(Mode, mode)


def _timeout(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    name = statement.argument(1)
    if name in ABOLISHED_TIMEOUTS:
        raise RefusedError("abolished", f"'timeout {name}' is no more", ABOLISHED_TIMEOUTS[name])
    if name not in TIMEOUTS:
        raise unknown(name, TIMEOUTS, "there is no timeout", f"known: {', '.join(sorted(TIMEOUTS))}")
    what = f"timeout {name}"
    ns = around.duration_ns(statement.line, statement.required(2, "a duration"), what)
    if len(statement.words) > 3:
        raise RefusedError(
            "extra-argument", f"{what!r}: {statement.words[3]!r} is not expected", "write 5s as one word"
        )
    place = TIMEOUTS[name][KINDS.index(proxy.kind)]
    before = proxy.timeouts.get(name, 0)
    inherited = proxy.defaults.timeouts.get(name, 0) if proxy.defaults is not None else 0
    if place == "w":
        warn_of_place(TIMEOUTS[name], what, statement, proxy, around)
    elif proxy.defaults is not None and before != inherited:
        around.complaints.warning(statement.line, "overridden", f"{what!r} is given a second time", "the last holds")
    proxy.timeouts[name] = ns


def _id(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    number = forgiving(statement.required(1, "a number"))
    statement.no_more_than(1)
    if number <= 0:
        raise RefusedError("bad-value", f"id {statement.argument(1)} is out of range", "it may be 1 or more")
    proxy.own_id = number


def _disabled(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    statement.no_more_than(0)
    proxy.disabled = statement.keyword == "disabled"


def _acl(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    acl = read_acl(statement, around)
    proxy.lists.acls.append(acl)
    proxy.lists.acl_names.add(acl.name)


def _default_backend(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    name = statement.required(1, "the name of a backend")
    statement.no_more_than(1)
    proxy.default_backend = (name, statement.line)


def _dispatch(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    found = endpoint(statement.argument(1), port="given", resolve=around.resolve)
    if found.name == "missing":
        raise RefusedError("bad-address", f"dispatch: {found.host!r} is no address, and no name that has one")
    statement.no_more_than(1)
    proxy.dispatch = found


def _source(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    _, at = read_source(statement.words, 0, statement.line, around)
    if at < len(statement.words):
        raise RefusedError(
            "bad-value", f"'source' does not know {statement.words[at]!r}", "it knows interface and usesrc"
        )


def _retry_on(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    statement.required(1, "when to try again")
    chosen: set[str] = set()
    for word in statement.arguments:
        if word == "none":
            if len(statement.arguments) > 1:
                raise RefusedError("bad-value", "'retry-on none' stands alone")
        elif word == "all-retryable-errors":
            chosen |= _RETRYABLE | {"500", "502", "503", "504"}
        elif word in _RETRYABLE or word in _RETRYABLE_CODES:
            chosen.add(word)
        else:
            raise unknown(word, _RETRYABLE, "'retry-on' does not know")
    proxy.retry_on = frozenset(chosen)


def _http_reuse(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    policy = statement.argument(1)
    if policy not in {"never", "safe", "aggressive", "always"}:
        raise RefusedError("bad-value", f"'http-reuse' does not know {policy!r}", "never, safe, aggressive or always")
    statement.no_more_than(0, 2)
    proxy.words["http-reuse"] = policy


def _rate_limit(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    if statement.argument(1) != "sessions":
        raise RefusedError("bad-value", f"'rate-limit' does not know {statement.argument(1)!r}", "it knows sessions")
    number = strict(statement.required(2, "a number"), "rate-limit sessions")
    inherited = proxy.defaults.numbers.get("rate-limit", 0) if proxy.defaults is not None else 0
    if proxy.defaults is not None and proxy.numbers.get("rate-limit", 0) != inherited:
        around.complaints.warning(statement.line, "overridden", "'rate-limit sessions' is given a second time")
    proxy.numbers["rate-limit"] = number


def _max_keep_alive_queue(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    proxy.numbers["max-keep-alive-queue"] = strict(statement.required(1, "a number"), statement.keyword)


def _monitor_uri(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    uri = statement.required(1, "a path")
    statement.no_more_than(1)
    proxy.words["monitor-uri"] = uri


HANDLERS: Mapping[str, Handler] = {
    "acl": _acl,
    "balance": read_balance,
    "bind": read_bind,
    "cookie": read_cookie,
    "default-server": read_default_server,
    "default_backend": _default_backend,
    "disabled": _disabled,
    "dispatch": _dispatch,
    "enabled": _disabled,
    "force-persist": read_conditional,
    "hash-balance-factor": read_hash_balance_factor,
    "hash-type": read_hash_type,
    "http-after-response": read_http_rule,
    "http-check": read_http_check,
    "http-request": read_http_rule,
    "http-response": read_http_rule,
    "http-reuse": _http_reuse,
    "id": _id,
    "ignore-persist": read_conditional,
    "log": read_log,
    "log-format": choose_log_format,
    "log-format-sd": choose_log_format,
    "max-keep-alive-queue": _max_keep_alive_queue,
    "mode": _mode,
    "monitor": read_conditional,
    "monitor-uri": _monitor_uri,
    "option": read_option,
    "rate-limit": _rate_limit,
    "redirect": read_redirect,
    "retry-on": _retry_on,
    "server": read_server,
    "server-template": read_template,
    "source": _source,
    "stats": read_stats,
    "tcp-check": read_tcp_check,
    "tcp-request": read_tcp_rule,
    "tcp-response": read_tcp_rule,
    "timeout": _timeout,
    "use-server": read_use_server,
    "use_backend": read_use_backend,
}

_KEPT = frozenset(
    {
        "force-persist",
        "http-after-response",
        "http-request",
        "http-response",
        "ignore-persist",
        "monitor",
        "redirect",
        "tcp-request",
        "tcp-response",
    }
)
"""What is read as far as its form goes, and not modelled."""
