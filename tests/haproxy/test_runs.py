"""The whole stack as recorded and as simulated: what clients saw, who held the address, what was counted.

Where a run's outcome is a matter of milliseconds that no log tells - which of two equal backups was first and which
announced the address last, which server a check script met - it has to come about by chance, and all else with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from haproxy.agreement import differences
from haproxy.recorded import HAPROXY_S, Seen, names, recording
from haproxy.simulated import Simulation

ATTEMPTS = 30
CHECK_PHASE_S = {"link_down": 0.3, "link_down_r2": 0.1, "link_down_r3": 0.3, "backend_blackhole_seed_script": 0.2}
"""By when the last connection failed there: with it goes when HAProxy took the dead server for dead."""
CLIENT_STEP_S, CLIENT_ROUND_S = 0.007, 0.060
"""Clients connect each 20 ms to one of three servers in turn."""


def attempts(name: str, folder: Path, count: int = ATTEMPTS) -> Iterator[Simulation]:
    run = recording(name)
    phase_s = CHECK_PHASE_S.get(name, HAPROXY_S)
    for seed in range(1, count + 1):
        client_phase_s = seed * CLIENT_STEP_S % CLIENT_ROUND_S
        yield Simulation(run, run.stack(check_phase_s=phase_s, client_phase_s=client_phase_s), folder, seed)


@pytest.mark.parametrize("name", names())
def test_a_recorded_run_comes_about(name: str, tmp_path: Path) -> None:
    run = recording(name)
    least: list[str] = ["never run"] * 1000
    for simulation in attempts(name, tmp_path):
        found = differences(simulation, run)
        least = min(least, found, key=len)
        if not found:
            return
    pytest.fail(f"{name}: the nearest of {ATTEMPTS} runs differs:\n" + "\n".join(least))


def test_equal_backups_race(tmp_path: Path) -> None:
    """Of 20 recorded takeovers by two equal backups both became master in 8, and in 1 the loser was announced last.

    Since then two more ended so, on a busier machine: the address is announced for a node that gave it back, and
    nobody answers for 5 s, until the master announces it again.
    """
    lost = Counter[str]()
    both = 0
    runs = 40
    for simulation in attempts("hap_kill_r2", tmp_path, runs):
        outage_s = simulation.seen.outage_s(0.0, 9.0)
        lost["9.6 s" if outage_s > 9 else "4.6 s" if outage_s < 4.8 else "between"] += 1
        both += took_over(simulation) == {"n2", "n3"}
        winner = simulation.adverts[-1]
        assert winner[1] == "n1"
    assert 0.15 * runs < both < 0.65 * runs
    assert 0.02 * runs < lost["9.6 s"] < 0.25 * runs
    assert lost["4.6 s"] > 0.6 * runs


def took_over(simulation: Simulation) -> set[str]:
    """Who was master first after the first event, within a second of each other."""
    since = [one for one in simulation.result.transitions if one.new == "MASTER"]
    later = [one for one in since if one.at_ns / 1e9 > simulation.zero_s]
    return {one.node for one in later if one.at_ns < later[0].at_ns + 1_000_000_000}


def test_a_comparison_that_finds_nothing_would_find_something(tmp_path: Path) -> None:
    """The run of one fault is told apart from the recording of another."""
    run, other = recording("ka_term"), recording("ka_term_r2")
    simulation = Simulation(run, run.stack(), tmp_path, 5)
    seen = simulation.seen
    assert not [one for one in differences(simulation, run) if "stot" not in one]
    worse = [replace(one, result="http503") if 3 < one.start_s < 3.2 else one for one in seen.new]
    late = [one for one in worse if not 0.3 < one.start_s < 0.9]
    simulation.seen = Seen(late, seen.kept, [(at_s, ("n1",)) for at_s, _ in seen.holders])
    simulation.statistics["during"]["n2"]["n1"] = {**simulation.statistics["during"]["n2"]["n1"], "chkfail": 9}
    found = "\n".join(differences(simulation, other))
    for kind in ("second 3.0: 0% failed", "tcp:timeout", "http503", "had the address", "chkfail", "outage", "masters"):
        assert kind in found
