"""What keepalived.conf gives to the kernel beside virtual addresses: routes, rules, static addresses."""
