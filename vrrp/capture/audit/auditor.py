"""Follows a whole capture: batches in, findings out.

A steady master sends the same packet a million times. So a batch is first collapsed into kinds of packets, each
kind is read once, and what comes to the watches is runs: this advertisement, at these times, with nothing of the
same virtual router in between. A quiet hour is one step of Python; numpy looks at the gaps.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vrrp.capture.audit.findings import Findings
from vrrp.capture.audit.holders import Holder
from vrrp.capture.audit.meaning import Announced, Broken, Carp, Meaning, Membership, Place, Query, Said, meaning
from vrrp.capture.audit.packet_checks import check_broken, check_said
from vrrp.capture.audit.watch import Watch
from vrrp.capture.kinds import Kinds, distinct
from vrrp.capture.packet import Batch
from vrrp.wire.address import text
from vrrp.wire.ethernet import virtual_mac

_MOST_WATCHES = 4096
_MOST_ADDRESSES = 65_536
_MOST_MEANINGS = 65_536
_MOST_NUMBERS = 12
_IPV4_IDENTIFICATION = 18
"""Where an untagged Ethernet frame has it."""


@dataclass(slots=True)
class Hosts:
    """What IGMP told about one interface and VLAN."""

    reported: dict[bytes, int]
    """Host -> when it last reported any group."""
    joined: dict[bytes, int]
    """Host -> when it last wanted VRRP's group."""
    first_query_ns: int | None = None
    last_query_ns: int | None = None


@dataclass(slots=True)
class Stranger:
    """A MAC that announced an address and had not been heard as a router; it may be one that speaks later."""

    first_ns: int
    numbers: list[int]


class Auditor:
    """Reads batches; `watches`, `holders` and `findings` are what it knows so far."""

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key
        self.findings = Findings()
        self.watches: dict[Place, Watch] = {}
        self.holders: dict[tuple[int, tuple[int, ...], bytes], Holder] = {}
        self.hosts: dict[int, Hosts] = {}
        self.carp: dict[int, tuple[bytes, int, int]] = {}
        """VHID -> who, when, packet number."""
        self.announcing: set[tuple[int, tuple[int, ...], int]] = set()
        """Interface, VLANs and address width where any announcement was seen at all."""
        self.strangers: dict[tuple[Place, bytes, bytes], Stranger] = {}
        self.packets = 0
        self.first_ns: int | None = None
        self.last_ns = 0
        self._kinds = Kinds()
        self._meanings: dict[int, Meaning] = {}
        self._places: list[Place] = []
        self._numbers: dict[Place, int] = {}
        self._by_address: dict[tuple[int, tuple[int, ...], bytes], Watch] = {}

    def feed(self, batch: Batch) -> None:
        """The next packets of the capture."""
        size = len(batch)
        if not size:
            return
        if self.first_ns is None:
            self.first_ns = int(batch.times_ns[0])
        self.packets += size
        self.last_ns = max(self.last_ns, int(batch.times_ns.max()))
        for kinds, groups, events in self._classified(batch):
            for first, run in _steps(kinds, groups, events):
                if run is None:
                    self._event(batch, first, self._meanings[int(kinds[first])])
                else:
                    said = self._meanings[int(kinds[first])]
                    assert isinstance(said, Said)
                    self._heard(batch, said, run)

    def _classified(self, batch: Batch) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int16], NDArray[np.int64]]]:
        """Kind and virtual router (-1: none) of each packet, and the packets that are events of another sort."""
        kinds = self._kinds.collapse(batch)
        present, where, inverse = distinct(kinds)
        if len(self._meanings) > _MOST_MEANINGS:
            self._meanings.clear()
        group_of = np.full(len(present), -1, np.int16)  # short ones are sorted quickly
        event_of = np.zeros(len(present), bool)
        for index, (kind, example) in enumerate(zip(present.tolist(), where.tolist(), strict=True)):
            if kind not in self._meanings:
                self._meanings[kind] = meaning(batch.packet(example))
            said = self._meanings[kind]
            if isinstance(said, Said):
                group_of[index] = self._group(said.place)
            else:
                event_of[index] = said is not None
        yield kinds, group_of[inverse], np.flatnonzero(event_of[inverse])

    def _group(self, place: Place) -> int:
        number = self._numbers.get(place)
        if number is None:
            if len(self._places) >= _MOST_WATCHES:
                return -1
            number = self._numbers[place] = len(self._places)
            self._places.append(place)
            self.watches[place] = Watch(place, self.name(place), self.findings)
        return number

    def name(self, place: Place) -> str:
        """A virtual router as people read it."""
        tags = "".join(f" vlan {vlan}" for vlan in place.vlans)
        interface = f" interface {place.interface}" if place.interface else ""
        return f"vrid {place.vrid} {'IPv4' if place.width == 4 else 'IPv6'}{tags}{interface}"

    # Advertisements ---------------------------------------------------------------------------------------

    def _heard(self, batch: Batch, said: Said, run: NDArray[np.int64]) -> None:
        watch = self.watches[said.place]
        times_ns = batch.times_ns[run]
        numbers = run + batch.first_number
        sender = watch.sender(said)
        if sender is None:
            return
        sender.macs[said.mac] += len(run)
        if said.audible and said not in sender.heard:
            sender.note(said, int(numbers[0]), int(times_ns[0]))
            for address in said.advertisement.addresses:
                key = (said.place.interface, said.place.vlans, address)
                if len(self._by_address) < _MOST_ADDRESSES:
                    self._by_address.setdefault(key, watch)
        check_said(self.findings, watch.where, said, times_ns, numbers, watch.sequence, self._key)
        if said.authentication is not None:
            watch.sequence = said.authentication.sequence
        if said.audible:
            ends = (self._identification(batch, int(run[0])), self._identification(batch, int(run[-1])))
            watch.heard(said, times_ns, numbers, ends)

    def _identification(self, batch: Batch, index: int) -> int:
        start = int(batch.offsets[index])
        if int(batch.link_types[index]) != 1 or batch.buffer[start + 12 : start + 14] != b"\x08\x00":
            return 0
        at = start + _IPV4_IDENTIFICATION
        return int.from_bytes(batch.buffer[at : at + 2], "big")

    # Everything else --------------------------------------------------------------------------------------

    def _event(self, batch: Batch, index: int, said: Meaning) -> None:
        time_ns, number = int(batch.times_ns[index]), batch.first_number + index
        if isinstance(said, Announced):
            self._announced(said, time_ns, number)
        elif isinstance(said, Broken):
            check_broken(self.findings, said, time_ns, number)
        elif isinstance(said, Carp):
            self.carp.setdefault(said.vhid, (said.source, time_ns, number))
        elif isinstance(said, Membership | Query):
            self._membership(said, int(batch.interfaces[index]), time_ns)

    def _announced(self, said: Announced, time_ns: int, number: int) -> None:
        self.announcing.add((said.interface, said.vlans, len(said.address)))
        key = (said.interface, said.vlans, said.address)
        holder = self.holders.get(key)
        if holder is None:
            if len(self.holders) >= _MOST_ADDRESSES:
                return
            holder = self.holders[key] = Holder(said.address)
        holder.announced(said, time_ns, number)
        watch = self._by_address.get(key)
        if watch is None:
            return
        virtual = said.mac == virtual_mac(watch.place.vrid, watch.place.width)
        if said.gratuitous:
            watch.announced(said.mac, virtual, time_ns, number)
        speaker = watch.speaker
        if virtual or speaker is None or not speaker.alive(time_ns) or speaker.span is None:
            return
        if said.mac in speaker.macs or time_ns - speaker.span.first_ns < 1_000_000_000:
            return
        if not said.gratuitous:
            detail = f"{said.mac.hex(':')} answers for {text(said.address)}, whose master is {text(speaker.source)}"
            self.findings.add("two-answers", watch.where, (said.address, said.mac), time_ns, number, detail)
        elif watch.owner(said.mac) is None and len(self.strangers) < _MOST_ADDRESSES:
            stranger = self.strangers.setdefault((watch.place, said.address, said.mac), Stranger(time_ns, []))
            if len(stranger.numbers) < _MOST_NUMBERS:
                stranger.numbers.append(number)

    def _membership(self, said: Membership | Query, interface: int, time_ns: int) -> None:
        hosts = self.hosts.setdefault(interface, Hosts({}, {}))
        if isinstance(said, Query):
            hosts.first_query_ns = time_ns if hosts.first_query_ns is None else hosts.first_query_ns
            hosts.last_query_ns = time_ns
        elif len(hosts.reported) < _MOST_ADDRESSES:
            hosts.reported[said.host] = time_ns
            if said.joins:
                hosts.joined[said.host] = time_ns


def _steps(
    kinds: NDArray[np.int64], groups: NDArray[np.int16], events: NDArray[np.int64]
) -> Iterator[tuple[int, NDArray[np.int64] | None]]:
    """What happened, in order: an event (its index, None), or a run (its first index, all indices)."""
    spoken = np.flatnonzero(groups >= 0)
    steps: list[tuple[int, NDArray[np.int64] | None]] = [(int(index), None) for index in events]
    if len(spoken):
        order = spoken[np.argsort(groups[spoken], kind="stable")]
        since = np.searchsorted(events, order)
        changes = (np.diff(groups[order]) != 0) | (np.diff(kinds[order]) != 0) | (np.diff(since) != 0)
        starts = np.concatenate(([0], np.flatnonzero(changes) + 1, [len(order)]))
        edges = starts.tolist()
        steps += [(int(order[start]), order[start:end]) for start, end in itertools.pairwise(edges)]
        steps.sort(key=lambda step: step[0])
    yield from steps
