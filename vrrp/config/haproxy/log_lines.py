"""`log` lines, and what chooses how is logged."""

from __future__ import annotations

import re

from vrrp.config.haproxy.addresses import endpoint
from vrrp.config.haproxy.arguments import Surroundings
from vrrp.config.haproxy.diagnostics import RefusedError
from vrrp.config.haproxy.draft import LogFormat, ProxyDraft
from vrrp.config.haproxy.model import LogTarget
from vrrp.config.haproxy.names import unknown
from vrrp.config.haproxy.samples import check_sample
from vrrp.config.haproxy.statement import Statement
from vrrp.config.haproxy.values import forgiving
from vrrp.config.haproxy.word_lists import word_lists

_LISTS = word_lists("log")
_FACILITIES = _LISTS["facilities"]
_LEVELS = _LISTS["levels"]
_FORMATS = _LISTS["formats"]
_CLF = frozenset({"httplog", "httpslog"})
_VARIABLES = _LISTS["variables"]
_ITEM = re.compile(r"%(?:\{[^{}]*\})?-?(?:(%)|\[([^\]]*)\]|(\])|([A-Za-z]+))")
_SHORTEST, _LONGEST = 80, 65535


def read_log_target(statement: Statement, around: Surroundings) -> LogTarget:
    """`log ADDRESS [len N] [format F] [sample …] FACILITY [LEVEL [LOWEST]]`.

    Raises:
        RefusedError: HAProxy does not take it.
    """
    words, at = statement.words, 2
    where = statement.argument(1)
    if not where or len(words) < 3:
        raise RefusedError("missing-argument", "'log' needs an address and a facility", "write `log 127.0.0.1 local0`")
    while statement.argument(at) in {"len", "format", "sample"}:
        word, value = words[at], statement.argument(at + 1)
        if word == "len" and not _SHORTEST <= forgiving(value) <= _LONGEST:
            raise RefusedError(
                "bad-value", f"log len {value!r} is out of range", f"it may be {_SHORTEST} to {_LONGEST}"
            )
        if word == "format" and value not in _FORMATS:
            raise RefusedError(
                "bad-value", f"there is no log format {value!r}", f"known: {', '.join(sorted(_FORMATS))}"
            )
        at += 2
    if where not in {"stdout", "stderr"}:
        found = endpoint(where, datagram=True, resolve=around.resolve)
        if found.name == "missing":
            raise RefusedError("bad-address", f"log: {found.host!r} is no address, and no name that has one")
    facility = statement.argument(at)
    if facility not in _FACILITIES:
        raise RefusedError("bad-value", f"there is no log facility {facility!r}", "local0 to local7 are free")
    for position in (at + 1, at + 2):
        level = statement.argument(position)
        if level and level not in _LEVELS:
            raise RefusedError("bad-value", f"there is no log level {level!r}", f"known: {', '.join(sorted(_LEVELS))}")
    statement.no_more_than(2, at + 1)
    return LogTarget(where, facility, statement.argument(at + 1), statement.line)


def read_log(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    """`log global`, `log ADDRESS FACILITY` and `no log` of a proxy.

    Raises:
        RefusedError: HAProxy does not take it.
    """
    if statement.prefix == "no":
        statement.no_more_than(0)
        proxy.logs = proxy.global_logs = False
    elif statement.words[1:] == ("global",):
        proxy.global_logs = True
    elif statement.argument(1) == "global":
        raise RefusedError(
            "bad-value", f"there is no log facility {statement.argument(2)!r}", "`log global` stands alone"
        )
    else:
        read_log_target(statement, around)
        proxy.logs = True


def choose_log_format(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    """`option httplog`, `httpslog`, `tcplog`, `log-format` and `log-format-sd`.

    Raises:
        RefusedError: HAProxy does not take it.
    """
    if statement.keyword == "option":
        what = f"option {statement.argument(1)}"
        if statement.argument(1) in _CLF and statement.argument(2) not in {"", "clf"}:
            raise RefusedError("bad-value", f"'{what}' does not know {statement.argument(2)!r}", "it knows clf")
        statement.no_more_than(1 if statement.argument(1) in _CLF else 0, 2)
        what += " clf" * (statement.argument(2) == "clf")
    else:
        what = statement.keyword
        statement.required(1, "a format")
        if len(statement.words) > 2:
            raise RefusedError("extra-argument", f"{what!r} takes one argument", "quote the spaces")
    if what != "log-format-sd":
        before = proxy.log_format
        if proxy.kind == "defaults" and before is not None and proxy.own_log_format:
            around.complaints.warning(
                statement.line, "overridden", f"'{what}' takes the place of '{before.what}' in line {before.line}"
            )
        proxy.own_log_format = True
    if proxy.kind == "backend":
        around.complaints.warning(
            statement.line, "ignored-here", f"'{what}' means nothing to {proxy.called}", "frontends log"
        )
        return
    if what != "log-format-sd":
        proxy.log_format = LogFormat(what, statement.line, statement.argument(1) if what == "log-format" else "")
    else:
        proxy.words["log-format-sd"] = statement.argument(1)


def check_log_format(text: str, what: str) -> None:
    """The variables and samples of a log format.

    Raises:
        RefusedError: HAProxy does not know one.
    """
    at = text.find("%")
    while at >= 0:
        item = _ITEM.match(text, at)
        if item is None:
            raise RefusedError(
                "bad-value", f"{what}: no variable behind % in {text[at : at + 20]!r}", "%% is a percent sign"
            )
        if item[2] is not None:
            check_sample(item[2], what)
        elif item[4] is not None and item[4] not in _VARIABLES:
            raise unknown(item[4], _VARIABLES, f"{what}: there is no variable")
        at = text.find("%", item.end())
