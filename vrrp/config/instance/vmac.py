"""use_vmac, use_ipvlan and vrf: the interfaces that keepalived makes, or goes through, for an instance."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from vrrp.config.model import Address
from vrrp.config.values import address, octets

LONGEST_INTERFACE = 15
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f:]*", re.ASCII)
_MAC = re.compile(r"(?:[0-9A-Fa-f]{1,2}:){4,6}[0-9A-Fa-f]{1,2}", re.ASCII)
_RFC_PREFIX = (0x00, 0x00, 0x5E, 0x00, 0x01)
_RFC_PREFIX_V6 = (0x00, 0x00, 0x5E, 0x00, 0x02)
_IPVLAN_TYPES = frozenset({"bridge", "private", "vepa"})


@dataclass(slots=True)
class Vmac:
    """What use_vmac said: the interface's `name` and its `mac`; None where keepalived chooses."""

    name: str | None = None
    mac: str | None = None

    def read(self, words: tuple[str, ...]) -> Iterator[str]:
        """Take the words of one line in; yields what keepalived says of them."""
        if any(":" in word for word in words) and self.mac is not None:
            yield "VMAC interface address already specified"
            return
        for word in words:
            if ":" in word:
                yield from self._take_mac(word)
            elif self.name is not None:
                yield "VMAC interface name already specified"
            elif not _is_interface_name(word):
                yield f"VMAC interface name '{word}' too long or invalid characters - ignoring"
            else:
                self.name = word

    def _take_mac(self, word: str) -> Iterator[str]:
        if not _HEXADECIMAL.fullmatch(word):
            yield f"VMAC invalid MAC address {word}"
        elif not _MAC.fullmatch(word):
            yield f"VMAC invalid MAC address {word} - ignored"
        else:
            octet = tuple(int(part, 16) for part in word.split(":"))
            if octet[0] & 1:
                yield f"VMAC MAC address is multicast {word} - ignoring"
            elif octet[:5] in {_RFC_PREFIX, _RFC_PREFIX_V6}:
                yield f"VMAC MAC address not allowed to be RFC5798 address ({word}) - ignoring"
            else:
                self.mac = word


def _is_interface_name(word: str) -> bool:
    unusable = word in {"", ".", ".."} or "/" in word or any(char.isspace() for char in word)
    return not unusable and len(octets(word)) <= LONGEST_INTERFACE


@dataclass(slots=True)
class Ipvlan:
    """What use_ipvlan said: the interface's `name`, its `kind` and `address`; None where keepalived chooses."""

    name: str | None = None
    kind: str | None = None
    address: Address | None = None

    def read(self, words: tuple[str, ...], owner: str) -> Iterator[str]:
        """Take the words of the line in; yields what keepalived says of them."""
        for word in words:
            found = address(word.partition("/")[0])
            if word in _IPVLAN_TYPES:
                if self.kind is not None:
                    yield f"({owner}) ipvlan type already specified - ignoring '{word}'"
                self.kind = self.kind or word
            elif found is not None:
                if self.address is not None:
                    yield f"({owner}) ipvlan address already specified - ignoring '{word}'"
                self.address = self.address or found
            elif self.name is not None:
                yield f"({owner}) IPVLAN interface already specified - ignoring '{word}'"
            elif len(octets(word)) > LONGEST_INTERFACE:
                yield f"({owner}) IPVLAN interface name '{word}' too long - ignoring"
            else:
                self.name = word
