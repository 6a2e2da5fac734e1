"""Random events in namespaces, in rounds: a burst, quiet, and then everything must be as it should.

    python tests/chaos/run.py --events 200 --seed 1
    python tests/chaos/run.py --events 200 --seed 1 --keepalived 1

Four nodes with eleven virtual routers each. After each burst comes quiet of two Master_Down_Intervals; then each
address has exactly one holder among the nodes that hear each other (none where none can be), and what the daemons
believe is what their kernels have. In the end everything is mended, once more looked at, and stopped: nothing may be
left in the kernels, of processes, or of files. Exits with 1 when something was not so.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from chaos.cluster import QUIET_S, Cluster, cluster  # noqa: E402  # only now can it be found
from chaos.happenings import draw  # noqa: E402  # see above
from chaos.invariants import broken, left_over  # noqa: E402  # see above
from sim.process import ScriptOutcome  # noqa: E402  # see above

_BURST = range(4, 9)
_PAUSE_S = 0.5
"""The longest between two events of a burst."""


@dataclass
class Outcome:
    """What happened, in words, and what was wrong after which round (the last is the end)."""

    events: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def after_quiet(made: Cluster) -> list[str]:
    """What is wrong after all the quiet that there must be."""
    time.sleep(QUIET_S)
    return broken(made)


def once_whole(made: Cluster) -> list[str]:
    """The same for who has less time: nothing may be wrong at some moment by then, most often much earlier."""
    until = time.monotonic() + QUIET_S
    while (found := broken(made)) and time.monotonic() < until:
        time.sleep(_PAUSE_S)
    return found


def run(
    events: int,
    seed: int,
    *,
    nodes: int = 4,
    keepalived: int = 0,
    burst: Sequence[int] = _BURST,
    look: Callable[[Cluster], list[str]] = after_quiet,
    tell: Callable[[str], None] = lambda line: None,
    keep: Path | None = None,
) -> Outcome:
    """So many events, in bursts of some of these lengths. `look` finds what is wrong after each.

    `keep` is a folder for the logs.
    """
    outcome = Outcome()
    rng = random.Random(seed)
    with cluster(nodes, keepalived) as made:
        try:
            for member in made:
                made.start(member)
            while len(outcome.events) < events:
                _burst(made, rng, min(rng.choice(burst), events - len(outcome.events)), outcome, tell)
                _judge(look(made), outcome, tell)
            _mend(made)
            _judge(look(made), outcome, tell)
            for member in made:
                made.stop(member)
            outcome.faults += left_over(made)
        finally:
            if keep is not None:
                keep.mkdir(parents=True, exist_ok=True)
                for member in made:
                    (keep / f"{member.name}.log").write_bytes(member.node.log.read_bytes())
    return outcome


def _burst(made: Cluster, rng: random.Random, count: int, outcome: Outcome, tell: Callable[[str], None]) -> None:
    for _ in range(count):
        what, act = draw(made, rng)
        outcome.events.append(what)
        tell(f"{len(outcome.events):4} {time.time():.3f} {what}")
        act()
        time.sleep(rng.random() * _PAUSE_S)
    made.calm()


def _judge(faults: list[str], outcome: Outcome, tell: Callable[[str], None]) -> None:
    for fault in faults:
        outcome.faults.append(f"after event {len(outcome.events)}: {fault}")
        tell(f"     {time.time():.3f} WRONG {fault}")


def _mend(made: Cluster) -> None:
    """Everything runs and is linked."""
    for segment in made.switches:
        made.partition(segment, ())
    for member in made:
        for interface in member.linked:
            made.link(member, interface, True)
        made.script(member, ScriptOutcome.PASS)
        if member.paused:
            made.pause(member, False)
        if not member.runs:
            made.start(member)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10_000))
    parser.add_argument("--nodes", type=int, default=4)
    parser.add_argument("--keepalived", type=int, default=0, help="how many of the nodes run the real keepalived")
    parser.add_argument("--keep", type=Path, help="a folder for the logs")
    chosen = parser.parse_args()
    print(f"seed {chosen.seed}", flush=True)
    outcome = run(
        chosen.events,
        chosen.seed,
        nodes=chosen.nodes,
        keepalived=chosen.keepalived,
        tell=lambda line: print(line, flush=True),
        keep=chosen.keep,
    )
    for fault in outcome.faults:
        print(f"WRONG {fault}")
    print(f"seed {chosen.seed}: {len(outcome.events)} events, {len(outcome.faults)} faults")
    return int(bool(outcome.faults))


if __name__ == "__main__":
    sys.exit(main())
