"""Routes and rules in the kernel: a virtual router's while it is master, the static ones all the time.

As keepalived 2.2.7 was measured to, beside which:
  - what is there already is not ours and stays when we go; what has keepalived's own protocol, it is what an earlier
    run left, and goes at start;
  - what somebody takes away is put back, unless its line says `no_track`. keepalived does so with static ones; of a
    virtual router it would be master no more for a Master_Down_Interval, as it does for an address.
"""

from __future__ import annotations

import contextlib
import errno
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from pyroute2.netlink import NLM_F_CREATE, NLM_F_EXCL
from pyroute2.netlink.rtnl import RTM_DELROUTE, RTM_DELRULE, RTM_NEWROUTE, RTM_NEWRULE

from vrrp.config.model import KeepalivedConfig
from vrrp.config.routing.model import Route, Rule
from vrrp.config.routing.words import KEEPALIVED_PROTOCOLS
from vrrp.linux.journal_file import JournalFile
from vrrp.linux.links import Link
from vrrp.linux.routing.request import request

log = logging.getLogger("vrrp.routing")

GROUPS = 0x40 | 0x80 | 0x400 | 0x4_0000
"""RTMGRP_* of routes and rules, of both families: what is taken away is told there."""
REMOVALS = frozenset({RTM_DELROUTE, RTM_DELRULE})
STATIC = ""
"""Whose the static ones are; the others are an instance's, by its name."""
_ROUTE, _RULE = "route", "rule"
_ADD = {_ROUTE: RTM_NEWROUTE, _RULE: RTM_NEWRULE}
_REMOVE = {_ROUTE: RTM_DELROUTE, _RULE: RTM_DELRULE}
_FLAGS = {_ROUTE: NLM_F_CREATE, _RULE: NLM_F_CREATE | NLM_F_EXCL}
"""A route goes before another one to the same network (keepalived, measured)."""
_GONE = {errno.ESRCH, errno.ENOENT, errno.ENODEV, errno.ENETUNREACH, errno.EADDRNOTAVAIL}


class Asked(Protocol):
    """What carries out a netlink request."""

    def ask(self, kind: int, message: bytes, flags: int = 0) -> None:
        """Do it; OSError with the kernel's reason when it cannot be done."""


@dataclass(frozen=True, slots=True)
class _Item:
    """What the kernel is to have: which kind, and the body of the request."""

    kind: str
    request: bytes


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the configuration, and whether it is put back when somebody takes it away."""

    said: Route | Rule
    kept: bool


class RoutingTable:
    """The routes and rules of a host.

    Args:
        netlink: carries out what is asked.
        links: the interfaces by name, kept up to date.
        journal: where what is held stands, in case of a crash.
    """

    def __init__(self, netlink: Asked, links: Mapping[str, Link], journal: JournalFile) -> None:
        self._netlink = netlink
        self._links = links
        self._journal = journal
        self._described: dict[str, tuple[_Line, ...]] = {}
        self._held: dict[str, dict[_Item, _Line]] = {}
        """By whose they are; who is in it has what is described of it."""
        self._failed: dict[tuple[str, _Item], str] = {}
        """What could not be put, and why."""
        self._up: dict[str, int | None] = {}
        """The index of each interface that is up."""

    def describe(self, config: KeepalivedConfig) -> None:
        """From now on this configuration holds; of what masters have, what changed is taken away or put."""
        self._described = {one.name: _lines(one.routes, one.rules) for one in config.instances}
        self._described[STATIC] = _lines(config.static_routes, config.static_rules)
        for owner in [*self._held]:
            if owner != STATIC:  # whose addresses come first
                self.put(owner)

    @property
    def watched(self) -> bool:
        """Whether there is anything that would be put back."""
        return any(line.kept for lines in self._described.values() for line in lines)

    def put(self, owner: str) -> None:
        """Have the routes and rules of an instance, or the static ones; of what was there of it, nothing else."""
        held = self._held.setdefault(owner, {})
        wanted = dict(self._items(owner))
        for item in reversed([item for item in held if item not in wanted]):
            self._remove(owner, item)
        for item, line in wanted.items():
            if item in held:
                held[item] = line
            else:
                self._add(owner, item, line)

    def take(self, owner: str) -> None:
        """Take away what is held of an instance: the rules first, and then the routes (keepalived, measured)."""
        for item in reversed(list(self._held.get(owner, ()))):
            self._remove(owner, item)
        self._held.pop(owner, None)

    def restore(self) -> None:
        """Put back what is not there any more; the kernel says of what is there that it is."""
        for owner, held in self._held.items():
            self.put(owner)
            for item, line in held.items():
                if line.kept and self._can_be(line.said) and self._ask(owner, item, line) is True:
                    log.warning("%sRestoring deleted %s %s", _whose(owner), _called(owner, item), line.said.text)

    def link_changed(self, name: str) -> None:
        """An interface is another now: the routes by one that was down are gone, and return when it is up."""
        link = self._links.get(name)
        up = link.index if link is not None and link.up else None
        before, self._up[name] = self._up.get(name), up
        if up is not None and before != up and self._held:
            self.restore()

    def sweep(self) -> None:
        """Take away what an earlier run left: what it wrote down, and what is as described and keepalived's own."""
        left = {entry: item for entry in self._journal.left_over if (item := _parsed(entry)) is not None}
        described = {item: line for owner in self._described for item, line in self._items(owner)}
        for item in dict.fromkeys([*left.values(), *(one for one in described if _is_keepalived_s(described[one]))]):
            with contextlib.suppress(OSError):  # of what it does not know the kernel cannot have any
                if self._delete(item):
                    what = described[item].said.text if item in described else "which is described no more"
                    log.warning("removing the %s %s: an earlier run left it", item.kind, what)
        for entry in left:
            self._journal.strike(entry)

    def close(self) -> None:
        """Take away whatever is still held."""
        for owner in list(self._held):
            self.take(owner)

    def _items(self, owner: str) -> Iterator[tuple[_Item, _Line]]:
        """What is described of one, as far as its interfaces are there."""
        for line in self._described.get(owner, ()):
            try:
                body = request(line.said, self._index_of)
            except KeyError:
                continue  # the interface may come later
            yield _Item(_ROUTE if isinstance(line.said, Route) else _RULE, body), line

    def _can_be(self, said: Route | Rule) -> bool:
        """Whether the kernel would have it: not by an interface that is down."""
        device = said.device if isinstance(said, Route) else None
        link = None if device is None else self._links.get(device)
        return device is None or (link is not None and link.up)

    def _index_of(self, name: str) -> int:
        return self._links[name].index

    def _add(self, owner: str, item: _Item, line: _Line) -> None:
        entry = _entry(item)
        self._journal.add(entry)
        shared = any(item in held for held in self._held.values())
        done = self._ask(owner, item, line)
        if done is True or (shared and done is None):
            self._held[owner][item] = line
        elif not shared:
            self._journal.strike(entry)

    def _ask(self, owner: str, item: _Item, line: _Line) -> bool | None:
        """Whether the kernel has put it there; None when it was there already."""
        try:
            self._netlink.ask(_ADD[item.kind], item.request, _FLAGS[item.kind])
        except OSError as error:
            if error.errno == errno.EEXIST:
                self._failed.pop((owner, item), None)
                return None
            reason = (error.strerror or str(error)).lower()
            if self._failed.get((owner, item)) != reason:
                self._failed[owner, item] = reason
                log.error("%scannot add %s %s: %s", _whose(owner), _called(owner, item), line.said.text, reason)
            return False
        self._failed.pop((owner, item), None)
        return True

    def _remove(self, owner: str, item: _Item) -> None:
        line = self._held[owner].pop(item)
        if any(item in held for held in self._held.values()):
            return
        try:
            self._delete(item)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            log.error("%scannot remove %s %s: %s", _whose(owner), _called(owner, item), line.said.text, reason)
            return
        self._journal.strike(_entry(item))

    def _delete(self, item: _Item) -> bool:
        """Whether it was there."""
        try:
            self._netlink.ask(_REMOVE[item.kind], item.request)
        except OSError as error:
            if error.errno in _GONE:
                return False
            raise
        return True


def _lines(routes: tuple[Route, ...], rules: tuple[Rule, ...]) -> tuple[_Line, ...]:
    return (*(_Line(one, one.tracked) for one in routes), *(_Line(one, one.tracked) for one in rules))


def _is_keepalived_s(line: _Line) -> bool:
    """Whether it carries keepalived's own protocol, so that the kernel takes away no other for it."""
    given = dict(line.said.options).get("protocol")
    unnamed = given is None and isinstance(line.said, Route)
    return line.kept or unnamed or given in KEEPALIVED_PROTOCOLS


def _whose(owner: str) -> str:
    return f"({owner}) " if owner else ""


def _called(owner: str, item: _Item) -> str:
    return item.kind if owner else f"static {item.kind}"


def _entry(item: _Item) -> str:
    return f"{item.kind} {item.request.hex()}"


def _parsed(entry: str) -> _Item | None:
    """What an entry of a journal stands for; None for what is no such entry."""
    kind, _, written = entry.partition(" ")
    if kind not in _ADD:
        return None
    try:
        return _Item(kind, bytes.fromhex(written))
    except ValueError:
        return None
