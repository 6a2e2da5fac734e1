"""A client: it resolves an address by ARP, remembers the MAC, and opens a connection every so often.

That is what makes an outage longer than VRRP's own: until somebody announces the address anew, a client goes on
sending to the MAC it knows. As Linux does, it takes a gratuitous ARP for an entry it has, and trusts an entry
that nothing confirms for 38 s (reachable 30 s, delay 5 s, three probes 1 s apart) before it asks anew.
"""

from __future__ import annotations

from dataclasses import dataclass

from sim.kernel import Kernel
from sim.result import SECOND_NS, ClientStory
from sim.segment import Segment
from sim.tcp import accepted_port, build_syn
from vrrp.wire.address import text
from vrrp.wire.arp import REPLY, REQUEST, ArpPacket
from vrrp.wire.ethernet import ARP, BROADCAST, IPV4, EthernetFrame
from vrrp.wire.frame import Frame
from vrrp.wire.ip import IpPacket

ARP_TRUST_NS = 38 * SECOND_NS
ARP_RETRY_NS = SECOND_NS
_FIRST_PORT = 32_768
_PORTS = 28_232
"""Linux's net.ipv4.ip_local_port_range."""


@dataclass(slots=True)
class _Try:
    at_ns: int
    answered: bool = False


class Client:
    """A station that connects to `target`:`port` each `every_ns`; an answer after `timeout_ns` is none."""

    def __init__(
        self,
        kernel: Kernel,
        name: str,
        segment: Segment,
        mac: bytes,
        address: bytes,
        *,
        target: bytes,
        port: int,
        every_ns: int,
        timeout_ns: int,
    ) -> None:
        self.name = name
        self._kernel = kernel
        self.port = segment.attach(name, self)
        self._mac = mac
        self._address = address
        self._target = target
        self._target_port = port
        self._every_ns = every_ns
        self._timeout_ns = timeout_ns
        self._known: tuple[bytes, int] | None = None
        """The target's MAC and when it was last confirmed."""
        self._asked_ns = -ARP_RETRY_NS
        self._tries: list[_Try] = []
        self._waiting: list[int] = []

    def start(self) -> None:
        """Begin to connect, now and then regularly."""
        now_ns = self._kernel.now_ns
        number = len(self._tries)
        self._tries.append(_Try(now_ns))
        if self._known is not None and now_ns - self._known[1] > ARP_TRUST_NS:
            self._known = None
        if self._known is None:
            self._waiting.append(number)
            self._ask(now_ns)
        else:
            self._connect(number)
        self._kernel.at(now_ns + self._every_ns, self.start)

    def hear(self, now_ns: int, frame: Frame) -> None:
        """A frame came in."""
        content = frame.content
        if type(content) is ArpPacket:
            self._hear_arp(now_ns, content)
        elif type(content) is IpPacket and content.destination == self._address:
            port = accepted_port(content)
            if port is not None and content.source == self._target:
                self._answered(now_ns, port)

    def story(self, end_ns: int) -> ClientStory:
        """What the client saw until `end_ns`; tries that may still be answered are left out."""
        settled = [t for t in self._tries if t.answered or t.at_ns + self._timeout_ns <= end_ns]
        gaps: list[tuple[int, int]] = []
        failing_since: int | None = None
        for one in settled:
            if not one.answered and failing_since is None:
                failing_since = one.at_ns
            elif one.answered and failing_since is not None:
                gaps.append((failing_since, one.at_ns))
                failing_since = None
        if failing_since is not None:
            gaps.append((failing_since, end_ns))
        ok = sum(one.answered for one in settled)
        target = f"{text(self._target)}:{self._target_port}"
        return ClientStory(target, len(settled), ok, len(settled) - ok, tuple(gaps))

    def _ask(self, now_ns: int) -> None:
        if now_ns - self._asked_ns >= ARP_RETRY_NS:
            self._asked_ns = now_ns
            request = ArpPacket(REQUEST, self._mac, self._address, bytes(6), self._target)
            self.port.transmit(EthernetFrame(BROADCAST, self._mac, ARP, request.build()).build())

    def _connect(self, number: int) -> None:
        assert self._known is not None  # both callers know the MAC
        packet = build_syn(self._address, self._target, _FIRST_PORT + number % _PORTS, self._target_port)
        self.port.transmit(EthernetFrame(self._known[0], self._mac, IPV4, packet.build()).build())

    def _hear_arp(self, now_ns: int, arp: ArpPacket) -> None:
        if arp.sender == self._target and (self._known is not None or arp.operation == REPLY):
            self._known = (arp.sender_mac, now_ns)
            waiting, self._waiting = self._waiting, []
            for number in waiting:
                if now_ns < self._tries[number].at_ns + self._timeout_ns:
                    self._connect(number)
        elif arp.operation == REQUEST and arp.target == self._address:
            reply = ArpPacket(REPLY, self._mac, self._address, arp.sender_mac, arp.sender)
            self.port.transmit(EthernetFrame(arp.sender_mac, self._mac, ARP, reply.build()).build())

    def _answered(self, now_ns: int, source_port: int) -> None:
        """The newest try from this port is the one answered: a port comes round again after all others."""
        count = len(self._tries)
        number = source_port - _FIRST_PORT
        if not 0 <= number < min(count, _PORTS):
            return
        one = self._tries[number + (count - 1 - number) // _PORTS * _PORTS]
        if now_ns <= one.at_ns + self._timeout_ns:
            one.answered = True
            if self._known is not None:
                self._known = (self._known[0], now_ns)
