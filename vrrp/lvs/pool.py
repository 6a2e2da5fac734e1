"""The pool of a virtual server, sans IO: which real servers connections go to, and what is told of it.

keepalived's rules (2.2.7, measured with a kernel that takes all IPVS commands): a real server is in the pool while all
its checkers are up, and while the quorum is lost none is, if there is a sorry server to take their place; with
`inhibit_on_failure` it stays there with weight 0. The quorum is lost below `quorum` - `hysteresis` and gained, at the
start as well, from `quorum` + `hysteresis` on. What a checker with `alpha` finds first is told, even when it changes
nothing. The lines of the log and their order are keepalived's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vrrp.config.lvs.endpoints import service_label
from vrrp.config.lvs.model import RealServer, VirtualServer
from vrrp.config.script_security import ROOT
from vrrp.config.values import UNSIGNED_MAX
from vrrp.lvs.effects import (
    AddDestination,
    AddService,
    EditDestination,
    EditService,
    Effect,
    Effects,
    QuorumChanged,
    RemoveDestination,
    RemoveService,
    Said,
    ServerChanged,
)
from vrrp.lvs.member import Member
from vrrp.lvs.service import Service

_SORRY_WEIGHT = 1


class Pool:
    """One virtual server. Every input gives the effects of it.

    Args:
        server: its configuration.
        services: what it is to IPVS.
        tells_new: whether it is told of new real servers that are up (rs_init_notifies).

    Attributes:
        label: what keepalived calls it.
        members: its real servers, by what tells them from each other.
        has_quorum: whether the real servers that are up weigh enough.
        since_ns: since when that is so.
    """

    def __init__(self, server: VirtualServer, services: tuple[Service, ...], tells_new: bool = False) -> None:
        self.server = server
        self.services = services
        self.label = service_label(server.address, server.protocol)
        self.members: dict[str, Member] = {}
        self.has_quorum = False
        self.since_ns = 0
        self._sorry = _sorry_of(server)
        self._started = False
        self.tells_new = tells_new

    @property
    def keys(self) -> Iterable[str]:
        """What tells its real servers from each other: what keepalived would call them with the file's ports."""
        return (_key(self.server, one) for one in self.server.real_servers)

    @property
    def weight(self) -> int:
        """What the real servers that are up weigh together."""
        return sum(member.weight for member in self.members.values() if member.alive)

    @property
    def sorry(self) -> tuple[str, bool] | None:
        """What keepalived calls the sorry server, and whether connections go to it; None: there is none."""
        return None if self._sorry is None else (self._sorry.label, bool(self._sorry.held))

    # Inputs ---------------------------------------------------------------------------------------------

    def start(self, now_ns: int) -> Effects:
        """Begin: those whose checkers have no `alpha` are up until one says otherwise."""
        self.since_ns = now_ns
        self.members = {_key(self.server, one): Member(now_ns, self.server, one) for one in self.server.real_servers}
        return tuple(self._start(now_ns))

    def _start(self, now_ns: int) -> Iterator[Effect]:
        yield from map(AddService, self.services)
        for member in self.members.values():
            yield from self._come(member)
        self._started = True
        yield from self._begin(now_ns)

    def stop(self, now_ns: int) -> Effects:
        """End: IPVS has none of it any more; with `omega` it is told to those who are told of failures."""
        return tuple(self._stop(now_ns))

    def _stop(self, now_ns: int) -> Iterator[Effect]:
        if self._sorry is not None:
            yield from self._put(self._sorry, None)
        for member in self.members.values():
            told = self.server.omega and member.alive and member.held is not None
            inhibited = "(inhibited) " if member.held is not None and not member.alive else ""
            yield Said(f"Shutting down {inhibited}service {member.label} from VS {self.label}")
            yield from self._put(member, None)
            if told:
                yield self._server_changed(member, False)
        if self.server.omega:
            yield self._quorum_changed(now_ns, False)
        yield from map(RemoveService, self.services)

    def remove(self, now_ns: int) -> Effects:
        """End because the configuration has it no more, which all are told of who are told of failures."""
        return tuple(self._remove(now_ns))

    def _remove(self, now_ns: int) -> Iterator[Effect]:
        yield Said(f"Removing Virtual Server {self.label}")
        if self._sorry is not None:
            yield from self._put(self._sorry, None)
        for member in self.members.values():
            yield from self._leave(member)
        if self.has_quorum:
            yield self._quorum_changed(now_ns, False)
        yield from map(RemoveService, self.services)

    def report(self, now_ns: int, key: str, index: int, up: bool, weight: int | None) -> Effects:
        """A checker's verdict.

        Args:
            now_ns: the time.
            key: the real server, as in `members`.
            index: which of its checkers.
            up: whether it is up.
            weight: what the real server is to weigh, where it asks for that.
        """
        return tuple(self._report(now_ns, self.members[key], index, up, weight))

    def _report(self, now_ns: int, member: Member, index: int, up: bool, weight: int | None) -> Iterator[Effect]:
        alive, before = member.alive, member.weight
        first = member.judge(index, up, weight)
        if up and member.weight != before:
            yield self._weighed(member, before, alive)
            if alive:
                yield from self._put(member, self._share(member))
        if member.alive is not alive:
            member.since_ns = now_ns
            yield from self._rise(member) if member.alive else self._fall(member)
        elif first and member.alive is up:
            yield self._server_changed(member, up)
        yield from self._count(now_ns)

    def reload(self, now_ns: int, wanted: Pool) -> Effects:
        """Become as a pool of the same virtual server that was not started; only what is another in it changes."""
        return tuple(self._reload(now_ns, wanted.server, wanted))

    def _reload(self, now_ns: int, server: VirtualServer, new: Pool) -> Iterator[Effect]:
        wanted = {_key(server, one): one for one in server.real_servers}
        self.server, self.tells_new = server, new.tells_new
        yield from self._change_services(new.services)
        for key in [key for key in self.members if key not in wanted]:
            member = self.members.pop(key)
            yield Said(f"service {member.label} no longer exist")
            yield from self._leave(member)
        yield from self._change_sorry()
        members = {}
        for key, one in wanted.items():
            known = self.members.get(key)
            members[key] = known or Member(now_ns, server, one)
            if known is not None:
                yield from self._change(now_ns, known, one)
        before, self.members = self.members, members
        for key, member in members.items():
            yield from self._put(member, self._share(member)) if key in before else self._come(member)
        yield from self._begin(now_ns)

    # Parts of a reload ----------------------------------------------------------------------------------

    def _change_services(self, services: tuple[Service, ...]) -> Iterator[Effect]:
        """The services of a group may be others; those that stay may balance otherwise."""
        before = {one.key: one for one in self.services}
        after = {one.key: one for one in services}
        held = [*self.members.values(), *([self._sorry] if self._sorry is not None else [])]
        held = [one for one in held if one.held is not None]
        for key, service in before.items():
            if key not in after:
                yield from (RemoveDestination(service, one.destination(service, one.weight)) for one in held)
                yield RemoveService(service)
            elif after[key] != service:
                yield EditService(after[key])
        added = [service for key, service in after.items() if key not in before]
        yield from map(AddService, added)
        for one in held:
            assert one.held is not None  # those alone are looked at
            yield from [AddDestination(service, one.destination(service, one.held)) for service in added]
        self.services = services

    def _change(self, now_ns: int, member: Member, server: RealServer) -> Iterator[Effect]:
        alive, before, known = member.alive, member.weight, member.server
        member.change(self.server, server)
        if member.weight != before:
            yield self._weighed(member, before, alive)
        if member.held is not None and member.held == self._share(member) and _shape(known) != _shape(member.server):
            yield from self._edit(member, member.held)
        if member.alive is not alive:
            member.since_ns = now_ns
            yield from self._rise(member)

    def _change_sorry(self) -> Iterator[Effect]:
        sorry = _sorry_of(self.server)
        known = self._sorry
        if known is not None and sorry is not None and _shape(known.server) == _shape(sorry.server):
            known.change(self.server, sorry.server)
            return
        if known is not None and known.held is not None:
            yield Said(f"Removing sorry server {known.label} from VS {self.label}")
            yield from self._put(known, None)
        self._sorry = sorry

    # What connections go to -----------------------------------------------------------------------------

    def _share(self, member: Member) -> int | None:
        """The weight that IPVS is to have of a real server; None: it is not to have it."""
        serves = self.has_quorum or self._sorry is None or not self._started
        if member.alive and serves:
            return member.weight
        return 0 if member.server.inhibit else None

    def _put(self, member: Member, wanted: int | None) -> Iterator[Effect]:
        """See that IPVS has a server with this weight, or has it not."""
        held, member.held = member.held, wanted
        if wanted == held:
            return
        if wanted is None:
            for service in self.services:
                yield RemoveDestination(service, member.destination(service, member.weight))
        elif held is None:
            for service in self.services:
                yield AddDestination(service, member.destination(service, wanted))
        else:
            yield from self._edit(member, wanted)

    def _edit(self, member: Member, weight: int) -> Iterator[Effect]:
        for service in self.services:
            yield EditDestination(service, member.destination(service, weight))

    def _come(self, member: Member) -> Iterator[Effect]:
        """A real server that is new."""
        yield from self._put(member, self._share(member))
        if self.tells_new and member.alive:
            yield self._server_changed(member, True)

    def _rise(self, member: Member) -> Iterator[Effect]:
        where = f"Enabling service {member.label} of" if member.server.inhibit else f"Adding service {member.label} to"
        yield Said(f"{where} VS {self.label}")
        yield from self._put(member, self._share(member))
        yield self._server_changed(member, True)

    def _fall(self, member: Member) -> Iterator[Effect]:
        inhibit = member.server.inhibit
        where = f"Disabling service {member.label} of" if inhibit else f"Removing service {member.label} from"
        yield Said(f"{where} VS {self.label}")
        yield from self._put(member, self._share(member))
        yield self._server_changed(member, False)

    def _leave(self, member: Member) -> Iterator[Effect]:
        """A real server that the configuration has no more."""
        if member.alive:
            yield Said(f"Removing service {member.label} from VS {self.label}")
        yield from self._put(member, None)
        if member.alive:
            yield self._server_changed(member, False)

    # The quorum -----------------------------------------------------------------------------------------

    @property
    def _least(self) -> int:
        """With less than this the quorum is lost."""
        return self.server.quorum - self.server.hysteresis & UNSIGNED_MAX

    @property
    def _enough(self) -> int:
        """With this it is gained."""
        return self.server.quorum + self.server.hysteresis & UNSIGNED_MAX

    def _begin(self, now_ns: int) -> Iterator[Effect]:
        """The quorum at the start and after a reload, and the sorry server as it is to be with it."""
        quorum, hysteresis, sorry = self.server.quorum, self.server.hysteresis, self._sorry
        if self.weight >= self._enough or (self.has_quorum and self.weight >= self._least):
            if not self.has_quorum:
                yield from self._gain(now_ns)
        elif sorry is not None and not (sorry.held and not self.has_quorum):
            compared = f"{quorum}-{hysteresis}={self._enough} > {self.weight}"
            yield from self._lose(now_ns, f"Starting with quorum down {compared} for VS {self.label}")
        else:
            yield from self._count(now_ns)
        if sorry is not None:
            yield from self._put(sorry, self._share_of_sorry(sorry))

    def _count(self, now_ns: int) -> Iterator[Effect]:
        """The quorum, now that the weights may be others."""
        quorum, hysteresis, weight = self.server.quorum, self.server.hysteresis, self.weight
        if self.has_quorum and weight < self._least:
            compared = f"{quorum}-{hysteresis}={self._least} > {weight}"
            yield from self._lose(now_ns, f"Lost quorum {compared} for VS {self.label}")
        elif not self.has_quorum and weight >= self._enough:
            yield from self._gain(now_ns)

    def _gain(self, now_ns: int) -> Iterator[Effect]:
        compared = f"{self.server.quorum}+{self.server.hysteresis}={self._enough} <= {self.weight}"
        yield Said(f"Gained quorum {compared} for VS {self.label}")
        self.has_quorum = True
        sorry = self._sorry
        if sorry is not None and sorry.held:
            verb = "Disabling" if sorry.server.inhibit else "Removing"
            yield Said(f"{verb} sorry server {sorry.label} from VS {self.label}")
            yield from self._put(sorry, self._share_of_sorry(sorry))
            yield Said(f"Adding alive servers to the pool for VS {self.label}")
            for member in self.members.values():
                yield from self._put(member, self._share(member))
        yield self._quorum_changed(now_ns, True)

    def _lose(self, now_ns: int, line: str) -> Iterator[Effect]:
        yield Said(line)
        self.has_quorum = False
        sorry = self._sorry
        if sorry is not None:
            verb = "Enabling" if sorry.server.inhibit else "Adding"
            yield Said(f"{verb} sorry server {sorry.label} to VS {self.label}")
            yield Said(f"Removing alive servers from the pool for VS {self.label}")
            for member in self.members.values():
                yield from self._put(member, self._share(member))
            yield from self._put(sorry, self._share_of_sorry(sorry))
        yield self._quorum_changed(now_ns, False)

    def _share_of_sorry(self, sorry: Member) -> int | None:
        if self.has_quorum:
            return 0 if sorry.server.inhibit else None
        return _SORRY_WEIGHT

    # Telling --------------------------------------------------------------------------------------------

    def _weighed(self, member: Member, before: int, alive: bool) -> Said:
        state = "active" if alive else "inactive"
        service = f"{state} service {member.label} of VS {self.label}"
        return Said(f"Changing weight from {before} to {member.weight} for {service}")

    def _server_changed(self, member: Member, up: bool) -> ServerChanged:
        server, keyword = member.server, "notify_up" if up else "notify_down"
        command, identity = server.notify_up if up else server.notify_down, server.runs_as.get(keyword, ROOT)
        return ServerChanged(self.label, member.label, up, command, identity)

    def _quorum_changed(self, now_ns: int, up: bool) -> QuorumChanged:
        self.since_ns = now_ns
        server, keyword = self.server, "quorum_up" if up else "quorum_down"
        command, identity = server.quorum_up if up else server.quorum_down, server.runs_as.get(keyword, ROOT)
        return QuorumChanged(self.label, up, command, identity)


def _key(virtual: VirtualServer, server: RealServer) -> str:
    """What tells a real server from the others, as the file has it."""
    return service_label(server.address, virtual.protocol)


def _sorry_of(virtual: VirtualServer) -> Member | None:
    """The sorry server as one of the pool's; without a port it stays without (keepalived, measured)."""
    sorry = virtual.sorry_server
    if sorry is None:
        return None
    server = RealServer(
        address=sorry.address,
        forwarding=sorry.forwarding,
        weight=_SORRY_WEIGHT,
        inhibit=sorry.inhibit,
        line=sorry.line,
    )
    return Member(0, virtual, server)


def _shape(server: RealServer) -> tuple[object, ...]:
    """What IPVS knows of a server beside its weight."""
    return server.address, server.forwarding, server.upper_connections, server.lower_connections
