"""What a virtual router counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from vrrp.protocol.validation import Discard


@dataclass(slots=True)
class Counters:
    """What one virtual router sent and received."""

    sent: int = 0
    priority_zero_sent: int = 0
    accepted: int = 0
    """Advertisements that passed every check, acted upon or not."""
    priority_zero_received: int = 0
    became_master: int = 0
    discarded: Counter[Discard] = field(default_factory=Counter)
