"""Makes the recordings of what only the proofs claim, as root in tests/: `python -m proof.record`."""

from __future__ import annotations

from pathlib import Path

from fidelity.configurations import block, checked, head, instance
from fidelity.lab import Lab

DATA = Path(__file__).parent / "data"


def equal_after_a_weight(folder: Path) -> None:
    """The second node is gone when the first one's check fails: 104 - 2 is the third's 102, which never preempts."""
    with Lab(folder, checked(104, 103, 102, lines=["weight -2"])) as lab:
        lab.start(1, 2, 3)
        lab.until(7.2)
        lab.stop(2)
        lab.until(13.4)
        lab.script(1, "fail")
        lab.until(28)


def sync_group_cut_on_one_side(folder: Path) -> None:
    """Cut off on one of two segments, its carrier up: the other side's group waits for its second member for ever."""
    group = block("vrrp_sync_group G1", block("group", "VI_1", "VI_2"))
    configs = [head() + group + instance(priority) + instance(priority, number=2) for priority in (101, 100)]
    with Lab(folder, configs, interfaces=2) as lab:
        lab.start(1, 2)
        lab.until(7.3)
        lab.partition(1)
        lab.until(23)


def preempt_delay_and_a_weight(folder: Path) -> None:
    """A lower priority begins the delay of the backup, which then takes the last advertisement within it."""
    with Lab(folder, checked(102, 100, lines=["weight -5"], options=["preempt_delay 5"])) as lab:
        lab.start(1, 2)
        lab.until(13.6)
        lab.script(1, "fail")
        lab.until(26)


def main() -> None:
    """Make them all."""
    for make in (equal_after_a_weight, sync_group_cut_on_one_side, preempt_delay_and_a_weight):
        make(DATA / make.__name__)


if __name__ == "__main__":
    main()
