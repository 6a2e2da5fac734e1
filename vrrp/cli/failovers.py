"""The failures of a cluster's masters as sums of their parts: the half of `vrrp timers` that reads files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from vrrp.check.cluster import node_names
from vrrp.cli.conf_file import as_router, read_conf
from vrrp.cli.console import PipeConsole
from vrrp.failover import Failover, Part, Standing, failovers, standings
from vrrp.protocol.profile import Profile, profile_named
from vrrp.protocol.timers import SECOND_NS
from vrrp.whole_file import write_text
from vrrp.wire.address import text
from vrrp.words import visible

_MS_NS = 1_000_000


def show_failovers(
    files: Sequence[Path],
    environment: Mapping[str, str],
    config_ids: Sequence[str],
    profiles: Sequence[str],
    json_file: Path | None,
) -> None:
    """Print each failure of each master, or write it as JSON. BadInput for files that no router can be made of.

    With several of `config_ids`, each file is that of as many nodes.
    """
    nodes = [(file, one) for file in files for one in config_ids or (None,)]
    names = node_names([str(file) for file, _ in nodes], [one or "" for _, one in nodes])
    configs = {
        name: read_conf(file, environment, one, "nothing has timers").config
        for name, (file, one) in zip(names, nodes, strict=True)
    }
    console = PipeConsole()
    rows: list[dict[str, Any]] = []
    blocks = []
    for name in profiles:
        profile = profile_named(name)
        routers = {node: as_router(config, profile).router for node, config in configs.items()}
        ignored = {node: config.ignored_scripts for node, config in configs.items()}
        found = list(failovers(routers, profile, ignored))
        rows += [as_json(failover, profile) for failover in found]
        blocks += [
            (standing, profile, [f for f in found if f.standing == standing]) for standing in standings(routers)
        ]
    if json_file is not None:
        write_text(json_file, json.dumps(rows, indent=1) + "\n")
        if str(json_file) == "-":
            return
    for number, (standing, profile, own) in enumerate(blocks):
        for line in ([""] if number else []) + list(_lines(standing, profile, own)):
            console.out(_encodable(line, console.encoding), highlight=False)


def as_json(failover: Failover, profile: Profile) -> dict[str, Any]:
    """One failure for other programs; times in seconds, null where nobody takes over."""
    standing = failover.standing
    taken = failover.taker is not None
    return {
        "profile": profile.name,
        "vrid": standing.vrid,
        "instance": standing.master.router.name,
        "addresses": [text(address) for address in standing.addresses],
        "master": standing.master.node,
        "failure": str(failover),
        "kind": failover.mishap.name.lower(),
        "what": failover.what,
        "taker": failover.taker.node if failover.taker is not None else None,
        "never": failover.reason or None,
        "best_s": failover.best_ns / SECOND_NS if taken else None,
        "typical_s": failover.typical_ns / SECOND_NS if taken else None,
        "worst_s": failover.worst_ns / SECOND_NS if taken else None,
        "detection": [_part_json(part) for part in failover.detection],
        "takeover": [_part_json(part) for part in failover.takeover],
    }


def _part_json(part: Part) -> dict[str, Any]:
    return {"text": part.text, "best_s": part.best_ns / SECOND_NS, "worst_s": part.worst_ns / SECOND_NS}


def _lines(standing: Standing, profile: Profile, found: Sequence[Failover]) -> Iterator[str]:
    """One virtual router: who is master, the table of failures, and each sum."""
    master = standing.master
    addresses = ", ".join(text(address) for address in standing.addresses)
    yield f"{addresses} ({visible(master.router.name)}, VRID {standing.vrid}), profile {profile.name}"
    if not found:
        yield f"  {visible(master.node)} is alone: nobody takes over; give the files of all nodes"
        return
    others = ", ".join(f"{visible(peer.node)} ({peer.priority()})" for peer in standing.peers[1:])
    yield f"  {visible(master.node)} ({master.priority()}) is master, before {others}"
    yield ""
    rows = [(f"when {visible(master.node)} or its ...", "best", "typical", "worst", "then master"), *map(_row, found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for first, *times, last in rows:
        columns = [cell.rjust(width) for cell, width in zip(times, widths[1:-1], strict=True)]
        yield "  ".join(["", first.ljust(widths[0]), *columns, last])
    for failover in found:
        if failover.taker is not None:
            yield from _sum_lines(failover)
    yield from _announcement_lines(standing, profile)


def _row(failover: Failover) -> tuple[str, ...]:
    if failover.taker is None:
        return (visible(str(failover)), "never", "never", "never", visible(failover.reason))
    times = (failover.best_ns, failover.typical_ns, failover.worst_ns)
    return (visible(str(failover)), *map(_seconds, times), visible(failover.taker.node))


def _sum_lines(failover: Failover) -> Iterator[str]:
    """The sum spelled out, one part a line, with what passes before anybody knows."""
    assert failover.taker is not None  # the caller looked
    yield ""
    yield f"  {visible(str(failover))}: {visible(failover.taker.node)} is master after"
    for part in failover.detection:
        yield f"{_span(part.best_ns, part.worst_ns)}  {visible(part.text)}"
    if failover.detection:
        yield f"{_span(*_range(failover.detection))}  = until its own node knows"
    for part in failover.takeover:
        yield f"{_span(part.best_ns, part.worst_ns)}  {visible(part.text)}"
    yield f"{_span(failover.best_ns, failover.worst_ns)}  = in all"


def _range(parts: Sequence[Part]) -> tuple[int, int]:
    return sum(part.best_ns for part in parts), sum(part.worst_ns for part in parts)


def _span(best_ns: int, worst_ns: int) -> str:
    span = _seconds(best_ns) if best_ns == worst_ns else f"{_seconds(best_ns)} to {_seconds(worst_ns)}"
    return f"{span:>23}"


def _encodable(line: str, encoding: str) -> str:
    """The line with what the terminal cannot show spelled out: names of files may be in any script."""
    return line.encode(encoding, "backslashreplace").decode(encoding)


def _seconds(time_ns: int) -> str:
    """To the millisecond, and what is shorter in its own unit."""
    if 0 < abs(time_ns) < _MS_NS:
        return f"{time_ns / _MS_NS:.2f} ms"
    return f"{time_ns / SECOND_NS:.3f} s"


def _announcement_lines(standing: Standing, profile: Profile) -> Iterator[str]:
    """When clients hear of the new master."""
    plan = standing.peers[1].router.announcements or profile.announcements
    kind = "gratuitous ARPs" if standing.width == 4 else "neighbor advertisements"
    later = f"; who misses them hears again {_seconds(plan.again_after_ns)} later" if plan.again_after_ns else ""
    yield ""
    yield f"  Clients learn of it by {kind}, {plan.repeat} for each address with the takeover{later}."
