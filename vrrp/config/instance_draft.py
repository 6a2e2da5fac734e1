"""A vrrp_instance block as far as its lines say, before they are settled against each other and global_defs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from vrrp.config.diagnostics import Report, Voice
from vrrp.config.host import Interfaces
from vrrp.config.model import (
    Address,
    Option,
    TrackedInterface,
    TrackedScript,
    VirtualAddress,
    VrrpScript,
)


@dataclass(slots=True)
class InstanceDraft:
    """A vrrp_instance as far as its lines say; None and a missing key mean that they do not.

    `lines` has the line of each keyword that was given, for what is found out later.
    """

    name: str
    line: int
    report: Report
    scripts: Mapping[str, VrrpScript]
    interfaces: Interfaces
    lines: dict[str, int] = field(default_factory=dict)
    state: Literal["MASTER", "BACKUP"] | None = None
    interface: str | None = None
    vrid: int | None = None
    priority: int | None = None
    interval_us: int = 1_000_000
    version: Literal[2, 3] | None = None
    family: Literal[4, 6] | None = None
    addresses: list[VirtualAddress] = field(default_factory=list)
    excluded_addresses: list[VirtualAddress] = field(default_factory=list)
    auth_type: Literal["PASS", "AH"] | None = None
    password: bytes = b""
    preempt: bool = True
    preempt_delay_ns: int = 0
    track_scripts: dict[str, TrackedScript] = field(default_factory=dict)
    track_interfaces: dict[str, TrackedInterface] = field(default_factory=dict)
    unicast_source: Address | None = None
    multicast_source: Address | None = None
    multicast_group: Address | None = None
    unicast_peers: list[Address] = field(default_factory=list)
    unicast_peer_ttl: dict[Address, tuple[int, int]] = field(default_factory=dict)
    accept: bool | None = None
    counters: dict[str, int] = field(default_factory=dict)
    switches: dict[str, bool] = field(default_factory=dict)
    notify: dict[str, str] = field(default_factory=dict)
    options: list[Option] = field(default_factory=list)

    def line_of(self, *keywords: str) -> int:
        """The line of the first of these keywords that was given; else where the instance begins."""
        return next((self.lines[keyword] for keyword in keywords if keyword in self.lines), self.line)

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
