"""What the lines of a virtual_server mean together, as keepalived 2.2.7 settles it after the whole file (measured)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from vrrp.config.diagnostics import Voice
from vrrp.config.lvs.endpoints import ServiceAddress, service_label
from vrrp.config.lvs.model import (
    Forwarding,
    GroupAddresses,
    RealServer,
    SorryServer,
    VirtualServer,
    VirtualServerGroup,
)
from vrrp.config.lvs.real_server import RealServerDraft
from vrrp.config.lvs.virtual_server import DEFAULT_PERSISTENCE_S, VirtualServerDraft
from vrrp.config.values import SECOND_NS, UNSIGNED_MAX

_DEFAULT_SCHEDULER = "wlc"
_DEFAULT_CONNECT_NS = 5 * SECOND_NS
_LEFT_OUT = "keepalived leaves the virtual server out, and says nothing"


def complete_virtual_server(
    draft: VirtualServerDraft, groups: Mapping[str, VirtualServerGroup]
) -> VirtualServer | None:
    """The virtual server as keepalived runs it, or None when it has no real servers, which is reported.

    Args:
        draft: the lines of the block.
        groups: the file's virtual_server_groups.
    """
    name = draft.address.group
    if name is not None and name not in groups:
        told = f"virtual_server_group {name} does not exist"
        draft.report.warning(
            draft.line, told, "keepalived leaves the virtual server out, and says nothing", Voice.OURS
        )
        return None
    entries = groups[name].entries if name is not None else ()
    if draft.family is not None and any(_family(entry) not in {None, draft.family} for entry in entries):
        told = f"virtual_server_group {name} has addresses of another family than the real servers"
        draft.report.warning(
            draft.line, told, "keepalived leaves the virtual server out, and says nothing", Voice.OURS
        )
        return None
    if not draft.real_servers:
        told = f"Virtual server {draft.label()} has no real servers - ignoring"
        draft.report.error(draft.line, told, "keepalived leaves it out", Voice.PLAIN)
        return None
    return _Completion(draft, entries).settle()


def _family(entry: GroupAddresses) -> int | None:
    return entry.family if entry.first is None else entry.first.version


def derived_family(address: ServiceAddress, servers: Sequence[RealServer], sorry: SorryServer | None) -> Literal[4, 6]:
    """The family of a virtual server where it says none: its own address's, or of the first server without tunnel.

    Where all are tunnelled, theirs when they have one in common, else IPv4.
    """
    if address.address is not None:
        return 4 if address.address.version == 4 else 6
    both: list[RealServer | SorryServer] = [*servers, *([sorry] if sorry is not None else [])]
    untunnelled = [one for one in both if one.forwarding.method != "TUN"]
    found = {one.address.address.version for one in untunnelled[:1] or both if one.address.address is not None}
    return 6 if found == {6} else 4


class _Completion:
    def __init__(self, draft: VirtualServerDraft, entries: tuple[GroupAddresses, ...]) -> None:
        self._draft = draft
        self._own = draft.own
        self._entries = entries
        self._forwarding = draft.forwarding or Forwarding("NAT")

    def settle(self) -> VirtualServer:
        draft, own = self._draft, self._own
        self._protocol()
        self._persistence()
        if draft.scheduler is None:
            told = f"Virtual server {self._label}: no scheduler set, setting default '{_DEFAULT_SCHEDULER}'"
            self._warn(told, _DEFAULT_SCHEDULER)
        servers = self._without_duplicates()
        if draft.forwarding is None and self._lacks_forwarding(servers):
            self._warn(f"Virtual server {self._label}: no forwarding method set, setting default NAT", "NAT")
        sorry = self._sorry(servers)
        quorum, hysteresis = self._quorum(servers)
        self._ports(servers, sorry)
        dropped = {"weight", "inhibit", "quorum", "hysteresis", "protocol"}
        return VirtualServer(
            **{name: value for name, value in own.items() if name not in dropped},
            address=draft.address,
            family=draft.family or derived_family(draft.address, servers, sorry),
            protocol=own.get("protocol"),
            scheduler=draft.scheduler or _DEFAULT_SCHEDULER,
            scheduler_flags=frozenset(draft.flags),
            quorum=quorum,
            hysteresis=hysteresis,
            sorry_server=sorry,
            real_servers=servers,
            line=draft.line,
        )

    @property
    def _label(self) -> str:
        return service_label(self._draft.address, self._own.get("protocol"))

    def _real_label(self, server: RealServer) -> str:
        return service_label(server.address, self._own.get("protocol"))

    def _warn(self, message: str, used: str) -> None:
        self._draft.report.warning(self._draft.line, message, f"keepalived uses {used}", Voice.PLAIN)

    @property
    def _marks(self) -> bool:
        """Whether packets are taken by firewall mark."""
        return bool(self._draft.address.fwmark) or any(entry.fwmark is not None for entry in self._entries)

    @property
    def _addresses(self) -> tuple[GroupAddresses, ...]:
        return tuple(entry for entry in self._entries if entry.fwmark is None)

    @property
    def _only_marks(self) -> bool:
        return self._marks and not self._addresses

    def _protocol(self) -> None:
        own, named = self._own, f"Virtual server {self._label}"
        if own.get("ha_suspend") and self._marks:
            self._warn(f"{named}: cannot use ha_suspend with fwmarks - clearing ha_suspend", "no ha_suspend")
            del own["ha_suspend"]
        if self._only_marks:
            if own.pop("protocol", None) is not None:
                self._warn(f"Warning: {named}: protocol specified for fwmark - protocol will be ignored", "any")
        elif "protocol" not in own:
            self._warn(f"{named}: no protocol set - defaulting to UDP", "UDP")
            own["protocol"] = "UDP"
        elif own.get("one_packet") and own["protocol"] != "UDP":
            self._warn(f"{named}: one packet scheduling requires UDP - resetting", "no ops")
            del own["one_packet"]

    def _persistence(self) -> None:
        address = self._draft.address
        portless = (
            any(not entry.port for entry in self._addresses)
            if address.group is not None
            else not address.fwmark and not address.port
        )
        if portless and "persistence_ns" not in self._own:
            self._warn(
                f"Virtual server {self._label}: zero port only valid for persistent services - setting",
                f"{DEFAULT_PERSISTENCE_S} s",
            )
            self._own["persistence_ns"] = DEFAULT_PERSISTENCE_S * SECOND_NS

    def _without_duplicates(self) -> tuple[RealServer, ...]:
        kept: dict[ServiceAddress, RealServer] = {}
        for draft in self._draft.real_servers:
            server = self._server(draft)
            if server.address not in kept:
                kept[server.address] = server
                continue
            told = f"VS {self._label}: real server {self._real_label(server)} is duplicated - removing second rs"
            self._draft.report.error(server.line, told, "keepalived uses the first", Voice.PLAIN)
        return tuple(kept.values())

    def _lacks_forwarding(self, servers: tuple[RealServer, ...]) -> bool:
        """Whether a server that is kept, or the sorry server, has no method of its own."""
        kept = {server.line for server in servers}
        sorry = self._draft.sorry
        return (sorry is not None and sorry.forwarding is None) or any(
            one.forwarding is None for one in self._draft.real_servers if one.line in kept
        )

    def _server(self, draft: RealServerDraft) -> RealServer:
        shared = self._draft
        timing = {**shared.timing, **draft.timing}
        timeout_ns = {**shared.connection, **draft.connection}.get("timeout_ns", _DEFAULT_CONNECT_NS)
        inherited = {name: self._own[name] for name in ("weight", "inhibit") if name in self._own}
        return RealServer(
            **(inherited | draft.own),
            address=draft.address,
            forwarding=draft.forwarding or self._forwarding,
            checkers=tuple(checker.settle(timing, timeout_ns) for checker in draft.checkers),
            line=draft.line,
        )

    def _sorry(self, servers: tuple[RealServer, ...]) -> SorryServer | None:
        draft = self._draft.sorry
        if draft is None:
            return None
        inhibit = draft.inhibit
        for server in servers:
            if server.address == draft.address and server.inhibit != inhibit:
                inhibit = server.inhibit
                doing = "setting" if inhibit else "clearing"
                self._warn(
                    f"Virtual server {self._label}: real server {self._real_label(server)} matches sorry server,"
                    f" but inhibit setting differs, {doing} on sorry server",
                    "the real server's setting",
                )
        forwarding = draft.forwarding or self._forwarding
        return SorryServer(address=draft.address, forwarding=forwarding, inhibit=inhibit, line=draft.line)

    def _quorum(self, servers: tuple[RealServer, ...]) -> tuple[int, int]:
        quorum, hysteresis = self._own.get("quorum", 1), self._own.get("hysteresis", 0)
        weight = sum(server.weight for server in servers)
        if quorum > weight:
            self._warn(
                f"Warning - quorum {quorum} for {self._label} exceeds total weight of real servers {weight},"
                f" reducing quorum to {weight}",
                str(weight),
            )
            quorum = weight
        if hysteresis >= quorum:
            # Of a quorum of 0 it takes 1 away all the same.
            used = (quorum - 1) & UNSIGNED_MAX
            self._warn(
                f"Virtual server {self._label}: hysteresis {hysteresis} >= quorum {quorum};"
                f" setting hysteresis to {used}",
                str(used),
            )
            hysteresis = used
        return quorum, hysteresis

    def _ports(self, servers: tuple[RealServer, ...], sorry: SorryServer | None) -> None:
        """Only NAT changes ports: otherwise keepalived uses the virtual server's."""
        if self._draft.address.group is not None:
            self._group_ports(servers, sorry)
            return
        marked = bool(self._draft.address.fwmark)
        port = 0 if marked else self._draft.address.port
        for server in servers:
            if not self._keeps_port(server, port):
                label = self._real_label(server)
                self._warn(
                    f"WARNING - fwmark virtual server {self._label}, real server {label} has port specified - clearing"
                    if marked
                    else f"WARNING - virtual server {self._label} and real server {label} ports don't match"
                    " - resetting",
                    f"port {port}",
                )
        if sorry is not None and not self._keeps_port(sorry, port):
            self._warn(
                f"WARNING - virtual server {self._label}, sorry server has port specified - clearing"
                if marked
                else f"WARNING - virtual server {self._label} and sorry server ports don't match - resetting",
                f"port {port}",
            )

    def _keeps_port(self, server: RealServer | SorryServer, port: int) -> bool:
        return server.forwarding.method == "NAT" or server.address.port in {0, port}

    def _group_ports(self, servers: tuple[RealServer, ...], sorry: SorryServer | None) -> None:
        kind = "fwmark virtual server" if self._marks else "virtual server"
        ignored = "has port specified - port will be ignored"
        fixed = [one for one in servers if not self._keeps_port(one, 0)]
        if self._marks:
            for server in fixed:
                told = f"WARNING - {kind} {self._label}, real server {self._real_label(server)} {ignored}"
                self._warn(told, "the packet's own port")
        for entry in self._addresses:
            span = str(entry.first) if entry.first == entry.last else f"{entry.first}-{entry.last}"
            for server in fixed:
                if server.address.port != entry.port:
                    self._warn(
                        f"virtual server {self._label}:[{span},{entry.port}] and real server"
                        f" {self._real_label(server)} ports don't match",
                        "the packet's own port",
                    )
        if self._entries and sorry is not None and not self._keeps_port(sorry, 0):
            self._warn(f"WARNING - {kind} {self._label}, sorry server {ignored}", "the packet's own port")
