"""The linter: what is wrong with the configurations of a cluster, before it is deployed."""

from vrrp.check.cluster import Cluster, Member, Node, Peers, assemble
from vrrp.check.finding import Edit, Finding, Place
from vrrp.check.rule import Check, Rule, check
from vrrp.config import Severity

__all__ = [
    "Check",
    "Cluster",
    "Edit",
    "Finding",
    "Member",
    "Node",
    "Peers",
    "Place",
    "Rule",
    "Severity",
    "assemble",
    "check",
]
