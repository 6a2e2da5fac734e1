"""A first look at captures: who advertises what, and from it which of them is the router to be replayed.

What a configuration does not say - the router's own address, and since when it runs - is mostly in the capture.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from vrrp.capture.replay.hearing import Heard
from vrrp.protocol.profile import OwnerStart, Profile
from vrrp.protocol.settings import RouterConfig, VirtualRouterConfig
from vrrp.protocol.timers import master_down_ns
from vrrp.wire.address import is_link_local, text

MOST_TALKERS = 10_000
_PRIORITY_AT = 2
_MOST_NAMED = 8

Place = tuple[str, int]
"""Interface and `Datagram.key`: where a virtual router is."""


@dataclass(slots=True)
class Talker:
    """Who advertises a virtual router."""

    first_ns: int
    first_priority: int
    priorities: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Survey:
    """What is in the captures. Times in nanoseconds since 1970, 0 where there is no VRRP packet at all."""

    first_ns: int = 0
    last_ns: int = 0
    heard: int = 0
    talkers: dict[Place, dict[bytes, Talker]] = field(default_factory=dict)
    """Virtual router -> packed source -> what it advertised."""


class AmbiguousError(ValueError):
    """The captures do not tell which router is meant; the message names those that it could be."""


def survey(hearing: Iterable[Heard]) -> Survey:
    """Look through captures once. Of more than 10 000 senders the rest is not told apart."""
    found = Survey()
    count = 0
    for heard in hearing:
        if not found.heard:
            found.first_ns = found.last_ns = heard.time_ns
        found.heard += 1
        found.first_ns = min(found.first_ns, heard.time_ns)
        found.last_ns = max(found.last_ns, heard.time_ns)
        datagram = heard.datagram
        if len(datagram.payload) <= _PRIORITY_AT or heard.capture.aside:
            continue
        talkers = found.talkers.setdefault((heard.interface, datagram.key), {})
        priority = datagram.payload[_PRIORITY_AT]
        talker = talkers.get(datagram.source)
        if talker is None:
            if count == MOST_TALKERS:
                continue
            count += 1
            talker = talkers[datagram.source] = Talker(heard.time_ns, priority)
        talker.priorities.add(priority)
    return found


def own_addresses(
    config: RouterConfig, given: Mapping[str, Sequence[bytes]], found: Survey
) -> tuple[dict[str, tuple[bytes, ...]], tuple[str, ...]]:
    """Each interface's addresses, and a line for each one that was inferred and why. AmbiguousError names the options.

    An interface whose virtual routers name no source and that was given no address of their family has the address
    that advertises each of them with its configured priority.
    """
    addresses = {name: tuple(own) for name, own in given.items()}
    notes = []
    wanting: dict[tuple[str, int], list[VirtualRouterConfig]] = {}
    for one in config.virtual_routers:
        for watched in one.track_interfaces:
            addresses.setdefault(watched.name, ())
        own = addresses.setdefault(one.interface, ())
        if one.source is not None:
            addresses[one.interface] = (*own, *(() if one.source in own else (one.source,)))
        elif not any(_sends_from(address, one.width) for address in own):
            wanting.setdefault((one.interface, one.width), []).append(one)
    for (interface, _), members in wanting.items():
        address, why = _infer(interface, members, found)
        addresses[interface] += (address,)
        notes.append(f"{interface} is {text(address)}: {why}")
    return addresses, tuple(notes)


def _sends_from(address: bytes, width: int) -> bool:
    return len(address) == width and (width == 4 or is_link_local(address))


def _infer(interface: str, members: Sequence[VirtualRouterConfig], found: Survey) -> tuple[bytes, str]:
    options: set[bytes] | None = None
    reasons = []
    for one in members:
        talkers = found.talkers.get((interface, one.width << 8 | one.vrid), {})
        fitting = {source for source, talker in talkers.items() if one.priority in talker.priorities} - set(
            one.unicast_peers
        )
        if fitting:
            options = fitting if options is None else options & fitting
            reasons.append(f"VRID {one.vrid} with priority {one.priority}")
    said = " and ".join(reasons)
    if options is not None and len(options) == 1:
        return options.pop(), f"it alone advertises {said}"
    if options:
        raise AmbiguousError(f"{_listed(options)} advertise {said}; which is this router? Give --address")
    first = members[0]
    others = found.talkers.get((interface, first.width << 8 | first.vrid), {})
    who = f"; {_listed(others)} advertise it otherwise" if others else ""
    raise AmbiguousError(
        f"nobody on {interface} advertises VRID {first.vrid} with the configured priority {first.priority}{who}; "
        "give this router's --address"
    )


def _listed(addresses: Iterable[bytes]) -> str:
    names = [text(address) for address in sorted(addresses)]
    more = len(names) - _MOST_NAMED
    return " and ".join([", ".join(names[:_MOST_NAMED]), *([f"{more} more"] if more > 0 else [])])


def started_ns(
    config: RouterConfig, profile: Profile, addresses: Mapping[str, Sequence[bytes]], found: Survey, latency_ns: int
) -> tuple[int, str]:
    """When the router's process started at the latest (nanoseconds since 1970), and how that is known.

    With the first packet; or so long before its own first advertisement as a router needs that hears of no master.
    One that was master for longer does the same from then on.
    """
    options = [(found.first_ns, "with the first packet")]
    for one in config.virtual_routers:
        talkers = found.talkers.get((one.interface, one.width << 8 | one.vrid), {})
        for source in addresses[one.interface]:
            own = talkers.get(source)
            if own is None or not own.first_priority:
                continue
            rule = profile.owner_start
            at_once = rule is OwnerStart.MASTER or (rule is OwnerStart.MASTER_IF_STATE_MASTER and one.state_master)
            needed_ns = config.startup_delay_ns + latency_ns
            if not (one.owner and at_once):
                needed_ns += master_down_ns(
                    own.first_priority, one.interval_cs, one.version, profile.skew, one.down_timer_adverts
                )
            said = f"it advertises VRID {one.vrid} {(own.first_ns - found.first_ns) / 1e9:.3f} s after that"
            options.append((own.first_ns - needed_ns, said))
    return min(options, key=lambda option: option[0])
