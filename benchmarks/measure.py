"""Races: several contestants do the same work, in turn, round after round.

Machines are shared and change their speed while one looks, so three things are done about it. Time is the CPU
seconds of this thread, not the wall's. A round visits every contestant, in the reverse order each second time. And
the ratio of two contestants is taken within each round, where both met the same machine; the median of those ratios
is the figure.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

Begin = Callable[[int], Callable[[], object]]
"""Prepares so many units of work, which is not timed, and returns what does them, which is."""


class DisagreementError(Exception):
    """Two contestants gave different answers: they did not do the same work, so their times say nothing."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """One way to do the work. `answers` does a little of it and says what came out, in terms all share.

    `floor`: ours is to be at least this many times as fast; None promises nothing. `note` is a phrase for readers.
    """

    name: str
    begin: Begin
    answers: Callable[[], object]
    floor: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Absent:
    """A contestant that cannot take part, and why."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Race:
    """The same work for all. A unit of work counts as `worth` of what the table gives per second."""

    title: str
    counted: str
    ours: Contestant
    peers: tuple[Contestant | Absent, ...]
    worth: int = 1


@dataclass(frozen=True, slots=True)
class Standing:
    """How a contestant did: per round, its rate per CPU second, and how many times as fast ours was."""

    contestant: Contestant
    rates: tuple[float, ...]
    ratios: tuple[float, ...]

    @property
    def rate(self) -> float:
        """The median rate."""
        return median(self.rates)

    @property
    def ratio(self) -> float:
        """The median of how many times as fast ours was."""
        return median(self.ratios)

    @property
    def missed(self) -> bool:
        """Whether a floor was promised and not held."""
        return self.contestant.floor is not None and self.ratio < self.contestant.floor


def agree(race: Race) -> None:
    """Compare everybody's answers with ours. DisagreementError names who differs, and in what."""
    expected = race.ours.answers()
    for peer in race.peers:
        if isinstance(peer, Contestant) and (given := peer.answers()) != expected:
            raise DisagreementError(f"{race.title}: {peer.name} says {given!r:.400}, ours {expected!r:.400}")


def run(race: Race, rounds: int, turn_s: float) -> tuple[Standing | Absent, ...]:
    """All contestants' standings, ours first. A turn takes about `turn_s` CPU seconds.

    DisagreementError before anything is timed when the answers differ.
    """
    agree(race)
    field = [race.ours, *(peer for peer in race.peers if isinstance(peer, Contestant))]
    seconds: dict[str, list[float]] = {contestant.name: [] for contestant in field}
    gc.collect()
    gc.freeze()  # what is there already is not looked through again and again while somebody's time is taken
    try:
        counts = {contestant.name: _count(contestant, turn_s) for contestant in field}
        for number in range(rounds):
            for contestant in field if number % 2 == 0 else reversed(field):
                count = counts[contestant.name]
                seconds[contestant.name].append(_cpu_seconds(contestant.begin(count)) / count)
    finally:
        gc.unfreeze()
    ours = seconds[race.ours.name]

    def standing(contestant: Contestant) -> Standing:
        own = seconds[contestant.name]
        ratios = tuple(theirs / quickest for theirs, quickest in zip(own, ours, strict=True))
        return Standing(contestant, tuple(race.worth / each for each in own), ratios)

    return tuple(peer if isinstance(peer, Absent) else standing(peer) for peer in (race.ours, *race.peers))


def _count(contestant: Contestant, turn_s: float) -> int:
    """How many units make a turn: tried with ever more of them until the time is long enough to tell."""
    count = 1
    while (spent_s := _cpu_seconds(contestant.begin(count))) < turn_s / 8:
        count *= 4
    return max(1, round(count * turn_s / spent_s))


def _cpu_seconds(work: Callable[[], object]) -> float:
    """Without the garbage of the one before, but with the collector at work: who makes garbage pays for it."""
    gc.collect()
    start_s = time.thread_time()
    work()
    return time.thread_time() - start_s
