"""--http and what goes with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vrrp.cli.errors import BadInput, unreadable

if TYPE_CHECKING:
    from vrrp.linux.status.document import Status
    from vrrp.linux.status.web import WebServer


def web_server(status: Status, where: str, auth: str | None, beyond_loopback: bool) -> WebServer:
    """The server that ADDRESS:PORT and USER:FILE ask for; a usage error or BadInput for what is no such thing."""
    from vrrp.linux.status.web import WebServer, loopback, read_password

    address, _, port = where.rpartition(":")
    address = address.strip("[]")
    try:
        local = loopback(address)
        number = int(port) if port.isascii() and port.isdigit() else -1
    except ValueError:
        local, number = True, -1
    if not 0 <= number <= 0xFFFF:
        raise click.UsageError(f"--http {where!r} is no ADDRESS:PORT, such as 127.0.0.1:8405 or [::1]:8405")
    if not local and not beyond_loopback:
        raise click.UsageError(
            f"--http {where}: {address} can be reached from outside; --http-beyond-loopback allows it"
        )
    if auth is None:
        return WebServer(status, address, number)
    user, colon, path = auth.partition(":")
    if not (user and colon and path):
        raise click.UsageError(f"--http-auth {auth!r} is no USER:FILE")
    try:
        return WebServer(status, address, number, (user, read_password(Path(path))))
    except OSError as error:
        raise unreadable(error, path) from error
    except ValueError as error:
        raise BadInput(str(error)) from error
