"""What programs say, line by line, each with the moment at which it came.

Programs stamp their own lines with whole seconds, so the time is taken here; the thread that does runs before
everything else where it may, so that a busy machine is not what is measured.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import threading
import time
from collections.abc import Callable, Iterator
from typing import IO

URGENT = 60
"""The real-time priority of whoever takes times: above the engines'."""
_CHUNK = 1 << 16
LONGEST_LINE = 1 << 16


class Listener:
    """Reads any number of pipes, from `start` to `end`."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._ending, self._end = os.pipe()
        self._selector.register(self._ending, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def follow(self, pipe: IO[bytes], take: Callable[[int, str], None]) -> None:
        """Call `take` with time (nanoseconds since 1970) and text of each line, in the reader's thread, to the end."""
        os.set_blocking(pipe.fileno(), False)
        self._selector.register(pipe, selectors.EVENT_READ, _Pipe(pipe, take))

    def end(self) -> None:
        """Read what is there still, and stop."""
        os.write(self._end, b".")
        if self._thread.is_alive():
            self._thread.join(5)
        for key in list(self._selector.get_map().values()):
            if key.data is not None:
                key.data.pipe.close()
        self._selector.close()
        os.close(self._ending)
        os.close(self._end)

    def _run(self) -> None:
        with urgently():
            self._read_all()

    def _read_all(self) -> None:
        ending = False
        while not ending:
            for key, _ in self._selector.select():
                ending |= key.data is None
                if key.data is not None and not key.data.read():
                    self._selector.unregister(key.fileobj)
                    key.data.pipe.close()
        for key in list(self._selector.get_map().values()):
            if key.data is not None:
                key.data.read()


class _Pipe:
    """One pipe, and the line that is not whole yet."""

    def __init__(self, pipe: IO[bytes], take: Callable[[int, str], None]) -> None:
        self.pipe = pipe
        self._take = take
        self._rest = b""

    def read(self) -> bool:
        """What is there; False at the end."""
        now_ns = time.time_ns()
        try:
            data = os.read(self.pipe.fileno(), _CHUNK)
        except BlockingIOError:
            return True
        *lines, self._rest = (self._rest + data).split(b"\n")
        if not data and self._rest:
            lines.append(self._rest)
        self._rest = self._rest[-LONGEST_LINE:]
        for line in lines:
            self._take(now_ns, line.decode("utf-8", "replace"))
        return bool(data)


@contextlib.contextmanager
def urgently(priority: int = URGENT) -> Iterator[None]:
    """The kernel runs this thread before all that have no real-time priority meanwhile, where it may be had.

    What the thread starts does not inherit that. Every thread of a laboratory does this: one that is kept from the
    processor while it holds the interpreter's lock keeps the others from it, too (measured: 10 ms).
    """
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(priority))
    except OSError:
        yield
        return
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
