"""The neighbor cache of an interface: which MAC an address has, as ARP found out.

That is what makes an outage longer than VRRP's own: until somebody announces the address anew, a host goes on
sending to the MAC it knows. As Linux does, it takes a gratuitous ARP for an entry it has, be it one that is still
being asked for, and trusts an entry that nothing confirms for 38 s (reachable 30 s, delay 5 s, three probes 1 s
apart) before it asks anew. It asks three times; what waits is then told that there is no route to the host.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sim.result import SECOND_NS
from vrrp.wire.arp import REQUEST, ArpPacket
from vrrp.wire.ethernet import ARP, BROADCAST, EthernetFrame

if TYPE_CHECKING:
    from sim.interface import Interface

ARP_TRUST_NS = 38 * SECOND_NS
ARP_RETRY_NS = SECOND_NS
ARP_PROBES = 3
"""net.ipv4.neigh.default.mcast_solicit; a connect() then fails 3 s after it began (Linux 6, measured: 3.08 s)."""


class Neighbor:
    """An entry. `mac` None: not known now. `confirmed_ns`: when something last came from there."""

    __slots__ = ("address", "asked", "confirmed_ns", "mac", "waiting")

    def __init__(self, address: bytes) -> None:
        self.address = address
        self.mac: bytes | None = None
        self.confirmed_ns = 0
        self.asked = 0
        """Counts the rounds of asking, so that an old round's timer is known for one."""
        self.waiting: list[Callable[[bool], None]] = []


class NeighborCache:
    """The entries of one interface, by packed IPv4 address."""

    def __init__(self, interface: Interface) -> None:
        self._interface = interface
        self._kernel = interface.node.kernel
        self._entries: dict[bytes, Neighbor] = {}

    def find(self, address: bytes) -> Neighbor | None:
        """The entry of an address, if its MAC is known and still trusted."""
        entry = self._entries.get(address)
        if entry is None or entry.mac is None:
            return None
        if self._kernel.now_ns - entry.confirmed_ns > ARP_TRUST_NS:
            entry.mac = None
            return None
        return entry

    def resolve(self, address: bytes, then: Callable[[bool], None]) -> None:
        """Ask for an address; `then` hears whether its MAC is known now, at the answer or when it is given up."""
        entry = self._entries.setdefault(address, Neighbor(address))
        entry.waiting.append(then)
        if len(entry.waiting) == 1:
            entry.asked += 1
            self._ask(entry, entry.asked, 0)

    def hear(self, now_ns: int, arp: ArpPacket) -> None:
        """Somebody said by ARP which MAC he has."""
        entry = self._entries.get(arp.sender)
        if entry is None:
            # Who asks for us will hear from us.
            if arp.operation != REQUEST or arp.gratuitous or arp.target not in self._interface.addresses:
                return
            entry = self._entries[arp.sender] = Neighbor(arp.sender)
        entry.confirmed_ns = now_ns
        if entry.mac != arp.sender_mac:
            self._kernel.changed()
            entry.mac = arp.sender_mac
        waiting, entry.waiting = entry.waiting, []
        for then in waiting:
            then(True)

    def flush(self) -> None:
        """The link went down: Linux forgets what it knew on it."""
        for entry in self._entries.values():
            entry.mac = None
        self._kernel.changed()

    def _ask(self, entry: Neighbor, round_number: int, probes: int) -> None:
        if entry.asked != round_number or not entry.waiting:
            return
        if probes == ARP_PROBES:
            waiting, entry.waiting = entry.waiting, []
            for then in waiting:
                then(False)
            return
        interface = self._interface
        request = ArpPacket(REQUEST, interface.mac, interface.source, bytes(6), entry.address)
        interface.port.transmit(EthernetFrame(BROADCAST, interface.mac, ARP, request.build()).build())
        at_ns = self._kernel.now_ns + ARP_RETRY_NS
        self._kernel.at(at_ns, lambda: self._ask(entry, round_number, probes + 1))
