"""Addresses, routes and rules that keepalived gives to the kernel, and who they depend on.

Of what only the kernel makes use of, the words are kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from vrrp.config.values import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A line of virtual_routes or static_routes.

    `destination` is as written, "default" among others; `table` and the like too. `options` are its other words with
    their values. `tracked`: whether its loss means FAULT. `text` is the whole line.
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
    next_hops: int = 0
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
    tracked: bool = True
    track_group: str | None = None
    line: int = 0


@dataclass(frozen=True, slots=True)
class TrackGroup:
    """A track_group: what static addresses, routes and rules name to follow these instances."""

    name: str
    members: tuple[str, ...]
    line: int
