"""The same protocol as one finds it in simpy's tutorials, and the least that any simulation in Python could do.

One master advertises each second; each backup waits for Master_Down_Interval and counts what it hears. There are no
packets here, no checks, no tracking, nothing but the timers: what a person writes first who wants to know how long
a failover takes. Times are in seconds, as simpy's own examples have them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Sequence
from typing import Any

import simpy

INTERVAL_S = 1.0
_SETTLED_S = 9.5
_ALARM_S = 0.5

_Process = Generator[simpy.Event, Any, None]


class Textbook(ABC):
    """A running master and its backups, one for each Master_Down_Interval (in seconds)."""

    def __init__(self, down_s: Sequence[float]) -> None:
        self._environment = simpy.Environment()
        self._down_s = down_s
        self._heard = [0] * len(down_s)
        self._sent_s = 0.0
        self._alive = True
        self._takeovers: list[tuple[int, float]] = []
        self._prepare()
        self._environment.process(self._master())
        self._environment.run(until=_SETTLED_S)

    def run(self, seconds: int) -> None:
        """Let simulated seconds pass."""
        self._environment.run(until=self._environment.now + seconds)

    def heard(self) -> int:
        """Advertisements that backups heard so far, all of them together."""
        return sum(self._heard)

    def fail_over(self) -> tuple[int, float]:
        """Silence the master: which backup takes over, and how long after the last advertisement (seconds)."""
        self._alive = False
        while not self._takeovers:
            self._environment.step()
        index, at_s = self._takeovers[0]
        return index, at_s - self._sent_s

    @abstractmethod
    def _prepare(self) -> None:
        """Set the backups up."""

    @abstractmethod
    def _advertise(self) -> None:
        """Reach the backups."""

    def _take_over(self, index: int) -> None:
        self._takeovers.append((index, self._environment.now))

    def _master(self) -> _Process:
        while self._alive:
            self._sent_s = self._environment.now
            self._advertise()
            yield self._environment.timeout(INTERVAL_S)


class InterruptIdiom(Textbook):
    """A process for each backup, in a timeout that each advertisement interrupts."""

    def _prepare(self) -> None:
        self._backups = [self._environment.process(self._backup(index)) for index in range(len(self._down_s))]
        self._environment.run(until=_ALARM_S)  # a process has to wait before it can be interrupted

    def _backup(self, index: int) -> _Process:
        down_s = self._down_s[index]
        while True:
            try:
                yield self._environment.timeout(down_s)
            except simpy.Interrupt:
                self._heard[index] += 1
            else:
                self._take_over(index)
                return

    def _advertise(self) -> None:
        for backup in self._backups:
            backup.interrupt()


class StoreIdiom(Textbook):
    """A mailbox for each backup, which waits for a message or a timeout, whichever is first."""

    def _prepare(self) -> None:
        self._mailboxes = [simpy.Store(self._environment) for _ in self._down_s]
        for index in range(len(self._down_s)):
            self._environment.process(self._backup(index))

    def _backup(self, index: int) -> _Process:
        down_s, mailbox = self._down_s[index], self._mailboxes[index]
        message = mailbox.get()
        while True:
            arrived = yield message | self._environment.timeout(down_s)
            if message not in arrived:
                self._take_over(index)
                return
            self._heard[index] += 1
            message = mailbox.get()

    def _advertise(self) -> None:
        for mailbox in self._mailboxes:
            mailbox.put("advertisement")


class LazyDeadlines(Textbook):
    """The bound: each advertisement only moves a number, and a timer that rings early is set again."""

    def _prepare(self) -> None:
        self._deadlines_s = list(self._down_s)
        for index in range(len(self._down_s)):
            self._set_timer(index)

    def _set_timer(self, index: int) -> None:
        left_s = self._deadlines_s[index] - self._environment.now
        if left_s <= 0:
            self._take_over(index)
            return
        callbacks = self._environment.timeout(left_s).callbacks
        assert callbacks is not None  # only an event that has happened has none
        callbacks.append(lambda _: self._set_timer(index))

    def _advertise(self) -> None:
        now_s, heard, deadlines_s = self._environment.now, self._heard, self._deadlines_s
        for index, down_s in enumerate(self._down_s):
            heard[index] += 1
            deadlines_s[index] = now_s + down_s
