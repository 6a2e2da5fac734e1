"""The protocol, sans IO: bytes and events go in with the time, effects come out. No socket, clock or thread."""
