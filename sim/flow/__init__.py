"""TCP as flows: connections are objects, and what a packet would meet is asked of the network when it leaves."""
