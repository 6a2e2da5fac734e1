"""TCP_CHECK: whether a port takes a connection."""

from __future__ import annotations

import socket

from vrrp.config.lvs.model import TcpCheck
from vrrp.linux.checks.connection import Endpoint
from vrrp.lvs.phrases import Outcome
from vrrp.lvs.target import Target


async def check_tcp(target: Target, checker: TcpCheck) -> Outcome:
    """One check; UnaskedError where it cannot be made."""
    endpoint = Endpoint.of(target, checker.connection)
    said = f"TCP connection to {target.key.real_server}"
    with endpoint.open(socket.SOCK_STREAM) as opened:
        try:
            await endpoint.connect(opened)
        except TimeoutError:
            return Outcome(False, f"{said} timeout.")
        except OSError:
            return Outcome(False, f"{said} failed.")
    return Outcome(True, f"{said} success.")
