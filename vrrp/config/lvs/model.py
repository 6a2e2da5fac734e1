"""What virtual_server and what belongs to it mean, with every default and clamp of keepalived 2.2.7 applied.

Durations are nanoseconds (`_ns`), `line` is where the thing begins, from 1. A fallback that several blocks share is
resolved: a checker's retries are its own, or its real server's, or its virtual server's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Literal

from vrrp.config.lvs.endpoints import ServiceAddress
from vrrp.config.script_security import ROOT, Identity
from vrrp.config.values import Address

Protocol = Literal["TCP", "UDP", "SCTP"]
ForwardingMethod = Literal["NAT", "DR", "TUN"]
TunnelType = Literal["ipip", "gue", "gre"]
Checksum = Literal["nocsum", "csum", "remcsum"]
WebProtocol = Literal["HTTP_GET", "SSL_GET"]


@dataclass(frozen=True, slots=True)
class Forwarding:
    """How packets go to a real server; `tunnel`, `port` and `checksum` only for TUN."""

    method: ForwardingMethod
    tunnel: TunnelType = "ipip"
    port: int | None = None
    checksum: Checksum = "nocsum"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Where and how a checker connects. `address` and `port` None: the real server's own; `fwmark` 0: none."""

    address: Address | None = None
    port: int | None = None
    source: Address | None = None
    source_port: int | None = None
    interface: str | None = None
    fwmark: int = 0
    timeout_ns: int = 5_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Checker:
    """What every checker has. `retries` more failures in a row are needed after the first; `alpha`: down at start."""

    retries: int = 1
    retry_delay_ns: int = 1_000_000_000
    warmup_ns: int = 60_000_000_000
    interval_ns: int = 60_000_000_000
    alpha: bool = False
    log_all_failures: bool = False
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpCheck(Checker):
    """TCP_CHECK: the port accepts a connection."""

    connection: Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class PingCheck(Checker):
    """PING_CHECK: the address answers an ICMP echo request."""

    connection: Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Url:
    """One url of a web checker: `status_codes` are (lowest, highest); without any 200 to 299, with `digests`, too."""

    path: str
    digests: tuple[bytes, ...] = ()
    status_codes: tuple[tuple[int, int], ...] = ()
    virtual_host: str | None = None
    options: tuple[tuple[str, str], ...] = ()
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WebCheck(Checker):
    """HTTP_GET and SSL_GET: each url gives the status and content that it should."""

    protocol: WebProtocol
    connection: Connection
    urls: tuple[Url, ...]
    version: Literal["1.0", "1.0C", "1.1"] = "1.0"
    virtual_host: str | None = None
    fast_recovery: bool = False
    enable_sni: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpCheck(Checker):
    """SMTP_CHECK: each of `hosts` greets; without hosts the `connection`'s."""

    connection: Connection
    hosts: tuple[Connection, ...] = ()
    helo_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsCheck(Checker):
    """DNS_CHECK: a query for `name` is answered."""

    connection: Connection
    record_type: str = "SOA"
    name: str = "."


@dataclass(frozen=True, slots=True, kw_only=True)
class UdpCheck(Checker):
    """UDP_CHECK: no ICMP error comes back and, where `reply_required`, an answer of the right length and bytes.

    `reply` and `reply_mask` are of the same length: only bits that are set in the mask are compared.
    """

    connection: Connection
    payload: bytes | None = None
    reply_required: bool = False
    reply: bytes = b""
    reply_mask: bytes = b""
    min_reply_octets: int = 0
    max_reply_octets: int = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class MiscCheck(Checker):
    """MISC_CHECK: a command exits 0; where `dynamic`, its exit status 2 to 255 sets the weight. 0 s: no timeout."""

    command: str
    timeout_ns: int = 0
    dynamic: bool = False
    user: str | None = None
    runs_as: Identity = ROOT


@dataclass(frozen=True, slots=True, kw_only=True)
class FileCheck(Checker):
    """FILE_CHECK: what a track_file holds is added to the weight. `weight` None: the track_file's own."""

    track_file: str
    weight: int | None = None
    reverse: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BfdCheck(Checker):
    """BFD_CHECK: the bfd_instance `name` is up."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SorryServer:
    """Where connections go when no real server is left."""

    address: ServiceAddress
    forwarding: Forwarding
    inhibit: bool = False
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RealServer:
    """One server of the pool. `inhibit`: a failure sets its weight to 0 instead of removing it.

    Its port is the file's: only NAT changes ports, and with DR and TUN keepalived uses the virtual server's.
    `notify_users` maps notify_up and notify_down to "USER" or "USER GROUP" where the line names one; `runs_as` says
    who runs each.
    """

    address: ServiceAddress
    forwarding: Forwarding
    weight: int = 1
    upper_connections: int = 0
    lower_connections: int = 0
    inhibit: bool = False
    smtp_alert: bool | None = None
    virtual_host: str | None = None
    snmp_name: str | None = None
    notify_up: str | None = None
    notify_down: str | None = None
    notify_users: Mapping[str, str] = field(default_factory=dict)
    runs_as: Mapping[str, Identity] = field(default_factory=dict)
    checkers: tuple[Checker, ...] = ()
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualServer:
    """A service that IPVS balances. `family` 0: both, which only tunnelled servers of a firewall mark have.

    `protocol` None is any, for firewall marks. `persistence_ns` 0: none. `persistence_granularity` is IPv4's mask or
    IPv6's prefix. `scheduler_flags` are the keywords: sh-port, flag-1 and so on. `notify_users` maps quorum_up and
    quorum_down to "USER" or "USER GROUP" where the line names one; `runs_as` says who runs each.
    """

    address: ServiceAddress
    family: Literal[4, 6]
    protocol: Protocol | None
    scheduler: str
    scheduler_flags: frozenset[str] = frozenset()
    one_packet: bool = False
    persistence_ns: int = 0
    persistence_granularity: IPv4Address | int | None = None
    persistence_engine: str | None = None
    quorum: int = 1
    hysteresis: int = 0
    quorum_up: str | None = None
    quorum_down: str | None = None
    notify_users: Mapping[str, str] = field(default_factory=dict)
    runs_as: Mapping[str, Identity] = field(default_factory=dict)
    alpha: bool = False
    omega: bool = False
    ha_suspend: bool = False
    smtp_alert: bool | None = None
    virtual_host: str | None = None
    snmp_name: str | None = None
    sorry_server: SorryServer | None = None
    real_servers: tuple[RealServer, ...] = ()
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupAddresses:
    """An entry of a virtual_server_group: `first` to `last` with one port (0: any), or a firewall mark."""

    first: Address | None = None
    last: Address | None = None
    port: int = 0
    fwmark: int | None = None
    family: Literal[4, 6] | None = None
    line: int = 0


@dataclass(frozen=True, slots=True)
class VirtualServerGroup:
    """A virtual_server_group, for virtual_server group NAME."""

    name: str
    entries: tuple[GroupAddresses, ...]
    line: int


@dataclass(frozen=True, slots=True)
class SslContext:
    """The SSL block: what SSL_GET authenticates with. All are file names but `password`."""

    password: str | None
    ca: str | None
    certificate: str | None
    key: str | None
    line: int
