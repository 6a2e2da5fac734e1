"""What runs beside the engines: the servers and HAProxies of a laboratory, and the hosts that servers have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from sim.inputs import Inputs
from sim.lab.haproxy import Haproxy
from sim.lab.listener import Listener
from sim.lab.looking import looking
from sim.lab.namespace import Namespace
from sim.lab.node import Node
from sim.lab.station import Station
from sim.lab.web import PLAIN, Server, conduct_of
from sim.scenario import ServerSpec
from sim.script import Step, step_of

FORWARDING, NONLOCAL_BIND = "net.ipv4.ip_forward", "net.ipv4.ip_nonlocal_bind"


def steps_of(inputs: Inputs, node: str) -> dict[str, Sequence[Step]]:
    """What the check scripts of a node look at, by their names: as the scenario says, else as the files do."""
    own = inputs.scenario.nodes[node].scripts
    said = {name: [step_of(one) for one in spec.steps] for name, spec in own.items()}
    return {**inputs.scripts.get(node, {}), **said}


def looks_of(inputs: Inputs, node: str, folder: Path) -> dict[str, str]:
    """The same as lines of shell; `folder` is where process ids are."""
    return {name: looking(steps, folder) for name, steps in steps_of(inputs, node).items()}


class Services:
    """Those of one laboratory. `folders` has one for each node."""

    def __init__(
        self, inputs: Inputs, nodes: Mapping[str, Node], hosts: Mapping[str, Station], folders: Mapping[str, Path]
    ) -> None:
        scenario = inputs.scenario
        self.servers: dict[str, Server] = {}
        self.balancers: dict[str, Haproxy] = {}
        self.hosts = hosts
        self._specs = scenario.servers
        self._of_node: dict[str, list[Server | Haproxy]] = {name: [] for name in nodes}
        self._up: set[str] = set()
        for name, spec in scenario.nodes.items():
            if spec.haproxy is not None:
                text = (inputs.source.folder / spec.haproxy).read_text(encoding="utf-8")
                namespace = nodes[name].namespace
                one = self.balancers[name] = Haproxy(name, namespace, folders[name], text, spec.environment)
                self._of_node[name].append(one)
        for name, server in scenario.servers.items():
            self._add(name, server, nodes, folders)
        ports = sorted({spec.target[1] for spec in scenario.clients.values()})
        for name, services in self._of_node.items():
            if not services and ports:
                services.append(Server(name, nodes[name].namespace, folders[name], ports, PLAIN))

    def _add(self, name: str, spec: ServerSpec, nodes: Mapping[str, Node], folders: Mapping[str, Path]) -> None:
        namespace: Namespace
        if spec.node is None:
            namespace, folder = self.hosts[name].namespace, folders[name]
        else:
            namespace, folder = nodes[spec.node].namespace, folders[spec.node]
        server = self.servers[name] = Server(name, namespace, folder, spec.listen, conduct_of(spec), spec.start_delay)
        if spec.node is not None and spec.running:
            self._of_node[spec.node].append(server)

    def begin(self, listener: Listener) -> None:
        """Start the servers that have a host of their own, and wait until they listen. LabError."""
        begun = [name for name, spec in self._specs.items() if spec.node is None and spec.running]
        for name in begun:
            self.servers[name].start(listener)
        for name in begun:
            self.servers[name].wait()
        for name, spec in self._specs.items():
            if spec.silent:
                self.servers[name].silence()

    def boot(self, node: str, listener: Listener) -> None:
        """A node comes up, with all that starts with it; nothing where that has happened since it has power."""
        if node not in self._up:
            self._up.add(node)
            for service in self._of_node[node]:
                service.start(listener)

    def power_off(self, name: str) -> None:
        """A node, or the host of a server, is gone with all that runs on it."""
        self._up.discard(name)
        for service in self._of_node.get(name, ()):
            service.kill()
        if name in self.hosts:
            self.servers[name].kill()

    def end(self) -> None:
        """End everything that runs."""
        for one in (*self.servers.values(), *(one for services in self._of_node.values() for one in services)):
            one.kill()

    def began_ns(self) -> dict[str, dict[str, list[int]]]:
        """When each service of a node was there, each time (nanoseconds since 1970), by node and name."""
        return {
            node: {one.name: one.begun_ns if isinstance(one, Haproxy) else one.listened_ns for one in services}
            for node, services in self._of_node.items()
        }

    @property
    def complaints(self) -> list[str]:
        """One line for each server that was started and did not come to listen before it was ended."""
        return [
            f"server {name} was started {len(one.started_ns)} times, and listened {len(one.listened_ns)} times"
            for name, one in self.servers.items()
            if len(one.listened_ns) < len(one.started_ns)
        ]
