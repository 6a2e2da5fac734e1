"""Packets that no VRRP router may act upon, and as many of them a second as are wanted."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from capture.builders import mutate
from vrrp.wire.address import pack
from vrrp.wire.advertisement import Advertisement, decode, encode
from vrrp.wire.checksum import PROTOCOL
from vrrp.wire.errors import DecodeError
from vrrp.wire.ethernet import IPV4, IPV6, EthernetFrame, group_mac
from vrrp.wire.ip import IpPacket

GROUPS = {4: pack("224.0.0.18"), 16: pack("ff02::12")}
_STRANGERS = {4: pack("10.0.0.66"), 16: pack("fe80::66")}
_MAC = b"\x02\x00\x00\x00\x00\x66"
_STEP_S = 0.005


def frame(packet: IpPacket) -> bytes:
    """A packet to a group, in the Ethernet frame that takes it there."""
    ethertype = IPV4 if len(packet.source) == 4 else IPV6
    return EthernetFrame(group_mac(packet.destination), _MAC, ethertype, packet.build()).build()


def damaged(rng: random.Random, vrids: Sequence[int], width: int = 4) -> bytes:
    """A frame with a whole IP header, so that kernels hand it over, around a message that nobody may believe."""
    source, group = _STRANGERS[width], GROUPS[width]
    version = 3 if width == 16 else rng.choice((2, 3))
    address = rng.randbytes(width)
    said = Advertisement(version=version, vrid=rng.choice(vrids), priority=254, interval_cs=100, addresses=[address])
    whole = encode(said, source=source, destination=group)
    while True:
        payload, ttl = mutate(whole, rng), 255
        if rng.random() < 0.3:
            ttl = rng.randrange(1, 255)  # it came through a router
        if ttl != 255 or _unbelievable(payload, source, group):
            return frame(IpPacket(source, group, PROTOCOL, payload, ttl=ttl))


def _unbelievable(payload: bytes, source: bytes, destination: bytes) -> bool:
    try:
        decode(payload, source=source, destination=destination, ttl=255)
    except DecodeError:
        return True
    return False


@contextmanager
def flood(out: socket.socket, frames: Sequence[bytes], rate: int) -> Iterator[None]:
    """Send the frames again and again by a bound packet socket, so many a second, as long as the block lasts."""
    over = threading.Event()

    def send() -> None:
        begun, sent = time.monotonic(), 0
        while not over.wait(_STEP_S):
            due = int((time.monotonic() - begun) * rate)
            for number in range(max(sent, due - rate // 10), due):  # what a busy machine missed is not made up for
                with suppress(OSError):  # no room, as a network has none at times
                    out.send(frames[number % len(frames)])
            sent = due

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
