"""How the tests are shared out when several processes run them (`pytest -n 4`, which is pytest-xdist's)."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

WAITING = ("tests/benchmarks/", "tests/lab/", "tests/linux/")
"""Tests of real programs and daemons, each in network namespaces of its own."""


class Shares(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types
    """What one process does in one go: a module, whose tests share what is costly to make.

    Where tests wait in real time, each is for whoever is free. These come last, as xdist begins with the largest
    shares: what measures milliseconds runs beside others that wait, not beside what takes all of the processor.
    `--dist=loadgroup` would do as much, had it an effect in pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        return nodeid if nodeid.startswith(WAITING) else nodeid.partition("::")[0]
