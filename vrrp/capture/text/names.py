"""Addresses and ports as text: numbers, or names where they are asked for and known."""

from __future__ import annotations

import socket
from functools import lru_cache

from vrrp.capture.text.ouis import OUIS
from vrrp.wire.address import text
from vrrp.wire.ethernet import BROADCAST, mac_text

_CACHED = 4096
_PROTOCOLS = {51: "ah", 112: "vrrp"}


class Names:
    """Numbers only (-n), or what the resolver knows."""

    def __init__(self, *, numeric: bool) -> None:
        self._numeric = numeric

    def address(self, packed: bytes) -> str:
        """An IP address, packed."""
        return _numeric(packed) if self._numeric else _host(packed)

    def udp_port(self, port: int) -> str:
        """A UDP port."""
        return str(port) if self._numeric else _service(port)

    def protocol(self, number: int) -> str:
        """What IP carries, by its number; tcpdump's table is its own."""
        return f"ip-proto-{number}" if self._numeric or number not in _PROTOCOLS else _PROTOCOLS[number]

    @staticmethod
    def interface(index: int) -> str:
        """A network interface of this machine, by its index: what a capture on the device `any` holds."""
        try:
            return socket.if_indextoname(index)
        except (OSError, OverflowError):
            return "?"

    def mac(self, mac: bytes) -> str:
        """A MAC address of 6 bytes; with names, whose it is as far as tcpdump knows."""
        if self._numeric:
            return mac_text(mac)
        if mac == BROADCAST:
            return "Broadcast"
        return f"{mac_text(mac)} (oui {OUIS.get(mac[:3], 'Unknown')})"


@lru_cache(_CACHED)
def _numeric(packed: bytes) -> str:
    if packed[:12] == bytes(10) + b"\xff\xff" or (len(packed) == 16 and not any(packed[:12]) and any(packed[12:14])):
        # inet_ntop writes the last four bytes of these as IPv4; Python's ipaddress does so from 3.13 on.
        return socket.inet_ntop(socket.AF_INET6, packed)
    return text(packed)


@lru_cache(_CACHED)
def _host(packed: bytes) -> str:
    try:
        return socket.gethostbyaddr(_numeric(packed))[0]
    except OSError:
        return _numeric(packed)


@lru_cache(_CACHED)
def _service(port: int) -> str:
    try:
        return socket.getservbyport(port, "udp")
    except OSError:
        return str(port)
