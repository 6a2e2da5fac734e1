"""A kernel that keeps what it is asked for, and a daemon on it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path

from vrrp.config import KeepalivedConfig
from vrrp.config.host import Host, KnownHost, Program
from vrrp.linux.configuration import read_configuration
from vrrp.linux.daemon import Daemon
from vrrp.linux.kernel import Driver
from vrrp.linux.service import Service
from vrrp.protocol.router import Router
from vrrp.protocol.virtual_router import VirtualRouter
from vrrp.wire.address import pack, text
from vrrp.wire.advertisement import Advertisement
from vrrp.wire.frame import Datagram

CONF = """\
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    version 3
    priority 200
    advert_int 0.02
    virtual_ipaddress {
        10.0.0.100/24
    }
}
"""


class FakeKernel:
    """eth0 with 10.0.0.1; `asked` is what it was asked for, in order."""

    def __init__(self, **interfaces: Sequence[str]) -> None:
        given = interfaces or {"eth0": ["10.0.0.1", "fe80::1"]}
        self.interfaces: dict[str, tuple[bytes, ...]] = {name: tuple(map(pack, own)) for name, own in given.items()}
        self.down: set[str] = set()
        self.asked: list[str] = []
        self.arrived: list[tuple[str, Datagram]] = []
        self.driver: Driver | None = None

    def is_up(self, name: str) -> bool:
        return name not in self.down

    def open(self, driver: Driver) -> None:
        self.driver = driver
        self.asked.append("open")

    def expect(self, names: Iterable[str]) -> None:
        for name in names:
            self.interfaces.setdefault(name, ())

    def attach(self, router: Router, config: KeepalivedConfig) -> None:
        self.asked.append("attach " + " ".join(one.config.name for one in router.virtual_routers))

    def sweep(self, router: Router) -> None:
        self.asked.append("sweep")

    def drain(self) -> None:
        assert self.driver is not None
        while self.arrived:
            self.driver.hear(*self.arrived.pop(0))

    def send(self, virtual_router: VirtualRouter, advertisement: Advertisement) -> None:
        self.asked.append(f"send {virtual_router.config.name} {advertisement.priority}")

    def announce(self, virtual_router: VirtualRouter, addresses: tuple[bytes, ...], repeat: int) -> None:
        self.asked.append(f"announce {' '.join(map(text, addresses))} {repeat}")

    def acquire(self, virtual_router: VirtualRouter, addresses: tuple[bytes, ...]) -> None:
        self.asked.append(f"acquire {' '.join(map(text, addresses))}")

    def release(self, virtual_router: VirtualRouter, addresses: tuple[bytes, ...]) -> None:
        self.asked.append(f"release {' '.join(map(text, addresses))}")

    def close(self) -> None:
        self.asked.append("close")


def make_daemon(
    file: Path, kernel: FakeKernel, *services: Service, text: str = CONF, host: Host | None = None
) -> Daemon:
    """A daemon that runs this configuration, on a machine with the program /bin/true unless another is given."""
    file.write_text(text)
    where = host or KnownHost(frozenset(kernel.interfaces), programs={"/bin/true": Program.FOUND})
    return Daemon(lambda: read_configuration(file, where), kernel, services)


async def until(kernel: FakeKernel, wanted: str, seconds: float = 10) -> None:
    """Until it was asked for this."""
    async with asyncio.timeout(seconds):
        while wanted not in kernel.asked:
            await asyncio.sleep(0.002)
