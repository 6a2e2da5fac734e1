"""`bind` lines."""

from __future__ import annotations

import re

from vrrp.config.haproxy.addresses import endpoint
from vrrp.config.haproxy.arguments import Settings, Surroundings
from vrrp.config.haproxy.diagnostics import RefusedError
from vrrp.config.haproxy.draft import BindDraft, ProxyDraft
from vrrp.config.haproxy.line_keywords import BIND
from vrrp.config.haproxy.names import unknown
from vrrp.config.haproxy.statement import Statement

_THREADS = re.compile(r"(?:[0-9]+/)?(?:all|odd|even|[0-9]+(?:-[0-9]*)?)(?:,[0-9]+(?:-[0-9]*)?)*")


def read_bind(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    """`bind [ADDRESS]:PORT[-LAST][,…] …`.

    Raises:
        RefusedError: HAProxy does not take it.
    """
    where = statement.argument(1)
    if not where:
        raise RefusedError("missing-argument", "'bind' needs an address and a port", "write `bind :80`")
    settings = Settings()
    texts = where.split(",")
    for text in texts[:-1] if len(texts) > 1 and not texts[-1] else texts:
        found = endpoint(text, port="needed", ports=True, resolve=around.resolve)
        if found.name == "missing":
            raise RefusedError("bad-address", f"bind: {found.host!r} is no address, and no name that has one")
        proxy.lists.binds.append(BindDraft(found, settings, statement.words[2:], statement.line))
    words, at = statement.words, 2
    while at < len(words):
        keyword = words[at]
        kind = BIND.get(keyword)
        if kind is None:
            raise unknown(keyword, BIND, f"there is no keyword for bind {where}")
        value = kind.take(keyword, words, at + 1, statement.line, around)
        if keyword == "id":
            if "id" in settings.values:
                raise RefusedError("duplicate-id", f"bind {where} has an id already", "take one away")
            _own_id(statement, proxy, value)
        if keyword == "thread" and not _THREADS.fullmatch(str(value)):
            raise RefusedError("bad-value", f"thread {value!r} is no number and no range", "write 1, 1-4 or all")
        if keyword == "process":
            around.complaints.warning(statement.line, "deprecated", "'process' of bind goes with HAProxy 2.7")
        if keyword == "mode" and not set(str(value)) <= set("01234567"):
            raise RefusedError("bad-value", f"mode {value!r} is not an octal number")
        if kind.name:
            settings.values[kind.name] = value
        at += 1 + kind.more


def _own_id(statement: Statement, proxy: ProxyDraft, value: object) -> None:
    assert isinstance(value, int)  # its kind is Integer
    if value in proxy.lists.bind_ids:
        raise RefusedError(
            "duplicate-id", f"id {value} is that of the bind in line {proxy.lists.bind_ids[value]}", "give it another"
        )
    proxy.lists.bind_ids[value] = statement.line
