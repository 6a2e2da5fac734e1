"""What happens to a cluster at random: each kind with its weight, drawn from a seed.

What is drawn depends on the seed and on what was drawn before, never on what the daemons make of it, so the same seed
gives the same events.
"""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chaos.cluster import KINDS, SEGMENTS, Cluster, Member
from chaos.damage import damaged
from sim.lab.namespace import ip
from sim.process import ScriptOutcome

RATE = 10_000
"""Damaged packets a second."""
_FRAMES = 4000
_FEWEST = 2
"""So many nodes live on: without any there is nothing to see."""
_BROKEN = (
    "vrrp_instance PASS {\n interface eth0\n virtual_router_id 2\n",
    "vrrp_instance PASS {\n interface eth9\n virtual_router_id 2\n virtual_ipaddress {\n 10.0.0.102\n }\n}\n",
    "",
    "\x00\xff{{{",
)

Do = Callable[[], None]
Draw = Callable[[Cluster, random.Random], "tuple[str, Do] | None"]
"""Chooses an event: what it is in words, and what does it; None when there is nothing that it could happen to."""


@dataclass(frozen=True)
class Happening:
    """A kind of event, and how often it comes beside the others."""

    weight: int
    draw: Draw


def _one(rng: random.Random, members: Sequence[Member]) -> Member | None:
    return rng.choice(members) if members else None


def _living(cluster: Cluster) -> list[Member]:
    return [one for one in cluster if one.lives]


def _expendable(cluster: Cluster) -> list[Member]:
    living = _living(cluster)
    return living if len(living) > _FEWEST else []


def _to(which: Callable[[Cluster], list[Member]], what: str, act: Callable[[Cluster, Member], None]) -> Draw:
    def draw(cluster: Cluster, rng: random.Random) -> tuple[str, Do] | None:
        member = _one(rng, which(cluster))
        return None if member is None else (f"{member.name} {what}", lambda: act(cluster, member))

    return draw


def _link(up: bool) -> Draw:
    def draw(cluster: Cluster, rng: random.Random) -> tuple[str, Do] | None:
        places = [(one, interface) for one in cluster for interface in SEGMENTS if one.linked[interface] is not up]
        if not places:
            return None
        member, interface = rng.choice(places)
        return f"{member.name} {interface} {'up' if up else 'down'}", lambda: cluster.link(member, interface, up)

    return draw


def _partition(cluster: Cluster, rng: random.Random) -> tuple[str, Do]:
    segment = rng.choice(list(cluster.switches))
    names = [one.name for one in cluster]
    rng.shuffle(names)
    cut = rng.randrange(1, len(names))
    groups = tuple(sorted(names[:cut])), tuple(sorted(names[cut:]))
    return f"{segment} {'+'.join(groups[0])} | {'+'.join(groups[1])}", lambda: cluster.partition(segment, groups)


def _heal(cluster: Cluster, rng: random.Random) -> tuple[str, Do] | None:
    parted = [segment for segment, groups in cluster.groups.items() if groups]
    if not parted:
        return None
    segment = rng.choice(parted)
    return f"{segment} heals", lambda: cluster.partition(segment, ())


def _script(outcome: ScriptOutcome) -> Draw:
    return _to(
        lambda cluster: [one for one in cluster if one.outcome is not outcome],
        f"script {outcome.value}",
        lambda cluster, member: cluster.script(member, outcome),
    )


def _file(cluster: Cluster, rng: random.Random) -> tuple[str, Do] | None:
    member = _one(rng, cluster.members)
    level = rng.choice((0, 0, 7, 33, -45))
    return None if member is None else (f"{member.name} file {level}", lambda: cluster.set_level(member, level))


def _reload(cluster: Cluster, rng: random.Random) -> tuple[str, Do] | None:
    member = _one(rng, _living(cluster))
    taken = {one.base for one in cluster}
    base = rng.choice([one for one in range(50, 200, 3) if one not in taken])
    return None if member is None else (f"{member.name} reload {base}", lambda: cluster.reload(member, base))


def _broken_reload(cluster: Cluster, rng: random.Random) -> tuple[str, Do] | None:
    member = _one(rng, [one for one in _living(cluster) if one.ours])
    number = rng.randrange(len(_BROKEN))

    def act() -> None:
        assert member is not None  # else there is nothing to do
        refused = "the running configuration is kept"
        so_far = sum(refused in line for line in list(member.node.words))
        cluster.configure(member, _BROKEN[number])
        member.node.reload(None)
        cluster.hear(member, refused, so_far + 1)
        cluster.configure(member)

    return None if member is None else (f"{member.name} broken reload {number}", act)


def _take_away(cluster: Cluster, rng: random.Random) -> tuple[str, Do] | None:
    """Somebody removes an address, wherever it is."""
    kind = rng.choice(KINDS)
    address = rng.choice(kind.addresses)

    def act() -> None:
        for member in cluster:
            found = member.addresses().get(address.partition("/")[0])
            if found is not None and member.ours and member.lives:
                ip("-n", member.node.namespace.name, "address", "del", address, "dev", found)

    return f"{address} removed", act


def _remake(cluster: Cluster, rng: random.Random) -> tuple[str, Do] | None:
    whole = [interface for interface, segment in SEGMENTS.items() if not cluster.groups[segment]]
    member = _one(rng, [one for one in cluster if one.ours and one.runs])
    if member is None or not whole:
        return None
    interface = rng.choice(whole)
    return f"{member.name} {interface} deleted and made anew", lambda: cluster.remake(member, interface)


def _macvlan(cluster: Cluster, rng: random.Random) -> tuple[str, Do] | None:
    """Somebody deletes a macvlan, and the rules, of a node."""
    member = _one(rng, [one for one in _living(cluster) if one.ours])
    kind = rng.choice([one for one in KINDS if one.vmac])

    def act() -> None:
        assert member is not None  # else there is nothing to do
        words = ["ip", "-n", member.node.namespace.name, "link", "del", f"vrrp.{kind.vrid}"]
        subprocess.run(words, check=False, capture_output=True)  # it may be gone with the interface below

    return None if member is None else (f"{member.name} vrrp.{kind.vrid} deleted", act)


def _flood(cluster: Cluster, rng: random.Random) -> tuple[str, Do]:
    vrids = [one.vrid for one in KINDS]
    frames = {
        segment: [damaged(rng, vrids, 16 if number % 4 == 0 else 4) for number in range(_FRAMES)]
        for segment in cluster.switches
    }
    return f"{RATE} damaged packets a second", lambda: cluster.flood(frames, RATE)


def _clock(cluster: Cluster, rng: random.Random) -> tuple[str, Do] | None:
    member = _one(rng, [one for one in cluster if one.ours])
    seconds = rng.choice((-86_400, -3, 3, 3600, 10**8))
    return (
        None if member is None else (f"{member.name} clock {seconds:+} s", lambda: cluster.set_clock(member, seconds))
    )


HAPPENINGS: dict[str, Happening] = {
    "crash": Happening(3, _to(_expendable, "crashes", Cluster.crash)),
    "stop": Happening(1, _to(_expendable, "stops", Cluster.stop)),
    "start": Happening(8, _to(lambda c: [one for one in c if not one.runs], "starts", Cluster.start)),
    "pause": Happening(2, _to(_expendable, "pauses", lambda c, one: c.pause(one, True))),
    "resume": Happening(5, _to(lambda c: [o for o in c if o.paused], "resumes", lambda c, one: c.pause(one, False))),
    "link-down": Happening(2, _link(False)),
    "link-up": Happening(5, _link(True)),
    "partition": Happening(2, _partition),
    "heal": Happening(4, _heal),
    "script-fail": Happening(2, _script(ScriptOutcome.FAIL)),
    "script-hang": Happening(1, _script(ScriptOutcome.HANG)),
    "script-pass": Happening(4, _script(ScriptOutcome.PASS)),
    "file": Happening(2, _file),
    "reload": Happening(3, _reload),
    "broken-reload": Happening(2, _broken_reload),
    "take-away": Happening(2, _take_away),
    "remake": Happening(2, _remake),
    "macvlan": Happening(1, _macvlan),
    "flood": Happening(2, _flood),
    "clock": Happening(2, _clock),
}


def draw(cluster: Cluster, rng: random.Random) -> tuple[str, Do]:
    """The next event."""
    names = list(HAPPENINGS)
    while True:
        name = rng.choices(names, [HAPPENINGS[one].weight for one in names])[0]
        event = HAPPENINGS[name].draw(cluster, rng)
        if event is not None:
            return event
