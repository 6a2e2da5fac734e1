"""The simulator: a network of routers on one clock that jumps, driving the protocol of `vrrp`."""
