"""How long a failure lasts until another node is master: sums of named parts, from the nodes' configurations alone."""

from vrrp.failover.failover import Failover, Mishap, failovers
from vrrp.failover.part import Part
from vrrp.failover.standing import Peer, Standing, standings

__all__ = ["Failover", "Mishap", "Part", "Peer", "Standing", "failovers", "standings"]
