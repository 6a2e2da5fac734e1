"""The vrrp_instance block: its lines, and what they mean together."""
