"""The same seed gives the same run: in one process, in another, in every Python."""

from __future__ import annotations

import json
import os
import pickle
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from networks import client, event, network, router

import sim
from sim.network import Network
from sim.result import Result

JITTER = {"distribution": "lognormal", "median": "300us", "sigma": 0.8}


def jittery(seed: int, segment: dict[str, Any] | None = None, *, ideal: bool = False) -> Network:
    """Three routers and a client on a bad LAN, and everything happens to them."""
    events = [
        event("10s", "crash", "r1"),
        event("14s", "start", "r1"),
        event("20s", "partition", segment="lan", groups=[["r1", "c"], ["r2"]]),
        event("25s", "heal", segment="lan"),
        event("30s", "loss", segment="lan", rate=0.5),
        event("40s", "delay", segment="lan", delay={"distribution": "uniform", "low": "1us", "high": "2ms"}),
        event("45s", "stop", "r1"),
    ]
    return network(
        {"r1": router(103), "r2": router(102), "r3": router(101)},
        seed=seed,
        ideal=ideal,
        segments={"lan": segment or {"delay": JITTER, "loss": 0.05}},
        clients={"c": client(every="50ms")},
        events=events,
    )


def facts(result: Result) -> dict[str, Any]:
    return result.to_json() | {"sent": [[s.at_ns, s.node, s.priority] for s in result.sent]}


def test_the_same_seed_is_the_same_run() -> None:
    first = jittery(1).run()
    random.seed(99)  # nobody listens to the global generator
    assert jittery(1).run() == first


def test_another_seed_is_another_run_where_there_is_chance() -> None:
    assert facts(jittery(1).run()) != facts(jittery(2).run()) | {"seed": 1}


def test_another_seed_is_the_same_run_where_there_is_none() -> None:
    def calm(seed: int) -> dict[str, Any]:
        net = jittery(seed, {"delay": "300us"}, ideal=True)
        return facts(net.run(30_000_000_000)) | {"seed": 0}

    assert calm(1) == calm(2)


def test_a_result_travels() -> None:
    result = jittery(1).run()
    assert pickle.loads(pickle.dumps(result)) == result


PROGRAM = """
import json
from test_determinism import facts, jittery
print(json.dumps(facts(jittery(1).run())))
"""


def run_in(python: str, **environment: str) -> Any:
    paths = [Path(__file__).parent, Path(sim.__file__).parent.parent]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, paths)), "PYTHONDONTWRITEBYTECODE": "1"} | environment
    done = subprocess.run([python, "-c", PROGRAM], env=env, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("hash_seed", ["0", "12345"])
def test_another_process_with_other_hashes_is_the_same_run(hash_seed: str) -> None:
    assert run_in(sys.executable, PYTHONHASHSEED=hash_seed) == json.loads(json.dumps(facts(jittery(1).run())))


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_another_python_is_the_same_run(version: str) -> None:
    python = shutil.which(f"python{version}")
    needs = "import click, dpkt, pydantic, pytest, rich, simpy"
    if python is None or subprocess.run([python, "-c", needs], capture_output=True, check=False).returncode:
        pytest.skip(f"no python{version} on the PATH that has pytest and what the simulator needs")
    assert run_in(python) == json.loads(json.dumps(facts(jittery(1).run())))


def test_the_run_is_this_one() -> None:
    """Made with Python 3.11: pins every source of chance at once."""
    result = jittery(1).run()
    assert [(t.at_ns, t.node, t.new) for t in result.transitions[3:]] == GOLDEN
    assert (result.clients["c"].sent, result.clients["c"].failed, len(result.sent)) == (1181, 582, 63)


GOLDEN = [
    (3_598_712_537, "r1", "MASTER"),
    (10_000_000_000, "r1", "INITIALIZE"),
    (13_204_268_710, "r2", "MASTER"),
    (14_000_000_000, "r1", "BACKUP"),
    (17_597_862_865, "r1", "MASTER"),
    (17_598_304_781, "r2", "BACKUP"),
    (23_200_883_611, "r2", "MASTER"),
    (23_205_277_419, "r3", "MASTER"),
    (25_202_183_265, "r3", "BACKUP"),
    (25_202_833_244, "r2", "BACKUP"),
    (45_000_000_000, "r1", "INITIALIZE"),
    (45_605_707_570, "r3", "MASTER"),
    (46_817_160_842, "r2", "MASTER"),
    (47_609_511_117, "r3", "BACKUP"),
]
