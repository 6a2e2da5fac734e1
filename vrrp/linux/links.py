"""The interfaces of this machine, with their addresses, as netlink tells of them (rtnetlink(7))."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from pyroute2.netlink import nlmsg
from pyroute2.netlink.rtnl import (
    RTM_DELADDR,
    RTM_DELLINK,
    RTM_GETADDR,
    RTM_GETLINK,
    RTM_NEWADDR,
    RTM_NEWLINK,
    RTMGRP_IPV4_IFADDR,
    RTMGRP_IPV6_IFADDR,
    RTMGRP_LINK,
)
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg

from vrrp.wire.address import pack

GROUPS = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR
_UP, _RUNNING = 0x1, 0x40


@dataclass(slots=True)
class Link:
    """One interface. `mac` is empty where there is none; `addresses`: packed -> prefix length, in order."""

    index: int
    name: str
    up: bool = False
    """Set up, and with a carrier."""
    mac: bytes = b""
    mtu: int = 1500
    addresses: dict[bytes, int] = field(default_factory=dict)


class Source(Protocol):
    """What `Links` reads from: a `Netlink` with `GROUPS`, and one to ask."""

    def events(self) -> Iterable[tuple[int, nlmsg]]:
        """What changed."""

    def dump(self, kind: int, message: nlmsg) -> list[tuple[int, nlmsg]]:
        """All there are."""


class Links:
    """The interfaces, by name; `changed` is called with the name of one that is another now.

    `events` tells what changes, `asked` gives all there are.
    """

    def __init__(self, events: Source, asked: Source, changed: Callable[[str], None]) -> None:
        self._events = events
        self._asked = asked
        self._changed = changed
        self._by_index: dict[int, Link] = {}
        self.by_name: dict[str, Link] = {}

    def read_all(self) -> None:
        """Take in what there is, whatever was known before."""
        before = dict(self.by_name)
        self._by_index.clear()
        self.by_name.clear()
        told: dict[str, None] = {}
        for kind, message in self._asked.dump(RTM_GETLINK, ifinfmsg()):
            self._take(kind, message, told)
        for kind, message in self._asked.dump(RTM_GETADDR, ifaddrmsg()):
            self._take(kind, message, told)
        for name in {**before, **self.by_name}:
            if before.get(name) != self.by_name.get(name):
                self._changed(name)

    def read_events(self) -> None:
        """Take in what changed; what was lost is asked for."""
        told: dict[str, None] = {}
        try:
            for kind, message in self._events.events():
                self._take(kind, message, told)
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
            self.read_all()
        for name in told:
            self._changed(name)

    def _take(self, kind: int, message: nlmsg, told: dict[str, None]) -> None:
        """One message; the names of interfaces that are others now go into `told`, in order."""
        link = self._by_index.get(message["index"])
        if kind == RTM_NEWLINK:
            if message["family"]:
                return  # a bridge's view of its port
            self._take_link(link, message, told)
        elif link is None:
            return
        elif kind == RTM_DELLINK:
            if not message["family"]:
                self._forget(link, told)
        elif kind in {RTM_NEWADDR, RTM_DELADDR}:
            address = message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS")
            packed = pack(address)
            if kind == RTM_DELADDR:
                known = link.addresses.pop(packed, None) is not None
            else:
                known = link.addresses.get(packed) != message["prefixlen"]
                link.addresses[packed] = message["prefixlen"]
            if known:
                told[link.name] = None

    def _take_link(self, link: Link | None, message: nlmsg, told: dict[str, None]) -> None:
        name = message.get_attr("IFLA_IFNAME")
        if link is not None and link.name != name:
            addresses = link.addresses
            self._forget(link, told)
            link = None
        else:
            addresses = link.addresses if link is not None else {}
        flags = message["flags"]
        new = Link(
            message["index"],
            name,
            bool(flags & _UP and flags & _RUNNING),
            bytes.fromhex((message.get_attr("IFLA_ADDRESS") or "").replace(":", "")),
            message.get_attr("IFLA_MTU") or 1500,
            addresses,
        )
        if link != new:
            self._by_index[new.index] = self.by_name[name] = new
            told[name] = None

    def _forget(self, link: Link, told: dict[str, None]) -> None:
        del self._by_index[link.index]
        if self.by_name.get(link.name) is link:
            del self.by_name[link.name]
        told[link.name] = None
