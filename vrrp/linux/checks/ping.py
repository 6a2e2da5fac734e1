"""PING_CHECK: whether an address answers an echo request (RFC 792, RFC 4443 section 4)."""

from __future__ import annotations

import asyncio
import os
import socket
import struct

from vrrp.config.lvs.model import PingCheck
from vrrp.linux.checks.connection import Endpoint
from vrrp.lvs.phrases import Outcome
from vrrp.lvs.target import Target
from vrrp.wire.checksum import complement, residue

_REQUEST_V4, _REPLY_V4, _REQUEST_V6, _REPLY_V6 = 8, 0, 128, 129
_HEADER = struct.Struct("!BBHHH")
_PAYLOAD_SIZE = 56


async def check_ping(target: Target, checker: PingCheck) -> Outcome:
    """One check; UnaskedError where it cannot be made."""
    endpoint = Endpoint.of(target, checker.connection)
    said = f"ICMP connection to {target.key.real_server}"
    six = endpoint.address.version == 6
    with endpoint.open(socket.SOCK_RAW, socket.IPPROTO_ICMPV6 if six else socket.IPPROTO_ICMP) as opened:
        loop = asyncio.get_running_loop()
        payload = os.urandom(_PAYLOAD_SIZE)
        identifier = int.from_bytes(payload[:2])
        try:
            async with asyncio.timeout(endpoint.timeout_s):
                opened.connect((str(endpoint.address), 0))
                await loop.sock_sendall(opened, _echo(six, identifier, payload))
                while not answers(six, await loop.sock_recv(opened, 2048), identifier, payload):
                    pass
        except TimeoutError:
            return Outcome(False, f"ICMP connection to address {target.key.real_server} timeout.")
        except OSError:
            return Outcome(False, "send ICMP packet fail")
    return Outcome(True, f"{said} success.")


def _echo(six: bool, identifier: int, payload: bytes) -> bytes:
    # Of ICMPv6 the kernel makes the checksum (RFC 3542 section 3.1).
    kind = _REQUEST_V6 if six else _REQUEST_V4
    empty = _HEADER.pack(kind, 0, 0, identifier, 1) + payload
    return empty if six else _HEADER.pack(kind, 0, complement(residue(empty)), identifier, 1) + payload


def answers(six: bool, packet: bytes, identifier: int, payload: bytes) -> bool:
    """Whether a packet, of IPv4 with its IP header, is the reply to this request."""
    if not six:  # with its IP header
        packet = packet[(packet[0] & 0xF) * 4 :] if packet else b""
    if len(packet) < _HEADER.size:
        return False
    kind, code, _, answered, _ = _HEADER.unpack_from(packet)
    wanted = _REPLY_V6 if six else _REPLY_V4
    return (kind, code, answered) == (wanted, 0, identifier) and packet[_HEADER.size :] == payload
