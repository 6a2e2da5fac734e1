"""DNS_CHECK and UDP_CHECK: whether something answers a datagram, or at least nobody says that nothing does."""

from __future__ import annotations

import asyncio
import secrets
import socket

from vrrp.config.lvs.model import DnsCheck, UdpCheck
from vrrp.linux.checks.connection import Endpoint
from vrrp.lvs.dns_query import query, response_code
from vrrp.lvs.phrases import Outcome
from vrrp.lvs.target import Target

_LARGEST = 65535


async def check_dns(target: Target, checker: DnsCheck) -> Outcome:
    """Ask once; UnaskedError where that cannot be done."""
    endpoint = Endpoint.of(target, checker.connection)
    said = f"DNS_CHECK ({target.key.real_server})"
    identifier = secrets.randbelow(1 << 16)
    loop = asyncio.get_running_loop()
    with endpoint.open(socket.SOCK_DGRAM) as opened:
        try:
            async with asyncio.timeout(endpoint.timeout_s):
                opened.connect(endpoint.destination)
                await loop.sock_sendall(opened, query(identifier, checker.name, checker.record_type))
                code = None
                while code is None:
                    code = response_code(identifier, await loop.sock_recv(opened, _LARGEST))
        except TimeoutError:
            return Outcome(False, f"{said} read timeout from socket")
        except OSError as error:
            return Outcome(False, f"{said} failed to read socket; errno {error.errno} ({error.strerror})")
        except ValueError as error:
            return Outcome(False, f"{said} {error}")
    return (
        Outcome(False, f"{said} read error occurred. (rcode = {code})") if code else Outcome(True, f"{said} success.")
    )


async def check_udp(target: Target, checker: UdpCheck) -> Outcome:
    """Send once; UnaskedError where that cannot be done."""
    endpoint = Endpoint.of(target, checker.connection)
    server = target.key.real_server
    loop = asyncio.get_running_loop()
    with endpoint.open(socket.SOCK_DGRAM) as opened:
        try:
            async with asyncio.timeout(endpoint.timeout_s):
                opened.connect(endpoint.destination)
                await loop.sock_sendall(opened, checker.payload or b"")
                data = await loop.sock_recv(opened, _LARGEST)
        except TimeoutError:
            if checker.reply_required:
                return Outcome(False, f"UDP connection to {server} failed.")
            data = None
        except OSError:
            return Outcome(False, f"UDP connection to {server} failed.")
    if data is not None and checker.reply_required and not _matches(checker, data):
        return Outcome(False, f"UDP check to {server} reply data mismatch.")
    return Outcome(True, f"UDP connection to {server} success.")


def _matches(checker: UdpCheck, data: bytes) -> bool:
    """Whether the answer has the right length and begins as it should (keepalived, measured)."""
    if not checker.min_reply_octets <= len(data) <= checker.max_reply_octets:
        return False
    return all(
        not (had ^ wanted) & mask for had, wanted, mask in zip(data, checker.reply, checker.reply_mask, strict=False)
    )
