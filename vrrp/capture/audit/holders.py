"""Where clients find an address: who last told the LAN, by gratuitous ARP, ARP reply or neighbor advertisement."""

from __future__ import annotations

from dataclasses import dataclass, field

from vrrp.capture.audit.meaning import Announced

_MOST_POINTS = 10_000


@dataclass(slots=True)
class Pointing:
    """A stretch in which the LAN was told that an address is at one MAC."""

    mac: bytes
    first_ns: int
    last_ns: int
    first_number: int
    last_number: int
    announcements: int = 1
    unasked: bool = False
    """Whether any of them was for everybody; a reply is for the one that asked."""


@dataclass(slots=True)
class Holder:
    """One address and where it pointed, in the order told."""

    address: bytes
    pointings: list[Pointing] = field(default_factory=list)
    dropped: int = 0

    def announced(self, said: Announced, time_ns: int, number: int) -> None:
        """The LAN was told again."""
        last = self.pointings[-1] if self.pointings else None
        if last is not None and last.mac == said.mac:
            last.last_ns, last.last_number = time_ns, number
            last.announcements += 1
            last.unasked = last.unasked or said.gratuitous
        elif len(self.pointings) < _MOST_POINTS:
            self.pointings.append(Pointing(said.mac, time_ns, time_ns, number, number, unasked=said.gratuitous))
        else:
            self.dropped += 1

    def told_between(self, macs: frozenset[bytes], start_ns: int, end_ns: int) -> bool:
        """Whether one of these MACs was announced for it in that time."""
        return any(p.mac in macs and p.first_ns <= end_ns and p.last_ns >= start_ns for p in self.pointings)
