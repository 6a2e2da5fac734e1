"""Processes that run before others, so that a busy machine is not what is measured."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

_PROMPT = 50
"""The real-time priority of what has begun to do its work."""


def hurry(pids: Iterable[int]) -> None:
    """Let the kernel run these processes, with all their threads, before those that have no real-time priority."""
    for pid in pids:
        with contextlib.suppress(OSError):  # it has ended, or this machine allows nobody to be first
            for thread in Path(f"/proc/{pid}/task").iterdir():
                os.sched_setscheduler(int(thread.name), os.SCHED_FIFO, os.sched_param(_PROMPT))
