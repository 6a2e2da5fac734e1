"""An interface of a node, as its kernel has it: addresses, the answers to ARP, and what is heard of the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.flow.neighbors import NeighborCache
from sim.segment import Segment
from vrrp.wire.arp import REPLY, REQUEST, ArpPacket
from vrrp.wire.ethernet import ARP, EthernetFrame
from vrrp.wire.frame import Datagram, Frame

if TYPE_CHECKING:
    from sim.node import Node


class Interface:
    """A node's end of a port: its own addresses (packed) with their MAC, and virtual ones while it holds them."""

    __slots__ = (
        "_networks",
        "addresses",
        "asleep",
        "cable",
        "mac",
        "name",
        "neighbors",
        "node",
        "own",
        "port",
        "refused",
        "source",
    )

    def __init__(
        self,
        node: Node,
        name: str,
        segment: Segment,
        mac: bytes,
        addresses: tuple[bytes, ...],
        prefixes: tuple[int, ...] = (),
    ) -> None:
        self.node = node
        self.name = name
        self.mac = mac
        self.own = addresses
        self.cable = True
        self.addresses: dict[bytes, bytes] = dict.fromkeys(addresses, mac)
        self.refused: set[bytes] = set()
        """Addresses it answers ARP for but takes no packets to: a master's without Accept_Mode."""
        self.asleep: dict[bytes, bytes] = {}
        """Addresses with the MAC of a device that says nothing, but takes what is sent to it all the same."""
        self.source = next((address for address in addresses if len(address) == 4), bytes(4))
        """Whom its ARP requests and connections come from: the first IPv4 address."""
        self._networks = [
            (len(address), 8 * len(address) - length, int.from_bytes(address, "big") >> (8 * len(address) - length))
            for address, length in zip(addresses, prefixes, strict=False)
        ]
        self.neighbors = NeighborCache(self)
        self.port = segment.attach(f"{node.name}/{name}", self)
        segment.directory.update(self.addresses)

    def hear(self, now_ns: int, frame: Frame) -> None:
        """A frame came in. A switch that has not learned a MAC floods: what is for another is not heard."""
        content = frame.content
        if not frame.destination[0] & 1 and not self.is_for_us(frame.destination):
            return
        if type(content) is Datagram:
            if self.port.listener is not None and content.destination in self.addresses:
                self.port.listener(now_ns, content)
        elif type(content) is ArpPacket:
            self._hear_arp(now_ns, content)

    def is_on_link(self, address: bytes) -> bool:
        """Whether an address is on its network."""
        number = int.from_bytes(address, "big")
        return any(len(address) == size and number >> host == net for size, host, net in self._networks)

    def is_for_us(self, mac: bytes) -> bool:
        """Whether it takes frames to this MAC."""
        return mac == self.mac or mac in self.addresses.values() or mac in self.asleep.values()

    def takes(self, address: bytes) -> bool:
        """Whether it takes packets to this address."""
        return (address in self.addresses or address in self.asleep) and address not in self.refused

    def _hear_arp(self, now_ns: int, arp: ArpPacket) -> None:
        self.neighbors.hear(now_ns, arp)
        mac = self.addresses.get(arp.target)
        if arp.operation == REQUEST and mac is not None and not arp.gratuitous:
            reply = ArpPacket(REPLY, mac, arp.target, arp.sender_mac, arp.sender)
            self._send(EthernetFrame(arp.sender_mac, mac, ARP, reply.build()))

    def _send(self, frame: EthernetFrame) -> None:
        self.port.transmit(frame.build())

    def take(self, address: bytes, mac: bytes, *, refused: bool) -> None:
        """Answer for a virtual address with this MAC; `refused`: take no packets to it."""
        self.node.kernel.changed()
        self.addresses[address] = mac
        self.asleep.pop(address, None)
        if refused:
            self.refused.add(address)

    def give_back(self, address: bytes, asleep: bytes | None = None) -> None:
        """Answer no longer for a virtual address; one of its own (an owner's) goes back to its own MAC.

        `asleep` is the MAC of a device that keeps it and is silent about it.
        """
        self.node.kernel.changed()
        self.addresses.pop(address, None)
        if asleep is not None:
            self.asleep[address] = asleep
        self.refused.discard(address)
        if address in self.own:
            self.addresses[address] = self.mac
