"""A lossless LAN with constant delay, small enough to be obviously right: one heap of events, integer times."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field

from vrrp.protocol.effects import Effect, SendAdvertisement, StateChanged
from vrrp.protocol.profile import Profile
from vrrp.protocol.router import KeyedEffects, Router
from vrrp.protocol.settings import RouterConfig, VirtualRouterConfig
from vrrp.protocol.state import State
from vrrp.wire.address import VRRP_GROUP_V4, pack
from vrrp.wire.advertisement import Advertisement, encode
from vrrp.wire.frame import Datagram


@dataclass
class Lan:
    """Hosts 10.0.0.1, 10.0.0.2 … in the order of their configurations, all of one profile.

    Each life of a process is a new `Router`. `log` keeps all effects: time, host, effect.
    """

    profile: Profile
    configs: Sequence[VirtualRouterConfig]
    delay_ns: int
    now_ns: int = 0
    log: list[tuple[int, int, Effect]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.routers: list[Router | None] = [None] * len(self.configs)
        self._events: list[tuple[int, int, int, str | Datagram]] = []
        self._count = 0
        self._datagrams: dict[tuple[int, Advertisement], Datagram] = {}

    def at(self, time_ns: int, number: int, event: str | Datagram) -> None:
        """`event` is start, stop, crash, or a datagram that arrives at host `number`."""
        self._count += 1
        heapq.heappush(self._events, (time_ns, self._count, number, event))

    def run(self, until_ns: int) -> None:
        """Everything up to and including `until_ns`; packets before timers of the same instant."""
        while True:
            wakes = [(r.wake_ns, n) for n, r in enumerate(self.routers) if r is not None]
            wake_ns, number = min(wakes, default=(until_ns + 1, 0))
            event_ns = self._events[0][0] if self._events else until_ns + 1
            if min(wake_ns, event_ns) > until_ns:
                self.now_ns = until_ns
                return
            if event_ns <= wake_ns:
                self.now_ns, _, number, event = heapq.heappop(self._events)
                self._happen(number, event)
            else:
                self.now_ns = wake_ns
                router = self.routers[number]
                assert router is not None
                self._perform(number, router.expire(wake_ns))

    def masters(self) -> list[int]:
        return [n for n, r in enumerate(self.routers) if r and r.virtual_routers[0].state is State.MASTER]

    def alive(self) -> list[int]:
        return [n for n, r in enumerate(self.routers) if r]

    def transitions(self, since_ns: int = 0) -> list[tuple[int, int, State]]:
        return [(t, n, e.new) for t, n, e in self.log if isinstance(e, StateChanged) and t >= since_ns]

    def _happen(self, number: int, event: str | Datagram) -> None:
        router = self.routers[number]
        if isinstance(event, Datagram):
            if router is not None:
                self._perform(number, router.receive(self.now_ns, "eth0", event))
        elif event == "start":
            if router is None:
                self.routers[number] = router = Router(
                    RouterConfig(virtual_routers=(self.configs[number],)),
                    profile=self.profile,
                    interfaces={"eth0": [self._address(number)]},
                )
                self._perform(number, router.start(self.now_ns))
        elif router is not None:
            self.routers[number] = None
            if event == "stop":
                self._perform(number, router.stop(self.now_ns))

    def _perform(self, number: int, effects: KeyedEffects) -> None:
        for _, effect in effects:
            self.log.append((self.now_ns, number, effect))
            if isinstance(effect, SendAdvertisement):
                datagram = self._datagram(number, effect.advertisement)
                for other in range(len(self.configs)):
                    if other != number:
                        self.at(self.now_ns + self.delay_ns, other, datagram)

    def _datagram(self, number: int, advertisement: Advertisement) -> Datagram:
        key = (number, advertisement)
        if key not in self._datagrams:
            source = pack(self._address(number))
            payload = encode(advertisement, source=source, destination=VRRP_GROUP_V4)
            self._datagrams[key] = Datagram(source, VRRP_GROUP_V4, 255, payload)
        return self._datagrams[key]

    @staticmethod
    def _address(number: int) -> str:
        return f"10.0.0.{number + 1}"
