"""A proxy while it is being read: what its lines have set so far, on top of what its `defaults` had set."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from vrrp.config.haproxy.addresses import Endpoint
from vrrp.config.haproxy.arguments import Settings
from vrrp.config.haproxy.checks import CheckKind, CheckStep
from vrrp.config.haproxy.model import (
    ROUND_ROBIN,
    Acl,
    Balance,
    Condition,
    Cookie,
    HttpConnection,
    Mode,
    StatsPage,
    UseBackend,
)
from vrrp.config.values import Address


@dataclass(slots=True)
class BindDraft:
    """One address of a `bind` line, with what all of the line's have."""

    endpoint: Endpoint
    settings: Settings
    words: tuple[str, ...]
    line: int


@dataclass(slots=True)
class ServerDraft:
    """A `server` line; `settings` begin with those of `default-server`."""

    name: str
    endpoint: Endpoint
    settings: Settings
    line: int
    source: Address | None = None


@dataclass(slots=True)
class CheckDraft:
    """How servers are checked: `option httpchk` and its like; `owner` is the line of the section that says so."""

    kind: CheckKind = "tcp"
    line: int = 0
    owner: int = 0
    method: str = ""
    uri: str = ""
    version: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    user: str = ""


@dataclass(slots=True)
class Lists:
    """What is never taken from `defaults`, in the order of the lines."""

    binds: list[BindDraft] = field(default_factory=list)
    servers: list[ServerDraft] = field(default_factory=list)
    server_names: dict[str, ServerDraft] = field(default_factory=dict)
    acls: list[Acl] = field(default_factory=list)
    acl_names: set[str] = field(default_factory=set)
    use_backend: list[UseBackend] = field(default_factory=list)
    use_server: list[UseBackend] = field(default_factory=list)
    server_ids: dict[int, ServerDraft] = field(default_factory=dict)
    bind_ids: dict[int, int] = field(default_factory=dict)
    own_ids: int = 0
    stick_table: bool = False
    http_rules: dict[str, int] = field(default_factory=dict)
    latest_rule: int = 0
    sticks: list[tuple[str, int]] = field(default_factory=list)


@dataclass(slots=True)
class Rules:
    """The http-check or tcp-check rules of one section, which begins in line `owner`.

    A section with its own has none of its `defaults`.
    """

    owner: int
    steps: list[CheckStep] = field(default_factory=list)


@dataclass(slots=True)
class StatsDraft:
    """The `stats` lines of one section; a section with its own has none of its `defaults`."""

    owner: int
    page: StatsPage = field(default_factory=StatsPage)
    auth: list[str] = field(default_factory=list)
    scopes: list[str] = field(default_factory=list)
    admin: list[Condition] = field(default_factory=list)


@dataclass(slots=True)
class LogFormat:
    """What chose how is logged: `what` is the words, `line` where, `text` the format itself of `log-format`."""

    what: str
    line: int
    text: str = ""


@dataclass(slots=True)
class ProxyDraft:
    """A `defaults`, `frontend`, `backend` or `listen`."""

    kind: str
    name: str
    line: int
    mode: Mode = "tcp"
    timeouts: dict[str, int] = field(default_factory=dict)
    options: dict[str, bool] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    http_connection: HttpConnection = "keep-alive"
    redispatch: int | None = None
    retry_on: frozenset[str] = frozenset({"conn-failure"})
    default_backend: tuple[str, int] | None = None
    dispatch: Endpoint | None = None
    balance: Balance = ROUND_ROBIN
    cookie: Cookie | None = None
    check: CheckDraft = field(default_factory=CheckDraft)
    http_check: Rules | None = None
    tcp_check: Rules | None = None
    unused_rules: dict[str, int] = field(default_factory=dict)
    stats: StatsDraft | None = None
    default_server: Settings = field(default_factory=Settings)
    log_format: LogFormat | None = None
    own_log_format: bool = False
    logs: bool = False
    global_logs: bool = False
    rules_line: int = 0
    error_sections: tuple[tuple[str, int], ...] = ()
    disabled: bool = False
    own_id: int = 0
    lists: Lists = field(default_factory=Lists)
    defaults: ProxyDraft | None = None

    @property
    def frontend(self) -> bool:
        """Whether it accepts connections."""
        return self.kind in {"frontend", "listen"}

    @property
    def backend(self) -> bool:
        """Whether it has servers."""
        return self.kind in {"backend", "listen"}

    @property
    def called(self) -> str:
        """As messages call it."""
        return f"{self.kind} {self.name}".rstrip()


def begin(kind: str, name: str, line: int, defaults: ProxyDraft | None) -> ProxyDraft:
    """A section that begins with what its `defaults` had set; time does not depend on how much that is."""
    if defaults is None:
        return ProxyDraft(kind, name, line)
    return replace(
        defaults,
        kind=kind,
        name=name,
        line=line,
        timeouts=dict(defaults.timeouts),
        options=dict(defaults.options),
        numbers=dict(defaults.numbers),
        words=dict(defaults.words),
        default_server=defaults.default_server.copy(),
        own_log_format=False,
        unused_rules={},
        own_id=0,
        lists=Lists(),
        defaults=defaults,
    )
