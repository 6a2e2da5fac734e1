"""The one alarm clock of a daemon: a timer of the kernel (timerfd_create(2)), exact to some microseconds.

asyncio's own timers end up to a millisecond late, because epoll counts in milliseconds.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import struct
import time
from collections.abc import Callable

from vrrp.protocol.timers import NEVER

_libc = ctypes.CDLL(None, use_errno=True)
_TIMER = struct.Struct("@qqqq")
"""struct itimerspec: the interval, then the time, each in seconds and nanoseconds."""
_ABSOLUTE = 1
_SECOND_NS = 1_000_000_000


class Alarm:
    """Calls `ring` in an event loop at a time of CLOCK_MONOTONIC, in nanoseconds; never early.

    Lazy: putting the time off costs nothing, the alarm then rings at the earlier time and is armed anew. OSError
    where the kernel has no timer left.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, ring: Callable[[], None]) -> None:
        self._descriptor = _libc.timerfd_create(time.CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self._descriptor < 0:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error))
        self._loop = loop
        self._ring = ring
        self._armed_ns = NEVER
        loop.add_reader(self._descriptor, self._expired)

    def arm(self, at_ns: int) -> None:
        """Ring at this time at the latest; `NEVER`: leave it as it is."""
        if at_ns >= self._armed_ns:
            return
        self._armed_ns = at_ns
        seconds, rest_ns = divmod(max(1, at_ns), _SECOND_NS)  # all zeros would disarm it
        buffer = ctypes.create_string_buffer(_TIMER.pack(0, 0, seconds, rest_ns))
        _libc.timerfd_settime(self._descriptor, _ABSOLUTE, buffer, None)

    def close(self) -> None:
        """Ring no more."""
        self._loop.remove_reader(self._descriptor)
        os.close(self._descriptor)

    def _expired(self) -> None:
        try:
            os.read(self._descriptor, 8)
        except BlockingIOError:  # armed anew since the event was reported
            return
        self._armed_ns = NEVER
        self._ring()
