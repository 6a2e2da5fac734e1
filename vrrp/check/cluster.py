"""What is checked together: the nodes whose configurations make one service, and what stands beside them.

Which files belong together is found in linear time: five hundred files of five hundred sites are never compared
with each other.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePath

from vrrp.check.finding import Place
from vrrp.config.frr import FrrRouter
from vrrp.config.haproxy import HaproxyConfig, ParsedHaproxy
from vrrp.config.language.line import file_of
from vrrp.config.model import Address, KeepalivedConfig, ParsedConfig, SyncGroup, VrrpInstance

# So few files are taken for the nodes of one site: then the same VRID alone makes two instances one virtual router.
MOST_NODES_OF_A_SITE = 8


@dataclass(frozen=True)
class Node:
    """One keepalived.conf as one node reads it.

    Attributes:
        name: tells it from the others in a sentence.
        file: the file's name.
        text: what stands in it.
        parsed: what it means.
        included: the texts of the files that it includes, by the names that lines carry.
    """

    name: str
    file: str
    text: str
    parsed: ParsedConfig
    included: Mapping[str, str] = field(default_factory=dict)

    @property
    def config(self) -> KeepalivedConfig:
        """What the file means."""
        return self.parsed.config

    @property
    def texts(self) -> dict[str, str]:
        """The text of each file that the node reads, by its name."""
        return {**self.included, self.file: self.text}

    @cached_property
    def groups(self) -> Mapping[str, SyncGroup]:
        """The sync group of each instance that is in one, by the instance's name."""
        return {name: group for group in self.config.sync_groups for name in group.members}

    def place(self, line: int, says: str = "") -> Place:
        """A line of this file, or of the one that it stands in."""
        return Place(file_of(line, self.file), line, says)


@dataclass(frozen=True)
class Member:
    """A node's instance, as one of those that make a virtual router."""

    node: Node
    instance: VrrpInstance

    @property
    def name(self) -> str:
        """The node's name."""
        return self.node.name

    def place(self, *keywords: str, says: str = "") -> Place:
        """The line of the first of these keywords that was given, else where the instance begins."""
        lines = self.instance.lines
        line = next((lines[keyword] for keyword in keywords if keyword in lines), self.instance.line)
        return self.node.place(line, says)


@dataclass(frozen=True)
class Peers:
    """The instances that make one virtual router: at most one of each node, in the order of the files.

    Attributes:
        family: 4 or 6.
        vrid: the first member's; the others' may differ when they share addresses.
        members: one when no other node of it was given.
        how: why they are taken for one: "the same VRID 51 and 10.0.0.1".
    """

    family: int
    vrid: int
    members: tuple[Member, ...]
    how: str

    def by(self, value: Callable[[Member], Hashable]) -> dict[Hashable, list[Member]]:
        """The members, gathered by a value, in order."""
        found: dict[Hashable, list[Member]] = {}
        for member in self.members:
            found.setdefault(value(member), []).append(member)
        return found


@dataclass(frozen=True)
class Sidecar:
    """A file that stands beside the nodes': a haproxy.cfg or frr.conf with what it means, or a check script.

    Attributes:
        file, text: its name, and what stands in it.
        haproxy: the sections and lines of a haproxy.cfg.
        balancer: the same file as HAProxy reads it.
        frr: the routers of a frr.conf.
    """

    file: str
    text: str
    haproxy: HaproxyConfig | None = None
    balancer: ParsedHaproxy | None = None
    frr: tuple[FrrRouter, ...] = ()

    def place(self, line: int, says: str = "") -> Place:
        """A line of this file."""
        return Place(self.file, line, says)


@dataclass(frozen=True)
class Facts:
    """What is known of the machines beside their files.

    Attributes:
        sysctl: kernel settings of all nodes, such as {"net.ipv4.ip_nonlocal_bind": "1"}.
        cloud: whether their network filters multicast and foreign MAC addresses.
        interfaces: those of this machine, if the files are for it.
        release: the keepalived that they run, of those in vrrp.config.keyword_versions; None when nothing is known.
        environment: values for ${NAME} in the check scripts.
    """

    sysctl: Mapping[str, str] = field(default_factory=dict)
    cloud: bool = False
    interfaces: Mapping[str, tuple[str, ...]] | None = None
    release: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Cluster:
    """The nodes of one service, their virtual routers, and facts about the machines.

    Attributes:
        nodes: those that share a virtual router, directly or by way of others.
        peers: their virtual routers.
        beside: the files that stand nearest to these nodes.
        facts: what is known of the machines.
    """

    nodes: tuple[Node, ...]
    peers: tuple[Peers, ...] = ()
    beside: tuple[Sidecar, ...] = ()
    facts: Facts = field(default_factory=Facts)

    def members(self) -> Iterator[Member]:
        """Every instance of every node."""
        return (Member(node, instance) for node in self.nodes for instance in node.config.instances)

    @property
    def haproxies(self) -> Iterator[HaproxyConfig]:
        """The haproxy.cfg files."""
        return (one.haproxy for one in self.beside if one.haproxy is not None)


def family(instance: VrrpInstance) -> int:
    """4 or 6."""
    return instance.multicast_group.version


def addresses(instance: VrrpInstance) -> tuple[Address, ...]:
    """What the instance advertises and what it holds beside, each once, in order."""
    held = (*instance.addresses, *instance.excluded_addresses)
    return tuple(dict.fromkeys(one.address for one in held))


def node_names(files: Sequence[str], config_ids: Sequence[str] = ()) -> list[str]:
    """A short name for each node, all different: its configuration id, or its file's own name, its folder's, its path.

    Args:
        files: each node's file.
        config_ids: what each reads its file for; "", or none at all, for nodes without an id. Where two of them have
            the same one, the file stands before it.

    >>> node_names(["lb1/keepalived.conf", "lb2/keepalived.conf"])
    ['lb1', 'lb2']
    >>> node_names(["keepalived.conf", "keepalived.conf"], ["lb1", "lb2"])
    ['lb1', 'lb2']
    """
    if any(config_ids):
        if len(set(config_ids)) == len(files):
            return list(config_ids)
        once = list(dict.fromkeys(files))
        short = dict(zip(once, node_names(once), strict=True))
        return [f"{short[file]}@{one}" for file, one in zip(files, config_ids, strict=True)]
    paths = [PurePath(file) for file in files]
    for name in (lambda path: path.stem, lambda path: path.parent.name, str):
        names = [name(path) for path in paths]
        if len(set(names)) == len(names) and all(names):
            return names
    return [f"{file} ({position})" for position, file in enumerate(files, start=1)]


def assemble(
    nodes: Sequence[Node],
    *,
    beside: Sequence[Sidecar] = (),
    facts: Facts | None = None,
) -> list[Cluster]:
    """The clusters of a set of keepalived.conf files.

    Two instances of different nodes are one virtual router when they share an address that they hold, or advertise by
    unicast to each other's source with the same VRID. Of at most `MOST_NODES_OF_A_SITE` files, the same VRID is
    enough; of more, which may be those of many sites with the same private addresses, those that share an address
    must also be named as siblings are (`_kin`). Nodes with a virtual router in common are one cluster.

    Args:
        nodes: all there are.
        beside: other files; each goes to the cluster in its own folder, or in the nearest one above.
        facts: what is known of the machines.
    """
    if not nodes:
        return [Cluster((), beside=tuple(beside), facts=facts or Facts())]
    peers = _peers(nodes)
    sites = _Sets(len(nodes))
    position = {id(node): index for index, node in enumerate(nodes)}
    for group in peers:
        for member in group.members[1:]:
            sites.join(position[id(group.members[0].node)], position[id(member.node)])
    groups: dict[int, list[Peers]] = {}
    for group in peers:
        groups.setdefault(sites.root(position[id(group.members[0].node)]), []).append(group)
    found = sites.all()
    companions = _companions(beside, [[nodes[index] for index in site] for _, site in found])
    return [
        Cluster(
            tuple(nodes[index] for index in site),
            tuple(groups.get(root, ())),
            tuple(companions.get(number, ())),
            facts or Facts(),
        )
        for number, (root, site) in enumerate(found)
    ]


def _companions(beside: Sequence[Sidecar], sites: Sequence[Sequence[Node]]) -> dict[int, list[Sidecar]]:
    """The files beside each site, by its number: of sites in the same folder, beside one whose address it names."""
    under: dict[PurePath, dict[int, None]] = {}
    for number, site in enumerate(sites):
        for node in site:
            for folder in PurePath(node.file).parents:
                under.setdefault(folder, {})[number] = None
    found: dict[int, list[Sidecar]] = {}
    for one in beside:
        near = next((under[folder] for folder in PurePath(one.file).parents if folder in under), {0: None})
        named = (number for number in near if any(address in one.text for address in _held(sites[number])))
        found.setdefault(next(named, next(iter(near))), []).append(one)
    return found


def _held(site: Sequence[Node]) -> Iterator[str]:
    return (str(address) for node in site for one in node.config.instances for address in addresses(one))


class _Sets:
    """Disjoint sets of the numbers from 0 to `count` - 1; each is known by one of its own."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))

    def root(self, one: int) -> int:
        while self._parent[one] != one:
            self._parent[one] = self._parent[self._parent[one]]
            one = self._parent[one]
        return one

    def join(self, one: int, other: int) -> int:
        """Make two sets one, which is then known by the root of the first; returns that."""
        kept = self.root(one)
        self._parent[self.root(other)] = kept
        return kept

    def all(self) -> list[tuple[int, list[int]]]:
        """Root and members of each, in the order of their first members."""
        found: dict[int, list[int]] = {}
        for one in range(len(self._parent)):
            found.setdefault(self.root(one), []).append(one)
        return list(found.items())


def _peers(nodes: Sequence[Node]) -> list[Peers]:
    members = [Member(node, instance) for node in nodes for instance in node.config.instances]
    sets = _Sets(len(members))
    at = [{id(member.node)} for member in members]  # the nodes of each set, at its root
    how = ["" for _ in members]
    few = len(nodes) <= MOST_NODES_OF_A_SITE
    kin = dict(zip(map(id, nodes), [""] * len(nodes) if few else _kin([node.file for node in nodes]), strict=True))
    for evidence in _EVIDENCE if few else _EVIDENCE[:-1]:
        first: dict[Hashable, int] = {}
        for index, member in enumerate(members):
            relation = "" if evidence is _unicast else kin[id(member.node)]
            for key, says in evidence(member):
                known = sets.root(first.setdefault((key, relation), index))
                own = sets.root(index)
                # A node is one router of a virtual router, never two.
                if known != own and at[known].isdisjoint(at[own]):
                    at[known] |= at[own]
                    how[sets.join(known, own)] = how[known] or how[own] or says
    return [
        Peers(
            family(members[group[0]].instance),
            members[group[0]].instance.vrid,
            tuple(members[index] for index in group),
            how[root],
        )
        for root, group in sets.all()
    ]


def _kin(files: Sequence[str]) -> list[str]:
    """For each file what its path has in common with its siblings'.

    Siblings differ in the digits of their own names, or else in one folder, the deepest in which there are several:
    lb1.conf and lb2.conf, or rome/lb-a/keepalived.conf and rome/lb-b/keepalived.conf, but not paris/lb-a.
    """
    ways = []
    for file in files:
        *folders, name = PurePath(file).parts
        alike = [[*folders[:place], "*", *folders[place + 1 :], name] for place in reversed(range(len(folders)))]
        ways.append(["/".join(parts) for parts in [[*folders, re.sub("[0-9]+", "0", name)], *alike]])
    count = Counter(way for one in ways for way in one)
    return [next((way for way in one if count[way] > 1), one[0]) for one in ways]


def _same_router(member: Member) -> Iterator[tuple[Hashable, str]]:
    one = member.instance
    for address in addresses(one):
        yield (family(one), one.vrid, address), f"the same VRID {one.vrid} and {address}"


def _unicast(member: Member) -> Iterator[tuple[Hashable, str]]:
    one = member.instance
    if one.unicast_source is None:
        return
    for peer in one.unicast_peers:
        ends = frozenset((peer, one.unicast_source))
        yield (one.vrid, ends), f"VRID {one.vrid} and unicast between {' and '.join(map(str, sorted(ends)))}"


def _same_address(member: Member) -> Iterator[tuple[Hashable, str]]:
    for address in addresses(member.instance):
        yield address, f"the same address {address}"


def _same_number(member: Member) -> Iterator[tuple[Hashable, str]]:
    one = member.instance
    yield (family(one), one.vrid), f"the same VRID {one.vrid}"


# What shows that two instances are one virtual router, the strongest first; the last only among few files.
_EVIDENCE: tuple[Callable[[Member], Iterator[tuple[Hashable, str]]], ...] = (
    _same_router,
    _unicast,
    _same_address,
    _same_number,
)
