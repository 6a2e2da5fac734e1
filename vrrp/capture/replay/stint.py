"""Stints: a router's advertisements told as stretches of one priority; two such stories compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vrrp.protocol.timers import seconds_text

TOLERANCE_NS = 30_000_000
"""How far apart two stories may be. keepalived's timers are 0.3 ms late, 4 ms and more on a busy machine."""
MOST_STINTS = 2_000
_SILENT_INTERVALS = 2
_SILENT_NS = 100_000_000
"""A pause longer than both together ends a stint: one advertisement may be lost, and one be late."""
_ALONE = "one advertisement alone is mostly a race: two timers ended within milliseconds"


@dataclass(slots=True)
class Stint:
    """Advertisements of one priority, one after another. Times in nanoseconds since 1970."""

    priority: int
    first_ns: int
    last_ns: int
    count: int = 1
    continues: bool = False
    """It follows another priority without a pause, so that it begins when the next advertisement is due."""

    def __str__(self) -> str:
        times = "once" if self.count == 1 else f"{self.count} times"
        return f"priority {self.priority} {times}"


class Stints:
    """The stints of one virtual router that advertises each `interval_ns`; `dropped` counts those past 2000."""

    def __init__(self, interval_ns: int) -> None:
        self.interval_ns = interval_ns
        self.stints: list[Stint] = []
        self.dropped = 0

    def add(self, at_ns: int, priority: int) -> None:
        """An advertisement was sent."""
        continues = False
        if self.stints:
            last = self.stints[-1]
            continues = at_ns - last.last_ns <= _SILENT_INTERVALS * self.interval_ns + _SILENT_NS
            if continues and last.priority == priority:
                last.last_ns = at_ns
                last.count += 1
                return
            continues = continues and bool(priority and last.priority)
        if len(self.stints) < MOST_STINTS:
            self.stints.append(Stint(priority, at_ns, at_ns, continues=continues))
        else:
            self.dropped += 1


@dataclass(frozen=True, slots=True)
class Difference:
    """Where recorded and replayed behaviour part: when, what, and what the reader might do about it."""

    at_ns: int
    instance: str
    recorded: Stint | None
    replayed: Stint | None
    hint: str = ""


def compare(
    instance: str, recorded: Stints, replayed: Stints, end_ns: int, tolerance_ns: int = TOLERANCE_NS
) -> list[Difference]:
    """Where one virtual router's recorded advertisements and the replayed ones differ, by time.

    `end_ns`: when the capture ends. Stints may begin up to `tolerance_ns` apart; their last advertisement, or a change
    of priority between two, up to an interval more, since that hangs on the phase.
    """
    found: list[Difference] = []
    slack_ns = recorded.interval_ns + tolerance_ns
    waiting = list(replayed.stints)
    for stint in recorded.stints:
        reach_ns = slack_ns if stint.continues else tolerance_ns
        twin = _twin(stint, waiting, reach_ns)
        if twin is not None:
            waiting.remove(twin)
            begins = abs(stint.first_ns - twin.first_ns) <= reach_ns
            if begins and abs(stint.last_ns - twin.last_ns) <= slack_ns:
                continue
            if begins:
                hint = _end_hint(stint, twin)
                found.append(Difference(min(stint.last_ns, twin.last_ns), instance, stint, twin, hint))
                continue
        elif end_ns - stint.first_ns <= tolerance_ns:
            continue
        hint = _hint(stint) if twin is None else ""
        found.append(Difference(stint.first_ns, instance, stint, twin, hint))
    for stint in waiting:
        if end_ns - stint.first_ns > tolerance_ns:
            hint = _ALONE if stint.count == 1 and stint.priority else ""
            found.append(Difference(stint.first_ns, instance, None, stint, hint))
    return sorted(found, key=lambda difference: difference.at_ns)


def _twin(stint: Stint, others: Sequence[Stint], reach_ns: int) -> Stint | None:
    """The stint of the same priority that begins nearest, if it begins at the same time or overlaps."""
    near = [
        other
        for other in others
        if other.priority == stint.priority
        and (
            abs(other.first_ns - stint.first_ns) <= reach_ns
            or (other.first_ns <= stint.last_ns and stint.first_ns <= other.last_ns)
        )
    ]
    return min(near, key=lambda other: abs(other.first_ns - stint.first_ns), default=None)


def _hint(recorded: Stint) -> str:
    if not recorded.priority:
        return "it said good-bye: was it stopped, or a check script's failure? Tell with --event"
    return _ALONE if recorded.count == 1 else ""


def _end_hint(recorded: Stint, replayed: Stint) -> str:
    if recorded.last_ns < replayed.last_ns:
        return "it fell silent: was it stopped, killed or cut off? Tell with --event"
    late = seconds_text(recorded.last_ns - replayed.last_ns)
    return f"it went on for {late}: did it hear what the replayed router heard?"
