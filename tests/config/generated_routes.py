"""Static addresses, routes and rules, good and broken, drawn from a seed: for comparison with keepalived.

python -m config.generated_routes FIRST COUNT      what differs from the installed keepalived (needs root)
"""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence

from config.generated_lvs import compare

PREFIXES = ("10.1.0.0/24", "10.2.0.1", "default", "fd00::/64", "10.3.0.0/33", "x")
HOSTS = ("10.0.0.1", "10.0.0.2", "fe80::1", "10.0.0.x", "10.0.0.1/24")
DEVICES = ("eth0", "eth1")
NUMBERS = ("3", "0", "256", "x", "-1", "4294967296", "3.5", "1x")
TIMES = ("3", "3s", "3ms", "2.5", "x", "-1", "99999999")
TABLES = ("5", "main", "x", "-1")

# Words with the values that may stand behind them; none for words that stand alone.
ROUTE: dict[str, Sequence[str]] = {
    **dict.fromkeys(("via", "src", "gw", "or", "via inet", "via inet6"), HOSTS),
    **dict.fromkeys(("dev", "oif"), DEVICES),
    **dict.fromkeys(("metric", "mtu", "mtu lock", "hoplimit", "advmss", "window", "quickack", "initcwnd"), NUMBERS),
    **dict.fromkeys(("rtt", "rttvar", "rto_min lock"), TIMES),
    **dict.fromkeys(("tos", "realms", "expires"), ("3", "0x10", "300", "x", "3/4")),
    "table": TABLES,
    "scope": ("link", "global", "x", "300"),
    "protocol": ("static", "18", "keepalived", "x"),
    "pref": ("low", "x"),
    "from": PREFIXES,
    "to": PREFIXES,
    "features": ("ecn", "x"),
    "encap": ("mpls 3", "x", ""),
    "congctl": ("cubic", "lock cubic"),
    "nexthop": ("", "via 10.0.0.1", "via fe80::1 dev eth1", "dev eth0 weight 3", "weight 0", "x"),
    "track_group": ("G", "H"),
    **dict.fromkeys(("no_track", "onlink", "blackhole", "foo"), ("",)),
}
RULE: dict[str, Sequence[str]] = {
    **dict.fromkeys(("from", "to"), PREFIXES),
    **dict.fromkeys(("iif", "oif", "dev"), DEVICES),
    **dict.fromkeys(("priority", "preference", "order"), ("3", "100", "x", "-1")),
    **dict.fromkeys(("table", "lookup"), TABLES),
    **dict.fromkeys(("tos", "realms", "suppress_prefixlength", "suppress_ifgroup"), ("3", "300", "x", "-1")),
    **dict.fromkeys(("sport", "dport", "uidrange"), ("3-4", "3", "x")),
    "fwmark": ("3", "3/0xff", "x"),
    "goto": ("7", "200", "x"),
    "protocol": ("18", "3", "x", "300"),
    "ipproto": ("tcp", "6", "x"),
    "track_group": ("G", "H"),
    **dict.fromkeys(("no_track", "l3mdev", "nop", "prohibit", "not", "foo", "3"), ("",)),
}
ADDRESS: dict[str, Sequence[str]] = {
    "dev": DEVICES,
    "brd": ("+", "10.0.0.255", "x"),
    "scope": ("link", "x"),
    "label": ("eth0:1", "abcdefghijklmnop"),
    "track_group": ("G", "H", ""),
    "peer": HOSTS,
    **dict.fromkeys(("no_track", "home", "foo"), ("",)),
}


class Draw:
    """One configuration.

    Args:
        seed: what it is drawn from.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        # One more line, and one that is not like any good one more often, with each seed.
        self._most = self._random.randint(1, 4)

    def text(self) -> str:
        """All of it."""
        parts = ["track_group G {\ngroup {\nVI_1\n}\n}\n"]
        parts.append(self._block("static_ipaddress", ADDRESS, ("10.0.0.5/24", "fd00::5", "x")))
        parts.append(self._block("static_routes", ROUTE, PREFIXES))
        parts.append(self._block("static_rules", RULE, ("from 10.0.0.0/8", "from all", "to fd00::/8")))
        self._random.shuffle(parts)
        body = self._block("virtual_routes", ROUTE, PREFIXES) + self._block(
            "virtual_rules", RULE, ("from 10.7.0.0/16",)
        )
        start = "interface eth0\nvirtual_router_id 51\nvirtual_ipaddress {\n10.0.0.100\n}\n"
        return "".join(parts) + f"vrrp_instance VI_1 {{\n{start}{body}}}\n"

    def _block(self, keyword: str, table: dict[str, Sequence[str]], beginnings: Sequence[str]) -> str:
        lines = (self._line(table, beginnings) for _ in range(self._random.randint(0, self._most)))
        return f"{keyword} {{\n" + "".join(f"{line}\n" for line in lines) + "}\n"

    def _line(self, table: dict[str, Sequence[str]], beginnings: Sequence[str]) -> str:
        words = [self._random.choice(beginnings)]
        for keyword in self._random.sample(sorted(table), self._random.randint(0, 3)):
            words += [keyword, self._random.choice(table[keyword])]
        if self._random.random() < 0.6:
            words += ["dev", "eth0"] if table is not RULE else ["table", "5", "priority", "7"]
        return " ".join(word for word in words if word)


if __name__ == "__main__":
    totals_found, told_found = compare(int(sys.argv[1]), int(sys.argv[2]), lambda seed: Draw(seed).text())
    print("\n".join([*told_found, str(totals_found)]))
