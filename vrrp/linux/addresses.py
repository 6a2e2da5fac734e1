"""Virtual addresses on their interfaces: put there by a master, taken away when it is none any more."""

from __future__ import annotations

import errno
import ipaddress
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from pyroute2.netlink import NLM_F_CREATE, NLM_F_EXCL, nlmsg
from pyroute2.netlink.rtnl import RTM_DELADDR, RTM_NEWADDR
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg

from vrrp.config.devices import static_device
from vrrp.config.model import KeepalivedConfig, VirtualAddress
from vrrp.linux.journal_file import JournalFile
from vrrp.linux.links import Link
from vrrp.wire.address import text

log = logging.getLogger("vrrp.addresses")

_SCOPES = {"global": 0, "site": 200, "link": 253, "host": 254, "nowhere": 255}
_FAMILIES = {4: 2, 16: 10}
_NO_DAD = 0x02
_FOREVER = 0xFFFF_FFFF
_GONE = {errno.EADDRNOTAVAIL, errno.ENODEV}
_STATIC = "static "
"""Before the name of an interface: whose its static addresses are. No instance has a blank in its name."""


class Asked(Protocol):
    """What carries out a netlink request."""

    def ask(self, kind: int, message: nlmsg, flags: int = 0) -> None:
        """Do it; OSError with the kernel's reason when it cannot be done."""


@dataclass(frozen=True, slots=True)
class _Held:
    """An address that is on an interface because we put it there, for an instance whose addresses usually go there."""

    device: str
    prefix: int
    instance: str
    usual: str
    described: VirtualAddress | None


class Addresses:
    """The virtual addresses of a host.

    Args:
        netlink: carries out what is asked.
        links: the interfaces by name, kept up to date.
        journal: where what is held stands, in case of a crash.
    """

    def __init__(self, netlink: Asked, links: Mapping[str, Link], journal: JournalFile) -> None:
        self._netlink = netlink
        self._links = links
        self._journal = journal
        self._described: dict[tuple[str, bytes], VirtualAddress] = {}
        self._interfaces: dict[str, str] = {}
        self._held: dict[tuple[str, bytes], _Held] = {}
        self._missing: dict[tuple[str, bytes], _Held] = {}
        """What would be held if its interface were there; it is put there when the interface comes."""

    def describe(self, config: KeepalivedConfig) -> None:
        """From now on addresses are put as this configuration has them; those held that changed are put anew."""
        self._described = {
            (instance.name, one.address.packed): one
            for instance in config.instances
            for one in (*instance.addresses, *instance.excluded_addresses)
        }
        for static in config.static_addresses:
            one = static.address
            self._described[_STATIC + static_device(config, one), one.address.packed] = one
        self._interfaces = {instance.name: instance.interface for instance in config.instances}
        for (_, address), held in list(self._held.items()):
            now = self._described.get((held.instance, address))
            if now is not None and _essence(now) != _essence(held.described):
                self.take(held.instance, address, held.usual)
                self.put(held.instance, address, held.usual)

    def device(self, instance: str, address: bytes, usual: str) -> str:
        """The interface that an address is on: its own `dev`, or the usual one.

        Where the usual one is a macvlan, a `dev` that names the interface below means it too, as in keepalived
        (measured).
        """
        described = self._described.get((instance, address))
        if described is None or described.device in {None, self._interfaces.get(instance)}:
            return usual
        return described.device or usual

    def holds(self, device: str, address: bytes) -> bool:
        """Whether we put this address there for an instance."""
        held = self._held.get((device, address))
        return held is not None and not held.instance.startswith(_STATIC)

    def put_statics(self) -> None:
        """Have the static addresses that are described, and no others."""
        for (_, address), held in list(self._held.items()):
            if held.instance.startswith(_STATIC) and (held.instance, address) not in self._described:
                self.take(held.instance, address, held.usual)
        for instance, address in self._described:
            if instance.startswith(_STATIC):
                self.put(instance, address, instance.removeprefix(_STATIC))

    def put(self, instance: str, address: bytes, usual: str) -> None:
        """Put an address of an instance on its interface; one that is there already is not ours."""
        device = self.device(instance, address, usual)
        described = self._described.get((instance, address))
        prefix = described.prefix if described is not None else 8 * len(address)
        held = _Held(device, prefix, instance, usual, described)
        link = self._links.get(device)
        if link is None:
            log.error("(%s) there is no interface %s for %s", instance, device, text(address))
            self._miss(held, address)
            return
        entry = _entry(device, address, prefix)
        if (device, address) in self._held:
            return
        self._journal.add(entry)
        try:
            wanted = _wanted(_message(link.index, address, prefix), address, described)
            self._netlink.ask(RTM_NEWADDR, wanted, NLM_F_CREATE | NLM_F_EXCL)
        except OSError as error:
            self._journal.strike(entry)
            if error.errno == errno.ENODEV:  # its end is about to be told
                self._miss(held, address)
            elif error.errno != errno.EEXIST:
                log.error("(%s) cannot add %s to %s: %s", instance, text(address), device, _reason(error))
            return
        self._held[device, address] = held
        link.addresses[address] = prefix

    def _miss(self, held: _Held, address: bytes) -> None:
        if not held.instance.startswith(_STATIC):
            self._missing[held.device, address] = held

    def take(self, instance: str, address: bytes, usual: str) -> None:
        """Take an address off again, if we put it there."""
        for key in [key for key, one in self._missing.items() if (one.instance, key[1]) == (instance, address)]:
            del self._missing[key]
        held = self._held.pop((self.device(instance, address, usual), address), None)
        if held is None:  # the configuration may have moved it since
            held = self._held.pop(next((key for key in self._held if key[1] == address), ("", b"")), None)
        if held is not None:
            self._remove(held.device, address, held.prefix)

    def lift(self, usual: Mapping[str, str]) -> list[tuple[str, bytes]]:
        """Take off what is held for instances that have another usual interface now; each instance and address."""
        lifted = [
            (held.instance, address)
            for (_, address), held in (*self._held.items(), *self._missing.items())
            if usual.get(held.instance, held.usual) != held.usual
        ]
        for instance, address in lifted:
            self.take(instance, address, usual[instance])
        return lifted

    def restore(self, device: str) -> None:
        """Put back what somebody else took off an interface, or what an interface that is there again took along.

        A static address with `no_track` stays away (keepalived, measured); the others are put by `put_statics`.
        """
        link = self._links.get(device)
        for key in [key for key in self._held if key[0] == device and (link is None or key[1] not in link.addresses)]:
            held = self._held.pop(key)
            untracked = held.described is not None and held.described.no_track
            if link is None or (untracked and held.instance.startswith(_STATIC)):
                self._journal.strike(_entry(device, key[1], held.prefix))
                self._miss(held, key[1])
            else:
                log.warning("(%s) somebody removed %s from %s: put back", held.instance, text(key[1]), device)
                self.put(held.instance, key[1], held.usual)
        if link is not None:
            for key in [key for key in self._missing if key[0] == device]:
                held = self._missing.pop(key)
                self.put(held.instance, key[1], held.usual)

    def sweep(self, others: Iterable[tuple[str, bytes]]) -> None:
        """Take away what an earlier run left: what it wrote down, and these others (interface and packed address)."""
        left = [key for entry in self._journal.left_over for key in _parsed(entry)]
        for device, address in dict.fromkeys([*left, *others]):
            link = self._links.get(device)
            if link is not None and address in link.addresses:
                log.warning("removing %s from %s, where an earlier run left it", text(address), device)
                self._remove(device, address, link.addresses[address])
        for entry in filter(_parsed, self._journal.left_over):
            self._journal.strike(entry)

    def close(self) -> None:
        """Take away whatever is still held."""
        for (device, address), held in list(self._held.items()):
            self._remove(device, address, held.prefix)
        self._held.clear()
        self._missing.clear()

    def _remove(self, device: str, address: bytes, prefix: int) -> None:
        link = self._links.get(device)
        if link is not None:
            try:
                self._netlink.ask(RTM_DELADDR, _message(link.index, address, prefix))
            except OSError as error:
                if error.errno not in _GONE:
                    log.error("cannot remove %s from %s: %s", text(address), device, _reason(error))
                    return
            link.addresses.pop(address, None)
        self._journal.strike(_entry(device, address, prefix))


def _message(index: int, address: bytes, prefix: int) -> nlmsg:
    """What names an address to the kernel."""
    message = ifaddrmsg()
    message["family"] = _FAMILIES[len(address)]
    message["prefixlen"] = prefix
    message["index"] = index
    message["attrs"] = [("IFA_LOCAL", text(address))]
    return message


def _wanted(message: nlmsg, address: bytes, described: VirtualAddress | None) -> nlmsg:
    """The same, and how the address is to be."""
    peer = described.peer if described is not None else None
    attributes: list[tuple[str, object]] = [("IFA_ADDRESS", str(peer or text(address)))]
    if described is not None:
        if (scope := described.scope) is not None:
            message["scope"] = _SCOPES[scope] if scope in _SCOPES else int(scope)
        if described.broadcast is not None:
            attributes.append(("IFA_BROADCAST", str(described.broadcast)))
        if described.label is not None:
            attributes.append(("IFA_LABEL", described.label))
    if len(address) == 16:
        # As keepalived has them (measured): no duplicate address detection, and an address with a prefix of its own
        # is no source for connections from here, unless preferred_lft says so. Of IPv4 it does not look at that.
        attributes.append(("IFA_FLAGS", _NO_DAD))
        preferred_s = described.preferred_lifetime_s if described is not None else None
        if preferred_s is None and message["prefixlen"] == 128:
            preferred_s = 0
        if preferred_s is not None:
            lifetimes = {"ifa_preferred": preferred_s, "ifa_valid": _FOREVER, "cstamp": 0, "tstamp": 0}
            attributes.append(("IFA_CACHEINFO", lifetimes))
    message["attrs"] += attributes
    return message


def _essence(described: VirtualAddress | None) -> VirtualAddress | None:
    """All but the line that it stands in."""
    return described and replace(described, line=0)


def _entry(device: str, address: bytes, prefix: int) -> str:
    return f"address {device} {text(address)}/{prefix}"


def _parsed(entry: str) -> list[tuple[str, bytes]]:
    """The address that an entry of a journal stands for; none for what is no such entry."""
    try:
        kind, device, written = entry.split(" ")
        found = ipaddress.ip_interface(written)
    except ValueError:
        return []
    return [(device, found.ip.packed)] if kind == "address" else []


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
