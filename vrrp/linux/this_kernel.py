"""This machine's kernel, as a daemon uses it: the parts brought together."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Iterable
from pathlib import Path

from vrrp.config.model import KeepalivedConfig
from vrrp.interfaces import local_interfaces
from vrrp.linux.addresses import Addresses
from vrrp.linux.attachments import Attachments
from vrrp.linux.journal_file import JournalFile, here
from vrrp.linux.kernel import Driver
from vrrp.linux.links import GROUPS, Links
from vrrp.linux.netlink import Netlink
from vrrp.linux.receiver import Ear, Receivers, ear_of
from vrrp.linux.routing.table import GROUPS as ROUTING_GROUPS
from vrrp.linux.routing.table import REMOVALS, STATIC, RoutingTable
from vrrp.linux.transmitter import Transmitters
from vrrp.protocol.member import primary
from vrrp.protocol.packer import Packer
from vrrp.protocol.router import Router
from vrrp.protocol.state import State
from vrrp.protocol.virtual_router import VirtualRouter
from vrrp.wire.address import pack
from vrrp.wire.advertisement import AUTHENTICATION_HEADER, Advertisement
from vrrp.wire.frame import Datagram

_RESTORE_DELAY_S = 0.02
"""From the first news of something taken away until it is looked for."""


class ThisKernel:
    """The kernel of this machine (and network namespace).

    Args:
        state: the directory in which is written down what to clean up after a crash.

    Attributes:
        interfaces: see `Kernel`. As netifaces has them at first; once opened, as netlink tells.
    """

    def __init__(self, state: Path) -> None:
        self.interfaces: dict[str, tuple[bytes, ...]] = {
            name: tuple(map(pack, addresses)) for name, addresses in local_interfaces().items()
        }
        self._state = state
        self._packer = Packer()
        self._deaf: dict[str, set[int]] = {}
        self._keys: dict[Ear, set[int]] = {}

    def expect(self, names: Iterable[str]) -> None:
        """Interfaces that are named somewhere; those that are not there have no address and are down."""
        for name in names:
            self.interfaces.setdefault(name, ())

    def is_up(self, name: str) -> bool:
        """Whether an interface is there and has a carrier."""
        link = self.links.by_name.get(name)
        return link is not None and link.up

    def open(self, driver: Driver) -> None:
        """Begin to listen to what changes."""
        self._loop = asyncio.get_running_loop()
        self._driver = driver
        self._journal = JournalFile(self._state / "kernel", place=here())
        self._events, self._netlink = Netlink(GROUPS), Netlink()
        self.links = Links(self._events, self._netlink, self._changed)
        self.addresses = Addresses(self._netlink, self.links.by_name, self._journal)
        self._routing = RoutingTable(self._netlink, self.links.by_name, self._journal)
        self._removals: Netlink | None = None
        self._restoring: asyncio.TimerHandle | None = None
        self._swept = False
        self._receivers = Receivers(self._loop, self.links.by_name, self._arrived)
        self._transmitters = Transmitters(self.links.by_name)
        self._attachments = Attachments(self._netlink, self.links.by_name, self._journal, self.links.read_events)
        self.links.read_all()
        self._loop.add_reader(self._events, self.links.read_events)

    def attach(self, router: Router, config: KeepalivedConfig) -> None:
        """Listen for the virtual routers of this configuration, and put addresses as it has them."""
        self._attachments.plan(config)
        lifted = self.addresses.lift(self._attachments.holders)
        self.addresses.describe(config)
        self._attachments.settle()
        self._routing.describe(config)
        if self._swept:
            self._put_statics()
        self._packer.forget()
        groups: dict[Ear, set[bytes]] = {}
        self._keys, self._deaf = {}, {}
        for virtual_router in router.virtual_routers:
            one = virtual_router.config
            place = self._attachments.of(one)
            ear = ear_of(one.interface, place.hear, one.width, one.auth_type == AUTHENTICATION_HEADER)
            groups.setdefault(ear, set()).update(() if one.unicast_peers else (one.multicast_group,))
            key = one.width << 8 | one.vrid
            if place.hear == one.interface:
                self._keys.setdefault(ear, set())
            else:
                self._keys.setdefault(ear, set()).add(key)
                self._deaf.setdefault(one.interface, set()).add(key)
            said = virtual_router.advertiser.say(virtual_router.priority)
            self._packer.prepare(virtual_router, said)
            self._transmitters.prepare(place.send, one.width)
            held = tuple(address for name, address in lifted if name == one.name)
            self.acquire(virtual_router, held)
            self.announce(virtual_router, held, 1)
        self._receivers.want(groups)

    def sweep(self, router: Router) -> None:
        """Take away what an earlier run, ours or keepalived's, left, and put what is static.

        An address owner's may be the interface's own, and one without which nothing could be sent is left alone.
        """
        self._routing.sweep()
        self.addresses.sweep(
            (self.addresses.device(one.config.name, address, self._attachments.of(one.config).hold), address)
            for one in router.virtual_routers
            if not one.config.owner and (one.config.source is not None or self._has_other(one))
            for address in one.served
        )
        self._put_statics()
        self._swept = True
        for name in self.links.by_name:
            self._list(name)

    def _put_statics(self) -> None:
        self.addresses.put_statics()
        self._routing.put(STATIC)
        self._watch_removals()

    def _watch_removals(self) -> None:
        """Be told of routes and rules that are taken away, if it matters: some machines have many that come and go."""
        if self._routing.watched and self._removals is None:
            self._removals = Netlink(ROUTING_GROUPS)
            self._loop.add_reader(self._removals, self._removed)

    def _removed(self) -> None:
        """Something was taken away, perhaps by ourselves; many at once are looked for once."""
        assert self._removals is not None  # it is what tells
        try:
            matters = bool(self._removals.kinds() & REMOVALS)
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
            matters = True
        if matters and self._restoring is None:
            self._restoring = self._loop.call_later(_RESTORE_DELAY_S, self._restore)

    def _restore(self) -> None:
        self._restoring = None
        self._routing.restore()

    def _has_other(self, virtual_router: VirtualRouter) -> bool:
        """Whether its interface has an address to send from that is not virtual."""
        link = self.links.by_name.get(virtual_router.config.interface)
        others = [one for one in link.addresses if one not in virtual_router.served] if link is not None else []
        return primary(virtual_router.config.width, others) is not None

    def drain(self) -> None:
        """Hand over what has arrived already."""
        self.links.read_events()
        self._receivers.drain()

    def send(self, virtual_router: VirtualRouter, advertisement: Advertisement) -> None:
        """Send an advertisement to each of the virtual router's destinations."""
        device = self._attachments.of(virtual_router.config).send
        for destination, packet in self._packer.packets(virtual_router, advertisement):
            self._transmitters.send(device, destination, packet)

    def announce(self, virtual_router: VirtualRouter, addresses: tuple[bytes, ...], repeat: int) -> None:
        """Tell the neighbors where addresses are now, in rounds."""
        config = virtual_router.config
        usual = self._attachments.of(config).hold
        by_device: dict[str, list[bytes]] = {}
        for address in addresses:
            by_device.setdefault(self.addresses.device(config.name, address, usual), []).append(address)
        for device, those in by_device.items():
            self._transmitters.announce(device, those, repeat, router_flag=virtual_router.profile.router_flag)

    def acquire(self, virtual_router: VirtualRouter, addresses: tuple[bytes, ...]) -> None:
        """Put addresses on their interface."""
        config = virtual_router.config
        for address in addresses:
            self.addresses.put(config.name, address, self._attachments.of(config).hold)
        if virtual_router.state is State.MASTER:
            self._routing.put(config.name)

    def release(self, virtual_router: VirtualRouter, addresses: tuple[bytes, ...]) -> None:
        """Take addresses off their interface."""
        config = virtual_router.config
        if virtual_router.state is not State.MASTER:
            self._routing.take(config.name)
        for address in addresses:
            self.addresses.take(config.name, address, self._attachments.of(config).hold)

    def close(self) -> None:
        """Let everything go; addresses too, if there are any left."""
        self._loop.remove_reader(self._events)
        if self._removals is not None:
            self._loop.remove_reader(self._removals)
            self._removals.close()
        if self._restoring is not None:
            self._restoring.cancel()
        self._receivers.close()
        self._routing.close()
        self.addresses.close()
        self._attachments.close()
        self._transmitters.close()
        self._events.close()
        self._netlink.close()
        self._journal.close()

    def _arrived(self, ear: Ear, datagram: Datagram) -> None:
        """A packet, which a device of a virtual router's own and the interface below it may both have taken."""
        if ear.device == ear.interface:
            wanted = datagram.key not in self._deaf.get(ear.interface, ())
        else:
            wanted = datagram.key in self._keys[ear]
        if wanted:
            self._driver.hear(ear.interface, datagram)

    def _list(self, name: str) -> None:
        link = self.links.by_name.get(name)
        addresses = link.addresses if link is not None else ()
        self.interfaces[name] = tuple(one for one in addresses if not self.addresses.holds(name, one))

    def _changed(self, name: str) -> None:
        self._list(name)
        self._attachments.renew(name)
        self._receivers.renew()
        self._driver.interface_changed(name)
        self.addresses.restore(name)
        self._routing.link_changed(name)
