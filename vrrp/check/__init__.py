"""The linter: what is wrong with the configurations of a cluster, before it is deployed."""

from vrrp.check.cluster import Cluster, Facts, Member, Node, Peers, Sidecar, assemble
from vrrp.check.finding import Edit, Finding, Place
from vrrp.check.rule import Check, Rule, check
from vrrp.config import Severity

__all__ = [
    "Check",
    "Cluster",
    "Edit",
    "Facts",
    "Finding",
    "Member",
    "Node",
    "Peers",
    "Place",
    "Rule",
    "Severity",
    "Sidecar",
    "assemble",
    "check",
]
