"""The course of a scenario: what happens in the laboratories, each thing at its time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from sim.lab.laboratory import Laboratory
from sim.lab.listener import urgently
from sim.result import SECOND_NS
from sim.scenario import EventSpec

_LEAD_NS = SECOND_NS // 5
"""From the last preparation to the beginning."""
_STEP_NS = SECOND_NS // 10
"""How often whoever waits hears how far it has come."""


def conduct(laboratories: Sequence[Laboratory], progress: Callable[[int], None]) -> None:
    """Let the scenario happen in all of them at once; they are built. `progress` hears the scenario's time (ns).

    All laboratories are of one scenario. LabError when an engine does not start.
    """
    scenario = laboratories[0].scenario
    steps = [(spec.start, _start(name)) for name, spec in scenario.nodes.items() if spec.start is not None]
    steps += [(event.at, _act(event)) for event in scenario.events]
    with urgently():
        _conduct(laboratories, steps, scenario.duration, progress)


_Step = tuple[int, Callable[[Laboratory], None]]


def _start(name: str) -> Callable[[Laboratory], None]:
    return lambda lab: lab.start(name)


def _act(event: EventSpec) -> Callable[[Laboratory], None]:
    return lambda lab: lab.act(event)


def _conduct(
    laboratories: Sequence[Laboratory], steps: Sequence[_Step], duration_ns: int, progress: Callable[[int], None]
) -> None:
    zero_ns = time.time_ns() + _LEAD_NS
    for lab in laboratories:
        lab.begin(zero_ns)
    for at_ns, do in sorted(steps, key=lambda step: step[0]):
        if at_ns >= duration_ns:
            break
        _wait(zero_ns, at_ns, progress)
        for lab in laboratories:
            do(lab)
    _wait(zero_ns, duration_ns, progress)


def _wait(zero_ns: int, until_ns: int, progress: Callable[[int], None]) -> None:
    while (left_ns := zero_ns + until_ns - time.time_ns()) > 0:
        time.sleep(min(left_ns, _STEP_NS) / SECOND_NS)
        if left_ns > _STEP_NS:
            progress(max(0, time.time_ns() - zero_ns))
