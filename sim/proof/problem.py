"""What a trial shows that should not be: one class, six kinds, and the smallest combinations that cause each."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sim.proof.failure import Failure
from sim.proof.trial import Fate, Stage, Trial


class Wrong(enum.Enum):
    """What is wrong with an address after failures, worst first; the value is how a person would say it."""

    NOBODY = "nobody holds it, though a node could"
    TWO = "two nodes hold it"
    RESTLESS = "it never comes to rest"
    STAYS = "it stays where it is not served, though another node could"
    AWAY = "it does not come back when all is mended"
    RACE = "two backups take it at once"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with an address in a stage of a trial."""

    wrong: Wrong
    address: str
    trial: Trial
    stage: Stage

    @property
    def failures(self) -> frozenset[Failure]:
        """What it takes."""
        return frozenset(self.trial.plan.failures)


def problems(trial: Trial) -> Iterator[Problem]:
    """Everything wrong in a trial, stage by stage. Its elected state is taken to be well."""
    first = trial.stages[0]
    for stage in trial.stages[1:]:
        for address, fate in stage.fates.items():
            for wrong in _wrongs(fate, stage):
                yield Problem(wrong, address, trial, stage)
            mended = stage is trial.stages[-1] and not stage.broken
            if mended and len(fate.masters) == 1 and fate.masters != first.fates[address].masters:
                yield Problem(Wrong.AWAY, address, trial, stage)


def _wrongs(fate: Fate, stage: Stage) -> Iterator[Wrong]:
    if not stage.settled:
        yield Wrong.RESTLESS
        return
    if len(fate.masters) > 1:
        yield Wrong.TWO
    elif fate.usable and not fate.masters:
        yield Wrong.NOBODY
    elif fate.usable and fate.masters[0] not in fate.usable:
        yield Wrong.STAYS
    if fate.racers and stage.broken:
        yield Wrong.RACE


def smallest(trials: Iterable[Trial]) -> Mapping[tuple[Wrong, str], tuple[Problem, ...]]:
    """For each kind and address the problems of which no part of the failures alone has the same, in order."""
    found: dict[tuple[Wrong, str], dict[frozenset[Failure], Problem]] = {}
    for trial in sorted(trials, key=lambda trial: len(trial.plan.failures)):  # stable: singles first
        for problem in problems(trial):
            known = found.setdefault((problem.wrong, problem.address), {})
            if not any(part <= problem.failures for part in known):
                known[problem.failures] = problem
    return {key: tuple(known.values()) for key, known in found.items()}
