"""All combinations of a cluster: planned, run on as many processes as pay, in an order that is always the same."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from itertools import combinations, islice, permutations
from multiprocessing import get_context

from sim.proof.failure import Failure
from sim.proof.rig import OutOfTimeError, Rig
from sim.proof.trial import Plan, Trial

_CHUNK = 64
_SHARE = 8
"""A trial may take this part of the budget; what takes longer, such as a script that runs each day, is left out."""
_POOL_PAYS = 1000
"""Trials from which on starting processes (half a second each, for Python to load it all) is worth it."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """The trials that were run, in order, and how many there are in all."""

    trials: tuple[Trial, ...]
    planned: int

    @property
    def complete(self) -> bool:
        """Whether every combination was run."""
        return len(self.trials) == self.planned


def plans(failures: Sequence[Failure]) -> Iterator[Plan]:
    """Each failure alone; then each pair, one after the other in both orders; then each pair in the same instant."""
    for failure in failures:
        yield Plan((failure,))
    for first, second in permutations(failures, 2):
        if not first.excludes(second):
            yield Plan((first, second))
    for first, second in combinations(failures, 2):
        if not first.excludes(second):
            yield Plan((first, second), at_once=True)


def campaign(rig: Rig, budget_s: float, processes: int | None = None) -> Campaign:
    """Run all single and double failures; what does not fit into the time is left out, from the end.

    Args:
        rig: the cluster.
        budget_s: seconds of real time after which no more trials are begun.
        processes: on how many to run; None: one, or as many as there are processors when there is much to do.
    """
    everything = list(plans(rig.failures))
    rig.until_s = time.monotonic() + budget_s
    rig.most_s = budget_s / _SHARE
    if processes is None:
        processes = (os.cpu_count() or 1) if len(everything) >= _POOL_PAYS else 1
    chunks = [everything[start : start + _CHUNK] for start in range(0, len(everything), _CHUNK)]
    trials: list[Trial] = []
    for done in _in_order(rig, chunks, processes):
        trials += done
        if time.monotonic() > rig.until_s:
            break
    return Campaign(tuple(trials), len(everything))


def _in_order(rig: Rig, chunks: Sequence[Sequence[Plan]], processes: int) -> Iterator[list[Trial]]:
    done = 0
    if processes > 1:
        # Where no other process can be started, this one does it all.
        with suppress(BrokenProcessPool):
            for trials in _pooled(rig, chunks, processes):
                done += 1
                yield trials
    for chunk in chunks[done:]:
        yield _work(rig, chunk)


def _pooled(rig: Rig, chunks: Sequence[Sequence[Plan]], processes: int) -> Iterator[list[Trial]]:
    # Not fork: whoever calls may have threads.
    with ProcessPoolExecutor(processes, get_context("spawn"), _equip, (rig,)) as pool:
        todo = iter(chunks)
        # Two chunks for each process: so that none waits, and little is lost when the time is over.
        waiting = [pool.submit(_worked, chunk) for chunk in islice(todo, 2 * processes)]
        try:
            while waiting:
                yield waiting.pop(0).result()
                waiting += [pool.submit(_worked, chunk) for chunk in islice(todo, 1)]
        finally:
            for future in waiting:
                future.cancel()


_bench: list[Rig] = []
"""In a worker process: the cluster it works on."""


def _equip(rig: Rig) -> None:
    _bench[:] = [rig]


def _worked(chunk: Sequence[Plan]) -> list[Trial]:
    return _work(_bench[0], chunk)


def _work(rig: Rig, chunk: Sequence[Plan]) -> list[Trial]:
    """The trials of a chunk, as far as there is time for them."""
    done: list[Trial] = []
    for plan in chunk:
        # A pair takes as long as the slower of the two.
        if not rig.slow.isdisjoint(plan.failures):
            continue
        try:
            done.append(rig.run(plan))
        except OutOfTimeError:
            if time.monotonic() > rig.until_s:
                break
            rig.slow |= set(plan.failures)
    return done
