"""What the others are measured against."""

from __future__ import annotations

from benchmarks.messages import Answer, Message
from benchmarks.peers import Job
from vrrp import Advertisement, ChecksumPolicy, Datagram, decode, encode
from vrrp.wire.frame import decode_datagram, parse_frame

NAME = "vrrp"


def decoding() -> Job:
    """`vrrp.decode` itself, which remembers nothing: header, length, TTL and checksum verified each time."""
    return Job(lambda message: (message.raw, message.source, message.destination), _decode, _answer)


def encoding() -> Job:
    """`vrrp.encode`, which remembers nothing either."""
    return Job(lambda message: message, _encode, bytes)


def framing() -> Job:
    """`parse_frame` and `decode`."""
    return Job(lambda message: message.frame, _decode_frame, _answer)


def remembering() -> Job:
    """As a receiver on a segment does it: a repeated packet is recognised."""
    return Job(lambda message: message.frame, _decode_known_frame, _answer, note="recognises the repetition")


def _decode(received: tuple[bytes, bytes, bytes]) -> Advertisement:
    raw, source, destination = received
    return decode(raw, source=source, destination=destination, ttl=255)


def _encode(message: Message) -> bytes:
    return encode(message.advertisement, source=message.source, destination=message.destination)


def _decode_frame(raw: bytes) -> Advertisement:
    datagram = parse_frame(raw).content
    if type(datagram) is not Datagram:
        raise ValueError("IPv4 header")
    return decode(datagram.payload, source=datagram.source, destination=datagram.destination, ttl=datagram.ttl)


def _decode_known_frame(raw: bytes) -> Advertisement:
    datagram = parse_frame(raw).content
    if type(datagram) is not Datagram or datagram.ttl != 255:
        raise ValueError("IPv4 header")
    known = decode_datagram(datagram, ChecksumPolicy.EITHER)
    if type(known) is not Advertisement:
        raise ValueError("checksum")
    return known


def _answer(advertisement: Advertisement) -> Answer:
    a = advertisement
    return a.vrid, a.priority, a.interval_cs, a.addresses
