"""HTTP_GET and SSL_GET: whether a web server answers as it should."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import suppress

from vrrp.config.lvs.model import SslContext, WebCheck
from vrrp.linux.checks.connection import Endpoint, UnaskedError
from vrrp.linux.checks.searcher import Searcher
from vrrp.lvs.http_answer import HttpAnswer, request
from vrrp.lvs.phrases import Outcome
from vrrp.lvs.target import Target

_PIECE = 65536
MOST_TIMEOUTS = 4
"""An answer that comes drop by drop ends after so many timeouts, though none of the waits was too long (keepalived
would read it to its end)."""


async def check_web(
    target: Target, checker: WebCheck, url: int, tls: ssl.SSLContext | None, searcher: Searcher
) -> Outcome:
    """Ask for one of its urls; UnaskedError where that cannot be done."""
    endpoint = Endpoint.of(target, checker.connection)
    server, asked = target.key.real_server, checker.urls[url]
    name = asked.virtual_host or checker.virtual_host or target.virtual_host
    sni = name if checker.enable_sni else None
    try:
        reader, writer = await _connect(endpoint, tls, sni)
    except UnaskedError:
        raise
    except TimeoutError:
        return Outcome(False, f"Timeout connecting server {server}.")
    except (OSError, ValueError):  # ValueError: a name that no server can have
        return Outcome(False, f"Connection failed server {server}.")
    try:
        answer = HttpAnswer(asked)
        async with asyncio.timeout(endpoint.timeout_s * MOST_TIMEOUTS):
            writer.write(request(asked.path, name or endpoint.host, checker.version))
            trouble = await _read(reader, endpoint, answer, server)
        if trouble is not None:
            return trouble
        search = answer.search
        found = -1 if search is None else await searcher.find(search)
        ok, what = answer.judge(found)
        if ok:
            return Outcome(True, f"{what} success to {server} url({asked.path})")
        return Outcome(False, f"{what} failed server {server}." if what == "Regex match" else _error(what, server))
    except UnaskedError:
        raise
    except TimeoutError:
        return Outcome(False, f"Timeout HTTP read server {server}.")
    except ValueError as error:
        return Outcome(False, f"{error} (server {server})")
    except OSError:
        return Outcome(False, f"Read error with server {server}.")
    finally:
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()


async def _connect(
    endpoint: Endpoint, tls: ssl.SSLContext | None, sni: str | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect, and shake hands; each of both may take the time."""
    opened = endpoint.open(socket.SOCK_STREAM)
    try:
        await endpoint.connect(opened)
        async with asyncio.timeout(endpoint.timeout_s):
            return await asyncio.open_connection(
                sock=opened, ssl=tls, server_hostname=None if tls is None else sni or ""
            )
    except BaseException:
        opened.close()
        raise


async def _read(reader: asyncio.StreamReader, endpoint: Endpoint, answer: HttpAnswer, server: str) -> Outcome | None:
    """What went wrong, if anything did."""
    while True:
        try:
            async with asyncio.timeout(endpoint.timeout_s):
                data = await reader.read(_PIECE)
        except TimeoutError:
            return Outcome(False, f"Timeout {'HTTP' if answer.begun else 'WEB'} read server {server}.")
        if not data:
            break
        if not answer.feed(data):
            break
    if not answer.begun:  # the two blanks are keepalived's
        return Outcome(False, f"Read, no data received from  server {server}.")
    return None


def _error(what: str, server: str) -> str:
    return f"{what} error to server {server}."


def tls_context(files: SslContext | None) -> ssl.SSLContext:
    """What SSL_GET connects with: it looks at no certificate, as keepalived does, and shows one where SSL has it.

    OSError or ValueError for files that cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if files is not None and files.certificate is not None:
        password = files.password or ""
        context.load_cert_chain(files.certificate, files.key, lambda: password)
    return context
