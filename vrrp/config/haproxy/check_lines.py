"""The options that choose how servers are checked, and the rules `http-check` and `tcp-check`."""

from __future__ import annotations

import re

from vrrp.config.haproxy.addresses import HIGHEST_PORT, endpoint
from vrrp.config.haproxy.arguments import Surroundings
from vrrp.config.haproxy.checks import CheckStep, Connect, Expect, SendData, SendRequest
from vrrp.config.haproxy.diagnostics import RefusedError
from vrrp.config.haproxy.draft import CheckDraft, ProxyDraft, Rules
from vrrp.config.haproxy.expressions import check_expression
from vrrp.config.haproxy.keywords import CHECK_OPTIONS
from vrrp.config.haproxy.samples import check_sample
from vrrp.config.haproxy.statement import Statement
from vrrp.config.haproxy.values import forgiving
from vrrp.config.values import Address

_VARIABLES = re.compile(r"(?:un)?set-var(?:-fmt)?\(([^)]*)\)?")
_SCOPES = ("proc.", "sess.", "txn.", "req.", "res.", "check.")
_STATUSES = {
    "ok-status": ("L4OK", "L6OK", "L7OK", "L7OKC"),
    "error-status": ("L4CON", "L6RSP", "L7RSP", "L7STS", "L7OKC"),
    "tout-status": ("L4TOUT", "L6TOUT", "L7TOUT"),
}
_HTTP_PATTERNS = ("status", "rstatus", "string", "rstring", "string-lf", "hdr", "fhdr")
_TCP_PATTERNS = ("string", "rstring", "string-lf", "binary", "rbinary", "binary-lf")
_KINDS = {"http-check": "http", "tcp-check": "tcp-check"}
_MOST_ARGUMENTS = {"httpchk": 3, "smtpchk": 2, "mysql-check": 3, "pgsql-check": 2}


def read_check_option(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    """`option httpchk`, `option ssl-hello-chk` and so on: the last of them is what servers are checked by.

    Raises:
        RefusedError: HAProxy does not take it.
    """
    option = statement.argument(1)
    check = CheckDraft(CHECK_OPTIONS[option], statement.line, proxy.line)  # type: ignore[arg-type]  # its values are the kinds
    statement.no_more_than(_MOST_ARGUMENTS.get(option, 0), 2)
    first, second, third = (statement.argument(position) for position in (2, 3, 4))
    if option == "httpchk":
        _httpchk(check, statement, around)
    elif option == "smtpchk":
        check.user = second or "localhost"
    elif option == "mysql-check":
        if first not in {"", "user"}:
            raise RefusedError("bad-value", f"'option mysql-check' does not know {first!r}", "it knows user")
        if first and not second:
            raise RefusedError("missing-argument", "'option mysql-check user' needs a name")
        if third not in {"", "post-41", "pre-41"}:
            raise RefusedError(
                "bad-value", f"'option mysql-check' does not know {third!r}", "it knows post-41 and pre-41"
            )
        check.user = second
    elif option == "pgsql-check":
        if first != "user" or not second:
            raise RefusedError("missing-argument", "'option pgsql-check' needs user NAME")
        check.user = second
    proxy.check = check
    # HAProxy forgets with it that rules stood there which nothing asked for.
    proxy.unused_rules.clear()


def _httpchk(check: CheckDraft, statement: Statement, around: Surroundings) -> None:
    first, second, version = (statement.argument(position) for position in (2, 3, 4))
    # With a single argument it is the URI.
    check.method, check.uri = (first, second) if second else ("", first)
    version, end, hidden = version.partition("\r\n")
    check.version = version
    if end:
        around.complaints.warning(
            statement.line, "deprecated", "headers behind the version of 'option httpchk'", "write `http-check send`"
        )
        head, _, check.body = hidden.partition("\r\n\r\n")
        pairs = (line.partition(":") for line in head.split("\r\n") if line)
        check.headers = tuple((name.strip(), value.strip()) for name, _, value in pairs)


def read_http_check(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    """`http-check WORD …`.

    Raises:
        RefusedError: HAProxy does not take it.
    """
    word = statement.argument(1)
    if word in {"disable-on-404", "send-state"}:
        statement.no_more_than(0, 2)
        proxy.options[f"http-check {word}"] = True
        return
    if word == "send":
        step: CheckStep | None = _send_request(statement, around)
    else:
        step = _step(statement, around, _HTTP_PATTERNS)
    proxy.http_check = _rules(proxy.http_check, proxy, statement, step)


def read_tcp_check(statement: Statement, proxy: ProxyDraft, around: Surroundings) -> None:
    """`tcp-check WORD …`.

    Raises:
        RefusedError: HAProxy does not take it.
    """
    word = statement.argument(1)
    step: CheckStep | None
    if word in {"send", "send-lf", "send-binary", "send-binary-lf"}:
        text = statement.required(2, "what is sent")
        if statement.argument(3) not in {"", "comment"}:
            raise RefusedError(
                "extra-argument", f"'tcp-check {word}': {statement.argument(3)!r} is not expected", "quote it"
            )
        if statement.argument(3):
            statement.required(4, "a text")
        if word == "send-binary":
            step = SendData(data=bytes.fromhex(_hexadecimal(text)), line=statement.line)
        elif word == "send":
            step = SendData(data=text.encode("utf-8", "surrogateescape"), line=statement.line)
        else:
            step = SendData(template=text, line=statement.line)
    else:
        step = _step(statement, around, _TCP_PATTERNS)
    proxy.tcp_check = _rules(proxy.tcp_check, proxy, statement, step)


def _rules(rules: Rules | None, proxy: ProxyDraft, statement: Statement, step: CheckStep | None) -> Rules:
    if rules is None or rules.owner != proxy.line:
        rules = Rules(proxy.line)
    active = proxy.check.kind == _KINDS[statement.keyword]
    wrong = _misplaced(rules, step, active and statement.keyword == "http-check")
    if wrong:
        # HAProxy begins anew behind it.
        rules.steps.clear()
        raise RefusedError(
            "bad-order", f"{statement.keyword} {statement.argument(1)}: {wrong}", "connect, send, expect"
        )
    if step is not None:
        rules.steps.append(step)
    if not active:
        proxy.unused_rules.setdefault(statement.keyword, statement.line)
    return rules


def _misplaced(rules: Rules, step: CheckStep | None, http: bool) -> str:
    """What must stand before a step and does not; "" when it stands right."""
    if not rules.steps or step is None:
        return ""
    last = rules.steps[-1]
    if isinstance(step, Connect):
        if not isinstance(rules.steps[0], Connect):
            return "the first step has to connect as well"
        return "the connection before expects nothing" if http and not isinstance(last, Expect) else ""
    if http and isinstance(step, SendRequest) and not isinstance(last, Connect):
        return "each request has a connection of its own"
    return "nothing is sent before" if http and isinstance(step, Expect) and isinstance(last, Connect) else ""


def _step(statement: Statement, around: Surroundings, patterns: tuple[str, ...]) -> CheckStep | None:
    """What both kinds of rules know; None for what is no step."""
    word = statement.argument(1)
    if word == "connect":
        return _connect(statement, around)
    if word == "expect":
        return _expect(statement, patterns)
    if word == "comment":
        statement.required(2, "a text")
        return None
    variable = _VARIABLES.fullmatch(word)
    if variable:
        if not variable[1].startswith(_SCOPES):
            raise RefusedError(
                "bad-value", f"{variable[1]!r} is no name of a variable", "it begins with its scope: check.x"
            )
        around.complaints.note(statement.line, "not-modelled", f"{word} of a check is not modelled")
        return None
    raise RefusedError(
        "unknown-keyword", f"{statement.keyword!r} does not know {word!r}", "it knows connect, send, expect, comment"
    )


def _connect(statement: Statement, around: Surroundings) -> Connect:
    address: Address | None = None
    port: int | None = None
    words: dict[str, str] = {}
    flags: set[str] = set()
    at = 2
    while at < len(statement.words):
        word = statement.words[at]
        if word in {"default", "linger", "send-proxy", "ssl", "via-socks4"}:
            flags.add(word)
            at += 1
            continue
        if word not in {"addr", "alpn", "comment", "port", "proto", "sni"}:
            raise RefusedError("bad-value", f"'{statement.keyword} connect' does not know {word!r}")
        value = statement.required(at + 1, "a value")
        if word == "addr":
            found = endpoint(value, resolve=around.resolve)
            if found.name == "missing":
                raise RefusedError("bad-address", f"addr: {found.host!r} is no address, and no name that has one")
            address = found.address
        elif word == "port":
            port = _port(value, statement)
        elif word == "proto" and value not in {"h1", "h2", "fcgi", "none"}:
            raise RefusedError("bad-value", f"proto does not know {value!r}", "it knows h1, h2, fcgi")
        words[word] = value
        at += 2
    return Connect(
        address=address,
        port=port,
        default="default" in flags,
        ssl="ssl" in flags,
        sni=words.get("sni", ""),
        alpn=words.get("alpn", ""),
        send_proxy="send-proxy" in flags,
        via_socks4="via-socks4" in flags,
        linger="linger" in flags,
        line=statement.line,
    )


def _port(value: str, statement: Statement) -> int | None:
    if not value[:1].isdecimal():
        check_sample(value, f"port of {statement.keyword}")
        return None
    number = forgiving(value)
    if not 1 <= number <= HIGHEST_PORT:
        raise RefusedError("bad-value", f"{value} is not a port", f"ports are 1 to {HIGHEST_PORT}")
    return number


def _send_request(statement: Statement, around: Surroundings) -> SendRequest:
    found: dict[str, str] = {}
    headers: list[tuple[str, str]] = []
    at = 2
    while at < len(statement.words):
        word = statement.words[at]
        if word == "hdr":
            name, value = statement.argument(at + 1), statement.argument(at + 2)
            if not name or not value:
                raise RefusedError("missing-argument", "'http-check send hdr' needs a name and a value")
            headers.append((name, value))
            at += 3
            continue
        if word not in {"body", "body-lf", "comment", "meth", "uri", "uri-lf", "ver"}:
            raise RefusedError(
                "bad-value", f"'http-check send' does not know {word!r}", "known: meth uri ver hdr body"
            )
        found[word] = statement.required(at + 1, "a text")
        at += 2
    if "uri-lf" in found or "body-lf" in found:
        around.complaints.note(statement.line, "not-modelled", "log-format in a check's request is sent as it stands")
    return SendRequest(
        method=found.get("meth", ""),
        uri=found.get("uri", found.get("uri-lf", "")),
        version=found.get("ver", ""),
        headers=tuple(headers),
        body=found.get("body", found.get("body-lf", "")),
        line=statement.line,
    )


def _expect(statement: Statement, patterns: tuple[str, ...]) -> Expect:
    keyword = f"{statement.keyword} expect"
    if len(statement.words) < 3:
        raise RefusedError(
            "missing-argument", f"{keyword!r} needs something to expect", f"one of {', '.join(patterns)}"
        )
    kind, pattern, negated, min_recv = "", "", False, -1
    statuses: dict[str, str] = {}
    at = 2
    while at < len(statement.words):
        word = statement.words[at]
        if not kind and word.startswith("!"):
            negated = not negated
            word = word[1:]
            if not word:
                at += 1
                continue
        if word == "min-recv":
            min_recv = forgiving(statement.required(at + 1, "a number"))
        elif word in _STATUSES:
            value = statement.required(at + 1, "a status")
            if value not in _STATUSES[word]:
                raise RefusedError("bad-value", f"{word} cannot be {value!r}", f"one of {', '.join(_STATUSES[word])}")
            statuses[word] = value
        elif word == "status-code":
            check_sample(statement.required(at + 1, "a sample"), keyword)
        elif word in {"comment", "on-success", "on-error"}:
            statement.required(at + 1, "a text")
        elif word in patterns and not kind:
            kind = word
            at, pattern = _pattern(statement, at, kind, keyword)
            continue
        else:
            raise RefusedError("bad-value", f"{keyword!r} does not know {word!r}", f"it knows {', '.join(patterns)}")
        at += 2
    if not kind:
        raise RefusedError(
            "missing-argument", f"{keyword!r} needs something to expect", f"one of {', '.join(patterns)}"
        )
    return Expect(
        kind=kind,
        pattern=pattern,
        statuses=_codes(pattern) if kind == "status" else (),
        negated=negated,
        min_recv=min_recv,
        ok_status=statuses.get("ok-status", ""),
        error_status=statuses.get("error-status", ""),
        tout_status=statuses.get("tout-status", ""),
        line=statement.line,
    )


def _pattern(statement: Statement, at: int, kind: str, keyword: str) -> tuple[int, str]:
    """The position behind the pattern, and the pattern."""
    if kind in {"hdr", "fhdr"}:
        return _header(statement, at, kind)
    pattern = statement.required(at + 1, "a pattern")
    if kind == "binary":
        _hexadecimal(pattern)
    elif kind in {"rstatus", "rstring", "rbinary"}:
        check_expression(pattern, keyword)
    return at + 2, pattern


def _header(statement: Statement, at: int, kind: str) -> tuple[int, str]:
    if statement.argument(at + 1) != "name":
        raise RefusedError("missing-argument", f"{kind!r} needs name NAME", "and may have value VALUE")
    at += 2
    if statement.argument(at) == "-m":
        at += 2
    name = statement.required(at, "the name of a header")
    at += 1
    value = ""
    while statement.argument(at) in {"log-format", "full"}:
        at += 1
    if statement.argument(at) == "value":
        at += 1
        if statement.argument(at) == "-m":
            at += 2
        value = statement.required(at, "a value")
        at += 1
    return at, f"{name}: {value}" if value else name


def _hexadecimal(text: str) -> str:
    if len(text) % 2 or not re.fullmatch("[0-9A-Fa-f]*", text):
        raise RefusedError("bad-value", f"{text!r} is not octets in hexadecimal", "two digits for each")
    return text


def _codes(pattern: str) -> tuple[tuple[int, int], ...]:
    ranges = []
    for one in pattern.split(","):
        found = re.fullmatch(r"([0-9]{1,9})(?:-([0-9]{1,9}))?", one)
        if found is None:
            raise RefusedError("bad-value", f"{pattern!r} is no list of status codes", "write 200,204 or 200-399")
        ranges.append((int(found[1]), int(found[2] or found[1])))
    return tuple(ranges)
