"""os-ken, Ryu's successor: a packet library that verifies when asked to."""

from __future__ import annotations

from typing import Any

from benchmarks.messages import Answer, Message
from benchmarks.peers import Job, load
from vrrp.wire.address import pack, text

_VRRP = 112


class OsKen:
    """Needs the modules that `load_osken` gives."""

    name = "os-ken"

    def __init__(self, vrrp: Any, packet: Any, packet_utils: Any, ipv4: Any, ipv6: Any) -> None:
        self._vrrp = vrrp
        self._packet = packet
        self._checksum = packet_utils.checksum
        self._ipv4 = ipv4
        self._ipv6 = ipv6

    def decoding(self, version: int, width: int) -> Job:
        """All."""
        parse = self._vrrp.vrrp.parser

        def call(received: tuple[bytes, Any]) -> Any:
            raw, ip = received
            vrrp = parse(raw)[0]
            if not vrrp.checksum_ok(ip, raw):
                raise ValueError("checksum")
            return vrrp

        return Job(lambda message: (message.raw, self._layer(message)), call, _answer)

    def encoding(self, version: int, width: int) -> Job:
        """All."""
        return Job(lambda message: (self._message(message), self._layer(message)), _encode, bytes)

    def framing(self) -> Job:
        """Both versions over IPv4."""
        return Job(lambda message: message.frame, self._decode_frame, _answer)

    def _layer(self, message: Message) -> Any:
        """The IP header, which version 2 does without."""
        addresses = {"src": text(message.source), "dst": text(message.destination)}
        if len(message.source) == 16:
            return self._ipv6.ipv6(**addresses, nxt=_VRRP, hop_limit=255)
        return self._ipv4.ipv4(**addresses, proto=_VRRP, ttl=255)

    def _message(self, message: Message) -> Any:
        a = message.advertisement
        addresses = [text(address) for address in a.addresses]
        if a.version == 2:
            return self._vrrp.vrrpv2.create(1, a.vrid, a.priority, a.interval_cs // 100, addresses)
        return self._vrrp.vrrpv3.create(1, a.vrid, a.priority, a.interval_cs, addresses)

    def _decode_frame(self, frame: bytes) -> Any:
        ip, vrrp = self._vrrp.vrrp.get_payload(self._packet.Packet(frame))
        if not vrrp.is_valid_ttl(ip) or self._checksum(frame[14:34]):
            raise ValueError("IPv4 header")
        if not vrrp.is_valid() or not vrrp.checksum_ok(ip, frame[34 : 14 + ip.total_length]):
            raise ValueError("checksum")
        return vrrp


def _encode(ready: tuple[Any, Any]) -> Any:
    vrrp, ip = ready
    vrrp.checksum = None
    return vrrp.serialize(b"", ip)


def _answer(vrrp: Any) -> Answer:
    interval_cs = vrrp.max_adver_int * 100 if vrrp.version == 2 else vrrp.max_adver_int
    return vrrp.vrid, vrrp.priority, interval_cs, tuple(pack(address) for address in vrrp.ip_addresses)


def load_osken() -> OsKen | None:
    """The contestant; None where os-ken is not installed."""
    modules = load(*(f"os_ken.lib.packet.{name}" for name in ("vrrp", "packet", "packet_utils", "ipv4", "ipv6")))
    return None if modules is None else OsKen(*modules)
