"""One check of one server, from the connection to the result: what HAProxy sends, and what it makes of the answers.

Sans IO: `begin` says what to do first; then tell it what happened (`connected`, `refused`, `received`) until `result`
is there. `deadline_ns` says when `expire` ends it for want of an answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from sim.haproxy.exchange import Received, Sent
from sim.haproxy.service import Service
from sim.haproxy.status import CheckResult
from vrrp.config.haproxy.checks import CheckMethod
from vrrp.config.haproxy.model import Server, Timeouts
from vrrp.config.values import Address


@dataclass(frozen=True, slots=True)
class OpenConnection:
    """Connect to this address and port (None: the address is not known); report `connected` or `refused`, or nothing.

    A connection still open from an earlier step is closed.
    """

    address: Address | None
    port: int


@dataclass(frozen=True, slots=True)
class Send:
    """Send this on the connection, inside TLS if that was agreed; report each answer to `received`."""

    what: Sent


CheckAction: TypeAlias = OpenConnection | Send


class CheckRun:
    """A check that is going on.

    Attributes for readers: `result` (None while it runs), `deadline_ns` (None once it has ended).
    """

    def __init__(self, method: CheckMethod, server: Server, timeouts: Timeouts) -> None:
        """ValueError when `server` is not checked."""
        raise NotImplementedError

    def begin(self, now_ns: int) -> tuple[CheckAction, ...]:
        """What to do first."""
        raise NotImplementedError

    def connected(self, now_ns: int) -> tuple[CheckAction, ...]:
        """The connection stands (SYN-ACK)."""
        raise NotImplementedError

    def refused(self, now_ns: int, text: str = "Connection refused") -> tuple[CheckAction, ...]:
        """There is no connection: a RST, or "No route to host"."""
        raise NotImplementedError

    def received(self, now_ns: int, what: Received) -> tuple[CheckAction, ...]:
        """This came from the server."""
        raise NotImplementedError

    def expire(self, now_ns: int) -> tuple[CheckAction, ...]:
        """Time has passed. Harmless when early."""
        raise NotImplementedError


def check(
    method: CheckMethod,
    server: Server,
    timeouts: Timeouts,
    service: Service | None,
    *,
    silent: bool = False,
    connect_ns: int = 0,
    answer_ns: int = 0,
) -> CheckResult:
    """The whole of a check at once against one that behaves the same all along: for quiet times.

    `service` None refuses connections, `silent` answers nothing at all; a connection takes `connect_ns`, and each
    answer `answer_ns` from what it answers.
    """
    raise NotImplementedError
