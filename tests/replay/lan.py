"""Captures of a LAN that never was, packet by packet; configurations that go with them."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vrrp.capture.pcap import open_pcap
from vrrp.wire.address import is_multicast, pack
from vrrp.wire.advertisement import Advertisement, encode
from vrrp.wire.checksum import PROTOCOL
from vrrp.wire.ethernet import IPV4, IPV6, EthernetFrame, group_mac
from vrrp.wire.ip import IpPacket

ZERO_NS = 1_700_000_000_000_000_000
S_NS = 1_000_000_000

CONF = """\
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    priority 100
    virtual_ipaddress {
        10.0.0.100
    }
}
"""


@dataclass(frozen=True)
class Sent:
    """An advertisement on the LAN, `at` seconds after ZERO_NS."""

    at: float
    source: str = "10.0.0.2"
    priority: int = 101
    vrid: int = 51
    to: str = "224.0.0.18"
    mac: bytes = b"\x02\0\0\0\0\x02"
    vlans: tuple[int, ...] = ()
    addresses: Sequence[str] = ("10.0.0.100",)
    version: int = 2

    @property
    def time_ns(self) -> int:
        return ZERO_NS + round(self.at * 1e6) * 1000

    @property
    def frame(self) -> bytes:
        made = Advertisement(self.version, self.vrid, self.priority, 100, self.addresses)
        payload = encode(made, source=self.source, destination=self.to)
        packet = IpPacket(pack(self.source), pack(self.to), PROTOCOL, payload)
        mac = group_mac(pack(self.to)) if is_multicast(pack(self.to)) else b"\x02\0\0\0\0\x01"
        ethertype = IPV6 if ":" in self.source else IPV4
        return EthernetFrame(mac, self.mac, ethertype, packet.build(), self.vlans).build()


def steady(begin: float, end: float, **fields: Any) -> list[Sent]:
    """One advertisement each second."""
    return [Sent(begin + second, **fields) for second in range(int(end - begin) + 1)]


def capture(file: Path, sent: Sequence[Sent]) -> Path:
    with open_pcap(file) as writer:
        for one in sorted(sent, key=lambda one: one.at):
            writer.write(one.time_ns, one.frame)
    return file


def _block(kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    size = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + size + body + size


def pcapng(file: Path, names: Sequence[str], sent: Sequence[tuple[int, Sent]]) -> Path:
    """A gzipped pcapng capture of interfaces with these names; microseconds."""
    blocks = _block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    for name in names:
        option = struct.pack("<HH", 2, len(name)) + name.encode() + bytes(-len(name) % 4) + bytes(4)
        blocks += _block(1, struct.pack("<HHI", 1, 0, 0) + option)
    for interface, one in sorted(sent, key=lambda item: item[1].at):
        time_us = one.time_ns // 1000
        head = struct.pack("<IIIII", interface, time_us >> 32, time_us & 0xFFFFFFFF, len(one.frame), len(one.frame))
        blocks += _block(6, head + one.frame)
    file.write_bytes(gzip.compress(blocks))
    return file


def conf(file: Path, text: str = CONF) -> Path:
    file.write_text(text)
    return file
