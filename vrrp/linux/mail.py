"""Mail when a state changes: global_defs' notification_email, and smtp_alert.

As keepalived 2.2.7 was measured to: one message to all of the addresses for every virtual router and every sync group
that is MASTER, BACKUP or FAULT now, none for the end; not without an smtp_server and a notification_email. A slow or
dead server keeps nobody waiting: messages wait in a short queue, and one connection is open at a time.
"""

from __future__ import annotations

import asyncio
import logging
import os
import pwd
import socket
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING

from vrrp.config.model import KeepalivedConfig, Option
from vrrp.config.values import switch, whole
from vrrp.linux.notify import GROUP, Notifier, Told
from vrrp.words import printable

if TYPE_CHECKING:
    from vrrp.linux.daemon import Daemon

log = logging.getLogger("vrrp.mail")

MOST_WAITING = 64
PATIENCE_S = 1.0
"""How long what still waits has when the daemon ends."""
_CONNECT_TIMEOUT_S = 30
_LONGEST_REPLY = 100
"""Lines of one reply."""
_BODIES = {
    "MASTER": "=> VRRP Instance is now owning VRRP VIPs <=",
    "BACKUP": "=> VRRP Instance is no longer owning VRRP VIPs <=",
    "FAULT": "=> VRRP Instance is no longer owning VRRP VIPs <=",
}
_GROUP_BODY = "=> All VRRP group instances are now in {} state <="


@dataclass(frozen=True, slots=True)
class Post:
    """Where mail goes, and what it says of itself. `timeout_s` is for every answer of the server's."""

    host: str
    port: int
    timeout_s: int
    helo: str
    sender: str
    receivers: tuple[str, ...]
    router_id: str
    faults: bool

    @classmethod
    def of(cls, config: KeepalivedConfig) -> Post | None:
        """What global_defs say; None when they name no server, or nobody to write to."""
        settings = config.globals
        said = {one.keyword: one.text for one in settings.options}
        receivers = tuple(one.text for one in settings.options if one.keyword == "notification_email")
        host, _, rest = said.get("smtp_server", "").partition(" ")
        port = whole(rest.split(" ")[0] or "25", 1, 65535)
        if not host or port.complaint or not receivers:
            return None
        here = socket.gethostname()
        timeout = whole(said.get("smtp_connect_timeout", ""), 0, 4294)
        return cls(
            host=host,
            port=port.read,
            timeout_s=_CONNECT_TIMEOUT_S if timeout.complaint else max(1, timeout.read),
            helo=said.get("smtp_helo_name") or here,
            sender=said.get("notification_email_from") or f"{_user()}@{here}",
            receivers=receivers,
            router_id=settings.router_id or here,
            faults="no_email_faults" not in said,
        )


def _user() -> str:
    """Who runs this."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def alerted(config: KeepalivedConfig) -> frozenset[tuple[str, str]]:
    """The instances and groups of which mail is written, as (INSTANCE or GROUP, name)."""
    usual = _on(config.globals.options, "smtp_alert_vrrp")
    if usual is None:
        usual = bool(_on(config.globals.options, "smtp_alert"))
    owners: list[tuple[str, str, tuple[Option, ...]]] = [
        ("INSTANCE", one.name, one.options) for one in config.instances
    ]
    owners += [(GROUP, one.name, one.options) for one in config.sync_groups]
    found = ((kind, name, _on(options, "smtp_alert")) for kind, name, options in owners)
    return frozenset((kind, name) for kind, name, own in found if (usual if own is None else own))


def _on(options: Iterable[Option], keyword: str) -> bool | None:
    """What the last line of a keyword says that says yes or no; None without any."""
    said = [switch(tuple(one.text.split())) for one in options if one.keyword == keyword]
    return next((one for one in reversed(said) if one is not None), None)


class Mailer:
    """The service that writes mail of what the `notifier` tells."""

    def __init__(self, notifier: Notifier) -> None:
        self._notifier = notifier
        self._waiting: deque[str] = deque(maxlen=MOST_WAITING)
        self._post: Post | None = None
        self._sending: asyncio.Task[None] | None = None

    async def start(self, daemon: Daemon) -> None:
        """Listen."""
        self._daemon = daemon
        self._notifier.listeners.append(self._told)
        daemon.reloaded.append(self._read)
        self._read()

    async def stop(self) -> None:
        """What waits has a second more."""
        if self._sending is not None:
            await asyncio.wait([self._sending], timeout=PATIENCE_S)
            self._sending.cancel()
            await asyncio.wait([self._sending])

    def _read(self) -> None:
        config = self._daemon.config.config
        self._post = Post.of(config)
        self._alerted = alerted(config)
        if self._alerted and self._post is None:
            log.warning("smtp_alert writes to nobody without smtp_server and notification_email in global_defs")

    def _told(self, told: Told, state: str) -> None:
        post = self._post
        if post is None or state not in _BODIES or (told.kind, told.name) not in self._alerted:
            return
        if state == "FAULT" and not post.faults:
            return
        if len(self._waiting) == MOST_WAITING:
            log.error("%d messages wait for %s; the oldest is dropped", MOST_WAITING, post.host)
        self._waiting.append(message(post, told.kind, told.name, state))
        if self._sending is None or self._sending.done():
            self._sending = asyncio.get_running_loop().create_task(self._send_all())

    async def _send_all(self) -> None:
        while self._waiting and self._post is not None:
            post, text = self._post, self._waiting.popleft()
            try:
                await _send(post, text)
            except (OSError, ValueError) as error:
                reason = "it does not answer" if isinstance(error, TimeoutError) else str(error)
                log.error("SMTP alert was not sent to [%s]:%d: %s", post.host, post.port, reason)
            else:
                log.info("SMTP alert successfully sent.")


def message(post: Post, kind: str, name: str, state: str) -> str:
    """The text of a message, as keepalived writes it (measured)."""
    what, body = ("Group", _GROUP_BODY.format(state)) if kind == GROUP else ("Instance", _BODIES[state])
    lines = (
        f"Date: {formatdate(localtime=True)}",
        f"From: {post.sender}",
        f"Subject: [{post.router_id}] VRRP {what} {name} - Entering {state} state",
        "X-Mailer: Keepalived",
        f"To: {', '.join(post.receivers)}",
        "",
        body,
        "",
    )
    return "".join(f"{printable(line)}\r\n" for line in lines)


async def _send(post: Post, text: str) -> None:
    """One message. TimeoutError for a server that is slow, OSError and ValueError for one that refuses."""
    async with asyncio.timeout(post.timeout_s):
        reader, writer = await asyncio.open_connection(post.host, post.port)
    log.info("Remote SMTP server [%s]:%d connected.", post.host, post.port)
    try:
        async with asyncio.timeout(post.timeout_s):
            await _reply(reader, "2")
        for line, expected in (
            (f"HELO {post.helo}", "2"),
            (f"MAIL FROM:<{post.sender}>", "2"),
            *((f"RCPT TO:<{one}>", "2") for one in post.receivers),
            ("DATA", "3"),
            (text + ".", "2"),
            ("QUIT", "2"),
        ):
            async with asyncio.timeout(post.timeout_s):
                writer.write(f"{line}\r\n".encode("utf-8", "replace"))
                await writer.drain()
                await _reply(reader, expected)
    finally:
        writer.close()


async def _reply(reader: asyncio.StreamReader, expected: str) -> None:
    """Read one. ValueError when it is none that begins with the digit expected."""
    for _ in range(_LONGEST_REPLY):
        line = (await reader.readline()).decode("ascii", "replace").rstrip()
        if line[3:4] != "-":
            if not line.startswith(expected):
                raise ValueError(f"it says {printable(line[:200])!r}" if line else "it hangs up")
            return
    raise ValueError("it does not stop talking")
