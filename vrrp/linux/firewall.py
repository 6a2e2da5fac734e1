"""Rules in the kernel's packet filter (nft(8)), in tables of our own named `vrrp`.

Two purposes: what is sent to an address with `no_accept` is dropped, but for neighbor discovery (RFC 5798 section
6.4.3, Accept_Mode); and a macvlan's reports of multicast groups leave by the interface below, so that a switch does
not learn the virtual MAC where the backup is. Both as keepalived 2.2.7 has them, seen in its tables.
"""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Callable, Collection, Iterable, Mapping

from vrrp.linux.journal_file import JournalFile
from vrrp.wire.address import is_link_local, text

log = logging.getLogger("vrrp.firewall")

_ENTRY = "tables vrrp"
_LONGEST_S = 10


class FirewallError(OSError):
    """Why rules cannot be had, in one line."""


def nft(script: str) -> None:
    """Have nft carry out a script, all of it or nothing. FirewallError."""
    try:
        done = subprocess.run(
            ["nft", "-f", "-"], input=script, capture_output=True, text=True, timeout=_LONGEST_S, check=False
        )
    except FileNotFoundError as error:
        raise FirewallError("there is no program nft") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FirewallError(f"nft: {error}") from error
    if done.returncode:
        raise FirewallError(f"nft: {done.stderr.strip().partition(chr(10))[0]}")


class Firewall:
    """The tables of one daemon.

    Args:
        journal: where it stands that there are any, in case of a crash.
        run: carries out a script.
    """

    def __init__(self, journal: JournalFile, run: Callable[[str], None] = nft) -> None:
        self._journal = journal
        self._run = run
        self._there = _ENTRY in journal.left_over
        self._script = "left over" if self._there else ""

    def settle(self, barred: Collection[tuple[bytes, int]], below: Mapping[int, int]) -> None:
        """Have the rules for these, and no others. FirewallError when addresses cannot be barred.

        `barred` are packed addresses, each with the index of its interface; `below` has, for each macvlan's index,
        that of the interface below.
        """
        first, second = _accept_table(barred) if barred else "", _report_tables(below) if below else ""
        if first + second == self._script:
            return
        if not first + second:
            self._clear()
            return
        if not self._there:
            self._journal.add(_ENTRY)
            self._there = True
        # In one transaction with the tables' removal: an address is barred at every moment.
        try:
            self._run(_removal("inet") + first)
        except FirewallError as error:
            raise FirewallError(f"no_accept and strict mode need a packet filter: {error}") from error
        try:
            self._run(_removal("ip", "ip6") + second)
        except FirewallError as error:
            log.warning("multicast groups are reported with the virtual MAC: %s", error)
        self._script = first + second

    def close(self) -> None:
        """Take the tables away."""
        self._clear()

    def _clear(self) -> None:
        if not self._there:
            return
        try:
            self._run(_removal("inet", "ip", "ip6"))
        except FirewallError as error:
            log.error("cannot remove the tables named vrrp: %s", error)
            return
        self._there = False
        self._script = ""
        self._journal.strike(_ENTRY)


def _removal(*families: str) -> str:
    """Removes tables, whether they are there or not."""
    return "".join(f"table {family} vrrp\ndelete table {family} vrrp\n" for family in families)


def _accept_table(barred: Collection[tuple[bytes, int]]) -> str:
    """Drops what comes to these addresses or leaves from them; a link-local one only on its own interface."""
    where = {address: index for address, index in barred if is_link_local(address)}
    sets = {
        "ip {side}addr": [text(one) for one, _ in barred if len(one) == 4],
        "ip6 {side}addr": [text(one) for one, _ in barred if len(one) == 16 and one not in where],
        "ip6 {side}addr . {way}if": [f"{text(one)} . {index}" for one, index in where.items()],
    }
    chains = (("input", "d", "i"), ("output", "s", "o"))
    return "table inet vrrp {\n" + "\n".join(_chain(*chain, sets) for chain in chains) + "\n}\n"


def _chain(hook: str, side: str, way: str, sets: Mapping[str, Iterable[str]]) -> str:
    rules = [
        f"type filter hook {hook} priority filter - 1",
        "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept",
        *(
            f"{selector.format(side=side, way=way)} {{ {', '.join(dict.fromkeys(members))} }} drop"
            for selector, members in sets.items()
            if members
        ),
    ]
    return f"chain {hook} {{\n" + "\n".join(rules) + "\n}"


def _report_tables(below: Mapping[int, int]) -> str:
    """Sends what a macvlan reports by the interface below it, and drops its router solicitations."""
    bases = ", ".join(f"{index} : {base}" for index, base in below.items())
    indices = ", ".join(map(str, below))
    hook = "type filter hook output priority filter - 1"
    return f"""\
table ip vrrp {{
chain output {{
{hook}
ip protocol igmp oif {{ {indices} }} dup to ip daddr device oif map {{ {bases} }} drop
}}
}}
table ip6 vrrp {{
chain output {{
{hook}
icmpv6 type mld2-listener-report oif {{ {indices} }} dup to ip6 daddr device oif map {{ {bases} }} drop
icmpv6 type nd-router-solicit oif {{ {indices} }} drop
}}
}}
"""
