"""What HAProxy looks at when the whole file is read: names that must be there, modes that fit, what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass

from vrrp.config.diagnostics import Voice
from vrrp.config.haproxy.arguments import Surroundings
from vrrp.config.haproxy.checks import Connect
from vrrp.config.haproxy.diagnostics import Complaints, RefusedError
from vrrp.config.haproxy.draft import ProxyDraft, ServerDraft
from vrrp.config.haproxy.global_lines import GlobalDraft
from vrrp.config.haproxy.keywords import FLAGS, HTTP_FLAGS, KINDS
from vrrp.config.haproxy.log_lines import check_log_format
from vrrp.config.haproxy.model import LAYER_7
from vrrp.config.haproxy.names import unknown

_MAIL = frozenset({"from", "level", "mailers", "myhostname", "to"})
_MAIL_NEEDS = frozenset({"from", "mailers", "to"})
_NEEDED_FOR_TFO = frozenset({"conn-failure", "empty-response", "response-timeout"})


@dataclass(frozen=True, slots=True)
class Whole:
    """All that was read.

    Attributes:
        proxies: frontends, backends and listens, in the order of the file.
        global_: the section `global`.
        names: those of the sections of other kinds, by kind.
    """

    proxies: tuple[ProxyDraft, ...]
    global_: GlobalDraft
    names: Mapping[str, Set[str]]

    @property
    def backends(self) -> Mapping[str, ProxyDraft]:
        """Those with servers, by name; of several the first."""
        return {one.name: one for one in reversed(self.proxies) if one.backend}


def complete(whole: Whole, around: Surroundings) -> None:
    """Look at the whole, when HAProxy refuses none of its lines: or else it looks no further."""
    complaints = around.complaints
    if complaints.refused:
        return
    backends = whole.backends
    tables = {one.name for one in whole.proxies if one.lists.stick_table}
    for proxy in whole.proxies:
        if proxy.disabled:
            continue
        if proxy.frontend:
            _frontend(proxy, backends, complaints)
        _modes(proxy, complaints)
        _checks(proxy, whole, complaints)
        _logging(proxy, whole, complaints)
        _timeouts(proxy, complaints)
        if proxy.backend:
            _servers(proxy, whole, backends, around)
        _references(proxy, whole, tables, complaints)
    if not complaints.refused:
        _addresses(whole, complaints)


def _frontend(proxy: ProxyDraft, backends: Mapping[str, ProxyDraft], complaints: Complaints) -> None:
    if not proxy.lists.binds:
        complaints.warning(
            proxy.line, "no-bind", f"{proxy.called} has no bind", "nobody reaches it; call it a backend", Voice.PLAIN
        )
    for bind in proxy.lists.binds:
        settings = bind.settings
        if settings.flag("ssl") and not settings.flag("crt"):
            complaints.error(
                bind.line, "no-certificate", f"{proxy.called} speaks TLS without a certificate", "add crt", Voice.PLAIN
            )
    if proxy.default_backend is not None:
        name, line = proxy.default_backend
        _uses(proxy, name, line if line > proxy.line else proxy.line, "default_backend", backends, complaints)
    for rule in proxy.lists.use_backend:
        if "%" not in rule.name:
            _uses(proxy, rule.name, rule.line, "use_backend", backends, complaints)


def _uses(
    proxy: ProxyDraft,
    name: str,
    line: int,
    keyword: str,
    backends: Mapping[str, ProxyDraft],
    complaints: Complaints,
) -> None:
    target = backends.get(name)
    if target is None:
        why = unknown(name, backends, f"{proxy.called}: {keyword}: there is no backend")
        complaints.error(line, "unknown-backend", why.message, why.instead, Voice.PLAIN)
    elif target is proxy:
        complaints.error(line, "backend-loop", f"{proxy.called} uses itself", "take the line away", Voice.PLAIN)
    elif proxy.mode == "http" and target.mode != "http":
        complaints.error(
            line,
            "backend-mode",
            f"{proxy.called} is in mode http, backend {name} (line {target.line}) in mode {target.mode}",
            "give both the same mode",
            Voice.PLAIN,
        )


def _modes(proxy: ProxyDraft, complaints: Complaints) -> None:
    """What means nothing in mode tcp."""
    if proxy.mode == "http":
        return

    def ignored(line: int, what: str, instead: str = "it needs mode http") -> None:
        complaints.warning(line, "needs-http", f"{proxy.called} is in mode tcp: {what}", instead, Voice.PLAIN)

    if proxy.cookie is not None:
        ignored(max(proxy.cookie.line, proxy.line), f"cookie {proxy.cookie.name} is ignored")
    if proxy.frontend and "monitor-uri" in proxy.words:
        ignored(proxy.line, "monitor-uri is ignored")
    if proxy.stats is not None:
        ignored(max(proxy.stats.page.line, proxy.line), "stats are ignored")
    if proxy.balance.algorithm in LAYER_7:
        ignored(proxy.line, f"balance {proxy.balance.algorithm} is not possible", "HAProxy takes roundrobin")
    for keyword, line in proxy.lists.http_rules.items():
        ignored(line, f"rules {keyword} are ignored")
    for option in ("forwardfor", "originalto"):
        if proxy.options.get(option):
            ignored(proxy.line, f"option {option} is ignored")
    for option in HTTP_FLAGS:
        place = FLAGS[option][KINDS.index(proxy.kind)]
        if proxy.options.get(option) and place == "+":
            ignored(proxy.line, f"option {option} is ignored")


def _references(proxy: ProxyDraft, whole: Whole, tables: Set[str], complaints: Complaints) -> None:
    """Servers, tables and sections that must be there."""
    known = proxy.lists.server_names
    for rule in proxy.lists.use_server:
        if "%" not in rule.name and rule.name not in known:
            why = unknown(rule.name, known, f"{proxy.called}: use-server: there is no server")
            complaints.error(rule.line, "unknown-server", why.message, why.instead, Voice.PLAIN)
    for table, line in proxy.lists.sticks if proxy.backend else ():
        if table not in tables:
            complaints.error(
                line, "unknown-table", f"{proxy.called}: there is no stick-table {table!r}", "", Voice.PLAIN
            )
    for name, line in proxy.error_sections:
        if name not in whole.names.get("http-errors", ()):
            complaints.error(
                line, "unknown-section", f"{proxy.called}: there are no http-errors {name!r}", "", Voice.PLAIN
            )
    mail = {word for word in _MAIL if f"email-alert {word}" in proxy.words}
    if mail and not mail >= _MAIL_NEEDS:
        complaints.warning(
            proxy.line, "no-mail", f"{proxy.called} sends no mail", "from, mailers and to belong together", Voice.PLAIN
        )
    if proxy.words.get("load-server-state-from-file") == "global" and "server-state-file" not in whole.global_.words:
        complaints.warning(
            proxy.line,
            "no-state-file",
            f"{proxy.called} loads its state from no file",
            "server-state-file",
            Voice.PLAIN,
        )


def _checks(proxy: ProxyDraft, whole: Whole, complaints: Complaints) -> None:
    """Check rules that nobody asks for, and checks by a program."""
    for keyword, line in proxy.unused_rules.items():
        option = "option httpchk" if keyword == "http-check" else "option tcp-check"
        complaints.warning(
            line,
            "rules-without-check",
            f"{proxy.called} has rules {keyword} without {option}: they are ignored",
            f"let {option} be the last such option",
            Voice.PLAIN,
        )
    command = proxy.words.get("external-check command")
    if proxy.check.kind != "external":
        for word in ("command", "path"):
            if f"external-check {word}" in proxy.words:
                complaints.warning(
                    proxy.line,
                    "rules-without-check",
                    f"{proxy.called} has an external-check {word} without option external-check",
                    "it is ignored",
                    Voice.PLAIN,
                )
        return
    line = max(proxy.check.line, proxy.line)
    if "external-check" not in whole.global_.words:
        complaints.error(
            line,
            "no-external-check",
            f"{proxy.called} checks by a program",
            "write external-check in global",
            Voice.PLAIN,
        )
    if not command:
        complaints.error(
            line,
            "no-external-check",
            f"{proxy.called} checks by no program",
            "add external-check command",
            Voice.PLAIN,
        )
    if "insecure-fork-wanted" not in whole.global_.words:
        complaints.warning(
            line,
            "no-external-check",
            f"{proxy.called} checks by a program, and HAProxy may start none",
            "write insecure-fork-wanted in global",
            Voice.PLAIN,
        )


def _logging(proxy: ProxyDraft, whole: Whole, complaints: Complaints) -> None:
    chosen = proxy.log_format
    if not proxy.frontend or (chosen is None and "log-format-sd" not in proxy.words):
        return
    if chosen is not None and proxy.mode != "http" and chosen.what.startswith(("option httplog", "option httpslog")):
        complaints.warning(
            chosen.line,
            "httplog-in-tcp",
            f"{proxy.called} is in mode tcp: httplog is not possible",
            "it logs as tcplog",
        )
    if chosen is not None:
        try:
            check_log_format(chosen.text, f"{proxy.called}: log-format")
        except RefusedError as why:
            complaints.refuse(chosen.line, why)
            return
    if not proxy.logs and not (proxy.global_logs and whole.global_.logs):
        complaints.warning(
            chosen.line if chosen is not None and chosen.line > proxy.line else proxy.line,
            "no-log-address",
            f"{proxy.called} has a log format and no log address: it logs nothing",
            "write `log global`, and `log ADDRESS FACILITY` in global",
            Voice.PLAIN,
        )


def _timeouts(proxy: ProxyDraft, complaints: Complaints) -> None:
    timeouts = proxy.timeouts
    missing = [] if not proxy.frontend or timeouts.get("client") else ["client"]
    if proxy.backend and proxy.lists.servers:
        missing += [] if timeouts.get("connect") else ["connect"]
        tunnelled = proxy.mode == "tcp" and timeouts.get("tunnel")
        missing += [] if timeouts.get("server") or tunnelled else ["server"]
    if missing:
        complaints.warning(
            proxy.line,
            "missing-timeouts",
            f"{proxy.called} has no timeout {' and no timeout '.join(missing)}",
            "connections that nobody closes stay for ever",
            Voice.PLAIN,
        )


def _servers(proxy: ProxyDraft, whole: Whole, backends: Mapping[str, ProxyDraft], around: Surroundings) -> None:
    complaints = around.complaints
    lists = proxy.lists
    connects = [one for rules in (proxy.http_check, proxy.tcp_check) for one in _connects(rules)]
    over_tls = any(one.ssl for one in connects)
    port_elsewhere = any(
        one.port for one in _connects(proxy.http_check if proxy.check.kind == "http" else None)
    ) or any(one.port for one in _connects(proxy.tcp_check if proxy.check.kind == "tcp-check" else None))
    for server in lists.servers:
        first = lists.server_names[server.name]
        if first is not server:
            complaints.error(
                server.line,
                "duplicate-server",
                f"{proxy.called} has two servers {server.name}, the other in line {first.line}",
                "give them different names",
            )
        settings = server.settings
        name = f"server {server.name} of {proxy.called}"
        if settings.flag("cookie") and proxy.mode != "http":
            complaints.warning(
                server.line, "needs-http", f"{name}: its cookie is ignored", "it needs mode http", Voice.PLAIN
            )
        if settings.word("redir") and proxy.mode != "http":
            complaints.error(server.line, "needs-http", f"{name} redirects: it needs mode http", "", Voice.PLAIN)
        _verification(server, name, over_tls, whole, around)
        if settings.word("track"):
            _tracking(server, name, proxy, backends, complaints)
        elif settings.flag("check") and not _check_port(server) and not port_elsewhere:
            complaints.error(
                server.line, "no-check-port", f"{name} has no port to check", "add a port to its address", Voice.PLAIN
            )
        resolvers = settings.values.get("resolvers")
        if isinstance(resolvers, str) and resolvers not in whole.names["resolvers"]:
            complaints.error(
                server.line, "unknown-resolvers", f"{name}: there are no resolvers {resolvers!r}", "", Voice.PLAIN
            )
        if settings.flag("tfo") and not proxy.retry_on >= _NEEDED_FOR_TFO:
            complaints.warning(
                server.line,
                "tfo-without-retry",
                f"{name} sends data with its first packet",
                "let retry-on have conn-failure, empty-response and response-timeout",
            )


def _connects(rules: object) -> Iterator[Connect]:
    for step in getattr(rules, "steps", ()):
        if isinstance(step, Connect):
            yield step


def _check_port(server: ServerDraft) -> bool:
    """Whether there is a port at which a check can knock."""
    settings, where = server.settings, server.endpoint
    address = settings.values.get("check_endpoint")
    if where.family in {"unix", "abns"}:
        return True
    return bool(
        settings.number("check_port")
        or getattr(address, "first", 0)
        or (where.first and where.offset is None)
        or (where.offset is None and _wild(server))
    )


def _wild(server: ServerDraft) -> bool:
    """A server of all addresses is whoever the client meant: HAProxy does not look for a port."""
    return server.endpoint.address is None and not server.endpoint.host and not server.endpoint.first


def _verification(server: ServerDraft, name: str, over_tls: bool, whole: Whole, around: Surroundings) -> None:
    settings = server.settings
    if not (settings.flag("ssl") or settings.flag("check_ssl") or over_tls):
        return
    crt = settings.word("crt")
    lost = bool(crt) and around.exists is not None and not around.exists(crt)
    if lost:
        around.complaints.error(server.line, "missing-file", f"{name}: there is no file {crt}")
    if settings.word("verify", "required") == "none" or settings.word("ca_file"):
        return
    if whole.global_.words.get("ssl-server-verify", ())[:1] == ("none",) and "verify" not in settings.values:
        return
    around.complaints.error(
        server.line,
        "verify-without-ca",
        f"{name} speaks TLS and has nothing to verify the certificate with",
        "add `ca-file FILE`, or `verify none` where the network is trusted",
        Voice.PLAIN if lost else Voice.LINE,
    )


def _tracking(
    server: ServerDraft, name: str, proxy: ProxyDraft, backends: Mapping[str, ProxyDraft], complaints: Complaints
) -> None:
    """Whose state it shares: somebody who is checked, and not itself in the end."""
    first, here, seen = server, proxy, {id(server)}
    while True:
        backend, slash, tracked = first.settings.word("track").rpartition("/")
        target = backends.get(backend) if slash else here
        if target is None:
            complaints.error(server.line, "bad-tracking", f"{name} tracks one of {backend!r}, which is not there")
            return
        other = target.lists.server_names.get(tracked)
        if other is None:
            complaints.error(server.line, "bad-tracking", f"{name} tracks {tracked!r}, which is not there")
            return
        if id(other) in seen:
            complaints.error(server.line, "bad-tracking", f"{name} tracks itself in the end")
            return
        seen.add(id(other))
        if other.settings.flag("check") or other.settings.flag("agent"):
            return
        if not other.settings.word("track"):
            complaints.error(
                server.line, "bad-tracking", f"{name} tracks {tracked}, which is not checked", "check that one"
            )
            return
        first, here = other, target


def _addresses(whole: Whole, complaints: Complaints) -> None:
    """The names of servers: HAProxy looks them up when nothing else is wrong."""
    failed = False
    for proxy in whole.proxies:
        for server in proxy.lists.servers if proxy.backend and not proxy.disabled else ():
            failed |= _resolved(server, f"server {server.name} of {proxy.called}", complaints)
    if failed:
        complaints.error(0, "unresolved", "HAProxy does not start with servers that have no address", "", Voice.PLAIN)


def _resolved(server: ServerDraft, name: str, complaints: Complaints) -> bool:
    """Whether HAProxy stops for the want of an address."""
    where = server.endpoint
    if where.name not in {"missing", "unknown"}:
        return False
    methods = [one for one in server.settings.word("init_addr").split(",") if one] or ["last", "libc"]
    methods = [*methods[: methods.index("none")], "none"] if "none" in methods else methods
    if any(one not in {"last", "libc", "none"} for one in methods):
        return False
    looked = "libc" in methods
    if where.name == "unknown" and looked:
        complaints.note(
            server.line,
            "name-not-looked-up",
            f"{name}: whether {where.host} has an address is not looked at",
            "without one HAProxy does not start" if "none" not in methods else "without one the server is disabled",
        )
        return False
    if "none" in methods:
        if looked:
            complaints.warning(server.line, "unresolved", f"{name}: {where.host} has no address", "it starts disabled")
        return False
    what = "has no address" if looked else "is looked up by nothing"
    complaints.error(server.line, "unresolved", f"{name}: {where.host} {what}", "or add `init-addr last,libc,none`")
    return True
