"""What a haproxy.cfg means: frontends, backends, servers, with every default of HAProxy 2.6 and of `defaults` applied.

Durations are nanoseconds (`_ns`), `line` is where the thing stands, from 1. A `listen` is one frontend and one backend
of the same name. Limits that are 0 are none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from vrrp.config.haproxy.checks import TCP_CHECK, AgentCheck, CheckMethod, ServerCheck
from vrrp.config.values import Address

Mode = Literal["tcp", "http"]
HttpConnection = Literal["keep-alive", "server-close", "close"]
Algorithm = Literal[
    "roundrobin", "static-rr", "leastconn", "first", "source", "uri", "url_param", "hdr", "rdp-cookie", "random"
]
CookieMode = Literal["insert", "rewrite", "prefix", "passive"]
OnError = Literal["fastinter", "fail-check", "sudden-death", "mark-down"]
Verify = Literal["none", "required"]

REDISPATCH_LAST = -1
"""`Backend.redispatch`: on the last retry."""


@dataclass(frozen=True, slots=True)
class Condition:
    """`if …` or `unless …` (negated): the words behind it, which name acls and are not evaluated here."""

    negated: bool
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Acl:
    """One `acl` line: its criterion (`path_beg`), flags and patterns as words. Several of one name are or'ed."""

    name: str
    words: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class UseBackend:
    """`use_backend NAME [if …]`, or `use-server`: the first whose condition holds is taken. None holds always."""

    name: str
    condition: Condition | None
    line: int


@dataclass(frozen=True, slots=True)
class LogTarget:
    """`log ADDRESS FACILITY [LEVEL]`: `address` as written (host:port, path of a socket, ring@NAME, stdout)."""

    address: str
    facility: str
    level: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """`timeout …` of a proxy, in ns; None is for ever.

    What falls back has: `queue_ns` and `tarpit_ns` are the connect timeout where nothing is said, `http_keep_alive_ns`
    is the http-request timeout. `http_request_ns` None leaves the client timeout in force; `check_ns` None leaves a
    check the server's `inter` for everything, and otherwise is what it has once it is connected (connecting has the
    lesser of `connect_ns` and `inter`).
    """

    connect_ns: int | None = None
    client_ns: int | None = None
    client_fin_ns: int | None = None
    server_ns: int | None = None
    server_fin_ns: int | None = None
    queue_ns: int | None = None
    check_ns: int | None = None
    http_request_ns: int | None = None
    http_keep_alive_ns: int | None = None
    tunnel_ns: int | None = None
    tarpit_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bind:
    """One address and port on which a frontend listens; a range of ports is as many of them.

    Attributes:
        address: None is every address of `family`.
        family: "ipv4", "ipv6" (`v4v6`: both), "unix" or "abns"; of the latter two `path` is the name and `port` 0.
        name: of `name`, or "".
        interface: of `interface`, or "".
        transparent: bound even where the machine lacks the address.
        ssl: TLS is spoken.
        accept_proxy: the PROXY protocol is expected first.
        maxconn: of the listener; 0 leaves it the frontend's.
        id: as `show stat` numbers it.
        options: everything else that stands on the line, as words.
    """

    address: Address | None
    port: int
    line: int
    family: Literal["ipv4", "ipv6", "unix", "abns"] = "ipv4"
    path: str = ""
    name: str = ""
    interface: str = ""
    transparent: bool = False
    v4v6: bool = False
    ssl: bool = False
    accept_proxy: bool = False
    maxconn: int = 0
    id: int = 0
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StatsPage:
    """`stats …` of a proxy in mode http: the page with the tables.

    Attributes:
        uri: prefix of the paths that show it.
        refresh_ns: how often the page loads itself again; 0 is never.
        scopes: the proxies that it shows, "." the proxy itself; without any it shows all.
        auth: USER:PASSWORD of each `stats auth`.
        admin: whether servers can be changed there: the conditions of `stats admin`.
    """

    uri: str = "/haproxy?stats"
    realm: str = ""
    refresh_ns: int = 0
    scopes: tuple[str, ...] = ()
    auth: tuple[str, ...] = ()
    admin: tuple[Condition, ...] = ()
    hide_version: bool = False
    show_legends: bool = False
    show_modules: bool = False
    show_node: str | None = None
    show_desc: str | None = None
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Frontend:
    """What accepts connections.

    Attributes:
        id: as `show stat` numbers the proxy (iid).
        binds: in the order of the file.
        maxconn: 0 leaves it the process's.
        default_backend: where no rule decides; None of a `listen` is its own backend, of a frontend nothing (503).
        rules: `use_backend`, in order.
        http_connection: of `option httpclose`, `http-server-close` and `http-keep-alive`, the last one.
        options: the plain `option NAME` in force, by name: "dontlognull", "httplog", "forwardfor".
        backlog: 0 leaves it `maxconn`.
        disabled: whether `disabled` keeps it from starting.
        listen: whether it is the half of a `listen`.
    """

    name: str
    mode: Mode
    line: int
    id: int = 0
    binds: tuple[Bind, ...] = ()
    maxconn: int = 0
    backlog: int = 0
    rate_limit_sessions: int = 0
    default_backend: str | None = None
    rules: tuple[UseBackend, ...] = ()
    acls: tuple[Acl, ...] = ()
    timeouts: Timeouts = Timeouts()
    http_connection: HttpConnection = "keep-alive"
    options: frozenset[str] = frozenset()
    monitor_uri: str | None = None
    stats: StatsPage | None = None
    disabled: bool = False
    listen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """`balance` and what shapes it.

    Attributes:
        argument: the parameter of url_param, the header of hdr, the cookie of rdp-cookie; else "".
        draws: of random, how many servers are drawn, of which the least loaded is taken.
        length, depth: of uri, how many characters or directories are hashed; 0 is all.
        whole, path_only, use_domain_only: the words of uri and hdr.
        hash_type: how hashes find a server.
        hash_function: sdbm, djb2, wt6, crc32, none.
        hash_modifier: "avalanche" mixes once more; with map-based none does by default.
        hash_balance_factor: percent of the average load that no server may exceed; 0 is no bound.
    """

    algorithm: Algorithm = "roundrobin"
    argument: str = ""
    draws: int = 2
    length: int = 0
    depth: int = 0
    whole: bool = False
    path_only: bool = False
    use_domain_only: bool = False
    hash_type: Literal["map-based", "consistent"] = "map-based"
    hash_function: Literal["sdbm", "djb2", "wt6", "crc32", "none"] = "sdbm"
    hash_modifier: Literal["", "avalanche"] = ""
    hash_balance_factor: int = 0


LAYER_7 = frozenset({"uri", "url_param", "hdr"})
"""The algorithms that hash what only mode http knows."""

ROUND_ROBIN = Balance()
"""What is done where nothing else is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie:
    """`cookie NAME …` of a backend in mode http.

    Attributes:
        mode: insert sets its own, rewrite changes the server's, prefix puts KEY~ before the server's value, passive
            only looks.
        indirect: the server does not see it, and it is not set again where the client has a valid one.
        nocache: a cacheable response that sets it is marked private.
        preserve: a server's own Set-Cookie of this name is left alone.
        postonly: set only in answers to POST.
        dynamic: values are made of the servers' addresses.
        domains, attributes: what is appended to Set-Cookie.
        maxidle_ns, maxlife_ns: None is for ever.
    """

    name: str
    mode: CookieMode = "passive"
    indirect: bool = False
    nocache: bool = False
    preserve: bool = False
    postonly: bool = False
    httponly: bool = False
    secure: bool = False
    dynamic: bool = False
    domains: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    maxidle_ns: int | None = None
    maxlife_ns: int | None = None
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server of a backend; of a `server-template` one for each number.

    Attributes:
        host: its address as written.
        address: None when `host` is a name that is not resolved, or a socket's path.
        port: 0 is the port at which the client came in, plus `port_offset`.
        weight: 0 to 256; 0 gets only those who belong there by a cookie.
        maxconn, minconn, maxqueue: 0 is no limit.
        cookie: the value that stands for it; "" when it has none.
        check, agent: None when it is not checked.
        slowstart_ns: how long it takes to its full weight once it is UP.
        observe: what is watched beside the checks: "layer4", "layer7", or None.
        error_limit: so many errors in a row are `on_error`.
        on_marked_down: whether connections are cut when it goes down; `on_marked_up`: those to backups when it is up.
        ssl, verify, sni: TLS to the server.
        disabled: starts in maintenance.
        track: (backend, server) whose state it shares, or None.
        id: as `show stat` numbers it (sid).
    """

    name: str
    host: str
    address: Address | None
    port: int
    line: int
    port_offset: int = 0
    weight: int = 1
    backup: bool = False
    maxconn: int = 0
    minconn: int = 0
    maxqueue: int = 0
    cookie: str = ""
    check: ServerCheck | None = None
    agent: AgentCheck | None = None
    slowstart_ns: int = 0
    observe: Literal["layer4", "layer7"] | None = None
    error_limit: int = 10
    on_error: OnError = "fail-check"
    on_marked_down: Literal["shutdown-sessions"] | None = None
    on_marked_up: Literal["shutdown-backup-sessions"] | None = None
    ssl: bool = False
    verify: Verify = "required"
    sni: str = ""
    alpn: str = ""
    send_proxy: bool = False
    source: Address | None = None
    disabled: bool = False
    track: tuple[str, str] | None = None
    stick: bool = True
    id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """Where requests go to.

    Attributes:
        id: as `show stat` numbers the proxy (iid).
        retries: how often a connection that fails is tried again.
        redispatch: when a retry may go to another server: None never, `REDISPATCH_LAST` (-1) on the last one, n on
            each n-th, -n on each n-th counted from the last.
        retry_on: "conn-failure", "empty-response", "response-timeout", "503" …; "all-retryable-errors" is unfolded.
        cookie: None in mode tcp.
        check: how its servers are checked.
        use_server: rules that pick a server before balancing does.
        http_reuse: how connections to servers are shared: never, safe, aggressive, always.
        options: the plain `option NAME` in force: "allbackups", "persist", "prefer-last-server".
        fullconn: at so many sessions servers have their whole `maxconn` rather than `minconn`; None is a tenth of what
            all frontends together may have that use the backend.
        dispatch: where everything goes if there are no servers: address and port of `dispatch`.
        max_keep_alive_queue: -1 is no limit.
        disabled, listen: as of the frontend.
    """

    name: str
    mode: Mode
    line: int
    id: int = 0
    balance: Balance = ROUND_ROBIN
    servers: tuple[Server, ...] = ()
    timeouts: Timeouts = Timeouts()
    retries: int = 3
    redispatch: int | None = None
    retry_on: frozenset[str] = frozenset({"conn-failure"})
    cookie: Cookie | None = None
    check: CheckMethod = TCP_CHECK
    use_server: tuple[UseBackend, ...] = ()
    acls: tuple[Acl, ...] = ()
    http_connection: HttpConnection = "keep-alive"
    http_reuse: Literal["never", "safe", "aggressive", "always"] = "safe"
    options: frozenset[str] = frozenset()
    fullconn: int | None = None
    dispatch: tuple[Address | None, int] | None = None
    max_keep_alive_queue: int = -1
    stats: StatsPage | None = None
    disabled: bool = False
    listen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Global:
    """The section `global`.

    Attributes:
        maxconn: None is what the machine's limit of open files allows.
        nbthread: None is one for each processor.
        spread_checks: percent by which the pauses between checks vary at random.
        max_spread_checks_ns: the first checks are spread over no more than this; None is no bound.
        settings: every other keyword of the section with its words, of several lines of one keyword the last.
    """

    maxconn: int | None = None
    nbthread: int | None = None
    daemon: bool = False
    node: str = ""
    description: str = ""
    spread_checks: int = 0
    max_spread_checks_ns: int | None = None
    logs: tuple[LogTarget, ...] = ()
    settings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    line: int = 0


@dataclass(frozen=True, slots=True)
class Unmodelled:
    """A line that HAProxy heeds and this model does not: `section` is as `kind name`."""

    section: str
    words: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HaproxyModel:
    """A whole haproxy.cfg; proxies in the order of the file."""

    global_: Global = Global()
    frontends: tuple[Frontend, ...] = ()
    backends: tuple[Backend, ...] = ()
    unmodelled: tuple[Unmodelled, ...] = ()

    def frontend(self, name: str) -> Frontend | None:
        """The frontend of this name; of several the first."""
        return next((one for one in self.frontends if one.name == name), None)

    def backend(self, name: str) -> Backend | None:
        """The backend of this name; of several the first."""
        return next((one for one in self.backends if one.name == name), None)
