"""A server as its balancer sees it."""

from __future__ import annotations

HEAVIEST_16THS = 256 * 16
"""The greatest effective weight."""


class Contender:
    """What balancing asks of a server. The owner keeps the fields right and tells the balancer (see `Balancer`).

    Attributes:
        id: `id` of the server, or its place in the backend from 1.
        backup: whether it waits for all others to be gone.
        usable: whether it may be given new clients.
        weight_16ths: its effective weight (`ServerHealth.weight_16ths`); without health, 16 times the user's.
        served: how many sessions it has now.
        queued: how many wait in its own queue.
        limit: so many sessions at once, 0 for no limit (`maxconn`, less by minconn and slowstart).
        maxqueue: so many may wait in its queue, 0 for no limit.
    """

    __slots__ = ("backup", "id", "limit", "maxqueue", "queued", "served", "usable", "weight_16ths")

    def __init__(
        self,
        id: int,  # noqa: A002  HAProxy's own word for it
        *,
        weight_16ths: int = 16,
        backup: bool = False,
        limit: int = 0,
        maxqueue: int = 0,
    ) -> None:
        self.id = id
        self.backup = backup
        self.usable = weight_16ths > 0
        self.weight_16ths = weight_16ths
        self.served = 0
        self.queued = 0
        self.limit = limit
        self.maxqueue = maxqueue

    @property
    def has_room(self) -> bool:
        """Whether another session would not have to wait."""
        return not self.limit or (not self.queued and self.served < self.limit)
