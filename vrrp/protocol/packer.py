"""The IP packets that a router's advertisements travel in."""

from __future__ import annotations

from collections.abc import Iterator

from vrrp.protocol.virtual_router import VirtualRouter
from vrrp.wire.advertisement import AUTHENTICATION_HEADER, TTL, Advertisement, encode
from vrrp.wire.authentication_header import authenticate
from vrrp.wire.checksum import PROTOCOL
from vrrp.wire.ip import IpPacket, parse_ipv4, renumber


class Packer:
    """Makes the packets of each virtual router, one for each destination.

    A steady master repeats itself, so a packet is built once and then only numbered: from 1 on, each virtual router
    by itself, as keepalived does (measured). Behind an Authentication Header the sequence counts on from what was
    heard last.
    """

    def __init__(self) -> None:
        self._steady: dict[tuple[VirtualRouter, Advertisement, bytes, bytes], bytes] = {}
        self._numbers: dict[VirtualRouter, int] = {}

    def forget(self) -> None:
        """Begin anew, as after a start or a reload."""
        self._steady.clear()
        self._numbers.clear()

    def prepare(self, virtual_router: VirtualRouter, advertisement: Advertisement) -> None:
        """Build what will be sent, so that none of that is left to do when it is due."""
        for destination in _destinations(virtual_router):
            self._packet(virtual_router, advertisement, destination)

    def packets(self, virtual_router: VirtualRouter, advertisement: Advertisement) -> Iterator[tuple[bytes, bytes]]:
        """Each destination, packed, with the packet for it."""
        config = virtual_router.config
        for destination in _destinations(virtual_router):
            packet = self._packet(virtual_router, advertisement, destination)
            if config.width == 4:
                number = self._numbers.get(virtual_router, 0) % 0xFFFF + 1
                self._numbers[virtual_router] = number
                packet = renumber(packet, number)
                if config.auth_type == AUTHENTICATION_HEADER:
                    packet = _authenticated(virtual_router, packet)
            yield destination, packet

    def _packet(self, virtual_router: VirtualRouter, advertisement: Advertisement, destination: bytes) -> bytes:
        key = virtual_router, advertisement, destination, virtual_router.source
        packet = self._steady.get(key)
        if packet is None:
            packet = self._steady[key] = _build(virtual_router, advertisement, destination)
        return packet


def _destinations(virtual_router: VirtualRouter) -> tuple[bytes, ...]:
    config = virtual_router.config
    return config.unicast_peers or (config.multicast_group,)


def _build(virtual_router: VirtualRouter, advertisement: Advertisement, destination: bytes) -> bytes:
    config = virtual_router.config
    return IpPacket(
        virtual_router.source,
        destination,
        PROTOCOL,
        encode(advertisement, source=virtual_router.source, destination=destination),
        ttl=config.ttl if config.unicast_peers else TTL,
        dont_fragment=virtual_router.profile.dont_fragment,
    ).build()


def _authenticated(virtual_router: VirtualRouter, packet: bytes) -> bytes:
    return authenticate(parse_ipv4(packet), virtual_router.ah_sequence.next(), virtual_router.config.ah_key).build()
