"""One router as heard in a capture: what it said, when it claimed mastership, how regularly it spoke."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vrrp.capture.audit.meaning import Said, Sum
from vrrp.protocol.timers import CENTISECOND_NS, master_down_ns

_VALUES = 16
"""Different values remembered of each property: more than a router has in its life."""


@dataclass(slots=True)
class Span:
    """A stretch in which a router claimed to be master."""

    first_ns: int
    last_ns: int
    """Of its last sign of life as master: an advertisement or an announcement."""
    first_number: int
    last_number: int
    adverts: int = 0
    adverts_before: int = 0
    """Of all routers of the virtual router, before this span."""
    goodbye_ns: int | None = None
    """When it resigned with priority 0."""
    superseded_ns: int | None = None
    """When another took over that it gave way to."""

    @property
    def end_ns(self) -> int:
        """When it ended, as far as the capture shows."""
        if self.goodbye_ns is not None:
            return self.goodbye_ns
        return self.last_ns if self.superseded_ns is None else max(self.superseded_ns, self.last_ns)


@dataclass(slots=True)
class Jitter:
    """How far the gaps between consecutive advertisements are from the stated interval."""

    gaps: int = 0
    shortest_ns: int = 0
    longest_ns: int = 0
    sum_late_ns: float = 0.0
    sum_square: float = 0.0

    def add(self, gaps_ns: NDArray[np.int64], interval_ns: int) -> None:
        """Count more gaps."""
        late = (gaps_ns - interval_ns).astype(np.float64)
        self.shortest_ns = min(self.shortest_ns or 1 << 62, int(gaps_ns.min()))
        self.longest_ns = max(self.longest_ns, int(gaps_ns.max()))
        self.gaps += len(gaps_ns)
        self.sum_late_ns += float(late.sum())
        self.sum_square += float(np.square(late).sum())

    @property
    def mean_late_ns(self) -> float:
        """The mean lateness of a gap, in nanoseconds."""
        return self.sum_late_ns / self.gaps if self.gaps else 0.0

    @property
    def deviation_ns(self) -> float:
        """The standard deviation of the gaps, in nanoseconds."""
        if not self.gaps:
            return 0.0
        return math.sqrt(max(0.0, self.sum_square / self.gaps - self.mean_late_ns**2))


@dataclass(slots=True)
class Sender:
    """Who sends from one address for one virtual router."""

    source: bytes
    said: Said
    """What it said last with a priority other than 0."""
    spans: list[Span] = field(default_factory=list)
    spans_dropped: int = 0
    adverts: int = 0
    resigned: bool = False
    """Whether the last thing it said was priority 0."""
    last_ns: int = 0
    """When it was last heard, with whatever priority."""
    last_number: int = 0
    identification: int = 0
    """The IPv4 identification of its last packet; senders count them."""
    counting: bool | None = None
    """Whether they rise by one from packet to packet; None before two came in a row."""
    missed: bool = False
    """Whether another took over because this one had fallen silent."""
    jitter: Jitter = field(default_factory=Jitter)
    values: dict[str, dict[Hashable, int]] = field(default_factory=dict)
    """What it said: property -> value -> the first packet that said it."""
    noted_ns: dict[int, int] = field(default_factory=dict)
    """When those packets came."""
    macs: Counter[bytes] = field(default_factory=Counter)
    heard: set[Said] = field(default_factory=set)
    """What `note` has noted, for a quick look; bounded."""

    MOST_SPANS = 10_000

    @property
    def span(self) -> Span | None:
        """Its last span, open or not; None before the first."""
        return self.spans[-1] if self.spans else None

    @property
    def down_ns(self) -> int:
        """How long after its last advertisement a backup of any priority has noticed its absence."""
        a = self.said.advertisement
        return master_down_ns(0, max(a.interval_cs, 1), a.version)

    @property
    def interval_ns(self) -> int:
        """The interval it states."""
        return self.said.advertisement.interval_cs * CENTISECOND_NS

    @property
    def precedence(self) -> tuple[int, bytes]:
        """What decides between two masters: the priority, then the address (RFC 5798 section 6.4.3)."""
        return self.said.advertisement.priority, self.source

    def alive(self, now_ns: int) -> bool:
        """Whether it claims mastership: spoke recently, and did not resign."""
        span = self.span
        return span is not None and not self.resigned and now_ns - span.last_ns <= self.down_ns

    def begin(self, now_ns: int, number: int) -> Span:
        """A new span."""
        if len(self.spans) >= self.MOST_SPANS:
            self.spans_dropped += 1
            self.spans.pop()
        self.missed = False
        span = Span(now_ns, now_ns, number, number)
        self.spans.append(span)
        return span

    def note(self, said: Said, number: int, time_ns: int) -> None:
        """Remember what a packet said, the first packet of each value."""
        if len(self.heard) < 1024:
            self.heard.add(said)
        a = said.advertisement
        for name, value in (
            ("version", a.version),
            ("priority", a.priority),
            ("interval_cs", a.interval_cs),
            ("addresses", a.addresses),
            ("auth_type", 2 if said.authentication is not None else a.auth_type),
            ("password", a.auth_data if a.auth_type == 1 else None),
            ("unicast", said.unicast),
            ("checksum", said.checksum),
            ("mac", said.mac),
        ):
            if name == "checksum" and (value in {Sum.WRONG, Sum.UNKNOWN} or a.version == 2 or len(self.source) == 16):
                continue
            if (name in {"interval_cs", "priority"} and not a.priority) or (name == "password" and value is None):
                continue
            known = self.values.setdefault(name, {})
            if len(known) < _VALUES and value not in known:
                known[value] = number
                self.noted_ns[number] = time_ns
