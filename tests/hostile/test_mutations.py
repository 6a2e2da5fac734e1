"""A little of tests/hostile/mutations.py each time."""

from __future__ import annotations

import pytest

from hostile.mutations import GROWTH_MB, files, packets, seeds


def test_there_are_packets_to_mutate() -> None:
    assert len(seeds()) > 50


@pytest.mark.parametrize("seed", [1, 2])
def test_mutated_packets(seed: int) -> None:
    reached = packets(6000, seed)
    assert reached.failures == []
    assert reached.items == 6000


def test_mutated_files() -> None:
    reached = files(600, 1)
    assert reached.failures == []
    assert reached.items == 600


def test_memory_does_not_grow() -> None:
    reached = packets(30_000, 3)
    assert reached.failures == []
    assert reached.peak_mb - reached.settled_mb < GROWTH_MB
