"""`vrrp` that tells, each time it gets SIGUSR1, how many blocks of memory Python has given out.

    python tests/chaos/watched.py FILE run -f keepalived.conf

A line with the number is added to FILE.
"""

from __future__ import annotations

import gc
import signal
import sys
from pathlib import Path
from types import FrameType

from vrrp.cli.main import main


def _tell(number: int, frame: FrameType | None) -> None:
    gc.collect()  # what is garbage already does not grow
    with Path(sys.argv[1]).open("a", encoding="ascii") as told:
        told.write(f"{sys.getallocatedblocks()}\n")


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, _tell)
    main(sys.argv[2:])
