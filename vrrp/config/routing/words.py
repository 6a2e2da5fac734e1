"""Words of iproute2's language in routes and rules: names for numbers, and lines that are read word by word."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from vrrp.config.diagnostics import Report, missing_parameter
from vrrp.config.lvs.endpoints import LONGEST_FWMARK
from vrrp.config.tree import Statement
from vrrp.config.values import Address, address, whole

# As Debian's iproute2 has them; a machine may name more.
TABLES: Mapping[str, int] = {"unspec": 0, "default": 253, "main": 254, "local": 255}
SCOPES: Mapping[str, int] = {"global": 0, "site": 200, "link": 253, "host": 254, "nowhere": 255}
PROTOCOLS: Mapping[str, int] = {
    "unspec": 0,
    "redirect": 1,
    "kernel": 2,
    "boot": 3,
    "static": 4,
    "gated": 8,
    "ra": 9,
    "mrt": 10,
    "zebra": 11,
    "bird": 12,
    "dnrouted": 13,
    "xorp": 14,
    "ntk": 15,
    "dhcp": 16,
    "keepalived": 18,
    "babel": 42,
    "openr": 99,
    "bgp": 186,
    "isis": 187,
    "ospf": 188,
    "rip": 189,
    "eigrp": 192,
}
KEEPALIVED_PROTOCOLS = frozenset({"18", "0x12", "keepalived"})

_NUMBER = re.compile(r"(?:0[xX][0-9a-fA-F]{1,8}|[0-9]{1,10})", re.ASCII)
_HIGHEST_REALM = 255


class LineError(Exception):
    """What keepalived says of a line that it leaves out; "" when it was told already."""


@dataclass(slots=True)
class Words:
    """The words of one line, taken one after the other.

    `family` is that of the first address: the others must be of the same.
    """

    statement: Statement
    report: Report
    position: int = 0
    family: Literal[4, 6] | None = None
    options: dict[str, str] = field(default_factory=dict)

    def __iter__(self) -> Iterator[str]:
        """Each word that is not taken as the value of another."""
        while self.position < len(self.statement.words):
            self.position += 1
            yield self.statement.words[self.position - 1]

    @property
    def following(self) -> str | None:
        """The next word, left where it is."""
        return self.statement.words[self.position] if self.position < len(self.statement.words) else None

    def value(self) -> str:
        """The value of the word taken last.

        Raises:
            LineError: there is none, and keepalived exits.
        """
        found = self.following
        if found is None:
            words = self.statement.words
            self.report.stop(
                self.statement.line, missing_parameter(words[0], words[self.position - 1], self.position + 1)
            )
            raise LineError("")
        self.position += 1
        return found

    def warn(self, message: str, instead: str) -> None:
        """A complaint about the line, which is used all the same."""
        self.report.warning(self.statement.line, message, instead)

    def number(self, low: int, high: int, complaint: str) -> int:
        """A whole number.

        Raises:
            LineError: it is none, with this complaint.
        """
        text = self.value()
        found = whole(text, low, high)
        if found.complaint:
            raise LineError(f"{found.complaint}: {complaint.format(text)}")
        return found.read

    def one_address(self, complaint: str, mixed: str) -> Address:
        """An address without prefix.

        Raises:
            LineError: it is none, or of another family than the line's others.
        """
        text = self.value()
        found = address(text)
        if found is None:
            raise LineError(f"VRRP parsed invalid IP {text}. skipping IP...: {complaint.format(text)}")
        self.belongs(found, mixed)
        return found

    def belongs(self, found: Address, mixed: str) -> None:
        """Whether an address is of the line's family.

        Raises:
            LineError: it is not, with the complaint `mixed`.
        """
        self.family = self.family or (4 if found.version == 4 else 6)
        if found.version != self.family:
            raise LineError(mixed)


def is_number(text: str, high: int = LONGEST_FWMARK) -> bool:
    """Whether it is a number, decimal or hexadecimal."""
    return _NUMBER.fullmatch(text) is not None and int(text, 16 if text[:2] in {"0x", "0X"} else 10) <= high


def is_realms(text: str) -> bool:
    """Whether it is a realm or two, by number or by the one name that iproute2 comes with."""
    realms = text.split("/")
    return len(realms) <= 2 and all(realm == "cosmos" or is_number(realm, _HIGHEST_REALM) for realm in realms)
