"""The sequence numbers of Authentication Headers (RFC 2402 section 3.3.3), as the routers of one VRID count them."""

from __future__ import annotations

from dataclasses import dataclass, field

from vrrp.wire.authentication_header import MAX_SEQUENCE


@dataclass(slots=True)
class AhSequence:
    """What one virtual router knows of them.

    `last` is the last that it sent or accepted: all routers of a VRID count on together (keepalived, measured).
    `heard` has the last that it accepted of each sender (packed).
    """

    last: int = 0
    heard: dict[bytes, int] = field(default_factory=dict)

    def hear(self, source: bytes, number: int) -> None:
        """A packet was accepted."""
        self.last = max(self.last, number)
        self.heard[source] = number

    def next(self) -> int:
        """The number of the next packet; it stays at the last there is (keepalived)."""
        self.last = min(self.last + 1, MAX_SEQUENCE)
        return self.last
