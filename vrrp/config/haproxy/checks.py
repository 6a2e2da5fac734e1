"""How HAProxy checks servers: what a check does step by step, and how often. Durations are nanoseconds (`_ns`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vrrp.config.values import Address

CheckKind = Literal[
    "tcp", "http", "ssl-hello", "tcp-check", "smtp", "mysql", "pgsql", "redis", "ldap", "spop", "external"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Connect:
    """A check connects: where it does not say otherwise as its server's line does.

    Attributes:
        address, port: None is the check's own.
        ssl: TLS is spoken; `default` leaves TLS, SNI and the PROXY protocol to the server's line as well.
        sni, alpn: what the TLS hello says; "" is nothing.
    """

    address: Address | None = None
    port: int | None = None
    default: bool = False
    ssl: bool = False
    sni: str = ""
    alpn: str = ""
    send_proxy: bool = False
    via_socks4: bool = False
    linger: bool = False
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SendRequest:
    """A check sends an HTTP request: `headers` are (name, value) in order, `body` "" is none."""

    method: str = "OPTIONS"
    uri: str = "/"
    version: str = "HTTP/1.0"
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SendData:
    """A check sends octets; `template` is a log-format string instead, which is not evaluated here."""

    data: bytes = b""
    template: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Expect:
    """A check waits for an answer.

    Attributes:
        kind: "status" (`statuses`), "rstatus", "string", "rstring", "binary", "rbinary", "hdr", "fhdr" and the
            log-format kinds "string-lf", "binary-lf".
        pattern: what is looked for; of binary the octets in hexadecimal.
        statuses: (lowest, highest) of kind status.
        negated: it must not be there.
        min_recv: fewer octets are not looked at; 0 looks at any, -1 waits for the end where the pattern is not found.
        ok_status, error_status, tout_status: the check statuses (L7OK …) that are given instead; "" leaves them.
    """

    kind: str
    pattern: str = ""
    statuses: tuple[tuple[int, int], ...] = ()
    negated: bool = False
    min_recv: int = -1
    ok_status: str = ""
    error_status: str = ""
    tout_status: str = ""
    line: int = 0


CheckStep = Connect | SendRequest | SendData | Expect


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckMethod:
    """What a check of a backend's servers does: that of the last option that chooses one.

    Attributes:
        kind: see `CheckKind`; tcp only connects.
        steps: of http and tcp-check what is done in order: it always begins with a `Connect`. An http check without
            an expect of its own expects statuses 200 to 399 (an `Expect` with line 0). Empty for the other kinds.
        disable_on_404: an answer 404 takes a server out for new clients (NOLB), and does not make it DOWN.
        send_state: each request tells the server its state.
        user: of mysql, pgsql: who is logged in; of smtp the name said in HELO.
    """

    kind: CheckKind = "tcp"
    steps: tuple[CheckStep, ...] = (Connect(default=True),)
    disable_on_404: bool = False
    send_state: bool = False
    user: str = ""
    line: int = 0


TCP_CHECK = CheckMethod()
"""What is done where no option chooses anything else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerCheck:
    """How a server is checked: `check` with what the server's line says of it.

    Attributes:
        inter_ns, fastinter_ns, downinter_ns: the pauses between checks: as a rule, while it is being decided, while
            DOWN. The latter two are `inter_ns` where nothing is said.
        rise, fall: successes that make it UP, failures that make it DOWN.
        address, port: where it connects, when that is not where the server serves; None is the server's own.
        ssl: TLS is spoken: `check-ssl`, or `ssl` where neither a port nor an address of the check's own is given.
    """

    inter_ns: int = 2_000_000_000
    fastinter_ns: int = 2_000_000_000
    downinter_ns: int = 2_000_000_000
    rise: int = 2
    fall: int = 3
    address: Address | None = None
    port: int | None = None
    ssl: bool = False
    sni: str = ""
    alpn: str = ""
    send_proxy: bool = False
    via_socks4: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentCheck:
    """`agent-check`: a program beside the server says how it is. `address` None is the server's own."""

    port: int
    inter_ns: int = 2_000_000_000
    address: Address | None = None
    send: str = ""
