"""`option` lines of proxies."""

from __future__ import annotations

import ipaddress
from typing import cast

from vrrp.config.haproxy.arguments import Surroundings
from vrrp.config.haproxy.check_lines import read_check_option
from vrrp.config.haproxy.diagnostics import RefusedError
from vrrp.config.haproxy.draft import ProxyDraft
from vrrp.config.haproxy.keywords import (
    ABOLISHED_OPTIONS,
    CHECK_OPTIONS,
    FLAGS,
    HTTP_CONNECTIONS,
    KINDS,
    OPTIONS,
)
from vrrp.config.haproxy.log_lines import choose_log_format
from vrrp.config.haproxy.model import REDISPATCH_LAST, HttpConnection
from vrrp.config.haproxy.names import unknown
from vrrp.config.haproxy.statement import Statement
from vrrp.config.haproxy.values import forgiving

_NEGATABLE = frozenset({*FLAGS, *HTTP_CONNECTIONS, "redispatch", "http-restrict-req-hdr-names"})
_FOR_BACKENDS = "+w++"


def read_option(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    """`[no] option NAME …`.

    Raises:
        RefusedError: HAProxy does not take it.
    """
    option = statement.argument(1)
    if not option:
        raise RefusedError("missing-argument", "'option' needs the name of one")
    if option in ABOLISHED_OPTIONS:
        raise RefusedError("abolished", f"option {option} is no more", ABOLISHED_OPTIONS[option])
    if statement.prefix and option not in _NEGATABLE:
        raise RefusedError("no-negation", f"option {option} cannot be taken back", f"take '{statement.prefix}' away")
    if option not in OPTIONS:
        raise unknown(option, OPTIONS, "there is no option")
    on = not statement.prefix
    if statement.prefix == "default" and (option in FLAGS or option in HTTP_CONNECTIONS):
        # HAProxy counts the words of `default option` wrongly: it does not take it of an option without arguments.
        raise RefusedError("no-negation", f"'default option {option}' is not taken", "write option or no option")
    if option in FLAGS:
        statement.no_more_than(0, 2)
        warn_of_place(FLAGS[option], option, statement, proxy, around)
        proxy.options[option] = on
    elif option in HTTP_CONNECTIONS:
        statement.no_more_than(0, 2)
        mode = cast(HttpConnection, HTTP_CONNECTIONS[option])
        if on:
            proxy.http_connection = mode
        elif proxy.http_connection == mode:
            proxy.http_connection = "keep-alive"
    elif option == "redispatch":
        warn_of_place(_FOR_BACKENDS, option, statement, proxy, around)
        every = statement.argument(2)
        proxy.redispatch = (forgiving(every) or None if every else REDISPATCH_LAST) if on else None
    elif option in CHECK_OPTIONS:
        if option != "external-check":
            warn_of_place(_FOR_BACKENDS, option, statement, proxy, around)
        read_check_option(statement, proxy, around)
    elif option in {"httplog", "httpslog", "tcplog"}:
        choose_log_format(statement, proxy, around)
    elif option in {"forwardfor", "originalto"}:
        _header(statement, proxy)
    elif option == "http-restrict-req-hdr-names":
        if on and statement.argument(2) not in {"preserve", "delete", "reject"}:
            raise RefusedError(
                "bad-value", f"option {option} does not know {statement.argument(2)!r}", "preserve, delete, reject"
            )
        proxy.words[option] = statement.argument(2)
    else:
        statement.no_more_than(0, 2)
        proxy.options[option] = on


def warn_of_place(place: str, name: str, statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    """A word that means nothing in this kind of section."""
    if place[KINDS.index(proxy.kind)] == "w":
        other = "servers" if proxy.kind == "frontend" else "clients"
        around.complaints.warning(
            statement.line, "ignored-here", f"{name!r} means nothing to {proxy.called}", f"it is about {other}"
        )


def _header(statement: Statement, proxy: ProxyDraft) -> None:
    """`option forwardfor` and `originalto`: except, header, if-none."""
    option = statement.argument(1)
    at = 2
    while at < len(statement.words):
        word = statement.words[at]
        if word == "except":
            _network(statement.required(at + 1, "an address"))
            at += 2
        elif word == "header":
            statement.required(at + 1, "the name of a header")
            at += 2
        elif word == "if-none" and option == "forwardfor":
            at += 1
        else:
            raise RefusedError("bad-value", f"option {option} does not know {word!r}", "it knows except and header")
    proxy.options[option] = True


def _network(text: str) -> None:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise RefusedError("bad-value", f"except: {text!r} is no address", "write 10.0.0.0/8") from None
