"""`balance`, `hash-type`, `hash-balance-factor` and `cookie` lines."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, cast

from vrrp.config.haproxy.arguments import Surroundings
from vrrp.config.haproxy.diagnostics import RefusedError
from vrrp.config.haproxy.draft import ProxyDraft
from vrrp.config.haproxy.model import Algorithm, Balance, Cookie, CookieMode
from vrrp.config.haproxy.statement import Statement
from vrrp.config.haproxy.values import forgiving

_PLAIN = ("roundrobin", "static-rr", "first", "leastconn", "source")
_HASHES = ("sdbm", "djb2", "wt6", "crc32")
_MODES = ("insert", "rewrite", "prefix")
_COOKIE_FLAGS = ("indirect", "nocache", "preserve", "postonly", "httponly", "secure", "dynamic")
_NOT_IN_ATTRIBUTES = frozenset(";")


def read_balance(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    """`balance ALGORITHM …`.

    Raises:
        RefusedError: HAProxy does not take it.
    """
    word = statement.argument(1) or "roundrobin"
    shaped = replace(
        Balance(),
        hash_type=proxy.balance.hash_type,
        hash_function=proxy.balance.hash_function,
        hash_modifier=proxy.balance.hash_modifier,
        hash_balance_factor=proxy.balance.hash_balance_factor,
    )
    name, parenthesis, rest = word.partition("(")
    inner, closing, _ = rest.partition(")")
    if word in _PLAIN:
        proxy.balance = replace(shaped, algorithm=cast(Algorithm, word))
    elif word == "uri":
        proxy.balance = _uri(statement, replace(shaped, algorithm="uri"))
    elif word == "url_param":
        parameter = statement.required(2, "the name of a parameter")
        if statement.argument(3) not in {"", "check_post"}:
            raise RefusedError("bad-value", f"balance url_param does not know {statement.argument(3)!r}")
        proxy.balance = replace(shaped, algorithm="url_param", argument=parameter)
    elif word.startswith("hdr("):
        if not inner:
            raise RefusedError("missing-argument", "balance hdr needs the name of a header", "write hdr(NAME)")
        if statement.argument(2) not in {"", "use_domain_only"}:
            raise RefusedError("bad-value", f"balance hdr does not know {statement.argument(2)!r}")
        proxy.balance = replace(
            shaped, algorithm="hdr", argument=inner, use_domain_only=statement.argument(2) == "use_domain_only"
        )
    elif name == "random":
        if parenthesis and not closing:
            raise RefusedError("bad-value", "balance random: the parenthesis is not closed")
        if parenthesis and not inner.isdecimal():
            raise RefusedError("bad-value", f"balance random: {inner!r} is no number of draws")
        draws = forgiving(inner) if parenthesis else 2
        if draws < 1:
            raise RefusedError("bad-value", "balance random: 0 servers are none", "draw 1 or more")
        proxy.balance = replace(shaped, algorithm="random", draws=draws)
    elif name == "rdp-cookie":
        if parenthesis and not inner:
            raise RefusedError("missing-argument", "balance rdp-cookie() needs the name of a cookie")
        proxy.balance = replace(shaped, algorithm="rdp-cookie", argument=inner or "msts")
    else:
        raise RefusedError(
            "bad-value",
            f"there is no way to balance called {word!r}",
            f"known: {', '.join((*_PLAIN, 'uri', 'url_param', 'hdr(NAME)', 'random', 'rdp-cookie'))}",
        )


def _uri(statement: Statement, balance: Balance) -> Balance:
    words, at = statement.words, 2
    while at < len(words):
        word = words[at]
        if word in {"len", "depth"}:
            number = forgiving(statement.argument(at + 1))
            if number <= 0:
                raise RefusedError("bad-value", f"balance uri {word} needs a number of at least 1")
            balance = replace(balance, length=number) if word == "len" else replace(balance, depth=number)
            at += 2
        elif word in {"whole", "path-only"}:
            balance = replace(balance, whole=True) if word == "whole" else replace(balance, path_only=True)
            at += 1
        else:
            raise RefusedError(
                "bad-value", f"balance uri does not know {word!r}", "it knows len, depth, whole, path-only"
            )
    return balance


def read_hash_type(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    """`hash-type map-based|consistent [FUNCTION [avalanche]]`.

    Raises:
        RefusedError: HAProxy does not take it.
    """
    kind, function, modifier = (statement.argument(position) for position in (1, 2, 3))
    if kind not in {"consistent", "map-based"}:
        raise RefusedError("bad-value", f"'hash-type' does not know {kind!r}", "it is consistent or map-based")
    if function and function not in _HASHES:
        raise RefusedError("bad-value", f"'hash-type' has no function {function!r}", f"known: {', '.join(_HASHES)}")
    if modifier not in {"", "avalanche"}:
        raise RefusedError("bad-value", f"'hash-type' does not know {modifier!r}", "it knows avalanche")
    # Without a function, a consistent hash is mixed once more; with one only when it is said.
    proxy.balance = replace(
        proxy.balance,
        hash_type=cast(Literal["map-based", "consistent"], kind),
        hash_function=cast(Literal["sdbm"], function or "sdbm"),
        hash_modifier="avalanche" if modifier or (kind == "consistent" and not function) else "",
    )


def read_hash_balance_factor(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    """`hash-balance-factor PERCENT`.

    Raises:
        RefusedError: HAProxy does not take it.
    """
    factor = forgiving(statement.required(1, "a percentage"))
    if factor != 0 and factor <= 100:
        raise RefusedError(
            "bad-value", f"'hash-balance-factor' {factor}: no server has less than the average", "above 100"
        )
    proxy.balance = replace(proxy.balance, hash_balance_factor=factor)


def read_cookie(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    """`cookie NAME [insert|rewrite|prefix] …`.

    Raises:
        RefusedError: HAProxy does not take it.
    """
    name = statement.required(1, "the name of a cookie")
    modes: set[str] = set()
    flags: set[str] = set()
    domains: list[str] = []
    attributes: list[str] = []
    times: dict[str, int] = {}
    words, at = statement.words, 2
    while at < len(words):
        word = words[at]
        value = statement.argument(at + 1)
        if word in _MODES:
            modes.add(word)
        elif word in _COOKIE_FLAGS:
            flags.add(word)
        elif word in {"maxidle", "maxlife"}:
            times[word] = around.duration_ns(statement.line, statement.required(at + 1, "a duration"), word, "s")
            at += 1
        elif word == "domain":
            domains.append(_domain(statement, statement.required(at + 1, "a domain"), around))
            at += 1
        elif word == "attr":
            statement.required(at + 1, "an attribute")
            if set(value) & _NOT_IN_ATTRIBUTES or not value.isprintable():
                raise RefusedError("bad-value", f"cookie: {value!r} cannot be an attribute", "; may not stand in it")
            attributes.append(value)
            at += 1
        else:
            raise RefusedError(
                "bad-value", f"'cookie' does not know {word!r}", f"known: {', '.join(_MODES + _COOKIE_FLAGS)}"
            )
        at += 1
    if len(modes) > 1:
        raise RefusedError("bad-value", f"a cookie cannot {' and '.join(sorted(modes))} at once", "choose one")
    if "rewrite" in modes and "indirect" in flags:
        raise RefusedError("bad-value", "a cookie cannot be rewritten and indirect", "a rewritten one is the server's")
    if "preserve" in flags and "insert" not in modes and "indirect" not in flags:
        raise RefusedError("bad-value", "'preserve' needs 'insert' or 'indirect'")
    proxy.cookie = Cookie(
        name=name,
        mode=cast(CookieMode, next(iter(modes), "passive")),
        domains=tuple(domains),
        attributes=tuple(attributes),
        maxidle_ns=times.get("maxidle"),
        maxlife_ns=times.get("maxlife"),
        line=statement.line,
        **{flag: flag in flags for flag in _COOKIE_FLAGS},
    )


def _domain(statement: Statement, domain: str, around: Surroundings) -> str:
    if "." not in domain[1:]:
        around.complaints.warning(
            statement.line, "bad-value", f"the domain {domain!r} has no dot inside: browsers may not take it"
        )
    foreign = next((char for char in domain if not (char.isascii() and (char.isalnum() or char in "-."))), None)
    if foreign is not None:
        raise RefusedError("bad-value", f"{foreign!r} may not stand in the domain {domain!r}")
    return domain
