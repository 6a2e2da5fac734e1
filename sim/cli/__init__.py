"""The subcommands the simulator adds to `vrrp`."""
