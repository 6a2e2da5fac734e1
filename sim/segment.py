"""A LAN segment: one switch that learns MAC addresses, ports that have a link or not, and who hears whom.

A frame is taken apart once and handed to every port that hears it. With a constant delay and no loss that is one
event for all of them; otherwise each receiver draws its own fate from its own random stream.

Taps see every frame that enters the switch, with the time: a capture is a tap, as tcpdump on a bridge would be.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from sim.delay import Constant, Delay
from sim.kernel import Kernel
from vrrp.wire.frame import Datagram, Frame, parse_frame


class Station(Protocol):
    """What is plugged into a port."""

    def hear(self, now_ns: int, frame: Frame) -> None:
        """A frame arrived."""


class Port:
    """One port of a segment. `up` is the link: without it nothing comes or goes.

    `listener` is set while a VRRP process listens there: multicast VRRP goes straight to it.
    """

    __slots__ = ("deaf_to", "group", "listener", "name", "segment", "station", "up")

    def __init__(self, segment: Segment, name: str, station: Station) -> None:
        self.segment = segment
        self.name = name
        self.station = station
        self.up = True
        self.deaf_to: frozenset[bytes] = frozenset()
        self.group = 0
        self.listener: Callable[[int, Datagram], None] | None = None

    def transmit(self, raw: bytes) -> None:
        """Put a frame on the wire; without a link it is lost."""
        if self.up:
            self.segment.carry(self, raw)

    def set_link(self, up: bool) -> None:
        """Plug the cable in or out."""
        self.segment.kernel.changed()
        self.up = up
        self.segment.forget(self)

    def ignore(self, macs: frozenset[bytes]) -> None:
        """Hear nothing that comes from these MACs, from now on."""
        self.deaf_to = macs
        self.segment.note_deafness()


class Segment:
    """A switch and its ports. `loss` is the chance that one receiver misses one frame."""

    def __init__(self, kernel: Kernel, name: str, delay: Delay | None = None, loss: float = 0.0) -> None:
        self.name = name
        self.delay: Delay = delay or Constant(100_000)
        self.loss = loss
        """Whoever sets `delay` or `loss` later says `kernel.changed()`."""
        self.taps: list[Callable[[int, bytes], None]] = []
        self.lost = 0
        self.directory: dict[bytes, bytes] = {}
        """Packed address -> MAC of every station's own addresses: what ARP would find for unicast peers."""
        self.kernel = kernel
        self._ports: list[Port] = []
        self._learned: dict[bytes, Port] = {}
        self._hearers: dict[Port, list[Port]] = {}
        self._deafness = False

    def attach(self, name: str, station: Station) -> Port:
        """A new port. `name` (node/interface) also names its random stream."""
        port = Port(self, name, station)
        self._ports.append(port)
        self._hearers.clear()
        return port

    def partition(self, groups: Sequence[Sequence[Port]]) -> None:
        """Split the segment: ports of one group hear each other only; ports in no group form one more.

        Replaces the last partition; no group at all heals it.
        """
        self.kernel.changed()
        numbers = {port: number for number, group in enumerate(groups, 1) for port in group}
        for port in self._ports:
            port.group = numbers.get(port, 0)
        self._hearers.clear()
        self._learned.clear()

    def forget(self, port: Port) -> None:
        """A link changed: nothing learned on that port holds any more."""
        self._hearers.clear()
        self._learned = {mac: learned for mac, learned in self._learned.items() if learned is not port}

    def note_deafness(self) -> None:
        """A port's deafness changed."""
        self._deafness = any(port.deaf_to for port in self._ports)

    def carry(self, sender: Port, raw: bytes) -> None:
        """Deliver a frame to every port that hears it."""
        now_ns = self.kernel.now_ns
        for tap in self.taps:
            tap(now_ns, raw)
        frame = parse_frame(raw)
        if self._learned.get(frame.source) is not sender:
            self.kernel.changed()
            self._learned[frame.source] = sender
        hearers = self._hearers_of(sender)
        if self._deafness:
            hearers = [port for port in hearers if frame.source not in port.deaf_to]
        if not frame.destination[0] & 1:
            hearers = self._directed(sender, hearers, frame.destination)
            if not hearers:
                return
        constant_ns = self.delay.constant_ns
        if constant_ns is not None and not self.loss:
            self.kernel.at(now_ns + constant_ns, lambda: self._deliver(frame, hearers))
            return
        for port in hearers:
            stream = self.kernel.stream(f"{self.name}/{port.name}")
            if self.loss and stream.random() < self.loss:
                self.lost += 1
                continue
            arrival_ns = now_ns + self.delay.draw(stream)
            self.kernel.at(arrival_ns, lambda port=port: self._deliver(frame, [port]))  # type: ignore[misc]  # mypy cannot type a default

    def receivers(self, sender: Port, mac: bytes) -> list[Port]:
        """Which ports a frame from `sender` to a host's MAC comes out of now."""
        return self._directed(sender, self._hearers_of(sender), mac) if sender.up else []

    def _directed(self, sender: Port, hearers: list[Port], mac: bytes) -> list[Port]:
        """A switch sends to the port where it learned the MAC, or floods; never back."""
        known = self._learned.get(mac)
        if known is sender:
            return []
        return [known] if known in hearers else hearers

    def _hearers_of(self, sender: Port) -> list[Port]:
        hearers = self._hearers.get(sender)
        if hearers is None:
            hearers = [port for port in self._ports if port is not sender and port.up and port.group == sender.group]
            self._hearers[sender] = hearers
        return hearers

    def _deliver(self, frame: Frame, hearers: list[Port]) -> None:
        now_ns = self.kernel.now_ns
        content = frame.content
        if type(content) is Datagram and frame.destination[0] & 1:
            for port in hearers:
                if port.up and (listen := port.listener) is not None:
                    listen(now_ns, content)
            return
        for port in hearers:
            if port.up:
                port.station.hear(now_ns, frame)
