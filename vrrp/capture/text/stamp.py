"""Time stamps, as tcpdump writes them for each number of -t."""

from __future__ import annotations

import time
from collections.abc import Callable

_SECOND_NS = 1_000_000_000
_DAY_S = 86_400


CALENDAR_KINDS = frozenset({0, 1, 2, 4})
"""The kinds in which a stamp does not depend on the packets before."""


class Stamps:
    """Writes one stamp after the other; `kind` is how often -t was given, 0 to 5."""

    def __init__(self, kind: int, *, nanoseconds: bool = False) -> None:
        self.digits = 9 if nanoseconds else 6
        self.tick_ns = 1 if nanoseconds else 1000
        self._earlier_ns: int | None = None
        self._first_ns: int | None = None
        self._calendar: dict[int, str] = {}
        self.kind = kind
        self._write: Callable[[int], str] = (
            self._clock,
            self._nothing,
            self._seconds,
            self._since_last,
            self._dated,
            self._since_first,
        )[kind]

    def write(self, time_ns: int) -> str:
        """The stamp of the next packet, with the blank after it."""
        return self._write(time_ns)

    def second(self, seconds: int) -> str:
        """What stands before the fraction: the time of day, with the date for kind 4; for 2 the number."""
        if self.kind == 2:
            return str(seconds)
        text = self._calendar.get(seconds)
        if text is None:
            if len(self._calendar) > 100_000:
                self._calendar.clear()
            text = self._calendar[seconds] = self._told(seconds)
        return text

    def _told(self, seconds: int) -> str:
        try:
            # The date comes with -tttt in local time as well.
            moment = time.localtime(seconds)
            clock = f"{moment.tm_hour:02d}:{moment.tm_min:02d}:{moment.tm_sec:02d}"
            return (
                clock if self.kind == 0 else f"{moment.tm_year:04d}-{moment.tm_mon:02d}-{moment.tm_mday:02d} {clock}"
            )
        except (OverflowError, ValueError, OSError):
            return "[Error converting time]"

    def _split(self, time_ns: int) -> tuple[int, str]:
        seconds, rest_ns = divmod(time_ns, _SECOND_NS)
        return seconds, f"{rest_ns // self.tick_ns:0{self.digits}d}"

    def _clock(self, time_ns: int) -> str:
        seconds, fraction = self._split(time_ns)
        return f"{self.second(seconds)}.{fraction} "

    _dated = _seconds = _clock

    def _nothing(self, time_ns: int) -> str:
        return ""

    def _since_last(self, time_ns: int) -> str:
        earlier_ns, self._earlier_ns = self._earlier_ns, time_ns
        return self._difference(time_ns, earlier_ns)

    def _since_first(self, time_ns: int) -> str:
        if self._first_ns is None:
            self._first_ns = time_ns
        return self._difference(time_ns, self._first_ns)

    def _difference(self, time_ns: int, from_ns: int | None) -> str:
        since_ns = 0 if from_ns is None else time_ns // self.tick_ns * self.tick_ns
        since_ns -= 0 if from_ns is None else from_ns // self.tick_ns * self.tick_ns
        sign, since_ns = ("-", -since_ns) if since_ns < 0 else (" ", since_ns)
        seconds, fraction = self._split(since_ns)
        minutes, second = divmod(seconds % _DAY_S, 60)
        return f"{sign}{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}.{fraction} "
