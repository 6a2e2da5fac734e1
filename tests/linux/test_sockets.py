"""What arrives on raw sockets and leaves by them, between two interfaces of one namespace."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from linux.namespaces import alone, sh
from vrrp.linux.links import Links
from vrrp.linux.netlink import Netlink
from vrrp.linux.receiver import Ear, Receivers, ear_of, groups_of
from vrrp.linux.transmitter import Transmitters
from vrrp.protocol.packer import Packer
from vrrp.protocol.profile import KEEPALIVED
from vrrp.protocol.settings import VirtualRouterConfig
from vrrp.protocol.virtual_router import VirtualRouter
from vrrp.wire.address import pack, text
from vrrp.wire.advertisement import Advertisement
from vrrp.wire.arp import ArpPacket
from vrrp.wire.frame import Datagram, Frame, parse_frame
from vrrp.wire.neighbor import NeighborAdvertisement

pytestmark = [pytest.mark.root, pytest.mark.program("ip")]


class Wire:
    """eth0, from which things are sent, and eth1, where they arrive."""

    def __init__(self) -> None:
        self.netlink = Netlink()
        self.links = Links(self.netlink, self.netlink, lambda name: None)
        self.plug()
        self.transmitters = Transmitters(self.links.by_name)
        self.heard: list[tuple[Ear, Datagram]] = []

    def plug(self) -> None:
        """Have new interfaces."""
        sh("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth1")
        # The end that comes up last can send at once; the other when the kernel gets round to it, within a second.
        for number in (1, 0):
            sh("ip", "link", "set", f"eth{number}", "up")
            sh("ip", "addr", "add", f"10.0.{number}.1/24", "dev", f"eth{number}")
            sh("ip", "addr", "add", f"fe80::{number + 1}/64", "dev", f"eth{number}", "nodad")
        self.up()

    def up(self) -> None:
        """Until the kernel sends by them, which it does not at once."""
        end = time.monotonic() + 10
        self.links.read_all()
        while not all(self.links.by_name[name].up for name in ("eth0", "eth1")):
            assert time.monotonic() < end
            time.sleep(0.02)
            self.links.read_all()
        time.sleep(0.02)

    def send(self, virtual_router: VirtualRouter) -> bool:
        """Send an advertisement of this virtual router by eth0."""
        config = virtual_router.config
        said = Advertisement(
            config.version, config.vrid, 100, 100, config.addresses, config.auth_type, config.auth_data
        )
        ((to, packet),) = Packer().packets(virtual_router, said)
        return self.transmitters.send("eth0", to, packet)


@contextmanager
def wire() -> Iterator[Wire]:
    with alone():
        made = Wire()
        try:
            yield made
        finally:
            made.transmitters.close()
            made.netlink.close()


def router(**changes: Any) -> VirtualRouter:
    """From an address that this machine has not: what comes from one of its own is not taken."""
    values: dict[str, Any] = {"vrid": 51, "addresses": ["10.0.0.100"], "interface": "eth0"}
    config = VirtualRouterConfig(**values | changes)
    source = "10.0.1.77" if config.width == 4 else "fe80::77"
    return VirtualRouter(config, source=source, profile=KEEPALIVED)


V4 = router()
V6 = router(addresses=["fe80::100"])
AH = router(vrid=52, version=2, auth_type=2, ah_key=b"secret")
EARS = {
    ear_of("eth1", "eth1", one.config.width, one is AH): groups_of([one.config.multicast_group])
    for one in (V4, V6, AH)
}


async def until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not what():
            await asyncio.sleep(0.01)


def test_heard_with_all_that_the_header_said_and_the_same_again_is_the_same_object() -> None:
    async def hear(lan: Wire) -> None:
        loop = asyncio.get_running_loop()
        receivers = Receivers(loop, lan.links.by_name, lambda ear, datagram: lan.heard.append((ear, datagram)))
        receivers.want(EARS)
        receivers.want(EARS)
        for one in (V4, V6, AH, V4, V6):
            assert lan.send(one)
        await until(lambda: len(lan.heard) == 5)
        receivers.close()

    with wire() as lan:
        asyncio.run(hear(lan))
    by_ear: dict[Ear, list[Datagram]] = {ear: [] for ear in EARS}
    for ear, datagram in lan.heard:
        by_ear[ear].append(datagram)
    (first, again), (sixth, once_more), (protected,) = by_ear.values()
    assert (text(first.source), text(first.destination), first.ttl) == ("10.0.1.77", "224.0.0.18", 255)
    assert (text(sixth.source), text(sixth.destination), sixth.ttl) == ("fe80::77", "ff02::12", 255)
    assert first is again
    assert sixth is once_more
    assert protected.authentication is not None
    assert protected.authentication.verify(b"secret")
    assert protected.key == AH.config.width << 8 | 52


def test_interfaces_that_are_others_now_and_what_is_not_wanted_any_more() -> None:
    async def hear(lan: Wire) -> None:
        loop = asyncio.get_running_loop()
        receivers = Receivers(loop, lan.links.by_name, lambda ear, datagram: lan.heard.append((ear, datagram)))
        receivers.want(EARS)
        sh("ip", "link", "del", "eth0")
        lan.links.read_all()
        receivers.renew()
        receivers.drain()
        assert lan.heard == []
        lan.plug()
        receivers.renew()
        assert lan.send(V4)
        assert lan.send(V6)
        await until(lambda: len(lan.heard) == 2)

        lan.heard.clear()
        receivers.want({ear: groups for ear, groups in EARS.items() if ear.width == 4})
        assert lan.send(V6)
        assert lan.send(V4)
        time.sleep(0.05)
        receivers.drain()
        assert [len(datagram.source) for _, datagram in lan.heard] == [4]

        # An interface that goes down under its sockets.
        sh("ip", "link", "set", "eth1", "down")
        await asyncio.sleep(0.05)
        receivers.drain()
        assert len(lan.heard) == 1
        receivers.close()

    with wire() as lan:
        asyncio.run(hear(lan))


def test_one_that_cannot_be_opened() -> None:
    async def hear(lan: Wire) -> None:
        lan.links.by_name["eth9"] = lan.links.by_name["eth1"]
        receivers = Receivers(asyncio.get_running_loop(), lan.links.by_name, lambda ear, datagram: None)
        with pytest.raises(OSError, match="No such device"):
            receivers.want({ear_of("eth9", "eth9", 4, False): ()})
        receivers.close()

    with wire() as lan:
        asyncio.run(hear(lan))


def announced(listening: socket.socket, count: int) -> list[Frame]:
    """The next announcements that arrive."""
    found: list[Frame] = []
    while len(found) < count:
        frame = parse_frame(listening.recv(2048))
        if isinstance(frame.content, ArpPacket | NeighborAdvertisement):
            found.append(frame)
    return found


def test_announced_in_rounds_from_the_mac_of_the_interface() -> None:
    with wire() as lan, socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as listening:
        listening.bind(("eth1", 0))
        listening.settimeout(5)
        lan.transmitters.announce("eth0", [pack("10.0.0.100"), pack("fe80::100")], 2, router_flag=False)
        frames = announced(listening, 4)
        assert [type(frame.content) for frame in frames] == [ArpPacket, NeighborAdvertisement] * 2
        assert {frame.source for frame in frames} == {lan.links.by_name["eth0"].mac}
        lan.transmitters.announce("nothing", [pack("10.0.0.100")], 2, router_flag=False)


def test_what_cannot_be_sent_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    def told() -> list[str]:
        return [record.getMessage() for record in caplog.records]

    with wire() as lan:
        assert not lan.transmitters.send("nothing", pack("224.0.0.18"), b"")
        sh("ip", "link", "set", "eth0", "down")
        for _ in range(3):
            assert not lan.send(V4)
            lan.transmitters.announce("eth0", [pack("10.0.0.100")], 5, router_flag=False)
        assert told() == [
            "cannot send to 224.0.0.18 on nothing: there is no such interface",
            "cannot send to 224.0.0.18 on eth0: network is unreachable",
            "cannot send on eth0: network is down",
        ]
        sh("ip", "link", "set", "eth0", "up")
        lan.up()
        assert lan.send(V4)
        lan.transmitters.announce("eth0", [pack("10.0.0.100")], 1, router_flag=False)
        sh("ip", "link", "del", "eth0")
        lan.plug()
        assert lan.send(V4)
        assert lan.send(V6)
        sh("ip", "link", "set", "eth0", "down")
        assert not lan.send(V4)
        assert told()[3:] == ["cannot send to 224.0.0.18 on eth0: network is unreachable"]
        lan.links.by_name["eth9"] = lan.links.by_name["eth0"]
        assert not lan.transmitters.send("eth9", pack("224.0.0.18"), b"")
        assert told()[4:] == ["cannot send to 224.0.0.18 on eth9: no such device"]
