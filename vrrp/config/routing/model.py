"""Addresses, routes and rules that keepalived gives to the kernel, and who they depend on.

Of what only the kernel makes use of, the words are kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from vrrp.config.values import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class NextHop:
    """One of several ways of a route. `options` are its words beside via, dev and weight, with their values."""

    gateway: Address | None = None
    device: str | None = None
    weight: int = 1
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A line of virtual_routes or static_routes.

    `destination` is as written, "default" among others; `table` and the like too. `options` are its other words with
    their values, which begin with "lock " where the kernel is to leave it alone. `tracked`: whether the loss of its
    interface means FAULT. `text` is the whole line.
    """

    destination: str
    text: str = field(compare=False)
    kind: str = "unicast"
    gateway: Address | None = None
    source: Address | None = None
    device: str | None = None
    table: str | None = None
    metric: int | None = None
    options: tuple[tuple[str, str], ...] = ()
    next_hops: tuple[NextHop, ...] = ()
    family: Literal[4, 6] = 4
    tracked: bool = True
    track_group: str | None = None
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A line of virtual_rules or static_rules; the fields are as those of `Route`. `action` is table, goto, ..."""

    action: str
    text: str = field(compare=False)
    priority: int
    source: str | None = None
    destination: str | None = None
    table: str | None = None
    in_device: str | None = None
    out_device: str | None = None
    options: tuple[tuple[str, str], ...] = ()
    family: Literal[4, 6] = 4
    tracked: bool = True
    track_group: str | None = None
    line: int = 0


@dataclass(frozen=True, slots=True)
class TrackGroup:
    """A track_group: what static addresses, routes and rules name to follow these instances."""

    name: str
    members: tuple[str, ...]
    line: int
