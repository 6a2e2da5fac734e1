"""Health checks for real: what asks servers over the network, and scripts."""
