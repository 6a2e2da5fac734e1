"""`vrrp` whose wall clock goes wrong by as many seconds as stand in a file, from one reading to the next.

    python tests/chaos/stepped.py FILE run -f keepalived.conf

Only CLOCK_REALTIME is changed, and that for this process alone; the machine's clock stays as it is.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

_SECOND_NS = 1_000_000_000


def step_by(file: Path) -> None:
    """From now on whatever asks Python for the wall clock gets a wrong time."""

    def wrong(right: Callable[[], int]) -> Callable[[], int]:
        return lambda: right() + int(file.read_text(encoding="ascii") or "0") * _SECOND_NS

    now_ns, clock_ns = wrong(time.time_ns), time.clock_gettime_ns
    right_localtime, right_gmtime = time.localtime, time.gmtime

    def gettime_ns(clock: int) -> int:
        return now_ns() if clock == time.CLOCK_REALTIME else clock_ns(clock)

    time.time_ns = now_ns
    time.time = lambda: now_ns() / _SECOND_NS
    time.clock_gettime_ns = gettime_ns
    time.clock_gettime = lambda clock: gettime_ns(clock) / _SECOND_NS
    time.localtime = lambda seconds=None, /: right_localtime(time.time() if seconds is None else seconds)
    time.gmtime = lambda seconds=None, /: right_gmtime(time.time() if seconds is None else seconds)


if __name__ == "__main__":
    step_by(Path(sys.argv[1]))

    from vrrp.cli.main import main  # only now: who imports `time` by name gets the wrong one, too

    main(sys.argv[2:])
