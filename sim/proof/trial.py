"""One combination of failures, run: what broke and was mended when, and how each address fared in between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sim.proof.failure import Failure
from sim.scenario import EventSpec

BRIEF_NS = 1_000_000
"""Two masters for less than this are a handover: a frame on its way."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to try: failures one after the other, each when the last has come to rest, or all `at_once`.

    `offset_ns` is how long after the start of the trial the first one comes, `shift_ns` how much later than otherwise
    the elections are, and with them the phase of all advertisements; `mended`: whether to mend things afterwards.
    """

    failures: tuple[Failure, ...]
    at_once: bool = False
    offset_ns: int = 0
    shift_ns: int = 0
    mended: bool = True


@dataclass(frozen=True, slots=True)
class Fate:
    """How an address fared in a stage. Nodes by name; times in nanoseconds.

    `masters` are those its users can reach when the stage ends. `without_ns` is how long no node that could serve it
    was its master although there is one; `clash_ns` the longest time with two reachable masters; `takers` who became
    master on the users' side, and `racers` those of them who became so within a moment of another.
    """

    masters: tuple[str, ...]
    usable: tuple[str, ...]
    without_ns: int
    clash_ns: int
    takers: tuple[str, ...]
    racers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """From one act to the next: what is broken, whether it came to rest, and each address's fate.

    `from_ns` to `to_ns` is when; `changed_ns` the time of the last change of a state or priority. `detected_ns` is how
    long after the act the node itself first reacted (None: never, or there was nobody to).
    """

    broken: tuple[Failure, ...]
    from_ns: int
    to_ns: int
    changed_ns: int
    settled: bool
    detected_ns: int | None
    fates: Mapping[str, Fate]


@dataclass(frozen=True, slots=True)
class Trial:
    """A plan, carried out. `stages` begins with the elected state; one stage for each act follows.

    `events` are those of the scenario that shows it, `duration_ns` how long it took.
    """

    plan: Plan
    stages: tuple[Stage, ...]
    events: tuple[EventSpec, ...]
    duration_ns: int

    @property
    def elected(self) -> Stage:
        """The state before anything failed."""
        return self.stages[0]

    @property
    def worst(self) -> Stage:
        """The stage in which all of the plan is broken."""
        return max(self.stages, key=lambda stage: len(stage.broken))
