"""The daemon: the real router object between the clock of this machine and its kernel.

It is Linux's driver of the protocol core, as `sim.process` is the simulator's: it turns effects into packets and
addresses, keeps one lazy wake-up armed, and tells the router what happens. Services (see `Service`) do the rest.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from vrrp.config import ParsedConfig
from vrrp.linux.alarm import Alarm
from vrrp.linux.configuration import Configuration, ConfigurationError, Reader, interfaces_of
from vrrp.linux.kernel import Kernel
from vrrp.linux.service import Service
from vrrp.protocol.effects import (
    AcquireAddresses,
    Announce,
    Effect,
    ReleaseAddresses,
    SendAdvertisement,
)
from vrrp.protocol.profile import OURS, Profile
from vrrp.protocol.router import KeyedEffects, Router
from vrrp.protocol.virtual_router import VirtualRouter
from vrrp.wire.frame import Datagram

log = logging.getLogger("vrrp.daemon")

Listener: TypeAlias = Callable[[int, VirtualRouter | None, Effect], None]


class Daemon:
    """One run of the router that a configuration describes, from `run` to a signal that ends it.

    Args:
        read: reads the configuration, now and at each reload.
        kernel: packets and addresses.
        services: what runs beside it.
        profile: whose behavior.

    Attributes:
        config: what stands in the file that is being run.
        router: the router; None before `run`.
        listeners: called with the time (CLOCK_MONOTONIC in nanoseconds), the virtual router and the effect, one
            after the other, when all effects of an input were carried out.
        handlers: what carries out an effect, by its class; a service that carries out others adds its own.
        reloaded: called after another configuration was taken over, before its effects are carried out.
        signals: what else to do at which signal.
        reports: what services tell in `vrrp status`: tables by heading, each a function that gives its rows, which
            all have the same keys. A `state` of "up" or "down" is shown in color.
    """

    def __init__(
        self, read: Reader, kernel: Kernel, services: Sequence[Service] = (), *, profile: Profile = OURS
    ) -> None:
        self.kernel = kernel
        self.profile = profile
        self.services = list(services)
        self.listeners: list[Listener] = []
        self.reloaded: list[Callable[[], None]] = []
        self.reports: dict[str, Callable[[], list[dict[str, Any]]]] = {}
        self.signals: dict[signal.Signals, Callable[[], None]] = {
            signal.SIGTERM: self.stop,
            signal.SIGINT: self.stop,
            signal.SIGHUP: self.reload,
        }
        self.handlers: dict[type, Callable[[int, Any, Any], None]] = {
            SendAdvertisement: lambda now_ns, router, effect: kernel.send(router, effect.advertisement),
            Announce: lambda now_ns, router, effect: kernel.announce(router, effect.addresses, effect.repeat),
            AcquireAddresses: lambda now_ns, router, effect: kernel.acquire(router, effect.addresses),
            ReleaseAddresses: lambda now_ns, router, effect: kernel.release(router, effect.addresses),
        }
        self._read = read
        self._take(read())
        kernel.expect(self._named)
        self.router = Router(
            self.configuration.router, profile=profile, interfaces=kernel.interfaces, addresses_later=True
        )
        self._alarm: Alarm | None = None
        self._carriers: dict[str, bool] = {}
        self._bare: set[str] = set()
        """The interfaces that are up and have no address to send from."""
        self._runs = False
        self._due: dict[signal.Signals, None] = {}
        """The signals that are still to be acted upon."""
        self._listeners: dict[str, Callable[[int, Datagram], None]] = {}
        self._ended = asyncio.Event()

    def _take(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self.config: ParsedConfig = configuration.parsed
        self._named = frozenset(interfaces_of(configuration.parsed.config))

    def _complain(self) -> None:
        for complaint in (*self.config.diagnostics, *self.configuration.notes):
            log.warning("%s", complaint)

    # Its life -------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Run until a signal ends it. ValueError or OSError for what keeps it from starting."""
        loop = asyncio.get_running_loop()
        for number in self.signals:
            loop.add_signal_handler(number, self._signalled, number)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, self.signals)
        self._complain()
        self._alarm = Alarm(loop, self._wake)
        started: list[Service] = []
        self.kernel.open(self)
        try:
            self.kernel.attach(self.router, self.config.config)
            self.kernel.sweep(self.router)
            for service in self.services:
                await service.start(self)
                started.append(service)
            now_ns = time.monotonic_ns()
            for name in self._named:
                self._look_at(now_ns, name)
            self._perform(now_ns, self.router.start(now_ns))
            log.info("Startup complete")
            self._runs = True
            self._obey()
            await self._ended.wait()
        finally:
            now_ns = time.monotonic_ns()
            self._perform(now_ns, self.router.stop(now_ns))
            for service in reversed(started):
                await service.stop()
            self._alarm.close()
            self.kernel.close()

    def _signalled(self, number: signal.Signals) -> None:
        """However often one comes before it is acted upon, it is acted upon once."""
        if self._runs and not self._due:
            asyncio.get_running_loop().call_soon(self._obey)
        self._due[number] = None

    def _obey(self) -> None:
        while self._due:
            number = next(iter(self._due))
            del self._due[number]
            self.signals[number]()

    def stop(self) -> None:
        """End in good order: masters say good-bye, the addresses go."""
        self._ended.set()

    def reload(self) -> None:
        """Read the configuration again and run it; with one that cannot be run, all stays as it is."""
        self._perform(time.monotonic_ns(), self.router.advertise(time.monotonic_ns()))
        try:
            configuration = self._read()
            self.kernel.expect(interfaces_of(configuration.parsed.config))
            now_ns = time.monotonic_ns()
            effects = self.router.reload(now_ns, configuration.router)
        except (ConfigurationError, ValueError) as error:
            log.error("%s; the running configuration is kept", error)
            return
        self._take(configuration)
        self._complain()
        try:
            self.kernel.attach(self.router, self.config.config)
        except OSError as error:
            log.error("%s: not all of the new configuration is heard", (error.strerror or str(error)).lower())
        for tell in self.reloaded:
            tell()
        self._perform(now_ns, effects)
        for name in self._named:
            self.interface_changed(name)

    # News -----------------------------------------------------------------------------------------------

    def learn(self, news: Callable[[int], KeyedEffects]) -> None:
        """Something happened: `news` is called with the time now, and what it makes the router ask for is done."""
        now_ns = time.monotonic_ns()
        self._perform(now_ns, news(now_ns))

    def hear(self, interface: str, datagram: Datagram) -> None:
        """A VRRP packet arrived on an interface."""
        listen = self._listeners.get(interface)
        if listen is None:
            listen = self._listeners[interface] = self.router.listener(interface, self._perform)
        listen(time.monotonic_ns(), datagram)

    def interface_changed(self, name: str) -> None:
        """An interface is another now."""
        if name in self._named:
            self.learn(lambda now_ns: self._look_at(now_ns, name))

    def _look_at(self, now_ns: int, name: str) -> KeyedEffects:
        """Tell the router of an interface; one without an address to send from is as good as down (keepalived)."""
        whole = self.router.set_addresses(name, self.kernel.interfaces[name])
        up = self.kernel.is_up(name)
        if up is not self._carriers.setdefault(name, up):
            log.info("Netlink reports %s %s", name, "up" if up else "down")
            self._carriers[name] = up
        bare = up and not whole
        if bare and name not in self._bare:
            log.warning("%s has no address to send from; the virtual routers on it wait for one", name)
        (self._bare.add if bare else self._bare.discard)(name)
        return self.router.set_interface(now_ns, name, up and whole)

    def _wake(self) -> None:
        self.kernel.drain()
        now_ns = time.monotonic_ns()
        self._perform(now_ns, self.router.expire(now_ns))

    def _perform(self, now_ns: int, effects: KeyedEffects) -> None:
        """Carry out effects, and see that the alarm rings in time.

        Advertisements go first: the other virtual routers' need not wait until the addresses of one are where they
        belong. What happened is told in the router's order.
        """
        for virtual_router, effect in sorted(effects, key=_turn) if len(effects) > 1 else effects:
            act = self.handlers.get(type(effect))
            if act is not None:
                act(now_ns, virtual_router, effect)
        for virtual_router, effect in effects:
            for listener in self.listeners:
                listener(now_ns, virtual_router, effect)
        assert self._alarm is not None  # it is there before the router is asked anything
        self._alarm.arm(self.router.settle())


def _turn(keyed: tuple[VirtualRouter | None, Effect]) -> bool:
    return type(keyed[1]) is not SendAdvertisement
