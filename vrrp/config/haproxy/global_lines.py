"""The lines of `global`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from vrrp.config.haproxy.arguments import Surroundings
from vrrp.config.haproxy.diagnostics import RefusedError
from vrrp.config.haproxy.log_lines import read_log_target
from vrrp.config.haproxy.model import Global, LogTarget
from vrrp.config.haproxy.names import unknown
from vrrp.config.haproxy.statement import Statement
from vrrp.config.haproxy.values import forgiving
from vrrp.config.haproxy.word_lists import word_lists

MOST_SPREAD = 50
MOST_THREADS = 64

Argument = Literal["none", "number", "duration", "word", "words", "file", "switch"]


@dataclass(frozen=True, slots=True)
class Keyword:
    """A keyword of `global`.

    Attributes:
        takes: what stands behind it.
        once: whether a second line is told and left out.
        only: whether nothing more may stand there.
        low, high: of a number.
    """

    takes: Argument = "words"
    once: bool = False
    only: bool = False
    low: int = 0
    high: int = 2**31 - 1


_BY_ARGUMENT: Mapping[str, Keyword] = {
    "alone": Keyword("none", only=True),
    "durations": Keyword("duration"),
    "files": Keyword("file"),
    "limits": Keyword("number", once=True, only=True),
    "numbers": Keyword("number", only=True),
    "others": Keyword(),
    "owners": Keyword("word", once=True),
    "switches": Keyword("switch"),
    "paths": Keyword("word", once=True, only=True),
    "words": Keyword("word"),
}
KEYWORDS: Mapping[str, Keyword] = {
    **{word: _BY_ARGUMENT[name] for name, words in word_lists("global").items() for word in words},
    "spread-checks": Keyword("number", low=0, high=MOST_SPREAD),
}

_TLS_OPTIONS = frozenset(
    {
        *(
            f"{switch}-{version}"
            for switch in ("no", "force")
            for version in ("sslv3", "tlsv10", "tlsv11", "tlsv12", "tlsv13")
        ),
        "no-tls-tickets",
        "no-ca-names",
        "prefer-client-ciphers",
        "ssl-max-ver",
        "ssl-min-ver",
        "strict-sni",
        "verify",
    }
)
_STATS = ("socket", "timeout", "maxconn", "bind-process")


@dataclass(slots=True)
class GlobalDraft:
    """What `global` has set so far; several sections are one."""

    line: int = 0
    words: dict[str, tuple[str, ...]] = field(default_factory=dict)
    logs: list[LogTarget] = field(default_factory=list)
    max_spread_checks_ns: int | None = None
    stats_socket: bool = False


def read_global_line(
    statement: Statement, draft: GlobalDraft, around: Surroundings, environment: dict[str, str]
) -> None:
    """Read a line of `global`.

    Raises:
        RefusedError: HAProxy does not take it.
    """
    name = statement.keyword
    if name == "nbproc":
        raise RefusedError("abolished", "'nbproc' is no more", "HAProxy uses threads: `nbthread`, or nothing")
    keyword = KEYWORDS.get(name)
    if keyword is None:
        raise unknown(name, KEYWORDS, "global has no keyword")
    if name == "log":
        if statement.prefix == "no":
            draft.logs.clear()
        else:
            draft.logs.append(read_log_target(statement, around))
        return
    _check(statement, keyword, draft, around)
    special = _SPECIAL.get(name)
    if special is not None:
        special(statement, draft, around)
    if name in {"setenv", "presetenv", "unsetenv", "resetenv"}:
        _environment(statement, environment)
    if statement.prefix == "no":
        draft.words.pop(name, None)
    else:
        draft.words[name] = statement.arguments


def _check(statement: Statement, keyword: Keyword, draft: GlobalDraft, around: Surroundings) -> None:
    name = statement.keyword
    alike = {"user": ("user", "uid"), "uid": ("user", "uid"), "group": ("group", "gid"), "gid": ("group", "gid")}
    if keyword.once and any(other in draft.words for other in alike.get(name, (name,))):
        raise RefusedError("already-set", f"{name!r} is given a second time", "the first holds", fatal=False)
    if keyword.takes not in {"none", "words"}:
        text = statement.required(1, "an argument")
        if keyword.takes == "duration":
            ns = around.duration_ns(statement.line, text, name)
            if name == "max-spread-checks":
                draft.max_spread_checks_ns = ns
        elif keyword.takes == "switch" and text not in {"on", "off"}:
            raise RefusedError("bad-value", f"{name} does not know {text!r}", "it is on or off")
        elif keyword.takes == "file":
            around.need_file(text, name)
        elif keyword.high == MOST_SPREAD and not keyword.low <= forgiving(text) <= keyword.high:
            raise RefusedError("bad-value", f"{name} {text} is out of range", f"it may be 0 to {keyword.high}")
    if keyword.only:
        statement.no_more_than(0 if keyword.takes == "none" else 1)


def _nbthread(statement: Statement, draft: GlobalDraft, around: Surroundings) -> None:
    text = statement.argument(1)
    if not text.lstrip("+-").isdecimal():
        raise RefusedError("bad-value", f"nbthread: {text!r} is not a whole number")
    if not 1 <= forgiving(text) <= MOST_THREADS:
        raise RefusedError("bad-value", f"nbthread {text} is out of range", f"it may be 1 to {MOST_THREADS}")


def _stats(statement: Statement, draft: GlobalDraft, around: Surroundings) -> None:
    word, value = statement.argument(1), statement.argument(2)
    if word not in _STATS:
        raise RefusedError("bad-value", f"'stats' in global does not know {word!r}", f"it knows {', '.join(_STATS)}")
    if word == "socket":
        if not value:
            raise RefusedError("missing-argument", "'stats socket' needs a path, or an address and a port")
        draft.stats_socket = True
    elif word == "timeout":
        around.duration_ns(statement.line, statement.required(2, "a duration"), "stats timeout")


def _tls_options(statement: Statement, draft: GlobalDraft, around: Surroundings) -> None:
    if not statement.argument(1):
        raise RefusedError("missing-argument", f"{statement.keyword!r} needs an option")
    at = 1
    while at < len(statement.words):
        word = statement.words[at]
        if word not in _TLS_OPTIONS:
            raise RefusedError("bad-value", f"{statement.keyword!r} does not know {word!r}")
        at += 2 if word in {"ssl-max-ver", "ssl-min-ver", "verify"} else 1


def _unix_bind(statement: Statement, draft: GlobalDraft, around: Surroundings) -> None:
    known = ("prefix", "mode", "uid", "gid", "user", "group")
    for word in statement.words[1::2]:
        if word not in known:
            raise RefusedError("bad-value", f"'unix-bind' does not know {word!r}", f"it knows {', '.join(known)}")


_SPECIAL = {
    "nbthread": _nbthread,
    "ssl-default-bind-options": _tls_options,
    "ssl-default-server-options": _tls_options,
    "stats": _stats,
    "unix-bind": _unix_bind,
}


def _environment(statement: Statement, environment: dict[str, str]) -> None:
    """`setenv` and its like, which hold for the lines behind them."""
    name, value = statement.argument(1), statement.argument(2)
    if statement.keyword in {"setenv", "presetenv"}:
        if len(statement.words) < 3:
            raise RefusedError("missing-argument", f"{statement.keyword!r} needs a name and a value")
        # HAProxy lets one more word pass.
        statement.no_more_than(3)
        if statement.keyword == "setenv":
            environment[name] = value
        else:
            environment.setdefault(name, value)
    elif statement.keyword == "unsetenv":
        for one in statement.arguments:
            environment.pop(one, None)
    else:
        for one in set(environment) - set(statement.arguments):
            del environment[one]


def global_of(draft: GlobalDraft) -> Global:
    """The section `global` of the model."""
    words = draft.words

    def number(name: str) -> int:
        return forgiving(words[name][0]) if words.get(name) else 0

    modelled = {"daemon", "description", "max-spread-checks", "maxconn", "nbthread", "node", "spread-checks"}
    return Global(
        maxconn=number("maxconn") or None,
        nbthread=number("nbthread") or None,
        daemon="daemon" in words,
        node=" ".join(words.get("node", ())),
        description=" ".join(words.get("description", ())),
        spread_checks=number("spread-checks"),
        max_spread_checks_ns=draft.max_spread_checks_ns,
        logs=tuple(draft.logs),
        settings={name: found for name, found in words.items() if name not in modelled},
        line=draft.line,
    )
