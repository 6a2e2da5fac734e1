"""A station for real: a namespace with the interfaces and addresses that the scenario gives it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sim.lab.namespace import LabError, Namespace
from sim.lab.switch import Switch
from sim.scenario import InterfaceSpec

SETTINGS = {
    # Addresses are as the scenario has them, at once, and nobody speaks but who is asked to.
    "net.ipv6.conf.all.accept_dad": 0,
    "net.ipv6.conf.default.accept_dad": 0,
    "net.ipv6.conf.all.router_solicitations": 0,
    "net.ipv6.conf.default.router_solicitations": 0,
}
LONGEST_NAME = 15
"""IFNAMSIZ, without the byte that ends it."""


@dataclass(frozen=True, slots=True)
class Plug:
    """Where an interface's cable ends."""

    switch: Switch
    port: str


class Station:
    """A node, a server or a client."""

    def __init__(self, name: str, namespace: Namespace) -> None:
        self.name = name
        self.namespace = namespace
        self.plugs: dict[str, Plug] = {}
        self.powered = True
        self._cables: dict[str, bool] = {}

    def build(
        self,
        interfaces: Mapping[str, InterfaceSpec],
        switches: Mapping[str, Switch],
        macs: Mapping[str, str],
        settings: Mapping[str, int],
    ) -> None:
        """Make the namespace and plug it in; `macs` has one for each interface, `settings` are more of sysctl's."""
        self.namespace.create({**SETTINGS, **settings})
        commands = []
        for name, spec in interfaces.items():
            if not 0 < len(name) <= LONGEST_NAME or "/" in name or any(letter.isspace() for letter in name):
                raise LabError(f"{self.name}: {name!r} is no name that Linux gives an interface")
            switch = switches[spec.segment]
            self.plugs[name] = Plug(switch, switch.plug(self.name, self.namespace, name, macs[name]))
            self._cables[name] = True
            commands += [f"link set {name} addrgenmode none", f"link set {name} up"]
            for address in spec.addresses:
                commands.append(f"address add {address} dev {name}{' nodad' if address.version == 6 else ''}")
        self.namespace.configure(commands)

    def set_link(self, interface: str, up: bool) -> bool:
        """Plug its cable in or out; whether the link is there then."""
        self._cables[interface] = up
        return self._connect(interface)

    def set_power(self, powered: bool) -> dict[str, bool]:
        """Take all links away, or give back those that have a cable; by interface, whether it has a link then."""
        self.powered = powered
        return {interface: self._connect(interface) for interface in self.plugs}

    def _connect(self, interface: str) -> bool:
        up = self._cables[interface] and self.powered
        plug = self.plugs[interface]
        plug.switch.set_link(plug.port, up)
        return up
