"""The virtual servers of keepalived: whether it can find out that a real server is dead, and that enough are up."""

from __future__ import annotations

from collections.abc import Iterator

from vrrp.check.cluster import Cluster, Node
from vrrp.check.finding import Finding
from vrrp.check.rule import check
from vrrp.check.rulebook import rulebook
from vrrp.config.lvs.endpoints import service_label
from vrrp.config.lvs.model import FileCheck, MiscCheck, VirtualServer

_RULES = rulebook("pooling")
_NAMED = 4
"""So many servers are named in one line."""


@check(_RULES["VRRP-W280"], _RULES["VRRP-W281"])
def pools(cluster: Cluster) -> Iterator[Finding]:
    """What keepalived does with the real servers of each virtual server, and does not tell."""
    for node in cluster.nodes:
        for server in node.config.virtual_servers:
            label = service_label(server.address, server.protocol)
            yield from _unchecked(node, server, label)
            yield from _quorum(node, server, label)


def _unchecked(node: Node, server: VirtualServer, label: str) -> Iterator[Finding]:
    found = [one for one in server.real_servers if not one.checkers]
    if found:
        names = ", ".join(service_label(one.address, server.protocol) for one in found[:_NAMED])
        more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        message = f"virtual server {label}: {names}{more} without a checker"
        yield _RULES["VRRP-W280"].finding(node.place(found[0].line), message)


def _quorum(node: Node, server: VirtualServer, label: str) -> Iterator[Finding]:
    """Only where somebody would notice, and no checker says what a server weighs."""
    checkers = [checker for one in server.real_servers for checker in one.checkers]
    if any(isinstance(one, FileCheck) or (isinstance(one, MiscCheck) and one.dynamic) for one in checkers):
        return
    weight = sum(one.weight for one in server.real_servers)
    needed = server.quorum + server.hysteresis
    followed = server.sorry_server or server.quorum_up or server.quorum_down
    if followed and server.real_servers and weight < needed:
        yield _RULES["VRRP-W281"].finding(
            node.place(server.line),
            f"virtual server {label}: its real servers weigh {weight} together, and its quorum of {server.quorum} with"
            f" hysteresis {server.hysteresis} is gained with {needed}",
        )
