"""How the others hear of a change: the network's switches and clients, scripts, clouds; and how long they wait."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vrrp.check.cluster import Cluster, Member
from vrrp.check.election import first, healthy
from vrrp.check.finding import Finding
from vrrp.check.rule import check
from vrrp.check.rulebook import rulebook
from vrrp.config.instance.completion import OWNER_PRIORITY
from vrrp.protocol.timers import CENTISECOND_NS, SECOND_NS, master_down_ns

_RULES = rulebook("announcing")
_SLOW_NS = 10 * SECOND_NS
_STATES = ("notify_master", "notify_backup", "notify_fault")
_CLOUD_TOOLS = re.compile(
    r"(?<![a-z])(?:aws|az|azure|doctl|ec2|eip|elastic-?ip|floating-?ip|gcloud|hcloud|oci|openstack|route53)(?![a-z])"
)


@check(_RULES["VRRP-W090"], _RULES["VRRP-N115"])
def waiting(cluster: Cluster) -> Iterator[Finding]:
    """How long nobody is master when one dies, and how soon a node comes back."""
    for peers in cluster.peers:
        for member in peers.members:
            one = member.instance
            down_ns = master_down_ns(healthy(one), one.interval_cs, one.version, adverts=one.down_timer_adverts)
            if down_ns > _SLOW_NS:
                soonest_ns = down_ns - one.interval_cs * CENTISECOND_NS
                yield _RULES["VRRP-W090"].finding(
                    member.place("advert_int", "down_timer_adverts"),
                    f"({one.name}) when the master dies this node takes over after {soonest_ns / SECOND_NS:.1f} to "
                    f"{down_ns / SECOND_NS:.1f} s ({one.down_timer_adverts} x advert_int {one.interval_cs / 100:g} s)",
                )
        best = first(peers).instance
        hasty = best.preempt and not best.preempt_delay_ns and best.priority != OWNER_PRIORITY
        if len(peers.members) > 1 and hasty and not first(peers).node.config.globals.startup_delay_ns:
            yield _RULES["VRRP-N115"].finding(
                first(peers).place("priority"),
                f"({best.name}) {first(peers).name} takes the addresses back as soon as it returns",
            )


@check(_RULES["VRRP-W111"], _RULES["VRRP-N121"])
def announced(cluster: Cluster) -> Iterator[Finding]:
    """How often a new master says where the addresses are."""
    for peers in cluster.peers:
        for member in peers.members:
            one = member.instance
            once = one.garp_master_repeat == 1 and not one.garp_master_delay_ns and not one.garp_master_refresh_ns
            if once and not one.use_vmac:
                lines = member.node.config.globals.lines
                line = next((lines[key] for key in ("vrrp_garp_master_repeat", "vrrp_min_garp") if key in lines), 0)
                own = "garp_master_repeat" in one.lines or not line
                yield _RULES["VRRP-W111"].finding(
                    member.place("garp_master_repeat") if own else member.node.place(line),
                    f"({one.name}) a new master announces each address once only",
                )
        one = peers.members[0].instance
        if len(peers.members) > 1 and not one.garp_master_refresh_ns and not one.use_vmac:
            yield _RULES["VRRP-N121"].finding(
                peers.members[0].place(),
                f"({one.name}) a master that goes on after a short split does not announce the addresses again",
            )


@check(_RULES["VRRP-W114"], _RULES["VRRP-N112"], _RULES["VRRP-N113"])
def notified(cluster: Cluster) -> Iterator[Finding]:
    """Scripts that are told of a change."""
    for member in cluster.members():
        notify = member.instance.notify
        name = member.instance.name
        grouped = name in member.node.groups
        if "notify_master" in notify and not {"notify", *_STATES[1:]} & notify.keys() and not grouped:
            yield _RULES["VRRP-W114"].finding(
                member.place("notify_master"),
                f"({name}) notify_master runs {notify['notify_master']!r}; nothing runs when it is master no more",
            )
        if "notify_master" in notify and "notify_master_rx_lower_pri" not in notify:
            yield _RULES["VRRP-N112"].finding(
                member.place("notify_master"),
                f"({name}) notify_master is not run when a master stays master after a short split",
            )
        if "notify" in notify and any(state in notify for state in _STATES):
            yield _RULES["VRRP-N113"].finding(
                member.place("notify"), f"({name}) notify and notify_<state> run at the same time, in any order"
            )


@check(_RULES["VRRP-W116"], _RULES["VRRP-W117"], _RULES["VRRP-W118"], _RULES["VRRP-N119"])
def networks(cluster: Cluster) -> Iterator[Finding]:
    """What the network between the nodes may not let through."""
    for member in cluster.members():
        one = member.instance
        cloud = cluster.facts.cloud or _uses_cloud(member)
        if cloud and not one.unicast_peers:
            yield _RULES["VRRP-W116"].finding(
                member.place("unicast_peer"), f"({one.name}) multicast to {one.multicast_group} in a cloud's network"
            )
        if cloud and one.use_vmac:
            yield _RULES["VRRP-W117"].finding(
                member.place("use_vmac"), f"({one.name}) a virtual MAC address in a cloud's network"
            )
        group = member.node.groups.get(one.name)
        told = {*one.notify, *(group.notify if group else ())}
        if cluster.facts.cloud and not {"notify", "notify_master"} & told:
            yield _RULES["VRRP-W118"].finding(
                member.place(), f"({one.name}) no notify_master tells the cloud where the addresses are"
            )
        if one.authentication is not None and one.authentication.kind == "AH" and one.version == 2:
            yield _RULES["VRRP-N119"].finding(
                member.place("auth_type", "authentication"), f"({one.name}) authentication header (AH)"
            )


def _uses_cloud(member: Member) -> bool:
    """Whether a notify script's name speaks of a cloud's own tools."""
    commands = " ".join(member.instance.notify.values()).lower()
    return _CLOUD_TOOLS.search(commands) is not None
