"""Results that no simulator made, for the outputs that people read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sim.result import (
    SECOND_NS,
    ClientStory,
    Happened,
    Ownership,
    PriorityChange,
    Result,
    Sent,
    Span,
    Transition,
)

MS = 1_000_000
VIP = "10.0.0.100"
HOSTILE = '<script>alert("1")</script>'


def empty(**changes: Any) -> Result:
    """Two nodes that were never started; fields as in `changes`."""
    return replace(
        Result(
            title="Two load balancers",
            seed=1,
            duration_ns=30 * SECOND_NS,
            nodes=("lb1", "lb2"),
            instances={"VI_1": (VIP,)},
            transitions=(),
            priorities=(),
            sent=(),
            events=(),
            ownership=(),
            outages=(),
            dual_masters=(),
            clients={},
            counters={},
        ),
        **changes,
    )


def failover() -> Result:
    """lb1 loses its API server, is preempted, then dies; lb2 takes over after 3.609 s; lb1 comes back."""
    transitions = (
        at(0, "lb1", "INITIALIZE", "BACKUP", "started"),
        at(0, "lb2", "INITIALIZE", "BACKUP", "started"),
        at(3609, "lb1", "BACKUP", "MASTER", "no advertisement yet, for 3.605 s"),
        at(13_609, "lb2", "BACKUP", "MASTER", "no advertisement for 3.609 s"),
        at(10_000, "lb1", "MASTER", "INITIALIZE", "killed (SIGKILL)"),
        at(18_000, "lb1", "INITIALIZE", "BACKUP", "started"),
        at(21_609, "lb1", "BACKUP", "MASTER", "preempts 10.0.0.12: its priority 100 is below our 101"),
        Transition(21_609 * MS + 100_000, "lb2", "VI_1", "MASTER", "BACKUP", "10.0.0.11 has higher priority 101"),
        at(26_000, "lb2", "BACKUP", "FAULT", "eth0 is down"),
    )
    return empty(
        transitions=tuple(sorted(transitions, key=lambda t: t.at_ns)),
        priorities=(
            PriorityChange(24_000 * MS, "lb1", "VI_1", 101, 99, "check_apiserver failed 10 times: 101 \u2192 99"),
        ),
        sent=tuple(
            Sent(ms * MS, "lb1", "VI_1", 101) for ms in (*range(3609, 10_000, 1000), *range(21_609, 30_000, 1000))
        )
        + tuple(Sent(ms * MS, "lb2", "VI_1", 100) for ms in range(13_609, 21_609, 1000)),
        events=(
            Happened(10_000 * MS, "lb1", "crash (SIGKILL, its addresses stay)"),
            Happened(18_000 * MS, "lb1", "start"),
            Happened(24_000 * MS, "lb1", "script fails check_apiserver"),
            Happened(25_000 * MS, None, "partition lan lb1 | lb2"),
            Happened(26_000 * MS, "lb2", "link down eth0"),
        ),
        ownership=(
            Ownership(VIP, "lb1", 3609 * MS, 18_000 * MS),
            Ownership(VIP, "lb2", 13_609 * MS, 21_609 * MS + 100_000),
            Ownership(VIP, "lb1", 21_609 * MS, 30_000 * MS),
        ),
        outages=(Span(VIP, 10_000 * MS, 13_609 * MS, ("lb1",)),),
        dual_masters=(Span(VIP, 21_609 * MS, 21_609 * MS + 100_000, ("lb2", "lb1")),),
        clients={
            "kubectl": ClientStory(f"{VIP}:8443", 3000, 2640, 360, ((10_000 * MS, 13_610 * MS), (5 * MS, 7 * MS))),
        },
        counters={
            "lb1": {"VI_1": {"sent": 15, "accepted": 8, "became_master": 2, "discarded": {}}},
            "lb2": {"VI_1": {"sent": 8, "accepted": 16, "became_master": 1, "discarded": {"WRONG_TTL": 2}}},
        },
        notes=("lb1: haproxy.cfg is not simulated by this version; every connection is accepted",),
    )


def at(ms: int, node: str, old: str, new: str, reason: str, instance: str = "VI_1") -> Transition:
    """A transition at a time in milliseconds."""
    return Transition(ms * MS, node, instance, old, new, reason)


def split() -> Result:
    """A partition makes two masters, which last to the end; an earlier pair of them is healed after 5 s."""
    return empty(
        transitions=(
            at(0, "lb1", "INITIALIZE", "MASTER", "owner"),
            at(0, "lb2", "INITIALIZE", "BACKUP", "started"),
            at(8609, "lb2", "BACKUP", "MASTER", "no advertisement for 3.609 s"),
            at(13_609, "lb2", "MASTER", "BACKUP", "10.0.0.11 has higher priority 101"),
            at(23_609, "lb2", "BACKUP", "MASTER", "no advertisement for 3.609 s"),
        ),
        ownership=(
            Ownership(VIP, "lb1", 0, 30_000 * MS),
            Ownership(VIP, "lb2", 8609 * MS, 13_609 * MS),
            Ownership(VIP, "lb2", 23_609 * MS, 30_000 * MS),
        ),
        events=(
            Happened(5000 * MS, None, "partition lan lb1 | lb2"),
            Happened(13_600 * MS, None, "heal lan"),
            Happened(20_000 * MS, None, "partition lan lb1 | lb2"),
        ),
        dual_masters=(
            Span(VIP, 8609 * MS, 13_609 * MS, ("lb1", "lb2")),
            Span(VIP, 23_609 * MS, 30_000 * MS, ("lb1", "lb2")),
        ),
    )


def busy() -> Result:
    """Five nodes, two instances with three addresses, 300 s; mastership wanders each 30 s; 10 adverts a second."""
    nodes = ("cp1", "cp2", "cp3", "cp4", "cp5")
    instances = {"VI_API": ("10.0.0.161", "10.0.0.162"), "VI_WEB": ("fd00::53",)}
    transitions: list[Transition] = []
    events: list[Happened] = []
    ownership: list[Ownership] = []
    outages: list[Span] = []
    duals: list[Span] = []
    sent: list[Sent] = []
    priorities: list[PriorityChange] = []
    for instance, addresses in instances.items():
        transitions += [at(0, node, "INITIALIZE", "BACKUP", "started", instance) for node in nodes]
        for turn in range(10):
            node = nodes[turn % 5 if instance == "VI_API" else -turn % 5]
            begin, end = turn * 30_000 + 3000, min(turn * 30_000 + 30_000, 300_000)
            transitions.append(at(begin, node, "BACKUP", "MASTER", "no advertisement for 3.000 s", instance))
            transitions.append(at(end, node, "MASTER", "FAULT", "eth0 is down", instance))
            transitions.append(at(end + 12_000, node, "FAULT", "BACKUP", "eth0 is up", instance))
            ownership += [Ownership(address, node, begin * MS, end * MS) for address in addresses]
            outages += [Span(a, end * MS, min(end + 3000, 300_000) * MS, (node,)) for a in addresses if end < 300_000]
            sent += [Sent(ms * MS, node, instance, 100) for ms in range(begin, end, 100)]
            priorities.append(PriorityChange((begin + 9000) * MS, node, instance, 100, 90, "check failed once"))
            if instance == "VI_API":
                events.append(Happened(end * MS, node, "link down eth0"))
                events.append(Happened((end + 12_000) * MS, node, "link up eth0"))
        duals.append(Span(addresses[0], 100_000 * MS, 104_500 * MS, ("cp1", "cp2")))
    in_time = [t for t in transitions if t.at_ns <= 300_000 * MS]
    return Result(
        title="Five control-plane nodes, two virtual routers",
        seed=7,
        duration_ns=300 * SECOND_NS,
        nodes=nodes,
        instances=instances,
        transitions=tuple(sorted(in_time, key=lambda t: t.at_ns)),
        priorities=tuple(priorities),
        sent=tuple(sent),
        events=tuple(e for e in events if e.at_ns <= 300_000 * MS),
        ownership=tuple(ownership),
        outages=tuple(outages),
        dual_masters=tuple(duals),
        clients={"web": ClientStory("fd00::53:443", 10, 10, 0, ()), "kubectl": ClientStory("a:1", 9, 8, 1, ((1, 2),))},
        counters={"cp1": {name: {"sent": 5} for name in instances}, "cp2": {}},
    )


def hostile() -> Result:
    """Names and reasons that mean something to HTML, to TeX, to rich and to a terminal."""
    node, instance = HOSTILE, "[bold]$x^2$ & co"
    return empty(
        title=f"</title>{HOSTILE} \x1b[31m",
        nodes=(node, "b\x07\nc"),
        instances={instance: (VIP,)},
        transitions=(
            Transition(0, node, instance, "INITIALIZE", "MASTER", "a < b && $\\frac{1}$ [red]not red[/red]"),
            Transition(5 * SECOND_NS, "b\x07\nc", instance, "INITIALIZE", "BACKUP", "\x1b]0;owned\x07"),
        ),
        events=(Happened(SECOND_NS, node, "</svg>$_{"),),
        ownership=(Ownership(VIP, node, 0, 20 * SECOND_NS),),
        outages=(Span(VIP, 20 * SECOND_NS, 30 * SECOND_NS, (node,)),),
        clients={HOSTILE: ClientStory(HOSTILE, 1, 0, 1, ((0, 1),))},
        counters={node: {instance: {"<b>": 1, "discarded": {"&amp;": 2}}}},
        notes=("<i>note</i> http://example.org/",),
    )
