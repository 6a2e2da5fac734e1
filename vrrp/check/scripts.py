"""Check scripts: how soon they notice, whether all nodes run the same, and whether keepalived can run them."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from pathlib import PurePath

from vrrp.check.cluster import Cluster, Member, Node, Peers
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
_OPEN_FOLDERS = ("/tmp/", "/var/tmp/", "/home/", "/dev/shm/")


@dataclass(frozen=True, slots=True)
class Use:
    """A script of a node, the instance that follows it (None: none does), and with which weight."""

    node: Node
    script: VrrpScript
    instance: VrrpInstance | None
    weight: int

    def place(self, *keywords: str, says: str = "") -> Place:
        """The line of the first of these keywords that was given, else where the script begins."""
        lines = self.script.lines
        line = next((lines[keyword] for keyword in keywords if keyword in lines), self.script.line)
        return self.node.place(line, says)


def uses(cluster: Cluster) -> Iterator[Use]:
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
            yield Use(node, script, instance_of, tracked_as.weight if tracked_as else script.weight)


@check(_RULES["VRRP-W075"], _RULES["VRRP-W077"], _RULES["VRRP-N076"])
def timing(cluster: Cluster) -> Iterator[Finding]:
    """How soon a failure is noticed and the addresses move."""
    peers_of = {(id(m.node), m.instance.name): (peers, m) for peers in cluster.peers for m in peers.members}
    for use in uses(cluster):
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


def _takeover(use: Use, peers: Peers, member: Member, soonest_ns: int, latest_ns: int) -> str:
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


@check(_RULES["VRRP-W083"], _RULES["VRRP-W085"])
def runnable(cluster: Cluster) -> Iterator[Finding]:
    """What keepalived makes of the command line."""
    for use in uses(cluster):
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
