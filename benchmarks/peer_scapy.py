"""scapy: reads and writes both versions; a wrong checksum is accepted, so the caller verifies."""

from __future__ import annotations

import logging
from typing import Any

from benchmarks.messages import Answer, Message
from benchmarks.peers import VERIFIED, Job, load
from vrrp.wire.address import pack, text

_VRRP = 112


class Scapy:
    """Needs the modules that `load_scapy` gives."""

    name = "scapy"

    def __init__(self, layer2: Any, inet: Any, inet6: Any, vrrp: Any) -> None:
        self._ether = layer2.Ether
        self._inet = inet
        self._inet6 = inet6
        self._vrrp = vrrp

    def decoding(self, version: int, width: int) -> Job:
        """All."""
        if version == 2:
            return Job(lambda message: message.raw, self._decode_v2, _answer, VERIFIED)
        verify = self._inet6.in6_chksum if width == 16 else self._inet.in4_chksum
        decode, layer = self._vrrp.VRRPv3, self._layer

        def call(received: tuple[bytes, Any]) -> Any:
            raw, ip = received
            vrrp = decode(raw, _underlayer=ip)
            if verify(_VRRP, ip, raw):
                raise ValueError("checksum")
            return vrrp

        return Job(lambda message: (message.raw, layer(message)), call, _answer, VERIFIED)

    def encoding(self, version: int, width: int) -> Job:
        """All; version 3 takes the pseudo-header from the layer below."""
        return Job(self._message_v2 if version == 2 else self._message_v3, bytes, lambda raw: raw)

    def framing(self) -> Job:
        """Both versions over IPv4."""
        return Job(lambda message: message.frame, self._decode_frame, _answer, VERIFIED)

    def _layer(self, message: Message) -> Any:
        addresses = {"src": text(message.source), "dst": text(message.destination)}
        if len(message.source) == 16:
            return self._inet6.IPv6(**addresses, hlim=255, nh=_VRRP, plen=len(message.raw))
        return self._inet.IP(**addresses, ttl=255, proto=_VRRP)

    def _decode_v2(self, raw: bytes) -> Any:
        vrrp = self._vrrp.VRRP(raw)
        if self._inet.checksum(raw):
            raise ValueError("checksum")
        return vrrp

    def _message_v2(self, message: Message) -> Any:
        a = message.advertisement
        addresses = [text(address) for address in a.addresses]
        return self._vrrp.VRRP(vrid=a.vrid, priority=a.priority, adv=a.interval_cs // 100, addrlist=addresses)

    def _message_v3(self, message: Message) -> Any:
        a = message.advertisement
        vrrp = self._vrrp.VRRPv3(vrid=a.vrid, priority=a.priority, adv=a.interval_cs)
        vrrp.add_underlayer(self._layer(message))
        vrrp.addrlist = [text(address) for address in a.addresses]
        return vrrp

    def _decode_frame(self, frame: bytes) -> Any:
        ip = self._ether(frame).payload
        vrrp = ip.payload
        raw = frame[34 : 14 + ip.len]
        if ip.ttl != 255 or self._inet.checksum(frame[14:34]):
            raise ValueError("IPv4 header")
        if self._inet.checksum(raw) if vrrp.version == 2 else self._inet.in4_chksum(_VRRP, ip, raw):
            raise ValueError("checksum")
        return vrrp


def _answer(vrrp: Any) -> Answer:
    interval_cs = vrrp.adv * 100 if vrrp.version == 2 else vrrp.adv
    return vrrp.vrid, vrrp.priority, interval_cs, tuple(pack(address) for address in vrrp.addrlist)


def load_scapy() -> Scapy | None:
    """The contestant; None where scapy is not installed."""
    logging.getLogger("scapy").setLevel(logging.ERROR)  # it remarks on the machine's routes and interfaces
    layers = load(*(f"scapy.layers.{name}" for name in ("l2", "inet", "inet6", "vrrp")))
    return None if layers is None else Scapy(*layers)
