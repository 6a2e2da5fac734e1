"""Everything that touches the Linux kernel: packet sockets, and what goes out through them."""
