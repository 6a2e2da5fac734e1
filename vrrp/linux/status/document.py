"""The status of a daemon as one JSON document, with keepalived's names where it has them.

`vrrp` lists the virtual routers. Of each, `data` and `stats` are what keepalived writes to keepalived.json (2.2.7,
measured), without the password; `now` is ours. Times are seconds, `since` since 1970.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

from vrrp import __version__
from vrrp.config.model import VirtualAddress, VrrpInstance
from vrrp.linux.status.history import History
from vrrp.protocol.counters import Counters
from vrrp.protocol.state import State
from vrrp.protocol.timers import SECOND_NS
from vrrp.protocol.validation import Discard
from vrrp.protocol.virtual_router import VirtualRouter
from vrrp.wire.address import text

if TYPE_CHECKING:
    from vrrp.linux.daemon import Daemon

Json: TypeAlias = dict[str, Any]
_FOREVER = 0xFFFFFFFF
"""A lifetime, to the kernel."""

# keepalived's numbers.
_NUMBERS = {State.INITIALIZE: 0, State.BACKUP: 1, State.MASTER: 2, State.FAULT: 3}
_ERRORS: dict[str, tuple[Discard, ...]] = {
    "packet_len_err": (Discard.LENGTH,),
    "advert_interval_err": (Discard.INTERVAL, Discard.ZERO_INTERVAL),
    "ip_ttl_err": (Discard.TTL, Discard.PEER_TTL),
    "invalid_type_rcvd": (Discard.TYPE,),
    "addr_list_err": (
        Discard.NO_ADDRESS,
        Discard.ADDRESS_COUNT,
        Discard.ADDRESS_LIST,
        Discard.ADDRESS_LIST_UNLESS_OWNER,
        Discard.FIRST_ADDRESS,
    ),
    "invalid_authtype": (),  # counted as a mismatch, which it is too
    "authtype_mismatch": (Discard.AUTH_TYPE, Discard.AH_PRESENCE),
    "auth_failure": (Discard.PASSWORD, Discard.AH_SPI, Discard.AH_SEQUENCE, Discard.AH_REPLAY, Discard.AH_ICV),
}
"""What keepalived counts together. (2.2.7 counts no other interval, though it has a name for it.)"""
_RECEIVED_ALL_THE_SAME = (Discard.ADDRESS_LIST, Discard.ADDRESS_LIST_UNLESS_OWNER)
"""keepalived looks at the list of addresses only when it has counted the advertisement."""


class Status:
    """The service that watches a daemon and tells of it; others tell it on.

    Attributes:
        document: what there is to tell now.
        healthy: whether no virtual router is in FAULT.
    """

    async def start(self, daemon: Daemon) -> None:
        """Begin to watch."""
        self._daemon = daemon
        self._history = History()
        self._started_s = time.time()
        daemon.listeners.append(self._history)

    async def stop(self) -> None:
        """Nothing is left behind."""

    @property
    def healthy(self) -> bool:
        """Whether no virtual router is in FAULT."""
        return all(one.state is not State.FAULT for one in self._daemon.router.virtual_routers)

    @property
    def document(self) -> Json:
        """Everything, as it is now."""
        daemon, router = self._daemon, self._daemon.router
        instances = {one.name: one for one in daemon.config.config.instances}
        now_ns = time.monotonic_ns()
        return {
            "vrrp": [self._of(now_ns, one, instances[one.config.name]) for one in router.virtual_routers],
            "daemon": {
                "version": __version__,
                "pid": os.getpid(),
                "node": os.uname().nodename,
                "configuration": daemon.config.config.filename,
                "profile": daemon.profile.name,
                "started": self._started_s,
                "healthy": self.healthy,
                "strangers": _counted(router.strangers),
            },
            "track_scripts": [
                {"name": name, "state": _verdict(one.up), "reason": one.reason, "runs": one.results}
                for name, one in router.scripts.items()
            ],
            "track_files": [{"name": name, "value": one.value} for name, one in router.subjects.files.items()],
            "track_processes": [
                {"name": name, "state": _verdict(one.up), "count": one.count}
                for name, one in router.subjects.processes.items()
                if not one.config.judged
            ],
            "interfaces": [
                {"name": name, "state": _verdict(daemon.kernel.is_up(name)), "addresses": [text(a) for a in addresses]}
                for name, addresses in daemon.kernel.interfaces.items()
            ],
        } | {name: rows() for name, rows in daemon.reports.items()}

    def _of(self, now_ns: int, virtual_router: VirtualRouter, instance: VrrpInstance) -> Json:
        past = self._history.of(virtual_router)
        counters = self._daemon.router.counters(virtual_router.config.name)
        last = past.moves[-1] if past.moves else None
        since_s = last.at_s if last else self._started_s
        deadline_ns = virtual_router.deadline_ns
        return {
            "data": _data(virtual_router, instance, since_s),
            "stats": _stats(counters, past.released),
            "now": {
                "state": virtual_router.state.value,
                "since": since_s,
                "for": max(0.0, time.time() - since_s),
                "reason": last.reason if last else "",
                "master": _master(virtual_router),
                "source": text(virtual_router.source) if virtual_router.source else None,
                "next": None if deadline_ns is None else max(0, deadline_ns - now_ns) / SECOND_NS,
                "addresses": [text(one) for one in virtual_router.served],
                "scripts": [one.name for one in virtual_router.config.track_scripts],
                "discarded": _counted(counters.discarded),
                "moves": [
                    {"t": move.at_s, "from": move.old.value, "to": move.new.value, "reason": move.reason}
                    for move in past.moves
                ],
            },
        }


def _master(virtual_router: VirtualRouter) -> str | None:
    """Who is master as far as it knows: itself, or whom it heard last."""
    if virtual_router.state is State.MASTER:
        return text(virtual_router.source)
    heard = virtual_router.master if virtual_router.state is State.BACKUP else None
    return None if heard is None else text(heard)


def _data(virtual_router: VirtualRouter, instance: VrrpInstance, since_s: float) -> Json:
    config, master = virtual_router.config, virtual_router.state is State.MASTER
    state = _NUMBERS[virtual_router.state]
    data: Json = {
        "iname": config.name,
        "dont_track_primary": int(instance.dont_track_primary),
        "skip_check_adv_addr": int(config.skip_check_adv_addr),
        "strict_mode": int(instance.strict),
        "ifp_ifname": config.interface,
        "last_transition": since_s,
        "garp_delay": instance.garp_master_delay_ns // SECOND_NS,
        "garp_refresh": instance.garp_master_refresh_ns // SECOND_NS,
        "garp_rep": instance.garp_master_repeat,
        "garp_refresh_rep": instance.garp_master_refresh_repeat,
        "garp_lower_prio_delay": instance.garp_lower_prio_delay_ns // SECOND_NS,
        "garp_lower_prio_rep": instance.garp_lower_prio_repeat,
        "lower_prio_no_advert": int(config.lower_prio_no_advert),
        "higher_prio_send_advert": int(config.higher_prio_send_advert),
        "vrid": config.vrid,
        "base_priority": config.priority,
        "effective_priority": virtual_router.priority,
        "vipset": master,
        "adver_int": _seconds(config.interval_cs),
        "master_adver_int": _seconds(virtual_router.master_interval_cs),
        "accept": int(instance.accept),
        "nopreempt": not config.preempt,
        "preempt_delay": config.preempt_delay_ns // SECOND_NS,
        "state": state,
        "wantstate": _NUMBERS[State.MASTER] if virtual_router.wants_master else state,
        "version": config.version,
        "vips": list(_vips(instance.addresses, config.interface, master)),
        "auth_type": config.auth_type,
    }
    if instance.excluded_addresses:
        data["evips"] = list(_vips(instance.excluded_addresses, config.interface, master))
    # With keepalived's names, and the words of the file.
    for name, lines in (("vroutes", instance.routes), ("vrules", instance.rules)):
        if lines:
            data[name] = [one.text for one in lines]
    return data


def _seconds(interval_cs: int) -> float:
    """A number as keepalived writes it: whole where it can be."""
    return interval_cs // 100 if interval_cs % 100 == 0 else interval_cs / 100


def _vips(addresses: tuple[VirtualAddress, ...], interface: str, held: bool) -> Iterator[str]:
    """Addresses as keepalived describes them."""
    for one in addresses:
        width = one.address.max_prefixlen
        words = [str(one.address) if one.prefix == width else f"{one.address}/{one.prefix}"]
        words += ["brd", str(one.broadcast)] if one.broadcast is not None else []
        words += ["dev", one.device or interface, "scope", one.scope or "global"]
        words += ["label", one.label] if one.label is not None else []
        words += ["no_track"] if one.no_track else []
        if one.address.version == 6:
            usual_s = 0 if one.prefix == width else _FOREVER
            preferred_s = usual_s if one.preferred_lifetime_s is None else one.preferred_lifetime_s
            lifetime = "forever" if preferred_s == _FOREVER else str(preferred_s)
            words += ["preferred_lft", lifetime] if preferred_s else ["deprecated"]
        yield " ".join([*words, "set"] if held else words)


def _stats(counters: Counters, released: int) -> Json:
    errors = {name: sum(counters.discarded[why] for why in reasons) for name, reasons in _ERRORS.items()}
    return {
        "advert_rcvd": counters.accepted + sum(counters.discarded[why] for why in _RECEIVED_ALL_THE_SAME),
        "advert_sent": counters.sent,
        "become_master": counters.became_master,
        "release_master": released,
        **errors,
        "pri_zero_rcvd": counters.priority_zero_received,
        "pri_zero_sent": counters.priority_zero_sent,
    }


def _counted(counter: Counter[Discard]) -> dict[str, int]:
    return {reason.name.lower(): count for reason, count in counter.items()}


def _verdict(up: bool | None) -> str:
    return "unknown" if up is None else "up" if up else "down"
