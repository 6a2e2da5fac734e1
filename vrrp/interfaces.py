"""The interfaces of this machine and their addresses, on every platform netifaces knows."""

from __future__ import annotations

import netifaces


def local_interfaces() -> dict[str, tuple[str, ...]]:
    """Interface name -> its IPv4 and IPv6 addresses as text, IPv6 without the %scope netifaces appends."""
    found = {}
    for name in netifaces.interfaces():
        families = netifaces.ifaddresses(name)
        entries = families.get(netifaces.AF_INET, []) + families.get(netifaces.AF_INET6, [])
        found[name] = tuple(entry["addr"].partition("%")[0] for entry in entries)
    return found
