"""`server`, `default-server` and `server-template` lines."""

from __future__ import annotations

import ipaddress

from vrrp.config.diagnostics import Voice
from vrrp.config.haproxy.addresses import Endpoint, endpoint
from vrrp.config.haproxy.arguments import Surroundings
from vrrp.config.haproxy.diagnostics import RefusedError
from vrrp.config.haproxy.draft import ProxyDraft, ServerDraft
from vrrp.config.haproxy.line_keywords import NOT_FOR_DEFAULT_SERVER, SERVER
from vrrp.config.haproxy.names import check_name, unknown
from vrrp.config.haproxy.samples import check_sample
from vrrp.config.haproxy.statement import Statement
from vrrp.config.haproxy.values import forgiving
from vrrp.config.values import Address

MOST_TEMPLATED = 10_000
"""No more servers are made of one `server-template`."""

_METHODS = frozenset({"last", "libc", "none"})
_TWO_WORDS = frozenset({*SERVER, "source", "usesrc"})


def read_server(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    """`server NAME ADDRESS …`.

    Raises:
        RefusedError: HAProxy does not take it.
    """
    name, where = statement.argument(1), statement.argument(2)
    if not name or not where:
        raise RefusedError("missing-argument", "'server' needs a name and an address")
    check_name(name, "a server")
    draft = ServerDraft(name, _address(where, around), proxy.default_server.copy(), statement.line)
    _add(draft, proxy)
    _keywords(statement.words, 3, draft, proxy, around)
    _check_whole(draft)


def read_template(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    """`server-template PREFIX COUNT ADDRESS …`: as many servers.

    Raises:
        RefusedError: HAProxy does not take it.
    """
    prefix, count, where = (statement.argument(position) for position in (1, 2, 3))
    if not prefix or not count or not where:
        raise RefusedError("missing-argument", "'server-template' needs a prefix, a number and an address")
    check_name(prefix, "a server")
    low, dash, high = count.partition("-")
    first, last = (forgiving(low), forgiving(high)) if dash else (1, forgiving(low))
    if first < 1 or last < first:
        raise RefusedError("bad-value", f"'server-template': {count!r} is no number of servers", "write 3, or 1-3")
    template = ServerDraft(prefix, _address(where, around), proxy.default_server.copy(), statement.line)
    _keywords(statement.words, 4, template, proxy, around)
    _check_whole(template)
    if last - first >= MOST_TEMPLATED:
        around.complaints.note(
            statement.line, "not-modelled", f"of {last - first + 1} servers {MOST_TEMPLATED} are modelled"
        )
        last = first + MOST_TEMPLATED - 1
    for number in range(first, last + 1):
        one = ServerDraft(f"{prefix}{number}", template.endpoint, template.settings, statement.line, template.source)
        _add(one, proxy)


def read_default_server(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    """`default-server …`: what the servers behind it begin with.

    Raises:
        RefusedError: HAProxy does not take it.
    """
    draft = ServerDraft("", Endpoint("ipv4"), proxy.default_server, statement.line)
    _keywords(statement.words, 1, draft, proxy, around, of_default=True)


def _add(draft: ServerDraft, proxy: ProxyDraft) -> None:
    proxy.lists.server_names.setdefault(draft.name, draft)
    proxy.lists.servers.append(draft)


def _check_whole(draft: ServerDraft) -> None:
    """What the words of a line ask for together."""
    if draft.settings.flag("check") and draft.settings.word("track"):
        raise RefusedError(
            "bad-tracking", f"server {draft.name} is checked and tracks another", "take one of them away"
        )
    if draft.settings.flag("agent") and not draft.settings.number("agent_port"):
        raise RefusedError("no-agent-port", f"server {draft.name} has an agent and no port of it", "add agent-port")


def _address(text: str, around: Surroundings) -> Endpoint:
    found = endpoint(text, offset=True, resolve=around.resolve)
    if found.family == "fd":
        raise RefusedError("bad-address", f"{text}: a server cannot be a file descriptor")
    return found


def _keywords(
    words: tuple[str, ...],
    begin: int,
    draft: ServerDraft,
    proxy: ProxyDraft,
    around: Surroundings,
    of_default: bool = False,
) -> None:
    at = begin
    settings = draft.settings
    while at < len(words):
        keyword = words[at]
        kind = SERVER.get(keyword)
        if keyword == "source":
            at = _source(words, at, draft, around)
            continue
        if keyword == "usesrc":
            raise RefusedError("missing-argument", "'usesrc' only stands behind 'source ADDRESS'")
        if kind is None:
            raise unknown(
                keyword,
                _TWO_WORDS,
                "there is no keyword for servers" if not of_default else "there is no such keyword",
            )
        if of_default and keyword in NOT_FOR_DEFAULT_SERVER:
            around.complaints.refuse(
                draft.line,
                RefusedError("not-here", f"{keyword!r} is not for default-server", "give it to a server", fatal=False),
            )
            at += 1 + kind.more
            continue
        value = kind.take(keyword, words, at + 1, draft.line, around)
        if keyword == "sni":
            check_sample(str(value), "sni")
        if value == "layer7" and proxy.mode != "http" and not of_default:
            raise RefusedError("needs-http", "'observe layer7' needs mode http above it")
        if keyword == "init-addr":
            _check_methods(str(value))
        if keyword == "resolve-net":
            _check_networks(str(value))
        if keyword == "id":
            _own_id(draft, proxy, value)
        if kind.name:
            settings.values[kind.name] = value
        at += 1 + kind.more


def _check_methods(text: str) -> None:
    """The ways to find an address, as init-addr names them."""
    for method in text.split(",") if text else ():
        if method not in _METHODS and endpoint(method).name:
            raise RefusedError("bad-value", f"init-addr does not know {method!r}", "last, libc, none or an address")


def _check_networks(text: str) -> None:
    for one in text.split(","):
        try:
            ipaddress.ip_network(one, strict=False)
        except ValueError:
            raise RefusedError("bad-value", f"resolve-net: {one!r} is no network", "write 10.0.0.0/8") from None


def _own_id(draft: ServerDraft, proxy: ProxyDraft, value: object) -> None:
    assert isinstance(value, int)  # its kind is Integer
    other = proxy.lists.server_ids.setdefault(value, draft)
    if other is not draft:
        raise RefusedError(
            "duplicate-id", f"id {value} is that of server {other.name} in line {other.line}", "give it another"
        )


def _source(words: tuple[str, ...], at: int, draft: ServerDraft, around: Surroundings) -> int:
    """`source ADDRESS [usesrc …] [interface NAME]`; the position behind it."""
    source, at = read_source(words, at, draft.line, around, ranges=True)
    draft.source = source
    return at


def read_source(
    words: tuple[str, ...], at: int, line: int, around: Surroundings, ranges: bool = False
) -> tuple[Address | None, int]:
    """What stands behind `source`: the address that connections come from, and the position behind it all.

    Raises:
        RefusedError: HAProxy does not take it.
    """
    if at + 1 >= len(words) or not words[at + 1]:
        raise RefusedError("missing-argument", "'source' needs an address")
    found = endpoint(words[at + 1], ports=ranges, resolve=around.resolve)
    if found.name == "missing":
        raise RefusedError("bad-address", f"source: {found.host!r} is no address, and no name that has one")
    at += 2
    while at < len(words) and words[at] in {"usesrc", "interface"}:
        value = words[at + 1] if at + 1 < len(words) else ""
        if words[at] == "usesrc":
            _usesrc(value, line, around)
        elif not value:
            # Of a server HAProxy says it twice.
            if ranges:
                around.complaints.error(line, "missing-argument", "interface is not understood", "", Voice.PLAIN)
            raise RefusedError("missing-argument", "'interface' needs the name of one")
        at += 2
    return found.address, at


def _usesrc(value: str, line: int, around: Surroundings) -> None:
    if value in {"client", "clientip"} or value.startswith("hdr_ip("):
        return
    try:
        if not value:
            raise RefusedError("missing-argument", "'usesrc' needs an address, client, clientip or hdr_ip(NAME)")
        endpoint(value, resolve=around.resolve)
    except RefusedError as why:
        around.complaints.error(line, why.code, "usesrc is not understood", "", Voice.PLAIN)
        raise
