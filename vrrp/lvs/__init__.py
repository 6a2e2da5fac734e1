"""Balancing, as keepalived's checker process does it, without sockets and clocks: checkers, pools, quorums."""
