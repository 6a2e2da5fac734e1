"""What the kernel gets beside virtual addresses: routes, rules, and the addresses that stay."""
