"""Interfaces with a MAC of their own on top of another one (macvlan): where a virtual router's addresses are.

Private ones, as keepalived makes them: such an interface takes all that comes from its own MAC, which another holder
of the virtual router sends from, and the interface below does not get it (measured).
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from typing import Protocol

from pyroute2.netlink import NLM_F_CREATE, NLM_F_EXCL, nlmsg
from pyroute2.netlink.rtnl import RTM_DELLINK, RTM_GETLINK, RTM_NEWLINK
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg

_UP = 0x1
_PRIVATE = 1


@dataclass(frozen=True, slots=True)
class Macvlan:
    """One of them: its `name`, the interface below (`base`), and its `mac`, packed."""

    name: str
    base: str
    mac: bytes


class Asked(Protocol):
    """What carries out netlink requests."""

    def ask(self, kind: int, message: nlmsg, flags: int = 0) -> None:
        """Do it; OSError with the kernel's reason when it cannot be done."""

    def dump(self, kind: int, message: nlmsg) -> list[tuple[int, nlmsg]]:
        """All there are."""


def create(netlink: Asked, macvlan: Macvlan, base_index: int) -> None:
    """Make it, not up yet. OSError with the kernel's reason."""
    message = ifinfmsg()
    message["attrs"] = [
        ("IFLA_IFNAME", macvlan.name),
        ("IFLA_LINK", base_index),
        ("IFLA_ADDRESS", macvlan.mac.hex(":")),
        (
            "IFLA_LINKINFO",
            {
                "attrs": [
                    ("IFLA_INFO_KIND", "macvlan"),
                    ("IFLA_INFO_DATA", {"attrs": [("IFLA_MACVLAN_MODE", _PRIVATE)]}),
                ]
            },
        ),
    ]
    netlink.ask(RTM_NEWLINK, message, NLM_F_CREATE | NLM_F_EXCL)


def set_up(netlink: Asked, index: int) -> None:
    """Set it up. OSError with the kernel's reason."""
    message = ifinfmsg()
    message["index"] = index
    message["flags"] = message["change"] = _UP
    netlink.ask(RTM_NEWLINK, message)


def delete(netlink: Asked, name: str) -> None:
    """Take it away with its addresses, if it is there. OSError with the kernel's reason."""
    message = ifinfmsg()
    message["attrs"] = [("IFLA_IFNAME", name)]
    try:
        netlink.ask(RTM_DELLINK, message)
    except OSError as error:
        if error.errno != errno.ENODEV:
            raise


def private_macvlans(netlink: Asked) -> list[Macvlan]:
    """Those that are there, whoever made them; not those whose base is in another network namespace."""
    names, found = {}, []
    for _, message in netlink.dump(RTM_GETLINK, ifinfmsg()):
        names[message["index"]] = message.get_attr("IFLA_IFNAME")
        about = message.get_attr("IFLA_LINKINFO")
        if about is None or about.get_attr("IFLA_INFO_KIND") != "macvlan":
            continue
        data = about.get_attr("IFLA_INFO_DATA")
        mode = data.get_attr("IFLA_MACVLAN_MODE") if data is not None else None
        if mode in {"private", _PRIVATE} and message.get_attr("IFLA_LINK_NETNSID") is None:
            found.append((message.get_attr("IFLA_IFNAME"), message.get_attr("IFLA_LINK"), message))
    return [
        Macvlan(name, names.get(base, ""), bytes.fromhex(message.get_attr("IFLA_ADDRESS").replace(":", "")))
        for name, base, message in found
    ]
