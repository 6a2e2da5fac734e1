"""A client for real: it opens a TCP connection every so often, and notes which of them succeed."""

from __future__ import annotations

import errno
import os
import selectors
import socket
import threading
import time
from dataclasses import dataclass

from sim.lab.listener import urgently
from sim.lab.namespace import Namespace
from sim.result import SECOND_NS, ClientStory
from sim.scenario import ClientSpec

_UNDER_WAY = {0, errno.EINPROGRESS}


@dataclass(slots=True)
class _Try:
    at_ns: int
    answered: bool = False
    over: bool = False


class Client:
    """A client in a namespace, from `start` to `end`. Times are nanoseconds since 1970."""

    def __init__(self, name: str, namespace: Namespace, spec: ClientSpec) -> None:
        self.name = name
        self._namespace = namespace
        self._spec = spec
        self._target = (socket.inet_ntoa(spec.target[0]), spec.target[1])
        self._tries: list[_Try] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._ending, self._end = os.pipe()
        self._zero_ns = 0

    def start(self, zero_ns: int) -> None:
        """Begin when the scenario says, counted from `zero_ns`."""
        self._zero_ns = zero_ns
        self._thread.start()

    def end(self) -> None:
        """Try no more."""
        os.write(self._end, b".")
        if self._thread.is_alive():
            self._thread.join(5)
        os.close(self._ending)
        os.close(self._end)

    def _run(self) -> None:
        with urgently(), self._namespace.entered(), selectors.DefaultSelector() as selector:
            selector.register(self._ending, selectors.EVENT_READ)
            next_ns = self._zero_ns + self._spec.start
            under_way: dict[socket.socket, _Try] = {}
            try:
                while True:
                    now_ns = time.time_ns()
                    if now_ns >= next_ns:
                        self._connect(now_ns, selector, under_way)
                        next_ns = max(next_ns + self._spec.every, now_ns)
                    self._give_up(now_ns, selector, under_way)
                    for key, _ in selector.select((next_ns - time.time_ns()) / SECOND_NS):
                        if not isinstance(key.fileobj, socket.socket):
                            return
                        self._settle(key.fileobj, selector, under_way)
            finally:
                for opened in under_way:
                    opened.close()

    def _connect(self, now_ns: int, selector: selectors.BaseSelector, under_way: dict[socket.socket, _Try]) -> None:
        one = _Try(now_ns)
        self._tries.append(one)
        opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        opened.setblocking(False)
        if opened.connect_ex(self._target) in _UNDER_WAY:
            under_way[opened] = one
            selector.register(opened, selectors.EVENT_WRITE)
        else:
            one.over = True
            opened.close()

    def _settle(
        self, opened: socket.socket, selector: selectors.BaseSelector, under_way: dict[socket.socket, _Try]
    ) -> None:
        one = under_way.pop(opened)
        one.over = True
        # The kernel tries once more by itself after a second.
        in_time = time.time_ns() <= one.at_ns + self._spec.timeout
        one.answered = in_time and opened.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
        selector.unregister(opened)
        opened.close()

    def _give_up(self, now_ns: int, selector: selectors.BaseSelector, under_way: dict[socket.socket, _Try]) -> None:
        late = [opened for opened, one in under_way.items() if now_ns > one.at_ns + self._spec.timeout]
        for opened in late:
            under_way.pop(opened).over = True
            selector.unregister(opened)
            opened.close()

    def story(self, end_ns: int) -> ClientStory:
        """What it saw until `end_ns`; times of gaps from the beginning, tries that may still be answered left out."""
        settled = [t for t in self._tries if t.at_ns < end_ns and (t.over or t.at_ns + self._spec.timeout <= end_ns)]
        gaps: list[tuple[int, int]] = []
        failing_ns: int | None = None
        for one in settled:
            if not one.answered and failing_ns is None:
                failing_ns = one.at_ns
            elif one.answered and failing_ns is not None:
                gaps.append((failing_ns - self._zero_ns, one.at_ns - self._zero_ns))
                failing_ns = None
        if failing_ns is not None:
            gaps.append((failing_ns - self._zero_ns, end_ns - self._zero_ns))
        ok = sum(one.answered for one in settled)
        target = f"{self._target[0]}:{self._target[1]}"
        return ClientStory(target, len(settled), ok, len(settled) - ok, tuple(gaps))
