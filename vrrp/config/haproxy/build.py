"""What was read, as the model: defaults applied, ranges of ports and check rules unfolded, ids given."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import replace
from typing import cast

from vrrp.config.haproxy.addresses import Endpoint
from vrrp.config.haproxy.checks import AgentCheck, CheckMethod, CheckStep, Connect, Expect, SendRequest, ServerCheck
from vrrp.config.haproxy.draft import BindDraft, ProxyDraft, Rules, ServerDraft
from vrrp.config.haproxy.keywords import HTTP_FLAGS
from vrrp.config.haproxy.model import (
    LAYER_7,
    ROUND_ROBIN,
    Backend,
    Balance,
    Bind,
    Cookie,
    Frontend,
    Server,
    StatsPage,
    Timeouts,
    Verify,
)

MOST_BINDS = 10_000
"""No more listeners are modelled of one proxy."""

_INTER_NS = 2_000_000_000
_SUCCESS = Expect(kind="status", pattern="200-399", statuses=((200, 399),))


class Ids:
    """Numbers for those that have none of their own: the first free one from a count that goes on at each of all."""

    def __init__(self, first: int, given: Set[int]) -> None:
        self._count = first
        self._free = first
        self._given = given

    def next(self, own: int) -> int:
        """The number of one that says `own`, or 0."""
        number = own
        if not own:
            # Nothing between the count and the last number that was given is free.
            self._free = max(self._free, self._count)
            while self._free in self._given:
                self._free += 1
            number = self._free
            self._free += 1
        self._count += 1
        return number


def timeouts_of(proxy: ProxyDraft) -> Timeouts:
    """The timeouts of a proxy; 0 is none, as none is for ever."""
    given = {name.replace("-", "_") + "_ns": ns or None for name, ns in proxy.timeouts.items()}
    if not proxy.frontend and proxy.kind != "defaults":
        given.pop("client_ns", None)
        given.pop("client_fin_ns", None)
    found = Timeouts(**given)
    return replace(
        found,
        queue_ns=found.queue_ns or found.connect_ns,
        tarpit_ns=found.tarpit_ns or found.connect_ns,
        http_keep_alive_ns=found.http_keep_alive_ns or found.http_request_ns,
    )


def options_of(proxy: ProxyDraft) -> frozenset[str]:
    """The options in force, by name."""
    on = {name for name, value in proxy.options.items() if value and not (proxy.mode == "tcp" and name in HTTP_FLAGS)}
    if proxy.log_format is not None and proxy.frontend and proxy.log_format.what.startswith("option "):
        name = proxy.log_format.what.split()[1]
        on.add("tcplog" if proxy.mode == "tcp" else name)
    return frozenset(on)


def stats_of(proxy: ProxyDraft) -> StatsPage | None:
    """The page with the tables, in mode http."""
    if proxy.stats is None or proxy.mode != "http":
        return None
    stats = proxy.stats
    return replace(stats.page, auth=tuple(stats.auth), scopes=tuple(stats.scopes), admin=tuple(stats.admin))


def frontend_of(proxy: ProxyDraft, number: int) -> Frontend:
    """A `frontend`, or the half of a `listen`."""
    return Frontend(
        name=proxy.name,
        mode=proxy.mode,
        line=proxy.line,
        id=number,
        binds=tuple(_numbered(_binds(proxy))),
        maxconn=max(proxy.numbers.get("maxconn", 0), 0),
        backlog=max(proxy.numbers.get("backlog", 0), 0),
        rate_limit_sessions=proxy.numbers.get("rate-limit", 0),
        default_backend=proxy.default_backend[0] if proxy.default_backend else None,
        rules=tuple(proxy.lists.use_backend),
        acls=tuple(proxy.lists.acls),
        timeouts=timeouts_of(proxy),
        http_connection=proxy.http_connection,
        options=options_of(proxy),
        monitor_uri=proxy.words.get("monitor-uri") if proxy.mode == "http" else None,
        stats=stats_of(proxy),
        disabled=proxy.disabled,
        listen=proxy.kind == "listen",
    )


def _binds(proxy: ProxyDraft) -> Iterator[Bind]:
    count = 0
    for draft in proxy.lists.binds:
        for port in range(draft.endpoint.first, draft.endpoint.last + 1):
            count += 1
            if count > MOST_BINDS:
                return
            yield _bind(draft, port)


def _bind(draft: BindDraft, port: int) -> Bind:
    settings, where = draft.settings, draft.endpoint
    return Bind(
        address=where.address,
        port=port,
        line=draft.line,
        family=where.family if where.family in {"ipv6", "unix", "abns"} else "ipv4",
        path=where.path,
        name=settings.word("name"),
        interface=settings.word("interface"),
        transparent=settings.flag("transparent"),
        v4v6=settings.flag("v4v6"),
        ssl=settings.flag("ssl"),
        accept_proxy=settings.flag("accept_proxy"),
        maxconn=settings.number("maxconn"),
        id=settings.number("id"),
        options=draft.words,
    )


def _numbered(binds: Iterator[Bind]) -> Iterator[Bind]:
    """Each has the id that its line gives, or else the next that is free; of a range of ports the first has it."""
    found = list(binds)
    ids = Ids(1, {one.id for one in found if one.id})
    used: set[int] = set()
    for one in found:
        yield replace(one, id=ids.next(0 if one.id in used else one.id))
        used.add(one.id)


def backend_of(proxy: ProxyDraft, number: int) -> Backend:
    """A `backend`, or the half of a `listen`."""
    http = proxy.mode == "http"
    return Backend(
        name=proxy.name,
        mode=proxy.mode,
        line=proxy.line,
        id=number,
        balance=_balance(proxy),
        servers=tuple(_servers(proxy)),
        timeouts=timeouts_of(proxy),
        retries=max(proxy.numbers.get("retries", 3), 0),
        redispatch=proxy.redispatch,
        retry_on=proxy.retry_on,
        cookie=_cookie(proxy),
        check=check_of(proxy),
        use_server=tuple(proxy.lists.use_server),
        acls=tuple(proxy.lists.acls),
        http_connection=proxy.http_connection,
        http_reuse=proxy.words.get("http-reuse", "safe"),  # type: ignore[arg-type]  # the reader took one of these
        options=options_of(proxy),
        fullconn=proxy.numbers.get("fullconn") or None,
        dispatch=None if proxy.dispatch is None else (proxy.dispatch.address, proxy.dispatch.first),
        max_keep_alive_queue=proxy.numbers.get("max-keep-alive-queue", -1),
        stats=stats_of(proxy) if http else None,
        disabled=proxy.disabled,
        listen=proxy.kind == "listen",
    )


def _balance(proxy: ProxyDraft) -> Balance:
    """In mode tcp there is no URI and no header to hash."""
    if proxy.mode == "tcp" and proxy.balance.algorithm in LAYER_7:
        return replace(ROUND_ROBIN, hash_balance_factor=proxy.balance.hash_balance_factor)
    return proxy.balance


def _cookie(proxy: ProxyDraft) -> Cookie | None:
    return proxy.cookie if proxy.mode == "http" else None


def check_of(proxy: ProxyDraft) -> CheckMethod:
    """How the servers of a proxy are checked."""
    check = proxy.check
    steps: tuple[CheckStep, ...] = (Connect(default=True),)
    if check.kind == "http":
        steps = tuple(_http_steps(proxy))
    elif check.kind == "tcp-check":
        own = _rules(proxy, proxy.tcp_check).steps
        steps = tuple(own) if own and isinstance(own[0], Connect) else (Connect(default=True), *own)
    elif check.kind != "tcp":
        steps = ()
    return CheckMethod(
        kind=check.kind,
        steps=steps,
        disable_on_404=proxy.options.get("http-check disable-on-404", False),
        send_state=proxy.options.get("http-check send-state", False),
        user=check.user,
        line=check.line,
    )


def _rules(proxy: ProxyDraft, rules: Rules | None) -> Rules:
    """Those of the section itself, or else of the one that said how servers are checked; no others."""
    if rules is not None and rules.owner in {proxy.line, proxy.check.owner}:
        return rules
    return Rules(proxy.check.owner)


def _http_steps(proxy: ProxyDraft) -> Iterator[CheckStep]:
    """The rules of http-check.

    Measured: the first request has what `option httpchk` says and the rule does not, or is all that it says, where
    both stand in one section; rules with an option of the `defaults` send what they say themselves, or nothing.
    """
    rules = _rules(proxy, proxy.http_check)
    own = rules.steps
    together = rules.owner == proxy.check.owner
    if not own or not isinstance(own[0], Connect):
        yield Connect(default=True)
    sent = any(isinstance(one, SendRequest) for one in own)
    if not sent and together:
        yield _request(SendRequest(method="", uri="", version=""), proxy)
    for one in own:
        if isinstance(one, SendRequest):
            yield _request(one, proxy) if together else _completed(one)
            together = False
        else:
            yield one
    if not any(isinstance(one, Expect) for one in own):
        yield _SUCCESS


def _request(rule: SendRequest, proxy: ProxyDraft) -> SendRequest:
    """A rule's words win over those of `option httpchk`."""
    check = proxy.check
    return _completed(
        replace(
            rule,
            method=rule.method or check.method,
            uri=rule.uri or check.uri,
            version=rule.version or check.version,
            headers=check.headers + rule.headers,
            body=rule.body or check.body,
            line=rule.line or check.line,
        )
    )


def _completed(rule: SendRequest) -> SendRequest:
    default = SendRequest()
    return replace(
        rule,
        method=rule.method or default.method,
        uri=rule.uri or default.uri,
        version=rule.version or default.version,
    )


def _servers(proxy: ProxyDraft) -> Iterator[Server]:
    ids = Ids(1, set(proxy.lists.server_ids))
    for draft in proxy.lists.servers:
        yield _server(draft, ids.next(draft.settings.number("id")), proxy)


def _server(draft: ServerDraft, number: int, proxy: ProxyDraft) -> Server:
    settings, where = draft.settings, draft.endpoint
    track = settings.word("track")
    backend, slash, name = track.rpartition("/")
    return Server(
        name=draft.name,
        host=where.host or where.path or "*",
        address=where.address,
        port=where.first,
        line=draft.line,
        port_offset=where.offset or 0,
        weight=settings.number("weight", 1),
        backup=settings.flag("backup"),
        maxconn=max(settings.number("maxconn"), 0),
        minconn=_minconn(settings.number("minconn"), settings.number("maxconn")),
        maxqueue=max(settings.number("maxqueue"), 0),
        cookie=settings.word("cookie") if proxy.mode == "http" else "",
        check=_check(draft) if settings.flag("check") else None,
        agent=_agent(draft) if settings.flag("agent") else None,
        slowstart_ns=settings.number("slowstart_ns"),
        observe=settings.values.get("observe"),  # type: ignore[arg-type]  # its kind takes only these
        error_limit=settings.number("error_limit", 10),
        on_error=settings.values.get("on_error", "fail-check"),  # type: ignore[arg-type]  # its kind takes only these
        on_marked_down=settings.values.get("on_marked_down"),  # type: ignore[arg-type]  # its kind takes only these
        on_marked_up=settings.values.get("on_marked_up"),  # type: ignore[arg-type]  # its kind takes only these
        ssl=settings.flag("ssl"),
        verify=cast(Verify, settings.word("verify", "required")),
        sni=settings.word("sni"),
        alpn=settings.word("alpn"),
        send_proxy=settings.flag("send_proxy"),
        source=draft.source,
        disabled=settings.flag("disabled"),
        track=(backend if slash else proxy.name, name) if track else None,
        stick=bool(settings.values.get("stick", True)),
        id=number,
    )


def _minconn(least: int, most: int) -> int:
    """HAProxy keeps the lesser of the two below the greater; one without the other means nothing."""
    return min(least, most) if least > 0 and most > 0 else 0


def _check(draft: ServerDraft) -> ServerCheck:
    settings = draft.settings
    inter_ns = settings.number("inter_ns", _INTER_NS)
    where = settings.values.get("check_endpoint")
    at = where if isinstance(where, Endpoint) else None
    port = settings.number("check_port") or (at.first if at is not None else 0)
    address = at.address if at is not None else None
    as_server = not port and address is None
    return ServerCheck(
        inter_ns=inter_ns,
        fastinter_ns=settings.number("fastinter_ns") or inter_ns,
        downinter_ns=settings.number("downinter_ns") or inter_ns,
        rise=settings.number("rise", 2),
        fall=settings.number("fall", 3),
        address=address,
        port=port or None,
        ssl=_or_as_server(draft, "check_ssl", "ssl", as_server),
        sni=settings.word("check_sni"),
        alpn=settings.word("check_alpn"),
        send_proxy=_or_as_server(draft, "check_send_proxy", "send_proxy", as_server),
        via_socks4=settings.flag("check_via_socks4"),
    )


def _or_as_server(draft: ServerDraft, own: str, servers: str, as_server: bool) -> bool:
    """What is said of the check; or else, where the check goes where the server serves, of the server."""
    said = draft.settings.values.get(own)
    if said is not None:
        return bool(said)
    return as_server and draft.settings.flag(servers)


def _agent(draft: ServerDraft) -> AgentCheck:
    settings = draft.settings
    where = settings.values.get("agent_endpoint")
    inter_ns = settings.number("agent_inter_ns") or settings.number("inter_ns", _INTER_NS)
    return AgentCheck(
        port=settings.number("agent_port"),
        inter_ns=inter_ns,
        address=where.address if isinstance(where, Endpoint) else None,
        send=settings.word("agent_send"),
    )
