"""A load balancer on a node, as the node sees it."""

from __future__ import annotations

from typing import Protocol


class Service(Protocol):
    """What starts with a node and dies with it. `name` is its process's, as `pidof` knows it."""

    name: str

    @property
    def running(self) -> bool:
        """Whether it has a process now."""

    def start(self, now_ns: int) -> None:
        """Start it; nothing where it runs."""

    def kill(self, now_ns: int) -> None:
        """SIGKILL, or the node lost its power (`Program.end` knows which): nothing where it does not run."""


class Balancer(Service, Protocol):
    """HAProxy on a node: what a scenario's events do to it, `start` and `kill` among them."""

    def stop(self, now_ns: int) -> None:
        """SIGTERM (haproxy-stop)."""

    def reload(self, now_ns: int) -> None:
        """A new process takes the listening sockets, the old one ends with its last connection (haproxy-reload)."""
