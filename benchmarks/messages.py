"""What the codecs are given: random advertisements, their bytes, and the frames around them."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from vrrp import Advertisement, encode
from vrrp.wire.address import VRRP_GROUP_V4, VRRP_GROUP_V6
from vrrp.wire.checksum import PROTOCOL
from vrrp.wire.ethernet import IPV4, MIN_SIZE, EthernetFrame, group_mac, virtual_mac
from vrrp.wire.ip import IpPacket, renumber

Answer = tuple[int, int, int, tuple[bytes, ...]]
"""What a decoder found: VRID, priority, interval in centiseconds, packed addresses."""

_STATION = itertools.count(1)
_ETHERNET_SIZE = 14
_MOST_V2_SECONDS = 255
_MOST_V3_CS = 4095


@dataclass(frozen=True, slots=True)
class Message:
    """An advertisement on its way: packed addresses of the IP header, its bytes, a frame (IPv4 only)."""

    advertisement: Advertisement
    source: bytes
    destination: bytes
    raw: bytes
    frame: bytes = b""


def random_messages(version: int, width: int, addresses: int, count: int) -> list[Message]:
    """The same ones each time. `width` is 4 for IPv4 and 16 for IPv6; `addresses` are listed in each."""
    chance = random.Random(f"{version}/{width}/{addresses}")
    return [_random_message(chance, version, width, addresses) for _ in range(count)]


def _random_message(chance: random.Random, version: int, width: int, addresses: int) -> Message:
    advertisement = Advertisement(
        version=version,
        vrid=chance.randint(1, 255),
        priority=chance.randint(1, 254),
        interval_cs=chance.randint(1, _MOST_V2_SECONDS) * 100 if version == 2 else chance.randint(1, _MOST_V3_CS),
        addresses=[chance.randbytes(width) for _ in range(addresses)],
    )
    if width == 16:
        source, destination = b"\xfe\x80" + bytes(6) + chance.randbytes(8), VRRP_GROUP_V6
    else:
        source, destination = bytes((10,)) + chance.randbytes(3), VRRP_GROUP_V4
    return Message(advertisement, source, destination, encode(advertisement, source=source, destination=destination))


def framed(message: Message) -> Message:
    """The message with the frame in which it travels over IPv4, padded as Ethernet wants it."""
    packet = IpPacket(message.source, message.destination, PROTOCOL, message.raw).build()
    mac = virtual_mac(message.advertisement.vrid, 4)
    frame = EthernetFrame(group_mac(message.destination), mac, IPV4, packet).build()
    return replace(message, frame=frame.ljust(MIN_SIZE, b"\0"))


def strangers(messages: Iterable[Message]) -> Iterator[bytes]:
    """Their frames again and again, each time from a station never heard before: no cache has met one of them."""
    frames = (message.frame for message in itertools.cycle(messages))
    return (frame[:6] + next(_STATION).to_bytes(6, "big") + frame[12:] for frame in frames)


def steady(message: Message) -> Iterator[bytes]:
    """What a steady master sends: the same frame with the next IP identification each time."""
    packet_end = _ETHERNET_SIZE + int.from_bytes(message.frame[16:18], "big")
    head, tail = message.frame[:_ETHERNET_SIZE], message.frame[packet_end:]
    packet = message.frame[_ETHERNET_SIZE:packet_end]
    return (head + renumber(packet, number) + tail for number in itertools.cycle(range(1, 0x10000)))
