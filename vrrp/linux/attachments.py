"""Where virtual routers meet the machine: the interfaces they hear by, send by, and put their addresses on."""

from __future__ import annotations

import errno
import itertools
import logging
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from pyroute2.netlink import NLM_F_CREATE, NLM_F_REPLACE, nlmsg
from pyroute2.netlink.rtnl import RTM_NEWADDR
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg

from vrrp.config.model import KeepalivedConfig, VrrpInstance
from vrrp.linux.firewall import Firewall, nft
from vrrp.linux.journal_file import JournalFile
from vrrp.linux.links import Link
from vrrp.linux.macvlan import Macvlan, create, delete, private_macvlans, set_up
from vrrp.linux.sysctl import Sysctl
from vrrp.protocol.settings import OWNER_PRIORITY, VirtualRouterConfig
from vrrp.wire.address import is_link_local, text
from vrrp.wire.ethernet import virtual_mac

log = logging.getLogger("vrrp.attachments")

_KIND = "macvlan"
_NO_DAD = 0x02
_FOREVER = 0xFFFF_FFFF
_IPV6 = 10
_SETTINGS = {
    4: {
        "ipv4/conf/{name}/accept_local": "1",
        "ipv4/conf/{name}/arp_ignore": "1",
        "ipv4/conf/{name}/promote_secondaries": "1",
        "ipv4/conf/{name}/rp_filter": "0",
    },
    16: {},
}
"""Of a macvlan, by the width of its addresses, as keepalived 2.2.7 sets them (seen in a running one)."""
_NO_IPV6 = {"ipv6/conf/{name}/disable_ipv6": "1"}
_NO_OWN_ADDRESS = "ipv6/conf/{name}/addr_gen_mode"
_BASE_SETTINGS = {
    "ipv4/conf/{name}/arp_ignore": "1",
    "ipv4/conf/{name}/arp_filter": "1",
    "ipv4/conf/{name}/arp_announce": "2",
}
"""Of the interface below: it neither answers for addresses that are on the macvlan, nor asks as from one, which would
tell its own MAC for that. keepalived sets the first two only, and its neighbors learn the wrong MAC (measured)."""
_ALL_PATHS = "ipv4/conf/all/rp_filter"
"""The larger of this and an interface's own counts: a macvlan hears nobody unless it is 0, since the way to the
senders leads by the interface below. What it was goes to each of the other interfaces."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """The interfaces of one virtual router, by name; all the same unless it has a device of its own."""

    interface: str
    """What the configuration says."""
    hear: str
    send: str
    hold: str
    """Its addresses go here, and are announced from the MAC of this."""


class Netlink(Protocol):
    """What carries out netlink requests; see `vrrp.linux.netlink`."""

    def ask(self, kind: int, message: nlmsg, flags: int = 0) -> None:
        """Do it; OSError with the kernel's reason when it cannot be done."""

    def dump(self, kind: int, message: nlmsg) -> list[tuple[int, nlmsg]]:
        """All there are."""


@dataclass(frozen=True, slots=True)
class _Own:
    """The macvlan that a virtual router is to have; `mixed` when addresses of both families go there."""

    macvlan: Macvlan
    width: int
    mixed: bool

    @property
    def settings(self) -> dict[str, str]:
        """What the kernel is told of it."""
        patterns = _SETTINGS[self.width] | ({} if self.width == 16 or self.mixed else _NO_IPV6)
        return {pattern.format(name=self.macvlan.name): value for pattern, value in patterns.items()}


class Attachments:
    """Makes what devices, settings and rules the virtual routers need of their own, and takes them away.

    Args:
        netlink: carries out what is asked.
        links: the interfaces by name, kept up to date.
        journal: where what was made stands, in case of a crash.
        refresh: brings `links` up to date.
        sysctl: the kernel's settings; by default this machine's.
        run_nft: carries out a script of nft's.
    """

    def __init__(
        self,
        netlink: Netlink,
        links: Mapping[str, Link],
        journal: JournalFile,
        refresh: Callable[[], None],
        *,
        sysctl: Sysctl | None = None,
        run_nft: Callable[[str], None] = nft,
    ) -> None:
        self._netlink = netlink
        self._links = links
        self._journal = journal
        self._refresh = refresh
        self._sysctl = sysctl or Sysctl(journal)
        self._firewall = Firewall(journal, run_nft)
        self._made: dict[str, Macvlan] = {}
        self._busy = False
        self._take_over()
        self._wanted: dict[str, _Own] = {}
        self._places: dict[str, Attachment] = {}
        self._barred: list[tuple[bytes, str]] = []
        self._virtual: frozenset[bytes] = frozenset()

    def plan(self, config: KeepalivedConfig) -> None:
        """From now on `of` tells what this configuration wants; `settle` makes it."""
        there = private_macvlans(self._netlink) if any(one.use_vmac for one in config.instances) else []
        own = _own(config, set(self._links), there)
        self._places = {one.name: _place(one, own.get(one.name)) for one in config.instances}
        self._barred = list(_barred(config, self._places))
        self._virtual = frozenset(
            virtual.address.packed for one in config.instances for virtual in (*one.addresses, *one.excluded_addresses)
        )
        self._wanted = {one.macvlan.name: one for one in own.values()}

    @property
    def holders(self) -> dict[str, str]:
        """The interface that each instance's addresses usually go to."""
        return {name: place.hold for name, place in self._places.items()}

    def settle(self) -> None:
        """Have what was planned, and nothing else. OSError for what prevents it."""
        self._provide()

    def of(self, config: VirtualRouterConfig) -> Attachment:
        """Where a virtual router is attached."""
        place = self._places.get(config.name)
        return place or Attachment(config.interface, config.interface, config.interface, config.interface)

    def renew(self, name: str) -> None:
        """An interface is another now: make again what went with it or was taken away by somebody."""
        if self._busy or not (
            any(name in {one.macvlan.name, one.macvlan.base} for one in self._wanted.values())
            or any(device == name for _, device in self._barred)
        ):
            return
        try:
            self._provide()
        except OSError as error:
            if error.errno != errno.ENODEV:  # the end of what has just gone is about to be told
                log.error("%s", error.strerror or error)

    def close(self) -> None:
        """Take away what was made."""
        self._busy = True
        for macvlan in [*self._made.values()]:
            self._delete(macvlan)
        self._firewall.close()
        self._sysctl.close()

    def _provide(self) -> None:
        """Make what is wanted and is not there; what that changes is no news."""
        self._busy = True
        try:
            for macvlan in [*self._made.values()]:
                wanted = self._wanted.get(macvlan.name)
                if wanted is None or wanted.macvlan != macvlan:
                    self._delete(macvlan)
            self._sysctl.settle(self._base_settings())
            self._make()
            self._protect()
            for name in self._wanted:  # not before: what they report is to go by the interface below
                self._set_up(name)
            self._refresh()
        finally:
            self._busy = False

    def _take_over(self) -> None:
        """What an earlier run made and did not take away is ours; what has only its name is not."""
        noted = dict(_noted(self._journal))
        there = private_macvlans(self._netlink) if noted else []
        for entry, macvlan in noted.items():
            if macvlan in there:
                self._made[macvlan.name] = macvlan
            else:
                self._journal.strike(entry)

    def _make(self) -> None:
        """Make what is not there; it is not up yet."""
        for own in self._wanted.values():
            name = own.macvlan.name
            base = self._links.get(own.macvlan.base)
            if base is None:
                continue  # it may come later
            if name not in self._links:
                self._create(own, base)
            elif name not in self._made:
                self._adopt(own.macvlan)
            if own.width == 16:
                self._lend_addresses(base, self._links[name])

    def _set_up(self, name: str) -> None:
        link = self._links.get(name)
        if link is not None and not link.up:
            try:
                set_up(self._netlink, link.index)
            except OSError as error:
                raise OSError(error.errno, f"cannot set {name} up: {error.strerror or error}") from error

    def _create(self, own: _Own, base: Link) -> None:
        name = own.macvlan.name
        self._note(own.macvlan)
        try:
            create(self._netlink, own.macvlan, base.index)
            self._refresh()
            self._sysctl.write(_NO_OWN_ADDRESS.format(name=name), "1")
            for setting, value in own.settings.items():
                self._sysctl.write(setting, value)
        except OSError as error:
            raise OSError(error.errno, f"cannot make {name} on {base.name}: {error.strerror or error}") from error
        log.info("%s: a macvlan with MAC %s on %s", name, own.macvlan.mac.hex(":"), base.name)

    def _adopt(self, macvlan: Macvlan) -> None:
        """One that is there may be what a run left behind whose notes are lost."""
        if macvlan not in private_macvlans(self._netlink):
            raise OSError(None, f"interface {macvlan.name} is there already and is not what use_vmac would make")
        log.warning("%s is there already, and is used", macvlan.name)
        self._note(macvlan)

    def _lend_addresses(self, base: Link, link: Link) -> None:
        """IPv6 takes a link-local address to send from, and the advertisements come from that of the base.

        What another virtual router holds there is none of the base's own.
        """
        for address in base.addresses:
            if is_link_local(address) and address not in link.addresses and address not in self._virtual:
                message = ifaddrmsg()
                message["family"], message["prefixlen"], message["index"] = _IPV6, 64, link.index
                message["attrs"] = [
                    ("IFA_LOCAL", text(address)),
                    ("IFA_ADDRESS", text(address)),
                    ("IFA_FLAGS", _NO_DAD),
                    ("IFA_CACHEINFO", {"ifa_preferred": 0, "ifa_valid": _FOREVER, "cstamp": 0, "tstamp": 0}),
                ]
                self._netlink.ask(RTM_NEWADDR, message, NLM_F_CREATE | NLM_F_REPLACE)
                link.addresses[address] = 64

    def _delete(self, macvlan: Macvlan) -> None:
        try:
            delete(self._netlink, macvlan.name)
        except OSError as error:
            log.error("cannot remove %s: %s", macvlan.name, error.strerror or error)
            return
        del self._made[macvlan.name]
        self._journal.strike(_entry(macvlan))
        self._refresh()

    def _note(self, macvlan: Macvlan) -> None:
        self._made[macvlan.name] = macvlan
        self._journal.add(_entry(macvlan))

    def _base_settings(self) -> dict[str, str]:
        bases = dict.fromkeys(own.macvlan.base for own in self._wanted.values() if own.width == 4)
        wanted = {
            pattern.format(name=base): value
            for base in bases
            if base in self._links
            for pattern, value in _BASE_SETTINGS.items()
        }
        everywhere = self._sysctl.before(_ALL_PATHS) or "0"
        if bases and everywhere != "0":
            for setting in self._sysctl.names("ipv4/conf/*/rp_filter"):
                own = self._sysctl.before(setting) or "0"
                if setting.split("/")[2] not in {"all", "lo", *self._wanted}:
                    wanted[setting] = max(own, everywhere)
            wanted[_ALL_PATHS] = "0"
        return wanted

    def _protect(self) -> None:
        barred = [(address, self._links[device].index) for address, device in self._barred if device in self._links]
        macvlans = [own.macvlan for own in self._wanted.values()]
        below = {
            self._links[one.name].index: self._links[one.base].index
            for one in macvlans
            if one.name in self._links and one.base in self._links
        }
        self._firewall.settle(barred, below)


def _own(config: KeepalivedConfig, taken: set[str], there: Collection[Macvlan]) -> dict[str, _Own]:
    """The macvlans of those instances that have one, with keepalived's names (measured).

    Names that are taken are passed over, but for that of the very macvlan, which is `there`.
    """
    found: dict[str, _Own] = {}
    used = {one.vmac_name for one in config.instances}
    for one in config.instances:
        if not one.use_vmac:
            continue
        width = len(one.addresses[0].address.packed)
        mac = _packed_mac(one.vmac_mac) if one.vmac_mac is not None else virtual_mac(one.vrid, width)
        given = one.vmac_name
        names = _names(one.vrid, width) if given is None else (given,)
        macvlan = next(
            choice
            for choice in (Macvlan(name, one.interface, mac) for name in names)
            if given is not None or (choice.name not in used and (choice.name not in taken or choice in there))
        )
        used.add(macvlan.name)
        mixed = any(len(address.address.packed) != width for address in one.excluded_addresses)
        found[one.name] = _Own(macvlan, width, mixed)
    return found


def _packed_mac(text: str) -> bytes:
    return bytes(int(part, 16) for part in text.split(":"))


def _names(vrid: int, width: int) -> Iterator[str]:
    yield f"vrrp.{vrid}"
    if width == 16:
        yield f"vrrp6.{vrid}"
    yield from (f"vrrp{number}.{vrid}" for number in itertools.count(1))


def _place(instance: VrrpInstance, own: _Own | None) -> Attachment:
    """With a macvlan one hears by that, since it takes what another holder of the virtual MAC sends.

    keepalived listens below it with vmac_xmit_base, and does not hear FRR then (measured). Unicast comes to the
    address and the MAC of the interface below.
    """
    if own is None:
        return Attachment(instance.interface, instance.interface, instance.interface, instance.interface)
    name = own.macvlan.name
    return Attachment(
        instance.interface,
        instance.interface if instance.unicast_peers else name,
        instance.interface if instance.vmac_xmit_base else name,
        name,
    )


def _barred(config: KeepalivedConfig, places: Mapping[str, Attachment]) -> Iterator[tuple[bytes, str]]:
    """The addresses for which nothing is accepted, and their interfaces; an owner accepts all that comes."""
    for instance in config.instances:
        if instance.accept or instance.priority == OWNER_PRIORITY:
            continue
        place = places[instance.name]
        for one in (*instance.addresses, *instance.excluded_addresses):
            yield one.address.packed, place.hold if one.device in {None, instance.interface} else one.device


def _entry(macvlan: Macvlan) -> str:
    return f"{_KIND} {macvlan.name} {macvlan.base} {macvlan.mac.hex()}"


def _noted(journal: JournalFile) -> Iterator[tuple[str, Macvlan]]:
    """The macvlans of which an earlier run has left notes, by its entries."""
    for entry in journal.left_over:
        kind, *words = entry.split(" ")
        if kind == _KIND and len(words) == 3 and re.fullmatch(r"(?:[0-9a-f]{2})+", words[2]):
            yield entry, Macvlan(words[0], words[1], bytes.fromhex(words[2]))
