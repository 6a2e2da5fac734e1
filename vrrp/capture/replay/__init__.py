"""Replaying a capture: a router with a given configuration hears it in virtual time, as if it stood on that LAN."""
