"""Packets as lines of JSON with tshark's field names and values (tshark 4.0.17, measured with -T fields).

Numbers that tshark prints in decimal are numbers here; what it prints otherwise (addresses, 0x..., times) is text;
a field that may occur several times is a list. frame.number is the packet's place in the capture.
"""

from __future__ import annotations

import json
from typing import TypeAlias

from vrrp.capture.frames import ETHERNET, read_frame
from vrrp.capture.packet import Batch, Packet
from vrrp.capture.text.selection import Selection
from vrrp.wire.address import text
from vrrp.wire.arp import ArpPacket
from vrrp.wire.authentication_header import SIZE as AH_SIZE
from vrrp.wire.authentication_header import AuthenticationHeader
from vrrp.wire.checksum import PROTOCOL, pseudo_residue, residue
from vrrp.wire.errors import DecodeError
from vrrp.wire.ethernet import mac_text
from vrrp.wire.frame import Datagram
from vrrp.wire.hmac_trailer import HmacTrailer, parse_trailer
from vrrp.wire.ip import IpPacket, parse_ipv6
from vrrp.wire.neighbor import NeighborAdvertisement

Fields: TypeAlias = dict[str, int | str | list[str]]

_SECOND_NS = 1_000_000_000
_HSRP_SIZE = 20
_HSRP_STATE_ADVERTISEMENT = 3
"""Cisco's own addition; what follows has another layout."""
_UDP, _HSRP_PORT = 17, 1985


class JsonLines:
    """Writes the selected packets of batch after batch, at most so many in all."""

    def __init__(self, selection: Selection, most: int | None = None) -> None:
        self._selection = selection
        self._left = most

    @property
    def done(self) -> bool:
        """Whether as many packets as were asked for have been written."""
        return self._left == 0

    def write(self, batch: Batch) -> bytes:
        """The lines of a batch, UTF-8."""
        lines = []
        for packet in batch:
            if self.done:
                break
            if self._selection.takes(packet):
                lines.append(json.dumps(fields(packet), ensure_ascii=False) + "\n")
                self._left = self._left - 1 if self._left is not None else None
        return "".join(lines).encode()


def fields(packet: Packet) -> Fields:
    """The fields of one packet. A damaged one has an extra field, `vrrp.damage`, saying why the rest is missing."""
    seconds, fraction_ns = divmod(packet.time_ns, _SECOND_NS)
    found: Fields = {
        "frame.number": packet.number,
        "frame.time_epoch": f"{seconds}.{fraction_ns:09d}",
        "frame.len": packet.length,
        "frame.cap_len": len(packet.data),
    }
    frame = read_frame(packet.link_type, packet.data)
    if packet.link_type == ETHERNET:
        found |= {"eth.src": mac_text(packet.data[6:12]), "eth.dst": mac_text(packet.data[:6])}
    if frame.vlans:
        found["vlan.id"] = [str(vlan) for vlan in frame.vlans]
    content = frame.content
    if isinstance(content, Datagram):
        found |= _ip(content.source, content.destination, content.ttl)
        if content.authentication is not None:
            found |= _authentication(content.authentication)
        found |= _vrrp(content)
    elif isinstance(content, ArpPacket):
        found |= _arp(content)
    elif isinstance(content, NeighborAdvertisement):
        around = parse_ipv6(frame.network)
        found |= _ip(around.source, around.destination, around.ttl)
        found |= _neighbor(content)
    elif isinstance(content, IpPacket):
        found |= _ip(content.source, content.destination, content.ttl)
        found |= _hsrp(content)
    elif isinstance(content, DecodeError):
        found["vrrp.damage"] = str(content)
    return found


def _ip(source: bytes, destination: bytes, ttl: int) -> Fields:
    if len(source) == 4:
        return {"ip.src": text(source), "ip.dst": text(destination), "ip.ttl": ttl}
    return {"ipv6.src": text(source), "ipv6.dst": text(destination), "ipv6.hlim": ttl}


def _authentication(header: AuthenticationHeader) -> Fields:
    return {
        "ah.next_header": PROTOCOL,
        "ah.length": AH_SIZE // 4 - 2,
        "ah.spi": f"0x{header.spi:08x}",
        "ah.sequence": header.sequence,
        "ah.icv": header.icv.hex(),
    }


def _vrrp(datagram: Datagram) -> Fields:
    message, width = datagram.payload, len(datagram.source)
    if len(message) < 8:
        return {"vrrp.damage": f"{len(message)} bytes"}
    version = message[0] >> 4
    found: Fields = {
        "vrrp.typever": message[0],
        "vrrp.version": version,
        "vrrp.type": message[0] & 15,
        "vrrp.virt_rtr_id": message[1],
        "vrrp.prio": message[2],
        "vrrp.addr_count": message[3],
    }
    if version == 3:
        found["vrrp.reserved_mbz"] = message[4] >> 4
        found["vrrp.short_adver_int"] = int.from_bytes(message[4:6], "big") & 0xFFF
    else:
        found["vrrp.auth_type"] = message[4]
        found["vrrp.adver_int"] = message[5]
    found["vrrp.checksum"] = f"0x{message[6:8].hex()}"
    found["vrrp.checksum.status"] = int(_good(datagram, version))
    end = 8 + width * message[3]
    listed = [message[at : at + width] for at in range(8, min(end, len(message) - width + 1), width)]
    if listed:
        found["vrrp.ip_addr" if width == 4 else "vrrp.ipv6_addr"] = [text(address) for address in listed]
    if version == 2 and message[4] == 1 and len(message) >= end + 8:
        found["vrrp.auth_string"] = message[end : end + 8].split(b"\0")[0].decode("utf-8", "replace")
    trailer = parse_trailer(message, width)
    if trailer is not None:
        found |= _trailer(trailer)
    return found


def _good(datagram: Datagram, version: int) -> bool:
    """As tshark judges: version 3 must have the pseudo-header, over IPv4 too."""
    message = datagram.payload
    total = residue(message + bytes(len(message) % 2))
    if version == 3:
        total += pseudo_residue(datagram.source, datagram.destination, len(message))
    return total % 0xFFFF == 0


def _trailer(trailer: HmacTrailer) -> Fields:
    """Names of our own: tshark 4.0 has none."""
    return {
        "vrrp.hmac.key_id": trailer.key_id,
        "vrrp.hmac.seconds": trailer.seconds,
        "vrrp.hmac.counter": trailer.counter,
        "vrrp.hmac.digest": trailer.digest.hex(),
    }


def _arp(packet: ArpPacket) -> Fields:
    found: Fields = {
        "arp.opcode": packet.operation,
        "arp.src.hw_mac": mac_text(packet.sender_mac),
        "arp.src.proto_ipv4": text(packet.sender),
        "arp.dst.hw_mac": mac_text(packet.target_mac),
        "arp.dst.proto_ipv4": text(packet.target),
    }
    if packet.gratuitous:
        found["arp.isgratuitous"] = 1
    return found


def _neighbor(advertisement: NeighborAdvertisement) -> Fields:
    found: Fields = {
        "icmpv6.type": 136,
        "icmpv6.nd.na.target_address": text(advertisement.target),
        "icmpv6.nd.na.flag.r": int(advertisement.router),
        "icmpv6.nd.na.flag.s": int(advertisement.solicited),
        "icmpv6.nd.na.flag.o": int(advertisement.override),
    }
    if advertisement.mac is not None:
        found["icmpv6.opt.linkaddr"] = mac_text(advertisement.mac)
    return found


def _hsrp(packet: IpPacket) -> Fields:
    """HSRP version 0 (RFC 2281); later ones are no more than an IP packet here."""
    data = packet.payload[8:]
    if packet.protocol != _UDP or len(data) < 2 or data[0] or packet.payload[2:4] != _HSRP_PORT.to_bytes(2):
        return {}
    head: Fields = {"hsrp.version": data[0], "hsrp.opcode": data[1]}
    if data[1] == _HSRP_STATE_ADVERTISEMENT or len(data) < _HSRP_SIZE:
        return head
    return head | {
        "hsrp.state": data[2],
        "hsrp.hellotime": data[3],
        "hsrp.holdtime": data[4],
        "hsrp.priority": data[5],
        "hsrp.group": data[6],
        "hsrp.auth_data": data[8:16].split(b"\0")[0].decode("utf-8", "replace"),
        "hsrp.virt_ip": text(data[16:20]),
    }
