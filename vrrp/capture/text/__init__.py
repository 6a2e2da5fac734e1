"""Packets as tcpdump 4.99.3 prints them, byte for byte: one file for each protocol, the rules in `printer`."""
