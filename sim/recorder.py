"""Takes notes while a run goes on, and makes the `Result` of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sim.result import ClientStory, Happened, Ownership, PriorityChange, Result, Said, Sent, Span, Transition

MASTER = "MASTER"


class Recorder:
    """What happened so far. Serving means: master, process running or at least not dead, link up."""

    def __init__(self) -> None:
        self.transitions: list[Transition] = []
        self.priorities: list[PriorityChange] = []
        self.sent: list[Sent] = []
        self.events: list[Happened] = []
        self.spells: list[tuple[int, str, str, bool]] = []
        """When which node began (True) or ceased to serve which address: (time, address, node, begins)."""
        self._held: dict[tuple[str, str], int] = {}
        self._ownership: list[Ownership] = []
        self._serving: dict[str, dict[str, None]] = {}
        self._since: dict[str, int] = {}
        self._served: set[str] = set()
        self._outages: list[Span] = []
        self._dual: list[Span] = []
        self._left: dict[str, tuple[str, ...]] = {}

    def expect(self, address: str) -> None:
        """An address (text) that somebody ought to serve."""
        self._serving.setdefault(address, {})
        self._since.setdefault(address, 0)

    def dismiss(self, now_ns: int, address: str) -> None:
        """Nobody is to serve this address any more; what was, was."""
        if address in self._serving:
            self._close(now_ns, address)
            del self._serving[address]

    def hold(self, now_ns: int, node: str, address: str) -> None:
        """A node put an address on its interface."""
        self._held.setdefault((address, node), now_ns)

    def release(self, now_ns: int, node: str, address: str) -> None:
        """A node took an address off, or vanished with it."""
        from_ns = self._held.pop((address, node), None)
        if from_ns is not None:
            self._ownership.append(Ownership(address, node, from_ns, now_ns))

    def serve(self, now_ns: int, node: str, address: str, serving: bool) -> None:
        """Whether a node now stands for an address as a master that others can reach."""
        nodes = self._serving.get(address, {})
        if serving is (node in nodes):
            return
        self._close(now_ns, address)
        self.spells.append((now_ns, address, node, serving))
        if serving:
            nodes[node] = None
            self._served.add(address)
        else:
            del nodes[node]
            self._left[address] = (node,)
        self._since[address] = now_ns

    def _close(self, now_ns: int, address: str) -> None:
        """End the stretch of time in which the present nodes served an address."""
        nodes = tuple(self._serving[address])
        since_ns = self._since[address]
        if now_ns == since_ns:
            return
        if len(nodes) > 1:
            self._dual.append(Span(address, since_ns, now_ns, nodes))
        elif not nodes and address in self._served:
            self._outages.append(Span(address, since_ns, now_ns, self._left[address]))

    def result(
        self,
        *,
        title: str,
        seed: int,
        duration_ns: int,
        nodes: tuple[str, ...],
        instances: Mapping[str, tuple[str, ...]],
        clients: Mapping[str, ClientStory],
        counters: Mapping[str, Mapping[str, Any]],
        notes: tuple[str, ...],
        said: tuple[Said, ...] = (),
        balancers: Mapping[str, Sequence[Mapping[str, str]]] | None = None,
    ) -> Result:
        """Close everything at the end of the run and hand it over."""
        for address, node in tuple(self._held):
            self.release(duration_ns, node, address)
        for address in self._serving:
            if address not in self._served:
                self._outages.append(Span(address, 0, duration_ns))
            self._close(duration_ns, address)
        return Result(
            title=title,
            seed=seed,
            duration_ns=duration_ns,
            nodes=nodes,
            instances=instances,
            transitions=tuple(self.transitions),
            priorities=tuple(self.priorities),
            sent=tuple(self.sent),
            events=tuple(self.events),
            ownership=tuple(sorted(self._ownership, key=lambda o: (o.from_ns, o.to_ns))),
            outages=tuple(sorted(self._outages, key=lambda s: (s.from_ns, s.to_ns))),
            dual_masters=tuple(sorted(_joined(self._dual), key=lambda s: (s.from_ns, s.to_ns))),
            clients=clients,
            counters=counters,
            notes=notes,
            said=said,
            balancers=balancers or {},
        )


def _joined(spans: list[Span]) -> list[Span]:
    """Stretches that touch (a third master comes or goes) are one."""
    joined: list[Span] = []
    for span in spans:
        last = next((s for s in reversed(joined) if s.address == span.address), None)
        if last is not None and last.to_ns == span.from_ns:
            joined.remove(last)
            names = tuple(dict.fromkeys(last.nodes + span.nodes))
            joined.append(Span(span.address, last.from_ns, span.to_ns, names))
        else:
            joined.append(span)
    return joined
