"""Signals that come while a daemon is being made: they wait until it can act on them."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

HELD = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@contextmanager
def held_signals() -> Iterator[None]:
    """Let them wait, until a daemon lets them come or the block ends."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, HELD)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
