"""What a daemon asks of the kernel, in the words of the protocol's effects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from vrrp.config.model import KeepalivedConfig
from vrrp.protocol.router import Router
from vrrp.protocol.virtual_router import VirtualRouter
from vrrp.wire.advertisement import Advertisement
from vrrp.wire.frame import Datagram


class Driver(Protocol):
    """What the kernel tells its news to. Times are the driver's own to take."""

    def hear(self, interface: str, datagram: Datagram) -> None:
        """A VRRP packet arrived on an interface."""

    def interface_changed(self, name: str) -> None:
        """An interface came, went, gained or lost its carrier or an address; `Kernel` has it as it is now."""


class Kernel(Protocol):
    """Interfaces, addresses and packets of one machine."""

    @property
    def interfaces(self) -> Mapping[str, Sequence[bytes]]:
        """The packed addresses of each interface, in order; the same object always, kept up to date."""

    def is_up(self, name: str) -> bool:
        """Whether an interface is there and has a carrier."""

    def open(self, driver: Driver) -> None:
        """Begin to listen to what changes. OSError for what prevents it."""

    def expect(self, names: Iterable[str]) -> None:
        """Have an entry in `interfaces` for each of these, whether it is there or not."""

    def attach(self, router: Router, config: KeepalivedConfig) -> None:
        """Listen for the virtual routers of this configuration, and no longer for others; put addresses as it says.

        OSError as `open`.
        """

    def sweep(self, router: Router) -> None:
        """Take away the addresses that an earlier run left behind."""

    def drain(self) -> None:
        """Hand over what has arrived already, so that no timer ends before it."""

    def send(self, virtual_router: VirtualRouter, advertisement: Advertisement) -> None:
        """Send an advertisement to each of the virtual router's destinations."""

    def announce(self, virtual_router: VirtualRouter, addresses: tuple[bytes, ...], repeat: int) -> None:
        """Tell the neighbors where addresses are now, in rounds."""

    def acquire(self, virtual_router: VirtualRouter, addresses: tuple[bytes, ...]) -> None:
        """Put addresses on their interface."""

    def release(self, virtual_router: VirtualRouter, addresses: tuple[bytes, ...]) -> None:
        """Take addresses off their interface."""

    def close(self) -> None:
        """Let everything go."""
