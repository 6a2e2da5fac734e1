"""What must hold of a cluster when it has been quiet for long enough, and when everything has ended."""

from __future__ import annotations

from collections.abc import Iterator

from chaos.cluster import KINDS, Cluster, Kind, Member

_VIRTUAL = frozenset(address for kind in KINDS for address in kind.plain)


def broken(cluster: Cluster) -> list[str]:
    """One line for everything that is not as it must be, after some quiet."""
    held = {one.name: one.addresses() for one in cluster}
    found = list(_misheld(cluster, held))
    for member in cluster:
        if member.ours and member.lives:
            found += _disagreeing(cluster, member, set(held[member.name]))
        found += _complaints(member)
    return found


def _misheld(cluster: Cluster, held: dict[str, dict[str, str]]) -> Iterator[str]:
    """Exactly one holder among nodes that hear each other, the one with the highest priority; none where none can."""
    for kind in KINDS:
        linked: set[str] = set()
        for component in cluster.components(kind.interface):
            linked |= {one.name for one in component}
            able = [one for one in component if one.able(kind)]
            best = max(able, key=lambda one: one.priority(kind), default=None)
            for address in kind.plain:
                holders = [one.name for one in component if one.lives and address in held[one.name]]
                names = "+".join(one.name for one in component)
                alone = _decided_alone(cluster, kind)
                if len(holders) > 1 or (alone and len(holders) != min(1, len(able))):
                    yield f"{kind.name} {address} among {names}: held by {holders}, able are {_names(able)}"
                elif best is not None and kind.preempts and alone and holders != [best.name]:
                    yield f"{kind.name} {address} among {names}: held by {holders[0]}, not by {best.name}"
        for member in cluster:
            if member.name not in linked and member.lives and (kept := set(kind.plain) & set(held[member.name])):
                yield f"{kind.name}: {member.name} is cut off and holds {sorted(kept)}"


def _decided_alone(cluster: Cluster, kind: Kind) -> bool:
    """Whether those that hear each other decide: one of a sync group may be kept down by what another hears."""
    return kind.group is None or not any(cluster.groups.values())


def _disagreeing(cluster: Cluster, member: Member, held: set[str]) -> Iterator[str]:
    """What a daemon believes, and what its kernel has."""
    masters = {one["data"]["iname"] for one in cluster.status(member)["vrrp"] if one["now"]["state"] == "MASTER"}
    believed = {address for kind in KINDS if kind.name in masters for address in kind.plain}
    if believed != held & _VIRTUAL:
        yield f"{member.name} is master of {sorted(believed)}, its kernel has {sorted(held & _VIRTUAL)}"


def _complaints(member: Member) -> Iterator[str]:
    for number, line in enumerate(member.node.words):
        if "Traceback" in line or "Exception in" in line:
            yield f"{member.name}: " + " / ".join(member.node.words[number : number + 40])
            return


def left_over(cluster: Cluster) -> list[str]:
    """One line for everything that our daemons, ended in good order, have left behind."""
    found = []
    for member in cluster:
        if not member.ours:
            continue
        now = cluster.kernel(member)
        found += [
            f"{member.name}: {what} was {member.before.get(what)}, is {now.get(what)}"
            for what in sorted(member.before.keys() | now.keys())
            if member.before.get(what) != now.get(what)
        ]
        found += [f"{member.name}: process {pid} runs on" for pid in member.node.namespace.processes()]
        folder = member.node.engine.folder
        found += [f"{member.name}: {path} is there still" for path in (folder / "state").iterdir()]
        found += [f"{member.name}: {path} is there still" for path in folder.glob("fifo*")]
    return found


def _names(members: list[Member]) -> list[str]:
    return [one.name for one in members]
