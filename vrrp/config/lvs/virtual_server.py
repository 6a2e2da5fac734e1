"""Reading a virtual_server block, line by line; what the lines mean together is settled afterwards (measured)."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Any, Literal

from vrrp.config.diagnostics import Report
from vrrp.config.fields import IGNORES, Field, choice, integer, presence, set_field, switch, word
from vrrp.config.lvs.checkers import Preceding, Surroundings
from vrrp.config.lvs.endpoints import ServiceAddress, real_address, service_label, sorry_address, virtual_address
from vrrp.config.lvs.forwarding import forwarding
from vrrp.config.lvs.model import Forwarding
from vrrp.config.lvs.real_server import (
    HIGHEST_WEIGHT,
    RealServerDraft,
    connect_timeout,
    one_word,
    read_real_server,
    take_command,
    timing_fields,
)
from vrrp.config.settings import argument
from vrrp.config.tree import Block, Statement
from vrrp.config.values import SECOND_NS, UNSIGNED_MAX, octets, whole

SCHEDULERS = ("rr", "wrr", "lc", "wlc", "lblc", "sh", "mh", "dh", "fo", "ovf", "lblcr", "sed", "nq", "twos")
DEFAULT_PERSISTENCE_S = 360
_LONGEST_PERSISTENCE_S = 31 * 24 * 3600
_LONGEST_ENGINE = 15
_OF_SCHEDULER = {"sh": frozenset({"sh-fallback", "sh-port"}), "mh": frozenset({"mh-fallback", "mh-port"})}


@dataclass(slots=True)
class SorryServerDraft:
    """A sorry_server; `forwarding` None: what its virtual_server has in the end."""

    address: ServiceAddress
    line: int
    forwarding: Forwarding | None
    inhibit: bool = False


@dataclass(slots=True)
class VirtualServerDraft:
    """A virtual_server as far as its lines say. `weight` is for the real servers that have none.

    `timing` and `connection` are what its lines set for all its checkers.
    """

    address: ServiceAddress
    line: int
    file: Preceding
    family: Literal[4, 6] | None = None
    forwarding: Forwarding | None = None
    scheduler: str | None = None
    flags: set[str] = field(default_factory=set)
    sorry: SorryServerDraft | None = None
    real_servers: list[RealServerDraft] = field(default_factory=list)
    own: dict[str, Any] = field(default_factory=dict)
    timing: dict[str, Any] = field(default_factory=dict)
    connection: dict[str, Any] = field(default_factory=dict)

    def label(self) -> str:
        """What keepalived calls it, before the protocol is settled."""
        return service_label(self.address, self.own.get("protocol"))

    @property
    def report(self) -> Report:
        """What takes the diagnostics."""
        return self.file.report


def read_virtual_server(block: Block, file: Preceding) -> VirtualServerDraft:
    """Take a virtual_server block in, whose address the tree's reader has found good.

    Args:
        block: the block.
        file: what stands before it.
    """
    address = virtual_address(block.words).address
    assert address is not None  # otherwise the block would have been skipped
    report = file.report
    draft = VirtualServerDraft(address, block.line, file)
    if address.address is not None:
        draft.family = 4 if address.address.version == 4 else 6
    for entry in block.body:
        if isinstance(entry, Block):
            _real_server(draft, entry, file)
        elif entry.keyword in _STATEMENTS:
            _STATEMENTS[entry.keyword](draft, entry)
        elif not (
            set_field(entry, _OWN, draft.own, report)
            or set_field(entry, _TIMING, draft.timing, report)
            or set_field(entry, _CONNECTION, draft.connection, report)
        ):
            _flag(draft, entry)
    _end(draft, block)
    return draft


def _real_server(draft: VirtualServerDraft, block: Block, file: Preceding) -> None:
    address = real_address(block.words).address
    assert address is not None  # otherwise the block would have been skipped
    assert address.address is not None
    label = service_label(address, draft.own.get("protocol"))
    real = RealServerDraft(address, block.line, draft.forwarding)
    read_real_server(real, block, Surroundings(address.address, label, file), draft.address.group)
    if _same_family(draft, real):
        draft.real_servers.append(real)
    else:
        draft.report.error(
            block.end,
            f"Address family of virtual server and real server {address.address} don't match - skipping real server.",
            "keepalived goes on without it",
        )


def _same_family(draft: VirtualServerDraft, server: RealServerDraft | SorryServerDraft) -> bool:
    """Whether the server's address fits; only through a tunnel it may be of the other family.

    Groups have addresses of both; a firewall mark takes the family of its first server.
    """
    assert server.address.address is not None
    if server.forwarding is not None and server.forwarding.method == "TUN":
        return True
    version: Literal[4, 6] = 4 if server.address.address.version == 4 else 6
    draft.family = draft.family or version
    return draft.family == version


def _end(draft: VirtualServerDraft, block: Block) -> None:
    if draft.sorry is not None and not _same_family(draft, draft.sorry):
        draft.report.error(
            block.end,
            f"Address family of virtual server and sorry server {draft.sorry.address.address} don't match"
            " - skipping sorry server.",
            "keepalived goes on without it",
        )
        draft.sorry = None


def _ip_family(draft: VirtualServerDraft, entry: Statement) -> None:
    text = argument(entry, draft.report)
    if text is None:
        return
    family: Literal[4, 6] | None = 4 if text == "inet" else 6 if text == "inet6" else None
    if family is None:
        draft.report.warning(entry.line, f"unknown address family {text}", IGNORES)
    elif draft.family not in {None, family}:
        told = f"Virtual server specified family {text} conflicts with server family"
        draft.report.warning(entry.line, told, IGNORES)
    else:
        draft.family = family


def _scheduler(draft: VirtualServerDraft, entry: Statement) -> None:
    text = argument(entry, draft.report)
    if text is None:
        return
    if text in SCHEDULERS:
        draft.scheduler = text
    else:
        draft.report.warning(entry.line, f"Invalid lvs_scheduler '{text}' - ignoring", IGNORES)


def _flag(draft: VirtualServerDraft, entry: Statement) -> None:
    keyword = entry.keyword
    if keyword in {"flag-1", "flag-2", "flag-3"}:
        draft.flags.add(keyword)
    elif draft.scheduler not in _OF_SCHEDULER:
        draft.report.warning(
            entry.line,
            f"{keyword} only applies to sh scheduler - ignoring",
            f"{IGNORES}; the lvs_sched that it is for must stand before it",
        )
    elif keyword in _OF_SCHEDULER[draft.scheduler]:
        draft.flags.add(keyword)


def _forwarding(draft: VirtualServerDraft, entry: Statement) -> None:
    draft.forwarding = forwarding(entry, "virtual", draft.report) or draft.forwarding


def _persistence(draft: VirtualServerDraft, entry: Statement) -> None:
    if not entry.arguments:
        draft.own["persistence_ns"] = DEFAULT_PERSISTENCE_S * SECOND_NS
        return
    number = whole(entry.arguments[0], 1, _LONGEST_PERSISTENCE_S)
    if number.complaint:
        draft.report.warning(entry.line, f"{number.complaint}: persistence_timeout invalid", IGNORES)
    else:
        draft.own["persistence_ns"] = number.read * SECOND_NS


def _granularity(draft: VirtualServerDraft, entry: Statement) -> None:
    text = argument(entry, draft.report)
    if text is None:
        return
    family = draft.family or (4 if "." in text else 6)
    told = f"Invalid IPv{family} persistence_granularity specified - {text}"
    if family == 6:
        number = whole(text, 1, 128)
        if number.complaint:
            draft.report.warning(entry.line, f"{number.complaint}: {told}", IGNORES)
            return
        draft.own["persistence_granularity"] = number.value
    else:
        try:
            draft.own["persistence_granularity"] = IPv4Address(socket.inet_aton(text))
        except (OSError, UnicodeError):
            draft.report.warning(entry.line, told, IGNORES)
            return
    draft.family = 4 if family == 4 else 6
    draft.own.setdefault("persistence_ns", DEFAULT_PERSISTENCE_S * SECOND_NS)


def _engine(draft: VirtualServerDraft, entry: Statement) -> None:
    text = argument(entry, draft.report)
    if text is None:
        return
    raw = octets(text)[:_LONGEST_ENGINE]
    draft.own["persistence_engine"] = raw.decode("utf-8", "replace")
    if len(raw) < len(octets(text)):
        told = f"persistence_name too long, truncating - {text}"
        draft.report.warning(entry.line, told, f"keepalived uses '{draft.own['persistence_engine']}'")


def _sorry_server(draft: VirtualServerDraft, entry: Statement) -> None:
    if argument(entry, draft.report) is None:
        return
    found = sorry_address(entry.words)
    if found.address is None:
        draft.report.error(entry.line, ": ".join(found.complaints), IGNORES)
    else:
        draft.sorry = SorryServerDraft(found.address, entry.line, draft.forwarding)


def _sorry_inhibit(draft: VirtualServerDraft, entry: Statement) -> None:
    if draft.sorry is not None:
        draft.sorry.inhibit = True
    else:
        told = "Ignoring sorry_server inhibit used before or without sorry_server"
        draft.report.warning(entry.line, told, IGNORES)


def _sorry_forwarding(draft: VirtualServerDraft, entry: Statement) -> None:
    if draft.sorry is None:
        draft.report.warning(entry.line, "sorry_server forwarding used without sorry_server", IGNORES)
    else:
        draft.sorry.forwarding = forwarding(entry, "sorry", draft.report) or draft.sorry.forwarding


def _command(draft: VirtualServerDraft, entry: Statement) -> None:
    take_command(entry, draft.own, draft.address.group, draft.line, draft.file)


def _alpha(draft: VirtualServerDraft, entry: Statement) -> None:
    draft.own["alpha"] = draft.timing["alpha"] = presence(entry, draft.report)


_STATEMENTS: Mapping[str, Callable[[VirtualServerDraft, Statement], None]] = {
    "alpha": _alpha,
    "ip_family": _ip_family,
    "lb_algo": _scheduler,
    "lb_kind": _forwarding,
    "lvs_method": _forwarding,
    "lvs_sched": _scheduler,
    "persistence_engine": _engine,
    "persistence_granularity": _granularity,
    "persistence_timeout": _persistence,
    "quorum_down": _command,
    "quorum_up": _command,
    "sorry_server": _sorry_server,
    "sorry_server_inhibit": _sorry_inhibit,
    "sorry_server_lvs_method": _sorry_forwarding,
}
_TIMING = timing_fields("virtual server", "delay loop", "delay before retry")
_CONNECTION = connect_timeout("virtual server")
_OWN: Mapping[str, Field] = {
    "ha_suspend": Field("ha_suspend", presence),
    "hysteresis": Field(
        "hysteresis", integer(0, UNSIGNED_MAX, f"Hysteresis {{value}} must be in [0, {UNSIGNED_MAX}] - ignoring")
    ),
    "inhibit_on_failure": Field("inhibit", presence),
    "omega": Field("omega", presence),
    "ops": Field("one_packet", presence),
    "protocol": Field("protocol", choice(("TCP", "UDP", "SCTP"), "Unknown protocol {value} - ignoring", fold=True)),
    "quorum": Field(
        "quorum",
        integer(1, UNSIGNED_MAX, f"Quorum {{value}} must be in [1, {UNSIGNED_MAX}]. Setting to 1.", bad=1),
    ),
    "smtp_alert": Field("smtp_alert", switch("Invalid virtual_server smtp_alert parameter {value}")),
    "snmp_name": Field("snmp_name", one_word("virtual server snmp_name missing or extra parameters")),
    "virtualhost": Field("virtual_host", word("virtual server virtualhost missing")),
    "weight": Field(
        "weight",
        integer(1, HIGHEST_WEIGHT, f"Virtual server weight {{value}} is outside range 1-{HIGHEST_WEIGHT}"),
    ),
}
