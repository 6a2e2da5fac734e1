"""Lines of proxies that are kept and not modelled: their form is looked at, as far as a table tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from vrrp.config.diagnostics import Voice
from vrrp.config.haproxy.arguments import Surroundings
from vrrp.config.haproxy.diagnostics import RefusedError
from vrrp.config.haproxy.draft import ProxyDraft
from vrrp.config.haproxy.samples import check_sample
from vrrp.config.haproxy.statement import Statement
from vrrp.config.haproxy.values import strict
from vrrp.config.haproxy.word_lists import word_lists

_CODES = frozenset(
    [
        "200",
        "400",
        "401",
        "403",
        "404",
        "405",
        "407",
        "408",
        "410",
        "413",
        "425",
        "429",
        "500",
        "501",
        "502",
        "503",
        "504",
    ]
)
_COMPRESSIONS = ("identity", "deflate", "raw-deflate", "gzip")
_MOST_ERROR_SECTIONS = 20
_TABLE = word_lists("stick-table")


@dataclass(frozen=True, slots=True)
class Form:
    """What is known of a line.

    Attributes:
        least: how many arguments it needs.
        most: how many it takes; None is any.
        first: what the first may be; () is anything.
    """

    least: int = 0
    most: int | None = None
    first: tuple[str, ...] = ()


FORMS: Mapping[str, Form] = {
    "bind-process": Form(),
    "dynamic-cookie-key": Form(1),
    "email-alert": Form(2, None, ("from", "level", "mailers", "myhostname", "to")),
    "error-log-format": Form(1, 1),
    "external-check": Form(2, None, ("command", "path")),
    "filter": Form(1, None, ("cache", "compression", "fcgi-app", "opentracing", "spoe", "trace")),
    "http-send-name-header": Form(1),
    "load-server-state-from-file": Form(1, None, ("global", "local", "none")),
    "log-tag": Form(1),
    "max-session-srv-conns": Form(1),
    "server-state-file-name": Form(),
    "unique-id-format": Form(1),
    "unique-id-header": Form(1),
    "use-fcgi-app": Form(1),
}


def read_kept(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    """Look at such a line.

    Raises:
        RefusedError: HAProxy does not take it.
    """
    reader = _READERS.get(statement.keyword)
    if reader is not None:
        reader(statement, proxy, around)
        return
    form = FORMS[statement.keyword]
    if form.first and statement.argument(1) not in form.first:
        raise RefusedError(
            "bad-value",
            f"{statement.keyword!r} does not know {statement.argument(1)!r}",
            f"known: {', '.join(form.first)}",
        )
    for position in range(1, form.least + 1):
        statement.required(position, "an argument")
    if form.most is not None:
        statement.no_more_than(form.most)
    if statement.keyword in {"external-check", "email-alert"}:
        proxy.words[f"{statement.keyword} {statement.argument(1)}"] = statement.argument(2)
    if statement.keyword == "load-server-state-from-file":
        proxy.words[statement.keyword] = statement.argument(1)


def _description(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    if not statement.argument(1):
        around.complaints.error(statement.line, "missing-argument", "HAProxy reads no further", "", Voice.PLAIN)
        raise RefusedError("missing-argument", "'description' needs a text")


def _declare(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    if statement.argument(1) != "capture" or statement.argument(2) not in {"request", "response"}:
        raise RefusedError("bad-value", "'declare' needs capture, and request or response")
    if statement.argument(3) != "len" or not statement.argument(4):
        raise RefusedError("missing-argument", "'declare capture' needs len LENGTH")


def _persist(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    if not statement.required(1, "rdp-cookie").startswith("rdp-cookie"):
        raise RefusedError("bad-value", f"'persist' does not know {statement.argument(1)!r}", "it knows rdp-cookie")


def _keep_alive_probes(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    text = statement.required(1, "a value")
    if statement.keyword.endswith("-cnt"):
        strict(text, statement.keyword)
    else:
        around.duration_ns(statement.line, text, statement.keyword, "s")


def _capture(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    kind = statement.argument(1)
    if kind not in {"cookie", "request", "response"}:
        raise RefusedError("bad-value", f"'capture' does not know {kind!r}", "it knows cookie, request, response")
    at = 2 if kind == "cookie" else 3
    if kind != "cookie" and statement.argument(2) != "header":
        raise RefusedError("missing-argument", f"'capture {kind}' needs header NAME len LENGTH")
    statement.required(at, "a name")
    if statement.argument(at + 1) != "len" or not statement.argument(at + 2):
        raise RefusedError("missing-argument", "'capture' needs len LENGTH at the end")
    proxy.lists.http_rules.setdefault("capture", statement.line)


def _compression(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    word = statement.argument(1)
    if word not in {"algo", "offload", "type"}:
        raise RefusedError("bad-value", f"'compression' does not know {word!r}", "it knows algo, type, offload")
    if word == "algo":
        statement.required(2, "an algorithm")
        for one in statement.words[2:]:
            if one not in _COMPRESSIONS:
                raise RefusedError(
                    "bad-value", f"there is no compression {one!r}", f"known: {', '.join(_COMPRESSIONS)}"
                )


def _errorfile(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    code, path = statement.required(1, "a status code"), statement.required(2, "a file")
    _known_code(code, statement.keyword)
    around.need_file(path, statement.keyword)


def _errorloc(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    code = statement.required(1, "a status code")
    statement.required(2, "where to")
    _known_code(code, statement.keyword)


def _http_error(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    if statement.required(1, "status CODE") == "status":
        _known_code(statement.required(2, "a status code"), statement.keyword)


def _known_code(code: str, keyword: str) -> None:
    if code not in _CODES:
        raise RefusedError(
            "bad-value", f"{keyword}: HAProxy answers no {code}", f"it answers {', '.join(sorted(_CODES))}"
        )


def _errorfiles(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    one = (statement.required(1, "a name"), statement.line)
    proxy.error_sections = (*proxy.error_sections[-_MOST_ERROR_SECTIONS:], one)


def _stick_table(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    given: dict[str, str] = {}
    words, at = statement.words, 1
    while at < len(words):
        word = words[at]
        if word == "nopurge":
            at += 1
            continue
        if word not in _TABLE["words"]:
            raise RefusedError(
                "bad-value", f"'stick-table' does not know {word!r}", "it knows type, size, expire, store"
            )
        given[word] = statement.required(at + 1, "a value")
        at += 2
        if word == "type" and statement.argument(at) == "len":
            at += 2
    if "size" not in given:
        raise RefusedError("missing-argument", "'stick-table' needs a size", "write type ip size 100k")
    if given.get("type") not in _TABLE["types"]:
        raise RefusedError("bad-value", f"there is no type {given.get('type')!r} of stick-table")
    for one in given.get("store", "").split(",") if "store" in given else ():
        if one.partition("(")[0] not in _TABLE["stores"]:
            raise RefusedError("bad-value", f"'stick-table' stores no {one!r}")
    if "expire" in given:
        around.duration_ns(statement.line, given["expire"], "stick-table expire")
    proxy.lists.stick_table = True


def _stick(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    at = 2
    if statement.argument(1) not in {"match", "on", "store-request", "store-response"}:
        raise RefusedError(
            "bad-value", f"'stick' does not know {statement.argument(1)!r}", "it knows on, match, store-…"
        )
    check_sample(statement.required(at, "a sample"), "stick")
    table = statement.argument(at + 2) if statement.argument(at + 1) == "table" else proxy.name
    proxy.lists.sticks.append((table, statement.line))


_READERS: Mapping[str, Callable[[Statement, ProxyDraft, Surroundings], None]] = {
    "capture": _capture,
    "clitcpka-cnt": _keep_alive_probes,
    "clitcpka-idle": _keep_alive_probes,
    "clitcpka-intvl": _keep_alive_probes,
    "compression": _compression,
    "declare": _declare,
    "description": _description,
    "errorfile": _errorfile,
    "errorfiles": _errorfiles,
    "errorloc": _errorloc,
    "errorloc302": _errorloc,
    "errorloc303": _errorloc,
    "http-error": _http_error,
    "persist": _persist,
    "srvtcpka-cnt": _keep_alive_probes,
    "srvtcpka-idle": _keep_alive_probes,
    "srvtcpka-intvl": _keep_alive_probes,
    "stick": _stick,
    "stick-table": _stick_table,
}
