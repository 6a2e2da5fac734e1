"""A segment for real: a namespace with bridges, whose ports are one end of a cable each.

The first bridge is the segment; the others are the sides of a partition, to which ports are moved. A cable is a veth
pair, so a port that is down takes the carrier from the station's interface.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from sim.lab.namespace import PROGRAM_PATH, Namespace

_SETTINGS = {"net.ipv6.conf.all.disable_ipv6": 1, "net.ipv6.conf.default.disable_ipv6": 1}
_BRIDGE = "type bridge stp_state 0 forward_delay 0 mcast_snooping 0"
MILLION = 1_000_000


class Switch:
    """One segment. `sides` is how many bridges it needs: one more than the groups of its largest partition."""

    def __init__(self, name: str, namespace: Namespace, sides: int) -> None:
        self.name = name
        self.namespace = namespace
        self.bridges = [f"br{number}" for number in range(sides)]
        self._ports: dict[str, tuple[str, str]] = {}
        """The station of each port, and the bridge on which it is."""

    def build(self) -> None:
        """Make the bridges."""
        self.namespace.create(_SETTINGS)
        # Promiscuous, so that a capture on the bridge has what goes from port to port.
        self.namespace.configure(
            line
            for bridge in self.bridges
            for line in (f"link add {bridge} {_BRIDGE}", f"link set {bridge} promisc on", f"link set {bridge} up")
        )

    def plug(self, station: str, into: Namespace, interface: str, mac: str) -> str:
        """A cable from a new port to a new interface of a station; the port's name."""
        port = f"port{len(self._ports)}"
        self._ports[port] = (station, self.bridges[0])
        self.namespace.configure(
            (
                f"link add {port} type veth peer name {interface} address {mac} netns {into.name}",
                f"link set {port} master {self.bridges[0]} up",
            )
        )
        return port

    def set_link(self, port: str, up: bool) -> None:
        """Plug a cable in or out."""
        self.namespace.configure([f"link set {port} {'up' if up else 'down'}"])

    def partition(self, groups: Sequence[Sequence[str]]) -> None:
        """Stations of one group hear each other only, those in none are one group more; no group at all heals."""
        sides = {station: bridge for group, bridge in zip(groups, self.bridges[1:], strict=False) for station in group}
        changes = []
        for port, (station, bridge) in self._ports.items():
            wanted = sides.get(station, self.bridges[0])
            if wanted != bridge:
                changes.append(f"link set {port} master {wanted}")
                self._ports[port] = (station, wanted)
        self.namespace.configure(changes)

    def lose(self, rate: float) -> None:
        """Each frame is lost by this chance on its way to each port."""
        rules = "table bridge lab\ndelete table bridge lab\n"
        if rate:
            drop = f"numgen random mod {MILLION} < {round(rate * MILLION)} drop" if rate < 1 else "drop"
            rules += f"table bridge lab {{ chain forward {{ type filter hook forward priority 0; {drop}; }}; }}\n"
        self.namespace.filter(rules)

    def hush(self) -> None:
        """Take the bridges down, which ends the captures on them."""
        self.namespace.configure(f"link set {bridge} down" for bridge in self.bridges)


def can_lose() -> bool:
    """Whether frames can be lost by chance here: nft does it."""
    return shutil.which("nft", path=PROGRAM_PATH) is not None
