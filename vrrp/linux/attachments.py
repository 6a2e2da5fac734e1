"""Where virtual routers meet the machine: the interfaces they hear by, send by, and put their addresses on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from vrrp.config.model import KeepalivedConfig
from vrrp.protocol.router import Router
from vrrp.protocol.settings import VirtualRouterConfig


@dataclass(frozen=True, slots=True)
class Attachment:
    """The interfaces of one virtual router, by name; all the same unless it has a device of its own."""

    interface: str
    """What the configuration says."""
    hear: str
    send: str
    hold: str
    """Its addresses go here, and are announced from the MAC of this."""


class Attachments(Protocol):
    """Makes what devices virtual routers need of their own."""

    def settle(self, router: Router, config: KeepalivedConfig) -> None:
        """Have what this configuration needs. OSError for what prevents it."""

    def of(self, config: VirtualRouterConfig) -> Attachment:
        """Where a virtual router is attached."""

    def close(self) -> None:
        """Take away what was made."""


class PlainAttachments:
    """All on the interface itself."""

    def settle(self, router: Router, config: KeepalivedConfig) -> None:
        """Nothing is needed."""

    def of(self, config: VirtualRouterConfig) -> Attachment:
        """On its interface."""
        return Attachment(config.interface, config.interface, config.interface, config.interface)

    def close(self) -> None:
        """Nothing was made."""
