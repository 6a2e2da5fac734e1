"""Virtual servers and what belongs to them, good and broken, drawn from a seed: for comparison with keepalived.

python -m config.generated_lvs FIRST COUNT      what differs from the installed keepalived (needs root)
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from config.oracle import ADDRESSES, Totals, differences, measured, our_reading
from vrrp.config import load
from vrrp.linux.machine import ThisMachine

# How often a value is drawn from those that keepalived minds.
BROKEN = 0.12

TIMES = ("1", "0.5", "30", "2.25"), ("0", "x", "-1", "", "3s", "1.1234567", "99999999999999999999", ".", "5.x")
COUNTS = ("1", "2", "3", "7"), ("0", "x", "-1", "", "4294967296", "1x", "99999999999", "4294967295")
SWITCHES = ("", "on", "off", "true", "no"), ("x", "0", "ON")
V4 = ("10.0.0.2", "10.0.0.3", "10.0.0.4"), ("10.0.0.300", "x", "fd00::2", "10.0.0.2/24", "10.0.0.5-7", "")
V6 = ("fd00::2", "fd00::3", "fe80::4"), ("fd00::g", "10.0.0.2", "fe80::1%eth0", "::ffff:10.0.0.1")
PORTS = ("80", "81", "443", "0", ""), ("x", "65536", "-1", "+80", "00", "80 90")
NAMES = ("a", "b.example.com"), ("", "a b", "abcdefghijklmnopqrstuvwxyz")
COMMANDS = ("/bin/true", '"/bin/true a b"', "'/bin/false x' root", "/usr/bin/nosuch"), ("", "/bin/true nosuch", '""')
METHODS = (
    ("NAT", "DR", "TUN", "TUN type ipip", "TUN type gue port 5", "TUN type gre csum"),
    ("", "nat", "TUN type", "TUN type x", "TUN type gue", "TUN type gre remcsum", "TUN type gue port x", "DR x"),
)

Values = tuple[Sequence[str], Sequence[str]]

TIMING: dict[str, Values] = {
    "alpha": SWITCHES,
    "delay_before_retry": TIMES,
    "delay_loop": TIMES,
    "log_all_failures": SWITCHES,
    "retry": COUNTS,
    "warmup": TIMES,
}
CONNECTION: dict[str, Values] = {
    **TIMING,
    "bind_if": (("eth0",), ("", "abcdefghijklmnopqrst")),
    "bind_port": (PORTS[0][:3], PORTS[1]),
    "bindto": V4,
    "connect_ip": V4,
    "connect_port": (PORTS[0][:3], PORTS[1]),
    "connect_timeout": TIMES,
    "fwmark": COUNTS,
}
WEB: dict[str, Values] = {
    **CONNECTION,
    "enable_sni": SWITCHES,
    "fast_recovery": SWITCHES,
    "http_protocol": (("1.0", "1.0C", "1.1"), ("", "1", "2")),
    "nb_get_retry": COUNTS,
    "virtualhost": NAMES,
}
URL: dict[str, Values] = {
    "digest": (("9b3a0c85a887a256d6939da88aabd8cd",), ("", "x", "9b3a0c85a887a256d6939da88aabd8cz")),
    "path": (("/", "/a"), ("", "x y")),
    "regex": (("a",), ("",)),
    "regex_options": (("caseless",), ("x",)),
    "status_code": (("200", "200-299", "200 301-302"), ("", "x", "99", "600", "300-200", "200,201", "200 x y")),
    "virtualhost": NAMES,
}
CHECKERS: dict[str, dict[str, Values]] = {
    "BFD_CHECK": {"alpha": SWITCHES, "name": (("b",), ("", "c", "b b"))},
    "DNS_CHECK": {**CONNECTION, "name": NAMES, "type": (("A", "soa"), ("", "PTR"))},
    "FILE_CHECK": {
        "track_file": (("f",), ("", "g", "f g")),
        "weight": (("1", "-3", "4 reverse"), ("", "x", "2147483648", "1 x", "1x")),
    },
    "HTTP_GET": WEB,
    "MISC_CHECK": {
        **TIMING,
        "misc_dynamic": (("",), ("x",)),
        "misc_path": COMMANDS,
        "misc_timeout": (("0", "3"), ("", "x", "4295")),
        "user": (("root", "root root"), ("", "nosuch", "root nosuch")),
    },
    "PING_CHECK": CONNECTION,
    "SMTP_CHECK": {**CONNECTION, "helo_name": NAMES},
    "SSL_GET": WEB,
    "TCP_CHECK": CONNECTION,
    "UDP_CHECK": {
        **CONNECTION,
        "max_reply_length": (("5", "300"), ("", "x", "65536")),
        "min_reply_length": (("5", "200"), ("", "x", "-1")),
        "payload": (("01", "0a0b", "1 2"), ("", "xx", "0x1")),
        "require_reply": (("", "01", "1x"), ("zz",)),
    },
}
REAL_SERVER: dict[str, Values] = {
    **{keyword: values for keyword, values in TIMING.items() if keyword != "log_all_failures"},
    "connect_timeout": TIMES,
    "inhibit_on_failure": SWITCHES,
    "lthreshold": COUNTS,
    "lvs_method": METHODS,
    "notify_down": COMMANDS,
    "notify_up": COMMANDS,
    "smtp_alert": SWITCHES,
    "snmp_name": NAMES,
    "uthreshold": COUNTS,
    "virtualhost": NAMES,
    "weight": (("1", "0", "5"), ("", "x", "-1", "2147483648", "2147483647")),
}
VIRTUAL_SERVER: dict[str, Values] = {
    **{keyword: values for keyword, values in TIMING.items() if keyword != "log_all_failures"},
    "alpha": (("",), ("x",)),
    "connect_timeout": TIMES,
    "flag-1": (("",), ("x",)),
    "ha_suspend": (("",), ("off",)),
    "hashed": (("",), ("x",)),
    "hysteresis": (("0", "1", "3"), COUNTS[1]),
    "inhibit_on_failure": (("",), ("off",)),
    "ip_family": (("inet", "inet6"), ("", "x")),
    "lb_algo": (("rr", "wlc", "sh", "mh"), ("", "x", "RR")),
    "lb_kind": METHODS,
    "lvs_method": METHODS,
    "lvs_sched": (("rr", "sh"), ("", "x")),
    "mh-port": (("",), ("x",)),
    "omega": (("",), ("x",)),
    "ops": (("",), ("x",)),
    "persistence_engine": (("sip",), ("", "abcdefghijklmnopq")),
    "persistence_granularity": (("255.255.255.0", "64"), ("", "x", "0", "129", "255.0.0.256")),
    "persistence_timeout": (("", "50"), ("x", "0", "2678401")),
    "protocol": (("TCP", "UDP", "tcp", "SCTP"), ("", "x", "ICMP")),
    "quorum": (("1", "2", "5"), COUNTS[1]),
    "quorum_down": COMMANDS,
    "quorum_up": COMMANDS,
    "sh-port": (("",), ("x",)),
    "smtp_alert": SWITCHES,
    "snmp_name": NAMES,
    "sorry_server": ((*(f"{address} 80" for address in V4[0]), "10.0.0.2"), ("", "x", "fd00::2 80", "10.0.0.2 x")),
    "sorry_server_inhibit": (("",), ("off",)),
    "sorry_server_lvs_method": METHODS,
    "virtualhost": NAMES,
    "weight": (("1", "4"), ("", "0", "x", "2147483648")),
}
GROUP_ENTRIES: Values = (
    ("10.0.0.1 80", "10.0.0.1-5 80", "10.0.1.0/24 80", "fwmark 3", "fd00::1 80", "10.0.0.9", "fd00::1-f 80"),
    ("x 80", "10.0.0.1-x 80", "10.0.0.9-5 80", "10.0.0.1/24 80", "fwmark x", "10.0.0.1 x", "fwmark 1 y", "fwmark"),
)
STRANGERS = ("foo", "foo bar", "priority 3", "virtual_ipaddress {\n10.0.0.1\n}", "weight", "connect_timeout 3", "}")


class Draw:
    """One configuration.

    Args:
        seed: what it is drawn from.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._broken = self._random.choice((0.0, BROKEN, BROKEN, 2 * BROKEN)) / 4

    def text(self) -> str:
        """All of it."""
        parts = ["global_defs {\nscript_user root\nenable_script_security\n}\n"] if self._maybe(0.7) else []
        parts += ["track_file f {\nfile /tmp/f\n}\nbfd_instance b {\nneighbor_ip 10.0.0.99\nsource_ip 10.0.0.11\n}\n"]
        parts += [self._group(name) for name in ("G", "H") if self._maybe(0.4)]
        parts += [self._ssl()] if self._maybe(0.1) else []
        parts += [self._virtual_server() for _ in range(self._random.randint(1, 3))]
        if self._maybe(0.2):
            self._random.shuffle(parts)
        return "".join(parts)

    def _maybe(self, chance: float) -> bool:
        return self._random.random() < chance

    def _value(self, values: Values) -> str:
        # Most lines without what they need end everything, so that they are rarer than other faults.
        good, bad = values
        drawn = self._random.choice(bad if self._maybe(self._broken) else good)
        return drawn if drawn or "" in good or self._maybe(0.2) else self._random.choice(good)

    def _lines(self, table: dict[str, Values], most: int) -> list[str]:
        keywords = self._random.sample(sorted(table), min(len(table), self._random.randint(0, most)))
        lines = [f"{keyword} {self._value(table[keyword])}".rstrip() for keyword in keywords]
        if self._maybe(self._broken):
            lines.insert(self._random.randint(0, len(lines)), self._random.choice(STRANGERS))
        if lines and self._maybe(self._broken):
            lines.append(f"{lines[0].split()[0]} {self._value(table.get(lines[0].split()[0], NAMES))}".rstrip())
        return lines

    def _block(self, opening: str, lines: list[str]) -> str:
        brace = "" if self._maybe(self._broken / 8) else " {" if self._maybe(0.95) else "\n{"
        ending = "" if self._maybe(self._broken / 8) else "}\n"
        return f"{opening}{brace}\n" + "".join(f"{line.rstrip()}\n" for line in lines) + ending

    def _group(self, name: str) -> str:
        entries = [self._value(GROUP_ENTRIES) for _ in range(self._random.randint(1, 4))]
        return self._block(f"virtual_server_group {name}", entries)

    def _ssl(self) -> str:
        table: dict[str, Values] = dict.fromkeys(("ca", "certificate", "key", "password"), (("/x",), ("",)))
        return self._block("SSL", self._lines(table, 4))

    def _virtual_server(self) -> str:
        where = self._random.choice(("address", "address", "address6", "fwmark", "group"))
        addresses = V6 if where == "address6" else V4
        if where in {"address", "address6"}:
            opening = f"virtual_server {self._value(addresses)} {self._value(PORTS)}".rstrip()
        elif where == "fwmark":
            opening = f"virtual_server fwmark {self._value(COUNTS)}"
        else:
            opening = f"virtual_server group {self._random.choice('GHI')}"
        lines = ["lb_algo rr", "lb_kind NAT", "protocol TCP"] if self._maybe(0.6) else []
        lines += self._lines(VIRTUAL_SERVER, 8)
        servers = [self._real_server(addresses) for _ in range(self._random.randint(0, 3))]
        if self._maybe(0.2):
            lines += servers
            self._random.shuffle(lines)
            return self._block(opening, lines)
        return self._block(opening, lines + servers)

    def _real_server(self, addresses: Values) -> str:
        lines = self._lines(REAL_SERVER, 4)
        lines += [self._checker() for _ in range(self._random.choice((0, 1, 1, 1, 2)))]
        return self._block(f"real_server {self._value(addresses)} {self._value(PORTS)}".rstrip(), lines)

    def _checker(self) -> str:
        name = self._random.choice(sorted(CHECKERS))
        lines = self._lines(CHECKERS[name], 5)
        if name in {"HTTP_GET", "SSL_GET"} and not self._maybe(self._broken / 2):
            urls = [self._block("url", ["path /", *self._lines(URL, 3)]) for _ in range(self._random.randint(1, 2))]
            lines += urls
        if name == "SMTP_CHECK" and self._maybe(0.4):
            lines.append(self._block("host", self._lines(CONNECTION, 3)))
        if name == "MISC_CHECK" and self._maybe(0.8):
            lines.insert(0, "misc_path /bin/true")
        if name == "BFD_CHECK" and not self._maybe(self._broken):
            lines = ["name b"]
        if name == "FILE_CHECK" and self._maybe(0.8):
            lines.insert(0, "track_file f")
        return self._block(name, lines)


def compare(first: int, count: int, drawn: Callable[[int], str]) -> tuple[Totals, list[str]]:
    """Compare with the installed keepalived.

    Args:
        first: the first seed.
        count: how many seeds.
        drawn: gives a seed's text.

    Returns:
        How many agree, and for each that does not what differs, with the text.
    """
    totals = Totals()
    told = []
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, f"{seed}.conf") for seed in range(first, first + count)]
        for seed, path in enumerate(paths, first):
            path.write_text(drawn(seed), encoding="utf-8")
        host = ThisMachine(ADDRESSES)
        for path, theirs in zip(paths, measured(paths, []), strict=True):
            ours = our_reading(load(path, host=host))
            totals.add(ours, theirs)
            found = differences(ours, theirs)
            if found:
                numbered = enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
                text = "\n".join(f"{number:4} {line}" for number, line in numbered)
                told.append(f"seed {path.stem}\n{text}\n    " + "\n    ".join(found))
    return totals, told


if __name__ == "__main__":
    totals_found, told_found = compare(int(sys.argv[1]), int(sys.argv[2]), lambda seed: Draw(seed).text())
    print("\n".join([*told_found, str(totals_found)]))
