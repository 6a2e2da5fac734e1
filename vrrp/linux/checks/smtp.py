"""SMTP_CHECK: whether a mail server greets (RFC 5321 section 3.1).

keepalived's reading (2.2.7, measured): a greeting or answer is one line that begins with its number, and one of
several lines is none; one that does not fit into 512 octets is none either.
"""

from __future__ import annotations

import asyncio
import socket

from vrrp.config.lvs.model import Connection, SmtpCheck
from vrrp.config.values import octets
from vrrp.linux.checks.connection import Endpoint
from vrrp.lvs.phrases import Outcome
from vrrp.lvs.target import Target

_LONGEST_LINE = 512
_USUAL_NAME = "smtpchecker.keepalived.org"


async def check_smtp(target: Target, checker: SmtpCheck) -> Outcome:
    """One check of all its hosts; UnaskedError where it cannot be made."""
    outcome = Outcome(True, "")
    for host in checker.hosts or (checker.connection,):
        outcome = await _greet(target, host, checker.helo_name or _USUAL_NAME)
        if not outcome.ok:
            break
    return outcome


async def _greet(target: Target, host: Connection, name: str) -> Outcome:
    endpoint = Endpoint.of(target, host)
    loop = asyncio.get_running_loop()
    with endpoint.open(socket.SOCK_STREAM) as opened:
        try:
            await endpoint.connect(opened)
            async with asyncio.timeout(endpoint.timeout_s):
                if await _line(opened) != b"220 ":
                    return Outcome(False, f"SMTP_CHECK Bad greeting banner from server {endpoint.text}")
                await loop.sock_sendall(opened, octets(f"HELO {name}\r\n"))
                if await _line(opened) != b"250 ":
                    return Outcome(False, f"SMTP_CHECK Bad HELO response from server {endpoint.text}")
                await loop.sock_sendall(opened, b"QUIT\r\n")
                await _line(opened)
        except TimeoutError:
            return Outcome(False, f"SMTP_CHECK Read timeout from server {endpoint.text}")
        except OSError:
            return Outcome(False, f"SMTP_CHECK Network I/O error with server {endpoint.text}")
    return Outcome(True, f"Remote SMTP server {target.key.real_server} succeed on service.")


async def _line(opened: socket.socket) -> bytes:
    """The first four octets of the next line; nothing where there is none."""
    data = b""
    loop = asyncio.get_running_loop()
    while b"\n" not in data:
        piece = await loop.sock_recv(opened, _LONGEST_LINE)
        data += piece
        if not piece or len(data) > _LONGEST_LINE:
            return b""
    return data[:4]
