"""Check scripts: how soon they notice, what they really test, and whether keepalived can run them."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from pathlib import PurePath

from vrrp.check.cluster import Cluster, Member, Node, Peers, addresses
from vrrp.check.election import first, healthy, others, tracked
from vrrp.check.finding import Finding, Place
from vrrp.check.mismatch import named
from vrrp.check.rule import check
from vrrp.check.rulebook import rulebook
from vrrp.config.instance.block import DEFAULT_PRIORITY
from vrrp.config.instance.completion import OWNER_PRIORITY
from vrrp.config.model import TrackedScript, VrrpInstance, VrrpScript
from vrrp.protocol.timers import CENTISECOND_NS, SECOND_NS, master_down_ns, skew_ns

_RULES = rulebook("scripts")
_SLOW_NS = 10 * SECOND_NS

_SHELLS = frozenset({"ash", "bash", "busybox", "dash", "env", "ksh", "sh", "zsh"})
_OPERATORS = re.compile(r"(?:^|\s)(?:&&|\|\|?|;|[0-9&]?>{1,2}|<)|;\s|;$|\$\(|`|^<")
_CURL = re.compile(r"\bcurl\b[^|;&\n]*")
_JUDGES_STATUS = re.compile(r"\s-[A-Za-z]*f|\s--fail|http_code|response_code|\s-[A-Za-z]*w\b|\s--write-out")
_URL = re.compile(r"\bhttps?://(\[[^\]]*\]|[^\s/:\"']+)(?::([0-9]+))?")
_STRAY_RESULT = re.compile(r"^\s*(?:echo|printf)\s+[\"']?[01][\"']?\s*$", re.MULTILINE)
_OPEN_FOLDERS = ("/tmp/", "/var/tmp/", "/home/", "/dev/shm/")


@dataclass(frozen=True, slots=True)
class _Use:
    """A script of a node, the instance that follows it (None: none does), and with which weight."""

    node: Node
    script: VrrpScript
    instance: VrrpInstance | None
    weight: int

    def place(self, *keywords: str, says: str = "") -> Place:
        lines = self.script.lines
        line = next((lines[keyword] for keyword in keywords if keyword in lines), self.script.line)
        return self.node.place(line, says)


def _uses(cluster: Cluster) -> Iterator[_Use]:
    """Each script once, with the first instance that names it, even when its weight is of no effect."""
    for node in cluster.nodes:
        by: dict[str, tuple[VrrpInstance, TrackedScript]] = {}
        for instance in node.config.instances:
            for entry in (*instance.track_scripts, *instance.ignored_scripts):
                by.setdefault(entry.name, (instance, entry))
            group = node.groups.get(instance.name)
            for entry in group.track_scripts if group else ():
                by.setdefault(entry.name, (instance, entry))
        for script in node.config.scripts.values():
            instance_of, tracked_as = by.get(script.name, (None, None))
            yield _Use(node, script, instance_of, tracked_as.weight if tracked_as else script.weight)


@check(_RULES["VRRP-W075"], _RULES["VRRP-W077"], _RULES["VRRP-N076"])
def timing(cluster: Cluster) -> Iterator[Finding]:
    """How soon a failure is noticed and the addresses move."""
    peers_of = {(id(m.node), m.instance.name): (peers, m) for peers in cluster.peers for m in peers.members}
    for use in _uses(cluster):
        script = use.script
        soonest_ns = (script.fall - 1) * script.interval_ns
        latest_ns = script.fall * script.interval_ns
        if latest_ns > _SLOW_NS:
            message = (
                f"{script.name}: a failure is noticed after {_s(soonest_ns)} to {_s(latest_ns)} s "
                f"(fall {script.fall} x interval {_s(script.interval_ns)} s)"
            )
            if use.instance is not None:
                peers, member = peers_of[id(use.node), use.instance.name]
                message += _takeover(use, peers, member, soonest_ns, latest_ns)
            yield _RULES["VRRP-W075"].finding(
                use.place("fall", "interval"),
                message,
                related=[use.place("interval")] if "fall" in script.lines else (),
            )
        if script.timeout_ns > script.interval_ns:
            yield _RULES["VRRP-W077"].finding(
                use.place("timeout"),
                f"{script.name}: timeout {_s(script.timeout_ns)} s exceeds interval {_s(script.interval_ns)} s: "
                f"when it hangs, that is noticed after {_s(script.fall * script.timeout_ns)} s at the earliest",
                related=[use.place("interval")],
            )
        if script.fall == 1 and use.instance is not None:
            yield _RULES["VRRP-N076"].finding(use.place("fall"), f"{script.name}: a single failed run is a failure")


def _takeover(use: _Use, peers: Peers, member: Member, soonest_ns: int, latest_ns: int) -> str:
    """When the next node has the addresses: after the rest of its timer, or after its skew when the master resigns."""
    one = member.instance
    rivals = [other for other in others(peers, member) if other.instance.priority != OWNER_PRIORITY]
    next_ = max((healthy(other.instance) for other in rivals), default=DEFAULT_PRIORITY)
    if use.weight == 0:
        soonest_ns += skew_ns(next_, one.interval_cs, one.version)
        latest_ns += skew_ns(next_, one.interval_cs, one.version)
    else:
        down_ns = master_down_ns(next_, one.interval_cs, one.version, adverts=one.down_timer_adverts)
        soonest_ns += down_ns - one.interval_cs * CENTISECOND_NS
        latest_ns += down_ns
    who = f"a backup of priority {next_} {'would take' if one.ignored_scripts else 'takes'} the addresses"
    return f", and {who} after {_s(soonest_ns)} to {_s(latest_ns)} s"


def _s(duration_ns: int) -> str:
    """Seconds with at most one decimal place."""
    return f"{duration_ns / SECOND_NS:.1f}".removesuffix(".0")


@check(_RULES["VRRP-W078"], _RULES["VRRP-N084"])
def followed(cluster: Cluster) -> Iterator[Finding]:
    """Whether all nodes watch the same."""
    for peers in cluster.peers:
        if len(peers.members) < 2:
            continue
        master = first(peers)
        entries = tracked(master.instance)
        if entries and all(entry.weight for entry in entries):
            yield _RULES["VRRP-N084"].finding(
                master.node.place(entries[0].line),
                f"({master.instance.name}) when {entries[0].name} fails everywhere, the addresses stay on a node",
            )
        by = peers.by(_watched)
        usual = max(by.values(), key=len)
        for members in by.values():
            if members is not usual:
                one = members[0]
                yield _RULES["VRRP-W078"].finding(
                    one.place("track_script"),
                    f"({one.instance.name}) {named(members)} watches {_watched_text(one)}, {named(usual)} "
                    f"{_watched_text(usual[0])}",
                    related=[usual[0].place("track_script")],
                )


def _watched(member: Member) -> Hashable:
    scripts = member.node.config.scripts
    entries = (*member.instance.track_scripts, *member.instance.ignored_scripts)
    return frozenset(
        (one.command, entry.weight, one.interval_ns, one.fall, one.rise)
        for entry in entries
        if (one := scripts.get(entry.name)) is not None
    )


def _watched_text(member: Member) -> str:
    scripts = member.node.config.scripts
    entries = (*member.instance.track_scripts, *member.instance.ignored_scripts)
    told = [
        f"{entry.name} (weight {entry.weight}, interval {_s(one.interval_ns)} s, fall {one.fall}, rise {one.rise})"
        for entry in entries
        if (one := scripts.get(entry.name)) is not None
    ]
    return ", ".join(told) or "nothing"


@dataclass(frozen=True, slots=True)
class _Text:
    """Text that a check runs: a command line in keepalived.conf, or a script's file."""

    text: str
    file: str
    first_line: int

    def place(self, position: int) -> Place:
        return Place(self.file, self.first_line + self.text.count("\n", 0, position))


def _texts(cluster: Cluster) -> Iterator[_Text]:
    files = {PurePath(one.file).name: one for one in cluster.beside if one.haproxy is None}
    told: set[str] = set()
    for use in _uses(cluster):
        command = use.script.command
        yield _Text(command, use.node.file, use.place("script").line)
        for word in command.split():
            beside = files.get(PurePath(word).name)
            if beside is not None and beside.file not in told:
                told.add(beside.file)
                yield _Text(beside.text, beside.file, 1)


@check(_RULES["VRRP-W079"], _RULES["VRRP-W080"], _RULES["VRRP-W081"], _RULES["VRRP-W082"])
def tested(cluster: Cluster) -> Iterator[Finding]:
    """What the checks look at, as far as their text tells."""
    virtual = {str(address) for member in cluster.members() for address in addresses(member.instance)}
    ports = {
        bind.ports[0]: (section, config.file)
        for config in cluster.haproxies
        for section in config.kinds("frontend", "listen")
        for bind in section.binds
        if bind.ports is not None and bind.ports[0] == bind.ports[1] and section.find("stats", "enable") is None
    }
    for one in _texts(cluster):
        for curl in _CURL.finditer(one.text):
            if "http" in curl[0] and not _JUDGES_STATUS.search(curl[0]):
                yield _RULES["VRRP-W079"].finding(
                    one.place(curl.start()), "curl without -f: an answer 403, 500 or 503 counts as healthy"
                )
        for stray in _STRAY_RESULT.finditer(one.text):
            if not re.search(r"\bexit\b", one.text):
                yield _RULES["VRRP-W080"].finding(
                    one.place(stray.start()), f"{stray[0].strip()!r} prints a result where an exit status is wanted"
                )
        for url in _URL.finditer(one.text):
            host = url[1].strip("[]")
            section = ports.get(int(url[2])) if url[2] and len(url[2]) < 6 else None
            if host in virtual:
                yield _RULES["VRRP-W081"].finding(
                    one.place(url.start()), f"the check asks for {url[0]}, the virtual address itself"
                )
            elif section is not None:
                frontend, file = section
                yield _RULES["VRRP-W082"].finding(
                    one.place(url.start()),
                    f"the check asks for {url[0]}: HAProxy's {frontend.kind} {frontend.name}, which asks any server",
                    related=[Place(file, frontend.line)],
                )


@check(_RULES["VRRP-W083"], _RULES["VRRP-W085"])
def runnable(cluster: Cluster) -> Iterator[Finding]:
    """What keepalived makes of the command line."""
    for use in _uses(cluster):
        command = use.script.command
        words = command.split()
        if not words:
            continue
        operator = _OPERATORS.search(command)
        if words[0].startswith("</"):
            yield _RULES["VRRP-W083"].finding(
                use.place("script"),
                f"{use.script.name}: only bash knows {words[0].lstrip('<')!r}; where sh is dash it always fails",
            )
        elif operator and PurePath(words[0]).name not in _SHELLS:
            yield _RULES["VRRP-W083"].finding(
                use.place("script"),
                f"{use.script.name}: keepalived runs {words[0]!r} without a shell, "
                f"and gives it {operator[0].strip()!r} as an argument",
            )
        if words[0].startswith(_OPEN_FOLDERS):
            yield _RULES["VRRP-W085"].finding(
                use.place("script"), f"{use.script.name}: others than root can write where {words[0]} stands"
            )
