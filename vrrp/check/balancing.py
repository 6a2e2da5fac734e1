"""haproxy.cfg beside the nodes: whether HAProxy starts where the addresses are not, and what it knows of servers."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from itertools import takewhile
from pathlib import PurePath

from vrrp.check.cluster import Cluster, Sidecar, addresses
from vrrp.check.finding import Edit, Finding, Place
from vrrp.check.rule import check
from vrrp.check.rulebook import rulebook
from vrrp.check.script_text import filled
from vrrp.config.diagnostics import Severity
from vrrp.config.haproxy import HaproxyConfig, HaproxyLine, Section, Server
from vrrp.config.model import Address

_RULES = rulebook("balancing")
_CHECKS = frozenset(f"{name}-check" for name in ("ldap", "mysql", "pgsql", "redis", "spop", "ssl-hello", "tcp")) | {
    "httpchk",
    "smtpchk",
    "ssl-hello-chk",
}
_API_SERVER = 6443
_TLS_PORTS = frozenset({443, 6443, 9443})
_TIMEOUTS = {"frontend": ("client",), "backend": ("connect", "server"), "listen": ("client", "connect", "server")}
_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"|\\.')
_VARIABLE = re.compile(r"\$\{\w*\}?")


def _files(cluster: Cluster) -> Iterator[tuple[Sidecar, HaproxyConfig]]:
    return ((one, one.haproxy) for one in cluster.beside if one.haproxy is not None)


@check(_RULES["VRRP-W130"])
def binds(cluster: Cluster) -> Iterator[Finding]:
    """A bind to an address that the node has only while it is master."""
    virtual = {str(address): member for member in cluster.members() for address in addresses(member.instance)}
    for file, config in _files(cluster):
        for section in config.kinds("frontend", "listen"):
            for bind in section.binds:
                member = virtual.get(bind.address)
                name = f"net.ipv{6 if ':' in bind.address else 4}.ip_nonlocal_bind"
                setting = cluster.facts.sysctl.get(name)
                if member is None or "transparent" in bind.options or setting == "1":
                    continue
                known = "is off" if setting is not None else "must be on"
                yield _RULES["VRRP-W130"].finding(
                    file.place(bind.line),
                    f"{section.kind} {section.name} binds {bind.address}, which only the master has; {name} {known}",
                    severity=Severity.ERROR if setting is not None else None,
                    related=[member.place("virtual_ipaddress", says=f"{bind.address} on {member.name}")],
                )


@check(_RULES["VRRP-W131"], _RULES["VRRP-W133"], _RULES["VRRP-E134"], _RULES["VRRP-W135"], _RULES["VRRP-N145"])
def servers(cluster: Cluster) -> Iterator[Finding]:
    """What HAProxy finds out about its servers."""
    for file, config in _files(cluster):
        for section in config.kinds("backend", "listen"):
            if not section.servers:
                continue
            unchecked = [one for one in section.servers if not {"check", "track", "disabled"} & set(one.options)]
            if unchecked:
                names = ", ".join(one.name for one in unchecked[:4])
                yield _RULES["VRRP-W131"].finding(
                    file.place(unchecked[0].line), f"{section.kind} {section.name}: {names} without check"
                )
            yield from _kind_of_check(file, section)
            if len(section.servers) > 1 and section.find("option", "redispatch") is None:
                yield _RULES["VRRP-N145"].finding(
                    file.place(section.line), f"{section.kind} {section.name} has no option redispatch"
                )


def _checks(section: Section) -> list[HaproxyLine]:
    """The lines that choose a kind of check, here or else in the defaults."""
    own = [one for one in section.own("option") if len(one.words) > 1 and one.words[1] in _CHECKS]
    return own or (_checks(section.defaults) if section.defaults else [])


def _kind_of_check(file: Sidecar, section: Section) -> Iterator[Finding]:
    chosen = _checks(section)
    where = f"{section.kind} {section.name}"
    rules = section.own("http-check")
    last = chosen[-1].words[1] if chosen else ""
    for lost in chosen[:-1]:
        yield _RULES["VRRP-W133"].finding(
            file.place(lost.line),
            f"{where}: option {lost.words[1]} is replaced by option {last}: the last one wins",
            related=[file.place(chosen[-1].line)],
        )
    if rules and last != "httpchk" and len(chosen) < 2:
        yield _RULES["VRRP-W135"].finding(
            file.place(rules[0].line), f"{where}: http-check without option httpchk is ignored"
        )
    connects_by_tls = any("ssl" in one.words for one in rules if one.words[1:2] == ("connect",))
    if last == "httpchk" and not connects_by_tls:
        plain = [one for one in section.servers if _needs_tls(one) and "check" in one.options]
        if plain:
            yield _RULES["VRRP-E134"].finding(
                file.place(plain[0].line),
                f"{where}: option httpchk speaks plain HTTP to port {plain[0].port} of {plain[0].name}",
                related=[file.place(chosen[-1].line)],
            )


def _needs_tls(server: Server) -> bool:
    options = server.options
    moved = "port" in options or "check-ssl" in options or ("ssl" in options and "no-check-ssl" not in options)
    return server.port in _TLS_PORTS and not moved


@check(_RULES["VRRP-W132"], _RULES["VRRP-E136"], _RULES["VRRP-W137"], _RULES["VRRP-W143"])
def proxies(cluster: Cluster) -> Iterator[Finding]:
    """Frontends and backends, and how they fit together."""
    for file, config in _files(cluster):
        names = {one.name for one in config.kinds("backend", "listen")}
        own = {
            str(source)
            for member in cluster.members()
            for source in (member.instance.unicast_source, member.instance.multicast_source)
        }
        for section in config.kinds("frontend", "backend", "listen"):
            where = f"{section.kind} {section.name}"
            missing = [name for name in _TIMEOUTS[section.kind] if section.find("timeout", name) is None]
            if missing and (section.binds or section.servers):
                yield _RULES["VRRP-W132"].finding(
                    file.place(section.line), f"{where} has no timeout {' and no timeout '.join(missing)}"
                )
            if section.kind != "backend":
                yield from _uses(file, config, section, names)
                yield from _shared_port(file, config, section, own)


def _uses(file: Sidecar, config: HaproxyConfig, section: Section, names: set[str]) -> Iterator[Finding]:
    where = f"{section.kind} {section.name}"
    for line in (*section.own("default_backend"), *section.own("use_backend")):
        name = line.words[1] if len(line.words) > 1 else ""
        if name not in names and "%[" not in name and "$" not in name:
            yield _RULES["VRRP-E136"].finding(
                file.place(line.line), f"{where} uses backend {name!r}, which is not there"
            )
        backend = config.backend(name)
        if backend is not None and {backend.mode, section.mode} == {"tcp", "http"}:
            yield _RULES["VRRP-W143"].finding(
                file.place(line.line),
                f"{where} is in mode {section.mode}, backend {name} in mode {backend.mode}",
                related=[file.place(backend.line)],
            )


def _shared_port(file: Sidecar, config: HaproxyConfig, section: Section, own: set[str]) -> Iterator[Finding]:
    """A port of every address that a server on the same machine wants: one of the nodes, or an API server."""
    named = [line.words[1] for line in section.own("default_backend") if len(line.words) > 1]
    behind = [section, *(one for name in named if (one := config.backend(name)) is not None)]
    for bind in section.binds:
        same = [
            server
            for one in behind
            for server in one.servers
            if server.port and bind.has(server.port) and (server.port == _API_SERVER or server.address in own)
        ]
        if same and not bind.address:
            yield _RULES["VRRP-W137"].finding(
                file.place(bind.line),
                f"{section.kind} {section.name} takes port {same[0].port} of every address, "
                f"and {same[0].name} listens on it as well",
                related=[file.place(same[0].line)],
            )


@check(_RULES["VRRP-W138"])
def watched(cluster: Cluster) -> Iterator[Finding]:
    """Whether anything notices that HAProxy is gone."""
    frontends = [
        (file, section)
        for file, config in _files(cluster)
        for section in config.kinds("frontend", "listen")
        if section.find("stats", "enable") is None and section.binds
    ]
    if not frontends or not cluster.nodes:
        return
    ports = {str(bind.ports[0]) for _, section in frontends for bind in section.binds if bind.ports}
    scripts = {
        one.file.rpartition("/")[2]: filled(one.text, cluster.facts.environment)
        for one in cluster.beside
        if one.haproxy is None
    }
    for peers in cluster.peers:
        for member in peers.members:
            node = member.node
            group = node.groups.get(member.instance.name)
            entries = [*member.instance.track_scripts, *(group.track_scripts if group else ())]
            texts = [node.config.scripts[entry.name].command for entry in entries if entry.name in node.config.scripts]
            processes = (node.config.track_processes.get(entry.name) for entry in member.instance.track_processes)
            texts += [process.command for process in processes if process is not None]
            named = [word.rpartition("/")[2] for text in texts for word in text.split()]
            texts += [scripts[name] for name in named if name in scripts]
            unknown = any(name.endswith(".sh") and name not in scripts for name in named)
            if unknown or any(_speaks_of(text, ports) for text in texts):
                continue
            file, section = frontends[0]
            yield _RULES["VRRP-W138"].finding(
                member.place("track_script"),
                f"({member.instance.name}) nothing on this node notices that HAProxy is gone",
                related=[file.place(section.line)],
            )


def _speaks_of(text: str, ports: set[str]) -> bool:
    return "haproxy" in text.lower() or any(re.search(rf"(?<!\d){port}(?!\d)", text) for port in ports)


@check(_RULES["VRRP-E139"], _RULES["VRRP-E140"], _RULES["VRRP-E147"])
def refused(cluster: Cluster) -> Iterator[Finding]:
    """On what HAProxy does not start."""
    for file, config in _files(cluster):
        lines = file.text.split("\n")
        if lines[-1].strip():
            fix = (Edit(file.file, len(lines), lines[-1], lines[-1] + "\n"),)
            yield _RULES["VRRP-E140"].finding(file.place(len(lines)), "the last line has no end", fix=fix)
        for section in config.sections:
            seen: dict[str, Server] = {}
            for server in section.servers:
                first = seen.setdefault(server.name, server)
                if first is not server:
                    yield _RULES["VRRP-E147"].finding(
                        file.place(server.line),
                        f"{section.kind} {section.name} has two servers {server.name}",
                        related=[file.place(first.line)],
                    )
            for line in section.lines:
                unfilled = unfilled_variable(lines[line.line - 1])
                if unfilled:
                    yield _RULES["VRRP-E139"].finding(
                        file.place(line.line), f"{unfilled} outside of quotes is not replaced"
                    )


def unfilled_variable(line: str) -> str:
    """A variable of a line that HAProxy does not replace, because it stands outside of quotes; "" without one."""
    found = _VARIABLE.search(_QUOTED.sub("", line.partition("#")[0]))
    return found[0] if found else ""


@check(_RULES["VRRP-W146"])
def alike(cluster: Cluster) -> Iterator[Finding]:
    """Whether all nodes balance alike."""
    files = list(_files(cluster))
    if len(files) < 2 or len(files) > len(cluster.nodes):
        return
    first_file, first = files[0]
    for file, config in files[1:]:
        for section in config.kinds("frontend", "backend", "listen"):
            other = next((one for one in first.sections if (one.kind, one.name) == (section.kind, section.name)), None)
            if other is not None and _outline(other) != _outline(section):
                yield _RULES["VRRP-W146"].finding(
                    file.place(section.line),
                    f"{section.kind} {section.name} has other binds or servers than in {first_file.file}",
                    related=[first_file.place(other.line)],
                )


@check(_RULES["VRRP-W276"])
def ports(cluster: Cluster) -> Iterator[Finding]:
    """Whether every node listens where another one does."""
    virtual = {address for member in cluster.members() for address in addresses(member.instance)}
    files: dict[str, list[Sidecar]] = {}
    for file in cluster.beside:
        if file.balancer is not None:
            files.setdefault(_nearest(cluster, file), []).append(file)
    shared = files.pop("", [])
    if len(files) < 2:
        return
    of = {node: _served([*own, *shared], virtual) for node, own in files.items()}
    everywhere = {port: place for served in reversed(of.values()) for port, place in served.items()}
    for node, served in of.items():
        for port in sorted(everywhere.keys() - served.keys()):
            yield _RULES["VRRP-W276"].finding(
                files[node][0].place(0),
                f"HAProxy on {node} does not listen on port {port}, as it does elsewhere",
                related=[everywhere[port]],
            )


def _served(files: list[Sidecar], virtual: set[Address]) -> dict[int, Place]:
    """The ports at which clients of the virtual addresses are answered, and where that is written."""
    frontends = [(file, one) for file in files if file.balancer for one in file.balancer.model.frontends]
    return {
        bind.port: file.place(bind.line)
        for file, frontend in reversed(frontends)
        if not frontend.disabled and frontend.stats is None
        for bind in frontend.binds
        if bind.port and (bind.address is None or bind.address in virtual)
    }


def _nearest(cluster: Cluster, file: Sidecar) -> str:
    """The node in whose folder a file stands, by the most folders in common; "" when no single node is nearest."""
    folders = PurePath(file.file).parent.parts
    near = sorted((_in_common(folders, PurePath(node.file).parent.parts), node.name) for node in cluster.nodes)
    if not near or (len(near) > 1 and near[-1][0] == near[-2][0]):
        return ""
    return near[-1][1]


def _in_common(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _outline(section: Section) -> Hashable:
    return (
        frozenset((bind.address, bind.ports) for bind in section.binds if bind.address in {"", "127.0.0.1"}),
        frozenset((server.address, server.port) for server in section.servers if server.address != "127.0.0.1"),
    )
