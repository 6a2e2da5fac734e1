"""Where a simulated run differs from the recorded one, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from haproxy.recorded import Recording, Seen
from haproxy.simulated import STATISTICS, Simulation

OUTAGE_S = 0.1
NO_OUTAGE_S = 0.15
"""A client on the busy machine of the recordings waits as long now and then, whatever happens (measured: 0.03 to
0.1 s in the two seconds before anything did)."""
SHARE = 0.05
SELDOM_SHARE = 0.1
"""Which of three servers is next is a matter of milliseconds when the same moment has connections that begin and
others that are redispatched: in one second of ten the share may be this far off."""
MASTER_S, DRIFT = 0.1, 0.025
"""How far off a change of masters may be, and how much longer the periods of a master on a busy machine are."""
BRIEF_S = 0.1
"""Two that took the address at the same time: who was first is chance, and one gives it back at once."""
_POLL_S = 0.25
_CLIENT_LATE_S = 1.5


def differences(simulation: Simulation, recording: Recording) -> list[str]:
    """One line for each thing that is further off than is promised."""
    begin, end = recording.marks[0][0], recording.end_s
    bounds = [begin, *(at_s for at_s, _ in recording.marks[1:]), end]
    ours, theirs = simulation.seen, recording.seen
    found: list[str] = []
    for from_s, to_s in pairwise(bounds):
        found += _outages(ours, theirs, from_s, to_s)
        found += _shares(ours, theirs, from_s, to_s)
        found += _errors(ours, theirs, from_s, to_s)
    found += _masters(simulation, recording)
    found += _holders(ours, theirs, end - _CLIENT_LATE_S)
    found += _statistics(simulation.statistics, recording.told["statistics"])
    return found


def _outages(ours: Seen, theirs: Seen, from_s: float, to_s: float) -> Iterator[str]:
    simulated, recorded = ours.outage_s(from_s, to_s), theirs.outage_s(from_s, to_s)
    off_s = simulated - recorded
    if abs(off_s) > OUTAGE_S and max(simulated, recorded) > NO_OUTAGE_S:
        yield f"outage from {from_s:.1f}: {theirs.outage_s(from_s, to_s):.3f} s, off by {off_s:+.3f} s"


def _shares(ours: Seen, theirs: Seen, from_s: float, to_s: float) -> Iterator[str]:
    both = list(zip(ours.failed(from_s, to_s), theirs.failed(from_s, to_s), strict=True))
    off = [abs(simulated - recorded) - 1e-9 for simulated, recorded in both]
    seldom = sum(SHARE < one <= SELDOM_SHARE for one in off) <= max(1, len(off) // 10)
    for second, (simulated, recorded) in enumerate(both):
        if off[second] > (SELDOM_SHARE if seldom else SHARE):
            yield f"second {from_s + second:.1f}: {recorded:.0%} failed, {simulated:.0%} simulated"


def _errors(ours: Seen, theirs: Seen, from_s: float, to_s: float) -> Iterator[str]:
    simulated, recorded = ours.errors(from_s, to_s), theirs.errors(from_s, to_s)
    for kind in sorted(simulated | recorded):
        one, other = simulated[kind], recorded[kind]
        # One or two are those that were under way at that moment.
        if abs(one - other) > 4 + 0.1 * other:
            yield f"from {from_s:.1f}: {kind} {other} times, {one} simulated"


def masters(adverts: Sequence[tuple[float, str, int]]) -> list[tuple[float, str]]:
    """Who advertised since when, from the first event on; without those that gave up at once."""
    runs: list[tuple[float, str]] = []
    for at_s, node, priority in adverts:
        if priority and (not runs or runs[-1][1] != node):
            runs.append((at_s, node))
    stayed = [
        one for one, after in zip(runs, [*runs[1:], None], strict=True) if not after or after[0] - one[0] > BRIEF_S
    ]
    joined = [one for before, one in zip([None, *stayed], stayed, strict=False) if not before or before[1] != one[1]]
    return [one for one in joined if one[0] > 0]


def _masters(simulation: Simulation, recording: Recording) -> Iterator[str]:
    ours, theirs = masters(simulation.adverts), masters([tuple(one) for one in recording.told["adverts"]])
    theirs = [one for one in theirs if one[0] < recording.end_s]
    ours = [one for one in ours if one[0] < recording.end_s]
    if [node for _, node in ours] != [node for _, node in theirs]:
        yield f"masters {_told(theirs)}, simulated {_told(ours)}"
        return
    before_s = 0.0
    for (at_s, node), (other_s, _) in zip(ours, theirs, strict=True):
        allowed_s, before_s = MASTER_S + DRIFT * (other_s - before_s), other_s
        if abs(at_s - other_s) > allowed_s:
            yield f"{node} was master from {other_s:.3f} s, simulated {at_s:.3f} s"


def _told(runs: Sequence[tuple[float, str]]) -> str:
    return ", ".join(f"{node} {at_s:.2f}" for at_s, node in runs) or "as before"


def _holders(ours: Seen, theirs: Seen, end_s: float) -> Iterator[str]:
    """Who had the address, looked at now and then, not where it was just changing hands."""
    at_s = theirs.holders[0][0] + _POLL_S
    while at_s < end_s:
        changing = any(abs(change_s - at_s) < _POLL_S for seen in (ours, theirs) for change_s, _ in seen.holders)
        one, other = _at(ours, at_s), _at(theirs, at_s)
        if not changing and one != other:
            yield f"at {at_s:.2f} s {other} had the address, simulated {one}"
            return
        at_s += _POLL_S


def _at(seen: Seen, at_s: float) -> tuple[str, ...]:
    return next((nodes for change_s, nodes in reversed(seen.holders) if change_s <= at_s), ())


def _statistics(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterator[str]:
    for tag, nodes in theirs.items():
        for node, servers in nodes.items():
            for server, words in servers.items():
                recorded = {
                    key: int(value)
                    for key, _, value in (word.partition("=") for word in words.split())
                    if value.isdigit()
                }
                simulated = ours.get(tag, {}).get(node, {}).get(server)
                if server == "BACKEND" or simulated is None:
                    continue
                for key in STATISTICS:
                    allowed = 0 if key.startswith("chk") else 4 + 0.05 * recorded[key]
                    if abs(simulated[key] - recorded[key]) > allowed:
                        yield f"{tag} {node}/{server}: {key} {recorded[key]}, simulated {simulated[key]}"
