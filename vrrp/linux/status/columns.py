"""What is shown of a virtual router, in which order: in the terminal, on the page and in its CSV."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vrrp.linux.status.document import Json


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its group and title for people, its name for programs, what it says, and what stands in it."""

    group: str
    title: str
    name: str
    explanation: str
    value: Callable[[Json], Any]
    counted: bool = False
    """Whether a terminal shows it in its second table, of what is counted."""

    def text(self, row: Json) -> str:
        """What stands in it, for people."""
        value = self.value(row)
        if value is None:
            return ""
        return f"{value:.2f}" if isinstance(value, float) else str(value)


def duration(seconds: float) -> str:
    """A time span as HAProxy's page shows it: its two greatest units."""
    rest, parts = int(seconds), []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, rest = divmod(rest, size)
        parts.append(f"{count}{unit}")
    first = next((at for at, part in enumerate(parts) if part[0] != "0"), len(parts) - 1)
    return "".join(parts[first : first + 2])


def _data(name: str) -> Callable[[Json], Any]:
    return lambda row: row["data"][name]


def _stats(name: str) -> Callable[[Json], Any]:
    return lambda row: row["stats"][name]


def _now(name: str) -> Callable[[Json], Any]:
    return lambda row: row["now"][name]


COLUMNS: tuple[Column, ...] = (
    Column("Virtual router", "Instance", "iname", "The vrrp_instance's name", _data("iname")),
    Column("Virtual router", "Interface", "ifp_ifname", "Where it advertises", _data("ifp_ifname")),
    Column("Virtual router", "VRID", "vrid", "Virtual router identifier", _data("vrid")),
    Column("Virtual router", "Ver", "version", "VRRP version", _data("version")),
    Column("State", "State", "state", "MASTER holds the addresses; FAULT cannot", _now("state")),
    Column("State", "For", "for", "How long it has been in this state", lambda row: duration(row["now"]["for"])),
    Column("State", "Master", "master", "Who advertises, as far as it knows", _now("master")),
    Column("Priority", "Prio", "effective_priority", "With what tracking adds and takes", _data("effective_priority")),
    Column("Priority", "Base", "base_priority", "As configured", _data("base_priority")),
    Column(
        "Virtual addresses",
        "Addresses",
        "addresses",
        "What it stands for as a master",
        lambda row: " ".join(row["now"]["addresses"]),
    ),
    Column("Advertisements", "Sent", "advert_sent", "Since the daemon started", _stats("advert_sent"), counted=True),
    Column("Advertisements", "Rcvd", "advert_rcvd", "That passed every check", _stats("advert_rcvd"), counted=True),
    Column(
        "Advertisements",
        "Refused",
        "discarded",
        "That failed a check",
        lambda row: sum(row["now"]["discarded"].values()),
        counted=True,
    ),
    Column("Advertisements", "0 sent", "pri_zero_sent", "Good-byes sent", _stats("pri_zero_sent"), counted=True),
    Column("Advertisements", "0 rcvd", "pri_zero_rcvd", "Good-byes received", _stats("pri_zero_rcvd"), counted=True),
    Column(
        "Mastership", "Gained", "become_master", "How often it became master", _stats("become_master"), counted=True
    ),
    Column("Mastership", "Lost", "release_master", "How often it let go", _stats("release_master"), counted=True),
    Column("Timers", "Interval", "adver_int", "Seconds between its advertisements", _data("adver_int")),
    Column("Timers", "Next", "next", "Seconds until it acts unless it hears something", _now("next")),
)
