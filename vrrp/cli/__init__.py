"""The `vrrp` command: one file per subcommand, thin. Packages add theirs through the entry points `vrrp.commands`."""
