"""A vrrp_instance block as far as its lines say, before they are settled against each other and global_defs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from vrrp.config.diagnostics import Report, Voice
from vrrp.config.following import Follower
from vrrp.config.host import Interfaces
from vrrp.config.instance.vmac import Ipvlan, Vmac
from vrrp.config.kinds import Value
from vrrp.config.model import (
    Address,
    Option,
    VirtualAddress,
)
from vrrp.config.notify import Notifications
from vrrp.config.routing.model import Route, Rule
from vrrp.config.routing.rules import RuleReader
from vrrp.config.values import MICROSECOND_NS


@dataclass(slots=True)
class InstanceDraft:
    """A vrrp_instance as far as its lines say; None and a missing key mean that they do not.

    `lines` has the line of each keyword that was given, for what is found out later; `doubtful` those keywords whose
    value keepalived complained of, though it may use it. `interface_missing`: the machine has no such interface.
    """

    name: str
    line: int
    report: Report
    follower: Follower
    interfaces: Interfaces
    notifications: Notifications
    rule_reader: RuleReader
    lines: dict[str, int] = field(default_factory=dict)
    state: Literal["MASTER", "BACKUP"] | None = None
    interface: str | None = None
    interface_missing: bool = False
    version: Literal[2, 3] | None = None
    family: Literal[4, 6] | None = None
    addresses: list[VirtualAddress] = field(default_factory=list)
    excluded_addresses: list[VirtualAddress] = field(default_factory=list)
    auth_type: Literal["PASS", "AH"] | None = None
    password: bytes = b""
    preempt: bool = True
    unicast_source: Address | None = None
    multicast_source: Address | None = None
    multicast_group: Address | None = None
    unicast_peers: list[Address] = field(default_factory=list)
    unicast_peer_ttl: dict[Address, tuple[int, int]] = field(default_factory=dict)
    accept: bool | None = None
    values: dict[str, Value] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)
    vmac: Vmac | None = None
    ipvlan: Ipvlan | None = None
    vrf: str | None = None
    routes: list[Route] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    options: list[Option] = field(default_factory=list)

    def line_of(self, *keywords: str) -> int:
        """The line of the first of these keywords that was given; else where the instance begins."""
        return next((self.lines[keyword] for keyword in keywords if keyword in self.lines), self.line)

    @property
    def uses_vmac(self) -> bool:
        """Whether it has an interface of its own, of either kind."""
        return self.vmac is not None or self.ipvlan is not None

    def number(self, keyword: str, otherwise: int) -> int:
        """The number that a keyword was given."""
        return int(self.values.get(keyword, otherwise))

    def surely(self, keyword: str) -> bool:
        """Whether a keyword was given a number other than 0, and keepalived did not complain of it."""
        return bool(self.values.get(keyword)) and keyword not in self.doubtful

    @property
    def vrid(self) -> int | None:
        """The virtual router's number."""
        return self.number("virtual_router_id", 0) or None

    @property
    def priority(self) -> int | None:
        """The priority."""
        return self.number("priority", 0) or None

    @property
    def interval_us(self) -> int:
        """Between two advertisements."""
        return self.number("advert_int", 1_000_000)

    @property
    def preempt_delay_ns(self) -> int:
        """Before a better backup takes over."""
        return self.number("preempt_delay", 0) * MICROSECOND_NS

    def complain(self, line: int, message: str, instead: str, voice: Voice = Voice.LINE) -> None:
        """A warning that names the instance as keepalived does."""
        self.report.warning(line, f"({self.name}) {message}", instead, voice)

    def settle(self, line: int, message: str, instead: str) -> None:
        """A complaint found when the whole file is read: keepalived then names no line any more."""
        self.complain(line, message, instead, Voice.PLAIN)

    def same_family(self, found: Address) -> bool:
        """Whether the address is of the instance's family, which the first address of any kind decides."""
        if self.family is None:
            self.family = 4 if found.version == 4 else 6
        return found.version == self.family
