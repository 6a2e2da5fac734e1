"""A load balancer on a node, as the node sees it."""

from __future__ import annotations

from typing import Protocol


class Balancer(Protocol):
    """HAProxy's process manager: what a scenario's events do to it. The node starts it when its own time comes."""

    def start(self, now_ns: int) -> None:
        """Start it (the node's start, haproxy-start); nothing where it runs."""

    def stop(self, now_ns: int) -> None:
        """SIGTERM (haproxy-stop)."""

    def kill(self, now_ns: int) -> None:
        """SIGKILL (haproxy-kill), or the node lost its power: then no packet of its connections gets out any more."""

    def reload(self, now_ns: int) -> None:
        """A new process takes the listening sockets, the old one ends with its last connection (haproxy-reload)."""
