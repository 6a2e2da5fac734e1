"""What keepalived 2.2.7 forgives: the tables in data/leniencies, held against our reader and against keepalived.

A table's entry has a `text`; in `told` what keepalived says of it, LINE: MESSAGE, line 0 where it names none or the
line of a closing brace; in `ours` what only we say; in `use` what to look at, and in `value` what is there.
"""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from config.confs import complaints, only
from vrrp.config import ParsedConfig, VrrpInstance, parse
from vrrp.config.lvs.model import Checker, Connection, SmtpCheck, UdpCheck, VirtualServer, WebCheck

_SERVER = "virtual_server 10.0.0.1 80 {\nlb_algo rr\nlb_kind NAT\nprotocol TCP\n"
MACROS = {
    "%VI_1%\n": "vrrp_instance VI_1 {\ninterface eth0\nvirtual_router_id 51\nvirtual_ipaddress {\n10.0.0.100/24\n}\n",
    "%VI_2%\n": "vrrp_instance VI_2 {\ninterface ens3\nvirtual_router_id 52\nvirtual_ipaddress {\n10.0.0.100/24\n}\n",
    "%GLOBAL%\n": "global_defs {\nscript_user root\nenable_script_security\n",
    "%CHK%\n": "vrrp_script chk {\nscript /bin/true\n",
    "%FOLLOWED%\n": "track_file f {\nfile /tmp/f\n}\nbfd_instance b {\nneighbor_ip 10.0.0.99\n}\n",
    "%SERVER%\n": _SERVER,
    "%REAL%\n": f"{_SERVER}real_server 10.0.0.2 80 {{\n",
}
TABLES = sorted((Path(__file__).parent / "data" / "leniencies").glob("*.toml"))
INTERFACES = ("eth0", "eth1", "eth2", "eth3", "eth4", "ens3", "ens4")


@dataclass(frozen=True)
class Leniency:
    name: str
    text: str
    told: tuple[tuple[int, str], ...]
    ours: tuple[tuple[int, str], ...]
    use: str
    value: object


def lines(entries: list[str]) -> tuple[tuple[int, str], ...]:
    split = (entry.split(": ", 1) for entry in entries)
    return tuple((int(number), message) for number, message in split)


def leniency(entry: Mapping[str, Any]) -> Leniency:
    text = entry["text"]
    for macro, stands_for in MACROS.items():
        text = text.replace(macro, stands_for)
    told, ours = lines(entry.get("told", [])), lines(entry.get("ours", []))
    return Leniency(entry["name"], text, told, ours, entry.get("use", ""), entry.get("value"))


LENIENCIES = [
    leniency(entry) for table in TABLES for entry in tomllib.loads(table.read_text(encoding="utf-8"))["leniency"]
]


def tracked(one: VrrpInstance) -> list[object]:
    scripts = [[t.name, t.weight, t.reverse] for t in one.track_scripts]
    return [*scripts, *([t.name, t.weight, t.reverse] for t in one.track_interfaces)]


def password(parsed: ParsedConfig) -> object:
    found = only(parsed).authentication
    return None if found is None else [found.kind, found.password.decode()]


def group_weights(parsed: ParsedConfig) -> object:
    (one,) = parsed.config.sync_groups
    scripts = [[t.name, t.weight] for t in one.track_scripts]
    return [*scripts, *([t.name, t.weight] for t in one.track_interfaces)]


def server(parsed: ParsedConfig) -> VirtualServer:
    (one,) = parsed.config.virtual_servers
    return one


def checkers(parsed: ParsedConfig) -> tuple[Checker, ...]:
    (one,) = server(parsed).real_servers
    return one.checkers


def connection(parsed: ParsedConfig) -> list[str]:
    (one,) = checkers(parsed)
    found = one.connection  # type: ignore[attr-defined]  # asked only of those that have one
    return [str(getattr(found, name)) for name in Connection.__dataclass_fields__]


def urls(parsed: ParsedConfig) -> list[str]:
    (one,) = checkers(parsed)
    assert isinstance(one, WebCheck)
    return [
        f"{url.path} {url.status_codes} {[digest.hex() for digest in url.digests]} {url.options}" for url in one.urls
    ]


def udp(parsed: ParsedConfig) -> list[str]:
    (one,) = checkers(parsed)
    assert isinstance(one, UdpCheck)
    return [str(one.payload), str(one.reply_required), one.reply.hex(), one.reply_mask.hex()]


def hosts(parsed: ParsedConfig) -> list[str]:
    (one,) = checkers(parsed)
    assert isinstance(one, SmtpCheck)
    return [f"{host.address} {host.port} {host.source} {one.retries}" for host in one.hosts]


def sorry(parsed: ParsedConfig) -> list[str]:
    found = server(parsed).sorry_server
    return [] if found is None else [str(found.address.address), str(found.address.port), str(found.inhibit)]


def entries(parsed: ParsedConfig) -> list[str]:
    return [
        f"{entry.first} {entry.last} {entry.port} {entry.fwmark} {entry.family}"
        for group in parsed.config.virtual_server_groups
        for entry in group.entries
    ]


def kernel_routes(parsed: ParsedConfig) -> list[str]:
    found = parsed.config.static_routes or only(parsed).routes
    return [f"{one.destination} {one.gateway} {one.device} {one.table} {one.metric} {one.tracked}" for one in found]


def kernel_rules(parsed: ParsedConfig) -> list[str]:
    found = parsed.config.static_rules or only(parsed).rules
    return [f"{one.action} {one.source} {one.table} {one.priority} {one.in_device} {one.tracked}" for one in found]


def static(parsed: ParsedConfig) -> list[str]:
    return [f"{one.address.address} {one.address.device} {one.track_group}" for one in parsed.config.static_addresses]


LOOKS: dict[str, Callable[[ParsedConfig], object]] = {
    "@group": lambda parsed: str(only(parsed).multicast_group),
    "@group_weights": group_weights,
    "@groups": lambda parsed: {one.name: list(one.members) for one in parsed.config.sync_groups},
    "@excluded": lambda parsed: [str(one.address) for one in only(parsed).excluded_addresses],
    "@held": lambda parsed: [f"{one.address}/{one.prefix}" for one in only(parsed).addresses],
    "@instances": lambda parsed: [one.name for one in parsed.config.instances],
    "@notify": lambda parsed: dict(only(parsed).notify),
    "@options": lambda parsed: [f"{one.keyword} {one.text}" for one in only(parsed).options],
    "@password": password,
    "@peers": lambda parsed: [str(one) for one in only(parsed).unicast_peers],
    "@sources": lambda parsed: [str(only(parsed).unicast_source), str(only(parsed).multicast_source)],
    "@checkers": lambda parsed: [type(one).__name__ for one in checkers(parsed)],
    "@connection": connection,
    "@entries": entries,
    "@forwarding": lambda parsed: [str(one.forwarding) for one in server(parsed).real_servers],
    "@hosts": hosts,
    "@ports": lambda parsed: [f"{one.address.address} {one.address.port}" for one in server(parsed).real_servers],
    "@routes": kernel_routes,
    "@rules": kernel_rules,
    "@static": static,
    "@servers": lambda parsed: len(parsed.config.virtual_servers),
    "@sorry": sorry,
    "@udp": udp,
    "@urls": urls,
    "@tracked": lambda parsed: tracked(parsed.config.instances[0]),
    "@ttls": lambda parsed: {
        str(peer).replace(".", "_"): list(ttl) for peer, ttl in only(parsed).unicast_peer_ttl.items()
    },
}


def look(parsed: ParsedConfig, use: str) -> object:
    """`use` is a name in LOOKS, or "globals", "script", "server", "real", "checker" or nothing, and attributes
    of that, or of the instance."""
    if use in LOOKS:
        return LOOKS[use](parsed)
    first, *names = use.split()
    if first == "globals":
        seen: object = parsed.config.globals
    elif first == "script":
        seen = parsed.config.scripts["chk"]
    elif first == "server":
        seen = server(parsed)
    elif first == "real":
        (seen,) = server(parsed).real_servers
    elif first == "checker":
        (seen,) = checkers(parsed)
    else:
        seen, names = only(parsed), [first, *names]
    values = [writable(getattr(seen, name)) for name in names]
    return values if len(values) > 1 or first == "script" else values[0]


def writable(value: object) -> object:
    """As TOML can have it."""
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, frozenset):
        return sorted(value)
    return "none" if value is None else value if isinstance(value, str | int) else str(value)


@pytest.mark.parametrize("case", LENIENCIES, ids=lambda case: case.name)
def test_what_is_told(case: Leniency) -> None:
    parsed = parse(case.text)
    ours = complaints(parsed)
    expected = case.told + case.ours
    for line, message in expected:
        assert any(line in {0, one.line} and message in one.message for one in ours), (line, message, ours)
    for one in ours:
        assert any(line in {0, one.line} and message in one.message for line, message in expected), one
        assert 1 <= one.line <= case.text.count("\n") + 1
        assert one.instead


@pytest.mark.parametrize("case", [case for case in LENIENCIES if case.use], ids=lambda case: case.name)
def test_what_is_used_instead(case: Leniency) -> None:
    assert look(parse(case.text), case.use) == case.value


def test_the_tables_are_read() -> None:
    assert len(LENIENCIES) > 200
    assert max(Counter(case.name for case in LENIENCIES).values()) == 1


# What says the same again in other words, or comes from the machine rather than from the text.
BESIDE = re.compile(r"SECURITY VIOLATION|VRRP parsed invalid IP x/3|Please use global lvs_sync_daemon|^$")
SAID = re.compile(r"(?:\((?:[^()]*: )?Line (\d+)\) )?(.*)")


def say(case: Leniency, output: str) -> set[tuple[int, str]]:
    """What keepalived said, as (line, message)."""
    found = (SAID.fullmatch(line) for line in output.splitlines())
    return {(int(one[1] or 0), one[2]) for one in found if one and not BESIDE.search(one[2])}


@pytest.mark.root
@pytest.mark.program("keepalived", "unshare", "ip")
def test_keepalived_says_the_same(tmp_path: Path) -> None:
    for number, case in enumerate(LENIENCIES):
        (tmp_path / f"{number}.conf").write_text(case.text, encoding="utf-8")
    links = "; ".join(f"ip link add {name} type veth peer name {name}p" for name in INTERFACES)
    links += "; ip address add 10.0.0.11/24 dev eth0"
    script = f"{links}; for f in $(seq 0 {len(LENIENCIES) - 1}); do keepalived -t -f $f.conf 2>&1; echo '%%'; done"
    ran = subprocess.run(
        ["unshare", "-n", "sh", "-c", script],
        cwd=tmp_path,
        capture_output=True,
        check=True,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
    )
    outputs = ran.stdout.decode("utf-8", "replace").split("%%\n")[:-1]
    differences = []
    for case, output in zip(LENIENCIES, outputs, strict=True):
        said = say(case, output)
        for line, message in case.told:
            if not any((not line or at in {0, line}) and message in text for at, text in said):
                differences.append(f"{case.name}: keepalived does not say {line}: {message}: {sorted(said)}")
        for at, text in said:
            # A reader closes a block on its last line; we name the line that is wrong.
            if not any(line in {0, at} or not at for line, message in case.told if message in text):
                differences.append(f"{case.name}: keepalived says {at}: {text}")
    assert not differences, "\n".join(differences)
